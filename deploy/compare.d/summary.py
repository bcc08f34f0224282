"""From the results of single runs to medians and spreads. Pure: values in, values out."""

import statistics


def figure(result, metric):
    """The metric of one run's JSON as it is shown, or None where it was not measured."""
    value = result
    for key in metric.path:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value / metric.divisor if isinstance(value, (int, float)) else None


def spread(figures):
    """Median, least and most of some runs' figures."""
    return {"median": statistics.median(figures), "min": min(figures), "max": max(figures),
            "runs": figures}


def fault(exit_code, result):
    """Why a run does not count, or None when it does: one sentence."""
    if result is None:
        return f"parley-bots ended with code {exit_code} and left no result"
    messages = result.get("messages", {})
    wrong = [f"{messages[key]:,} messages {key}" for key in ("lost", "duplicated", "reordered")
             if messages.get(key)]
    if wrong:
        return ", ".join(wrong)
    if result.get("interrupted"):
        return "interrupted"
    if exit_code != 0:
        return result.get("failure") or f"parley-bots ended with code {exit_code}"
    return None


def summarise(measurement, runs):
    """One measurement of all servers. `runs`: dictionaries with server, run, fault, result. Runs with a
    fault are named, and left out of the medians."""
    metrics = []
    for metric in measurement.metrics:
        values = {}
        for run in runs:
            shown = figure(run["result"], metric) if run["fault"] is None else None
            if shown is not None:
                values.setdefault(run["server"], []).append(shown)
        metrics.append({"name": metric.name, "title": metric.title, "unit": metric.unit,
                        "lower_is_better": metric.lower_is_better,
                        "values": {server: spread(figures) for server, figures in values.items()}})
    faults = [{"server": run["server"], "run": run["run"], "fault": run["fault"]}
              for run in runs if run["fault"] is not None]
    return {"name": measurement.name, "title": measurement.title,
            "command": ["parley-bots", "run", *measurement.arguments()], "metrics": metrics,
            "faults": faults}


def number(value):
    """Three digits that matter: 12345 → 12,300 is never wanted, 12,345 is; 0.01234 → 0.0123."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"
