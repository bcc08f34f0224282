"""Bar charts as inline SVG: one bar a server, a whisker from the least to the most of its runs. Pure."""

import html

from summary import number

WIDTH = 640
LABEL_WIDTH = 90
VALUE_WIDTH = 170
BAR_HEIGHT = 18
GAP = 8


def bar(index, server, title, values, scale):
    """One row of a chart. `scale`: pixels per unit."""
    top = index * (BAR_HEIGHT + GAP)
    middle = top + BAR_HEIGHT / 2
    label = (f'<text x="{LABEL_WIDTH - 8}" y="{middle + 4:.1f}" text-anchor="end">'
             f"{html.escape(title)}</text>")
    if values is None:
        return label + f'<text x="{LABEL_WIDTH}" y="{middle + 4:.1f}" class="none">not measured</text>'
    width = max(values["median"] * scale, 1)
    least, most = (LABEL_WIDTH + values[key] * scale for key in ("min", "max"))
    parts = [label, f'<rect x="{LABEL_WIDTH}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT}" '
             f'rx="2" class="{server}"/>']
    text = number(values["median"])
    if len(values["runs"]) > 1:
        parts.append(f'<path class="whisker" d="M{least:.1f} {middle}H{most:.1f}'
                     f'M{least:.1f} {middle - 4}v8M{most:.1f} {middle - 4}v8"/>')
        text += f" ({number(values['min'])}–{number(values['max'])})"
    parts.append(f'<text x="{max(LABEL_WIDTH + width, most) + 8:.1f}" y="{middle + 4:.1f}">{text}</text>')
    return "".join(parts)


def chart(metric, servers):
    """`servers`: name → title, in the order of the bars."""
    most = max((values["max"] for values in metric["values"].values()), default=0)
    scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / most if most > 0 else 0
    height = len(servers) * (BAR_HEIGHT + GAP)
    bars = "".join(bar(index, server, title, metric["values"].get(server), scale)
                   for index, (server, title) in enumerate(servers.items()))
    better = "less is better" if metric["lower_is_better"] else "more is better"
    label = f"{metric['title']}, {metric['unit']} ({better})"
    return (f"<figure><figcaption>{html.escape(label)}</figcaption>"
            f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(label)}">'
            f"{bars}</svg></figure>")
