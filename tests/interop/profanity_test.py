"""Uses profanity in a terminal multiplexer, as a person would: log in over TLS, send, see.

Not its history: this release looks for archives at the server's address, where XEP-0313 has none."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest

from live_server import PASSWORD, LiveServer, run_tests

FOLDER = None


class Terminal:
    """profanity in a tmux of its own."""

    def __init__(self, name):
        self.home = tempfile.mkdtemp(prefix="parley-profanity-")
        self.socket = os.path.join(self.home, "tmux")
        environment = dict(os.environ, HOME=self.home, TERM="xterm-256color",
                           XDG_CONFIG_HOME=self.home + "/config", XDG_DATA_HOME=self.home + "/data",
                           LANG="C.UTF-8", LC_ALL="C.UTF-8")
        environment.pop("TMUX", None)
        subprocess.run(["tmux", "-S", self.socket, "new-session", "-d", "-s", name, "-x", "160",
                        "-y", "50", "profanity"], env=environment, check=True)

    def type(self, text):
        subprocess.run(["tmux", "-S", self.socket, "send-keys", "-l", text], check=True)
        subprocess.run(["tmux", "-S", self.socket, "send-keys", "Enter"], check=True)

    def screen(self):
        return subprocess.run(["tmux", "-S", self.socket, "capture-pane", "-p"],
                              capture_output=True, text=True, check=True).stdout

    def wait_for(self, *texts):
        """Returns the first of the texts that shows up."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            screen = self.screen()
            for text in texts:
                if text in screen:
                    return text
            time.sleep(0.1)
        raise AssertionError(f"none of {texts} appeared on:\n{self.screen()}")

    def wait_for_in(self, window, text):
        """Goes to a window, again and again until it is there and shows the text."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.type("/win " + window)
            looked_until = time.monotonic() + 1
            while time.monotonic() < looked_until:
                if text in self.screen():
                    return
                time.sleep(0.1)
        raise AssertionError(f"{text} did not appear on:\n{self.screen()}")

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False)
        shutil.rmtree(self.home, ignore_errors=True)


class ProfanityTest(unittest.TestCase):
    def setUp(self):
        self.server = LiveServer(FOLDER).start()
        self.addCleanup(self.server.close)
        self.server.add_user("romeo")
        self.server.add_user("juliet")

    def log_in(self, name, *settings):
        terminal = Terminal(name)
        self.addCleanup(terminal.close)
        terminal.wait_for("Profanity")
        terminal.type("/wins attention")
        for setting in settings:
            terminal.type(setting)
        terminal.type(f"/connect {name}@localhost server 127.0.0.1 port {self.server.port} tls force")
        terminal.wait_for("Enter password")
        terminal.type(PASSWORD)
        if terminal.wait_for("Certificate", "logged in successfully") == "Certificate":
            terminal.type("/tls allow")
        terminal.wait_for("logged in successfully")
        return terminal

    def test_two_terminals_chat_over_tls(self):
        romeo = self.log_in("romeo")
        juliet = self.log_in("juliet")
        romeo.type("/msg juliet@localhost Wherefore art thou offline?")
        romeo.wait_for("Wherefore art thou offline?")
        juliet.wait_for("romeo@localhost")
        juliet.type("/msg romeo@localhost I was never offline.")
        juliet.wait_for("Wherefore art thou offline?")
        romeo.wait_for("I was never offline.")
        sessions = self.server.ctl("list-sessions").stdout
        self.assertIn("TLSv1", sessions)
        for terminal in (romeo, juliet):
            terminal.type("/quit")
        self.assertEqual(self.server.stop(), 0)

    def test_every_terminal_of_an_account_shows_the_whole_conversation(self):
        desk = self.log_in("romeo", "/carbons on")
        phone = self.log_in("romeo", "/carbons on")
        juliet = self.log_in("juliet")
        # What one of them says, the other shows (XEP-0280).
        desk.type("/msg juliet@localhost Said at the desk.")
        juliet.wait_for("romeo@localhost")
        phone.wait_for_in("juliet@localhost", "Said at the desk.")
        juliet.type("/msg romeo@localhost Heard by both.")
        phone.wait_for("Heard by both.")
        desk.wait_for("Heard by both.")
        for terminal in (desk, phone, juliet):
            terminal.type("/quit")
        self.assertEqual(self.server.stop(), 0)

    def test_two_terminals_talk_in_a_room(self):
        room = "coven@rooms.localhost"
        self.server.ctl("rooms", "create", room, "romeo@localhost", "--name", "A Dark Cave")
        romeo = self.log_in("romeo")
        juliet = self.log_in("juliet")
        romeo.type(f"/join {room} nick firstwitch")
        romeo.wait_for("-> You have joined the room")
        juliet.type(f"/join {room} nick secondwitch")
        juliet.wait_for("-> You have joined the room")
        romeo.wait_for("secondwitch")
        juliet.type("When shall we three meet again?")
        romeo.wait_for("When shall we three meet again?")
        romeo.type("When the battle's lost and won.")
        juliet.wait_for("When the battle's lost and won.")
        shown = self.server.ctl("rooms", "show", room).stdout
        for text in ("romeo@localhost", "firstwitch", "secondwitch", "A Dark Cave"):
            self.assertIn(text, shown)
        self.assertIn(room, self.server.ctl("rooms", "list").stdout)
        exported = self.server.ctl("rooms", "export", room).stdout.splitlines()
        self.assertEqual(len(exported), 3)
        self.assertIn("When shall we three meet again?", exported[1])
        self.server.ctl("rooms", "set-affiliation", room, "juliet@localhost", "outcast")
        romeo.wait_for("secondwitch has been banned from the room")
        self.server.ctl("rooms", "destroy", room, "--yes", "--reason", "The end.")
        romeo.wait_for("Room destroyed", "destroyed")
        for terminal in (romeo, juliet):
            terminal.type("/quit")
        self.assertEqual(self.server.stop(), 0)


if __name__ == "__main__":
    run_tests(__name__)
