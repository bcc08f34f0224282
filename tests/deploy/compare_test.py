"""deploy/compare without a server: medians, what does not count, the table, the page, configurations."""

import sys
import unittest
from html.parser import HTMLParser

sys.path.insert(0, sys.argv.pop(1))
sys.dont_write_bytecode = True

import pathlib  # noqa: E402

import configuration  # noqa: E402
import measurements  # noqa: E402
import page  # noqa: E402
import servers  # noqa: E402
import summary  # noqa: E402
import table  # noqa: E402
from chart import chart  # noqa: E402

CHAT = next(measurement for measurement in measurements.FULL if measurement.name == "chat")


def result(messages_per_s, **messages):
    return {"messages": {"lost": 0, "duplicated": 0, "reordered": 0} | messages,
            "rates": {"messages_per_s": messages_per_s}, "latency_ms": {"p99": 1.5}}


def runs_of(server, *rates):
    return [{"server": server, "run": number, "fault": None, "result": result(rate)}
            for number, rate in enumerate(rates, 1)]


def comparison(measured, **changes):
    return {"date": "2030-01-02", "quick": False, "runs": 3, "bots": "1.0", "complete": True,
            "stopped": None, "remarks": ["A <remark>."], "configurations": {"a.cfg": "x < y"},
            "machine": {"cpu": "A & B", "cores": 2, "memory_gib": 8, "system": "Debian"},
            "servers": {"parleyd": {"title": "parleyd", "version": "1"},
                        "prosody": {"title": "Prosody", "version": "2"}},
            "measurements": measured} | changes


class Summary(unittest.TestCase):
    def test_takes_the_median_and_the_spread_of_the_runs(self):
        done = summary.summarise(CHAT, runs_of("parleyd", 300, 100, 200))
        values = done["metrics"][0]["values"]["parleyd"]
        self.assertEqual((values["median"], values["min"], values["max"]), (200, 100, 300))

    def test_leaves_runs_with_a_fault_out_and_names_them(self):
        runs = runs_of("parleyd", 300, 100)
        runs[1]["fault"] = "3 messages lost"
        done = summary.summarise(CHAT, runs)
        self.assertEqual(done["metrics"][0]["values"]["parleyd"]["runs"], [300])
        self.assertEqual(done["faults"],
                         [{"server": "parleyd", "run": 2, "fault": "3 messages lost"}])

    def test_has_no_figure_where_none_was_measured(self):
        self.assertIsNone(summary.figure({"latency_ms": None}, measurements.P99))
        self.assertIsNone(summary.figure({}, measurements.P99))

    def test_counts_no_run_that_lost_duplicated_or_reordered_a_message(self):
        for wrong in ("lost", "duplicated", "reordered"):
            self.assertEqual(summary.fault(1, result(1, **{wrong: 2})), f"2 messages {wrong}")

    def test_counts_no_run_without_a_result_or_with_an_exit_code(self):
        self.assertIn("code 3", summary.fault(3, None))
        self.assertIn("code 3", summary.fault(3, result(1)))
        self.assertEqual(summary.fault(1, result(1) | {"failure": "no server"}), "no server")
        self.assertIsNone(summary.fault(0, result(1)))

    def test_shows_three_digits_and_never_rounds_thousands(self):
        shown = {0: "0", 0.01234: "0.012", 1.234: "1.23", 12.34: "12.3", 12345.6: "12,346"}
        for value, text in shown.items():
            self.assertEqual(summary.number(value), text)


class Table(unittest.TestCase):
    def whole(self, **changes):
        runs = runs_of("parleyd", 300, 100, 200) + runs_of("prosody", 40, 50)
        runs.append({"server": "prosody", "run": 3, "fault": "it went away\nlog", "result": None})
        return comparison([summary.summarise(CHAT, runs)], **changes)

    def test_shows_the_spread_and_marks_the_best(self):
        self.assertIn("| **200 (100–300)** |", table.markdown(self.whole()))

    def test_tells_how_many_runs_count_when_some_do_not(self):
        text = table.markdown(self.whole())
        self.assertIn("45.0 (40.0–50.0), 2 of 3 runs", text)
        self.assertIn("run 3 of Prosody does not count: it went away.", text)

    def test_marks_a_partial_comparison(self):
        text = table.markdown(self.whole(complete=False, stopped="it was interrupted"))
        self.assertIn("Partial: it was interrupted", text)

    def test_the_best_is_the_least_where_less_is_better(self):
        metric = {"lower_is_better": True, "values": {"a": {"median": 1}, "b": {"median": 2}}}
        self.assertEqual(table.best_of(metric), {"a"})
        self.assertEqual(table.best_of(metric | {"lower_is_better": False}), {"b"})
        self.assertEqual(table.best_of(metric | {"values": {"a": {"median": 1}}}), set())


