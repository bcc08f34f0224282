// The style sheet of reports and comparisons. Colours were chosen to be told apart with common
// colour blindness and on paper; series past the sixth are dashed as well.
#include "tests/bots/report/html_page.h"

namespace bots {
namespace {

constexpr std::string_view kStyleSheet = R"(:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #15181c; --soft: #5b636d; --rule: #e1e4e8;
  --grid: #e8eaee; --good: #14703c; --good-soft: #e3f4e9; --bad: #b3261e; --bad-soft: #fdebe9;
  --warn: #8a5a00; --warn-soft: #fcf1d9;
  --c0: #1f62c7; --c1: #cf5f0b; --c2: #0b8573; --c3: #8a3fc4; --c4: #b8287a; --c5: #6a6f00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101317; --card: #181c21; --ink: #e7eaee; --soft: #9aa4af; --rule: #2a3037;
    --grid: #262c33; --good: #6fd897; --good-soft: #12301f; --bad: #ff8d83; --bad-soft: #3a1917;
    --warn: #f0bd5e; --warn-soft: #33260d;
    --c0: #6ea6ff; --c1: #ff9d55; --c2: #3ecfb4; --c3: #c592ff; --c4: #ff7fbd; --c5: #c9cf4a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial,
      sans-serif;
}
main { max-width: 1160px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 2px 0 6px; letter-spacing: -0.015em; }
h1 small { font-size: inherit; font-weight: 400; color: var(--soft); }
h2 { font-size: 19px; margin: 44px 0 14px; letter-spacing: -0.01em; }
p { margin: 0 0 10px; }
a { color: var(--c0); }
.eyebrow { color: var(--soft); font-size: 13px; letter-spacing: 0.02em; margin: 0; }
.meta { color: var(--soft); margin: 0 0 22px; }
.meta span { display: inline-block; }
.meta span + span::before { content: "·"; padding: 0 8px; }
.verdict {
  display: flex; gap: 16px; align-items: center; border-radius: 12px; padding: 16px 20px;
  margin: 0 0 16px; border: 1px solid; overflow-wrap: anywhere;
}
.verdict svg { flex: none; width: 34px; height: 34px; }
.verdict strong { display: block; font-size: 19px; line-height: 1.3; }
.verdict p { margin: 0; color: var(--ink); }
.verdict.passed { color: var(--good); background: var(--good-soft); }
.verdict.failed { color: var(--bad); background: var(--bad-soft); }
.verdict.interrupted, .doubt { color: var(--warn); background: var(--warn-soft); }
.doubt { border-radius: 12px; padding: 12px 20px; margin: 0 0 16px; }
.tiles { display: grid; grid-template-columns: repeat(var(--columns), 1fr); gap: 12px;
    margin: 0; }
.tiles div { background: var(--card); border: 1px solid var(--rule); border-radius: 12px;
    padding: 14px 16px; }
.tiles dt { color: var(--soft); font-size: 13px; }
.tiles dd { margin: 0; }
.tiles .value { font-size: 25px; font-weight: 650; letter-spacing: -0.02em; line-height: 1.35; }
.tiles .note { color: var(--soft); font-size: 13px; min-height: 1.5em; }
.tiles .bad .value { color: var(--bad); }
.pair { display: grid; grid-template-columns: minmax(0, 2fr) minmax(250px, 1fr); gap: 16px;
    align-items: start; }
.grid { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
.stack { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 16px;
    align-items: start; }
figure, .card {
  background: var(--card); border: 1px solid var(--rule); border-radius: 12px; margin: 0;
  padding: 16px 18px 12px; min-width: 0; break-inside: avoid;
}
figcaption, caption { font-weight: 600; text-align: left; padding: 0 0 4px; }
.scroll { overflow-x: auto; }
.plot { display: block; width: 100%; min-width: 400px; height: auto; }
.plot text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.plot .grid line { stroke: var(--grid); }
.plot .base { stroke: var(--soft); opacity: 0.6; }
.plot .line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round;
    stroke-linecap: round; }
.plot .area { fill: currentColor; opacity: 0.13; }
.plot circle { fill: currentColor; }
.plot .dash .line { stroke-dasharray: 7 4; }
.spot rect { fill: transparent; }
.spot line { stroke: var(--soft); stroke-dasharray: 2 3; }
.spot line, .spot circle, .spot text { opacity: 0; pointer-events: none; }
.spot:hover line, .spot:hover circle, .spot:hover text { opacity: 1; }
.spot text { fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--card);
    stroke-width: 6px; }
