"""The comparison as one Markdown table with what is needed to judge it. Pure."""

from summary import number


def cell(values, runs):
    """`runs`: how many were made; fewer that count are told."""
    if values is None:
        return "–"
    shown = number(values["median"])
    counted = len(values["runs"])
    if counted > 1:
        shown += f" ({number(values['min'])}–{number(values['max'])})"
    return shown if counted == runs else f"{shown}, {counted} of {runs} runs"


def best_of(metric):
    """The servers whose median is the best one; nobody when there is nothing to compare."""
    medians = {server: values["median"] for server, values in metric["values"].items()}
    if len(medians) < 2:
        return set()
    best = (min if metric["lower_is_better"] else max)(medians.values())
    return {server for server, median in medians.items() if median == best}


def rows(comparison):
    servers = list(comparison["servers"])
    for measurement in comparison["measurements"]:
        title = measurement["title"]
        for metric in measurement["metrics"]:
            best = best_of(metric)
            cells = []
            for server in servers:
                text = cell(metric["values"].get(server), comparison["runs"])
                cells.append(f"**{text}**" if server in best else text)
            yield [title, f"{metric['title']}, {metric['unit']}", *cells]
            title = ""


def notes(comparison):
    for measurement in comparison["measurements"]:
        for fault in measurement["faults"]:
            title = comparison["servers"][fault["server"]]["title"]
            first_line = fault["fault"].splitlines()[0].rstrip(".?!")
            what = f"run {fault['run']} of {title} does not count" if fault["run"] else f"not {title}"
            yield f"{measurement['title']}: {what}: {first_line}."


def heading(comparison):
    machine = comparison["machine"]
    runs = comparison["runs"]
    how = "one run each" if runs == 1 else f"medians of {runs} runs (least–most)"
    kind = "" if not comparison["quick"] else " Quick runs: too short to compare anything by."
    state = "" if comparison["complete"] else f" **Partial: {comparison['stopped']}.**"
    return (f"Measured {comparison['date']} on {machine['cpu']}, {machine['cores']} cores, "
            f"{machine['memory_gib']} GiB, {machine['system']}; {how}. parley-bots "
            f"{comparison['bots']} ran on the same cores.{kind}{state}")


def markdown(comparison):
    servers = [f"{server['title']} {server['version']}" for server in comparison["servers"].values()]
    header = ["workload", "figure", *servers]
    lines = [heading(comparison), "", "| " + " | ".join(header) + " |",
             "|---|---|" + "---:|" * len(servers)]
    lines += ["| " + " | ".join(row) + " |" for row in rows(comparison)]
    remarks = [*comparison["remarks"], *notes(comparison)]
    if remarks:
        lines += ["", *(f"- {remark}" for remark in remarks)]
    return "\n".join(lines) + "\n"
