"""parley-bots against the built parleyd, as an operator would run it: big and fast enough to be worth it,
for correctness and never for time; and one clear line for everything that can go wrong.

usage: live_test.py FOLDER-OF-PARLEYD PARLEY-BOTS [unittest arguments]"""

import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))

import live_server  # noqa: E402

FOLDER = ""
BOTS = sys.argv.pop(2)

# Accounts and logins cost little then; the rest is as it comes.
CONFIG = "[sasl]\nscram_iterations = 4096\n"


def users_that_fit(wanted):
    """As many as the process may have connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if most == resource.RLIM_INFINITY else min(wanted, most - 500)


class LiveTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = live_server.LiveServer(FOLDER, CONFIG).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def command(self, *arguments):
        return [BOTS, "run", *arguments, "--server", f"localhost:{self.server.port}", "--socket",
                self.server.socket, "--json", self.json, "--html", self.html, "--quiet"]

    def setUp(self):
        self.json = os.path.join(self.server.directory, "result.json")
        self.html = os.path.join(self.server.directory, "report.html")
        for path in (self.json, self.html):
            if os.path.exists(path):
                os.remove(path)

    def run_bots(self, *arguments):
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=600)

    def stored(self):
        """How many messages the server has taken."""
        lines = self.server.ctl("stats", "--all").stdout.splitlines()
        return int(next(line for line in lines if line.startswith("messages_stored_total ")).split()[1])

    def result(self):
        with open(self.json, encoding="utf-8") as file:
            return json.load(file)

    def passes(self, *arguments):
        done = self.run_bots(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stderr, "")
        self.assertTrue(os.path.getsize(self.html) > 1000)
        result = self.result()
        self.assertTrue(result["passed"])
        for fault in ("lost", "duplicated", "reordered", "refused"):
            self.assertEqual(result["messages"][fault], 0, fault)
        return result

    def fails(self, words, *arguments, code=1):
        done = self.run_bots(*arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(words, done.stderr)

    def test_holds_ten_thousand_idle_sessions(self):
        users = users_that_fit(10_000)
        result = self.passes("idle", "--users", str(users), "--duration", "2s", "--pid",
                             str(self.server.process.pid))
        self.assertEqual(result["sessions_peak"], users)
        self.assertGreater(result["server_usage"]["pss_per_session_bytes"], 0)

    def test_carries_two_thousand_messages_a_second(self):
        result = self.passes("chat", "--users", "200", "--rate", "2000", "--duration", "4s",
                             "--warmup", "1s")
        self.assertEqual(result["messages"]["sent"], 10_000)

    def test_reports_what_was_measured_when_it_is_interrupted(self):
        self.passes("idle", "--users", "20", "--duration", "1ms")  # The accounts.
        before = self.stored()
        child = subprocess.Popen(self.command("chat", "--users", "20", "--duration", "10m", "--warmup",
                                              "0s"))
        while self.stored() < before + 100:
            self.assertIsNone(child.poll())
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(60), 130)
        result = self.result()
        self.assertTrue(result["interrupted"])
        self.assertGreater(result["messages"]["received"], 0)
        self.assertEqual(result["messages"]["lost"], 0)

    def test_has_one_clear_line_for_what_goes_wrong(self):
        self.passes("idle", "--users", "2", "--duration", "1ms")
        self.fails("cannot log in", "idle", "--password", "wrong", "--accounts", "existing")
        self.assertIn("cannot log in", self.result()["failure"])
        self.fails("--ca FILE", "idle", "--ca", "/etc/ssl/certs/ca-certificates.crt")
        self.fails("the server requires TLS", "idle", "--security", "none")
        self.fails("GSSAPI", "idle", "--mechanism", "GSSAPI")
        self.fails("does not serve example.org", "idle", "--domain", "example.org")
        self.fails("file descriptors", "idle", "--users", "1000000")
        self.fails("did you mean rate?", "chat", "--set", "rat=3", code=2)
        self.fails("below the allowed range", "chat", "--users", "1", code=2)
        self.fails("did you mean chat?", "chatt", code=2)

    def test_says_that_nobody_is_there(self):
        port = live_server.Port()
        self.addCleanup(port.close)
        done = subprocess.run([BOTS, "run", "idle", "--server", f"127.0.0.1:{port.number}", "--quiet",
                               "--json", self.json], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Connection refused", done.stderr)
        self.assertIn("Connection refused", self.result()["failure"])


if __name__ == "__main__":
    live_server.run_tests(__name__)
