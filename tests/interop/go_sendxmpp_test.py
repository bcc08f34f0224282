"""Sends with go-sendxmpp (Debian's package) and receives with it."""

import subprocess
import time
import unittest

from live_server import PASSWORD, LiveServer, run_tests

FOLDER = None


class GoSendxmppTest(unittest.TestCase):
    def setUp(self):
        self.server = LiveServer(FOLDER).start()
        self.addCleanup(self.server.close)
        self.server.add_user("romeo")
        self.server.add_user("juliet")

    def command(self, name, port, *arguments):
        return ["go-sendxmpp", "-n", "-u", f"{name}@localhost", "-p", PASSWORD,
                "-j", f"127.0.0.1:{port}", *arguments]

    def test_a_message_reaches_a_listening_client_over_either_port(self):
        listener = subprocess.Popen(self.command("juliet", self.server.port, "-l"),
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.stdout.close)
        self.addCleanup(listener.kill)
        deadline = time.monotonic() + 30
        while "juliet@localhost" not in self.server.ctl("list-sessions").stdout:
            self.assertLess(time.monotonic(), deadline, self.server.log())
            time.sleep(0.05)
        for port, text, extra in ((self.server.port, "by starttls", ()),
                                  (self.server.tls_port, "by direct tls", ("-t",))):
            sent = subprocess.run(
                self.command("romeo", port, *extra, "juliet@localhost"), input=text,
                capture_output=True, text=True, timeout=60)
            self.assertEqual(sent.returncode, 0, sent.stderr + self.server.log())
            while True:
                line = listener.stdout.readline()
                self.assertTrue(line, "the listener ended")
                if text in line:
                    break
        self.assertEqual(self.server.stop(), 0)


if __name__ == "__main__":
    run_tests(__name__)
