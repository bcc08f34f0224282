"""The comparison as one HTML page that needs nothing else: charts, the table, how it was measured, the
configurations. Pure."""

import html

import table
from chart import chart

STYLE = """
:root { --ink: #1d2330; --soft: #5d6678; --line: #d9dde5; --page: #fff; --panel: #f6f7f9;
        --parleyd: #2563a8; --prosody: #6b9c3a; --ejabberd: #c9792b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #9aa3b5; --line: #363c48; --page: #16191f; --panel: #1e222a;
          --parleyd: #5b9be0; --prosody: #8fbf5d; --ejabberd: #e09a54; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
       max-width: 980px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .4rem; }
.lead, figcaption, .none, code { color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 1rem 2rem; }
figure { margin: .6rem 0; } figcaption { font-size: .9rem; margin-bottom: .3rem; }
svg { width: 100%; font: 13px system-ui, sans-serif; fill: var(--ink); }
svg .none { fill: var(--soft); }
rect.parleyd { fill: var(--parleyd); } rect.prosody { fill: var(--prosody); }
rect.ejabberd { fill: var(--ejabberd); }
.whisker { stroke: var(--ink); stroke-width: 1.2; fill: none; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left;
         vertical-align: top; }
td:nth-child(n+3), th:nth-child(n+3) { text-align: right; white-space: nowrap; }
pre { background: var(--panel); padding: .8rem; overflow: auto; font-size: .8rem; }
.partial { background: #b3261e; color: #fff; padding: .5rem .8rem; border-radius: 4px; }
@media (max-width: 600px) { .charts { grid-template-columns: 1fr; } }
"""


def text(markdown):
    """One line of table.py's Markdown: bold is all that it has."""
    parts = html.escape(markdown).split("**")
    return "".join(f"<strong>{part}</strong>" if index % 2 else part
                   for index, part in enumerate(parts))


def charts(comparison):
    servers = {name: server["title"] for name, server in comparison["servers"].items()}
    for measurement in comparison["measurements"]:
        drawn = "".join(chart(metric, servers) for metric in measurement["metrics"])
        command = html.escape(" ".join(measurement["command"]))
        yield (f"<section><h2>{html.escape(measurement['title'])}</h2><code>{command}</code>"
               f'<div class="charts">{drawn}</div></section>')


def whole_table(comparison):
    titles = ["workload", "figure", *(f"{server['title']} {server['version']}"
                                      for server in comparison["servers"].values())]
    head = "".join(f"<th>{html.escape(title)}</th>" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>"
                   for row in table.rows(comparison))
    return f"<h2>All figures</h2><table><tr>{head}</tr>{body}</table>"


def listed(title, items):
    if not items:
        return ""
    return f"<h2>{title}</h2><ul>" + "".join(f"<li>{text(item)}</li>" for item in items) + "</ul>"


def configurations(comparison):
    shown = "".join(f"<details><summary>{html.escape(name)}</summary><pre>{html.escape(content)}</pre>"
                    "</details>" for name, content in comparison["configurations"].items())
    return f"<h2>The configurations</h2>{shown}" if shown else ""


def page(comparison):
    partial = "" if comparison["complete"] else (
        f'<p class="partial">Partial: {html.escape(comparison["stopped"])}.</p>')
    titles = ", ".join(server["title"] for server in comparison["servers"].values())
    machine = "".join(f"<tr><td>{html.escape(key.replace('_', ' '))}</td><td>{html.escape(str(value))}"
                      "</td></tr>" for key, value in comparison["machine"].items())
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{titles}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<style>{STYLE}</style><h1>{titles}</h1>"
            f'<p class="lead">{text(table.heading(comparison))}</p>{partial}'
            + "".join(charts(comparison)) + whole_table(comparison)
            + listed("How it was measured", comparison["remarks"])
            + listed("What does not count", list(table.notes(comparison)))
            + configurations(comparison)
            + f"<h2>The machine</h2><table>{machine}</table></html>\n")
