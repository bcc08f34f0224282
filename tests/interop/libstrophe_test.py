"""Logs in and chats with a client on libstrophe, over SCRAM."""

import subprocess
import sys
import unittest

from live_server import PASSWORD, LiveServer, run_tests

FOLDER = None
PROGRAM = None


class LibstropheTest(unittest.TestCase):
    def test_a_message_to_oneself_comes_back(self):
        server = LiveServer(FOLDER).start()
        self.addCleanup(server.close)
        server.add_user("romeo")
        ran = subprocess.run([PROGRAM, "romeo@localhost/strophe", PASSWORD, "127.0.0.1",
                              str(server.port)], capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr + server.log())
        self.assertIn("mechanism=SCRAM", server.log())
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(2)
    run_tests(__name__)