class Outline(HTMLParser):
    """Remembers links to elsewhere and elements left open."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.outside = []
        self.bars = 0

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "rect", "path"):
            self.open.append(tag)
        self.bars += tag == "rect"
        self.outside += [value for key, value in attributes if key in ("src", "href")]

    def handle_startendtag(self, tag, attributes):
        self.bars += tag == "rect"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


class Page(unittest.TestCase):
    def test_is_whole_escaped_and_needs_nothing_from_elsewhere(self):
        runs = runs_of("parleyd", 300, 100, 200) + runs_of("prosody", 40, 50, 60)
        text = page.page(comparison([summary.summarise(CHAT, runs)]))
        outline = Outline()
        outline.feed(text)
        self.assertEqual((outline.open, outline.outside), ([], []))
        self.assertEqual(outline.bars, 4)
        for escaped in ("A &lt;remark&gt;.", "x &lt; y", "A &amp; B"):
            self.assertIn(escaped, text)

    def test_a_chart_without_figures_says_so(self):
        metric = {"title": "t", "unit": "u", "lower_is_better": True, "values": {}}
        self.assertIn("not measured", chart(metric, {"parleyd": "parleyd"}))

    def test_a_chart_of_zeros_has_no_negative_or_endless_bars(self):
        values = summary.spread([0, 0])
        drawn = chart({"title": "t", "unit": "u", "lower_is_better": True,
                       "values": {"parleyd": values}}, {"parleyd": "parleyd"})
        self.assertNotIn("-", drawn.split("<rect")[1].split("/>")[0])


class Configuration(unittest.TestCase):
    XEPS = "| Specification | Title |\n|---|---|\n| RFC 6121 | IM |\n| XEP-0012 | Last |\n"

    def test_features_are_on_when_parleyd_lists_their_specification(self):
        present = configuration.specifications(self.XEPS)
        self.assertEqual(present, {"RFC 6121", "XEP-0012"})
        on = configuration.features_on(configuration.read_features(), present)
        self.assertEqual(configuration.ejabberd_modules(on).split(),
                         ["mod_roster:", "{versioning:", "true}", "mod_last:", "{}"])
        self.assertEqual(configuration.prosody_modules(on).split(), ['"roster";', '"lastactivity";'])

    def test_every_feature_has_a_module_and_none_is_listed_twice(self):
        features = configuration.read_features()
        names = [feature["specification"] for feature in features]
        self.assertEqual(len(names), len(set(names)))
        for feature in features:
            self.assertTrue(feature.get("prosody") or feature.get("ejabberd"))

    def test_every_server_is_configured_with_every_feature_there_is(self):
        for kind in servers.ALL:
            server = kind(pathlib.Path("/keys"), configuration.read_features(), pathlib.Path("/built"))
            usual = "".join(server.render(pathlib.Path("/data"), True).values())
            self.assertNotRegex(usual, "@[A-Z_]+@")
            self.assertIn(str(server.port), usual)
            unencrypted = "".join(server.render(pathlib.Path("/data"), False).values())
            self.assertEqual(unencrypted != usual, server.unencrypted)

    def test_templates_are_filled_in_completely(self):
        self.assertEqual(configuration.render("a @B@ c@D_E@", {"B": 1, "D_E": "x"}), "a 1 cx")
        with self.assertRaises(KeyError):
            configuration.render("@B@", {})
        with self.assertRaises(KeyError):
            configuration.render("", {"B": 1})


class Measurements(unittest.TestCase):
    def test_names_are_unique_and_each_has_figures(self):
        for plan in (measurements.FULL, measurements.QUICK):
            names = [measurement.name for measurement in plan]
            self.assertEqual(len(names), len(set(names)))
            self.assertTrue(all(measurement.metrics for measurement in plan))


if __name__ == "__main__":
    unittest.main(verbosity=1)