.s0 { color: var(--c0); } .s1 { color: var(--c1); } .s2 { color: var(--c2); }
.s3 { color: var(--c3); } .s4 { color: var(--c4); } .s5 { color: var(--c5); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; list-style: none; margin: 0;
    padding: 0; font-size: 13px; color: var(--soft); }
.key { display: inline-block; width: 18px; border-top: 3px solid currentColor;
    vertical-align: middle; margin: 0 7px 2px 0; }
.key.dash { border-top-style: dashed; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
    font-size: 14px; }
th, td { padding: 6px 10px; text-align: right; border-bottom: 1px solid var(--rule);
    vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child th, tbody tr:last-child td { border-bottom: 0; }
thead th { color: var(--soft); font-weight: 500; font-size: 13px; vertical-align: bottom; }
tbody th { font-weight: 400; color: var(--soft); }
.texts td { text-align: left; overflow-wrap: anywhere; }
.texts th { white-space: nowrap; }
details { margin-top: 16px; }
summary { cursor: pointer; color: var(--soft); }
details table { margin-top: 8px; }
.versus { table-layout: fixed; }
.versus th:last-child, .versus td:last-child { padding-right: 10px; }
.versus thead th:first-child { width: 190px; }
.versus thead th { min-width: 128px; overflow-wrap: anywhere; }
.versus tbody th { color: var(--ink); }
.versus .group th { color: var(--soft); font-size: 13px; padding-top: 18px; text-align: left; }
.versus .bar { display: block; height: 5px; border-radius: 3px; background: currentColor;
    margin: 4px 0 0 auto; opacity: 0.85; }
.versus .mark { font-size: 12px; color: var(--soft); margin-right: 10px; white-space: nowrap; }
.versus .spread { display: block; font-size: 12px; color: var(--soft); }
.versus .better { color: var(--good); } .versus .worse { color: var(--bad); }
.versus .figure { font-weight: 600; }
footer { margin-top: 44px; padding-top: 16px; border-top: 1px solid var(--rule);
    color: var(--soft); font-size: 13px; }
@media (max-width: 820px) {
  main { padding: 24px 14px 48px; }
  .pair, .grid { grid-template-columns: minmax(0, 1fr); }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media print {
  :root {
    --page: #ffffff; --card: #ffffff; --ink: #000000; --soft: #444a51; --rule: #cfd3d8;
        --grid: #e3e6ea;
    --good: #14703c; --good-soft: #ffffff; --bad: #b3261e; --bad-soft: #ffffff; --warn: #8a5a00;
        --warn-soft: #ffffff;
    --c0: #1f62c7; --c1: #cf5f0b; --c2: #0b8573; --c3: #8a3fc4; --c4: #b8287a; --c5: #6a6f00;
  }
  body { font-size: 12px; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  .grid { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .pair { grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); }
  .tiles { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 8px; }
  .tiles div, figure, .card { padding: 8px 10px; }
  .tiles .value { font-size: 18px; }
  h2 { margin: 22px 0 8px; }
  table { font-size: 11px; }
  th, td { padding: 3px 6px; }
  .plot { min-width: 0; }
  details { display: none; }
}
)";

}  // namespace

std::string_view style_sheet() {
    return kStyleSheet;
}

}  // namespace bots
