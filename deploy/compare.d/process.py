"""A server's process: started as its user in a session of its own (a Ctrl-C in the terminal does not reach
it), awaited until its port answers, stopped in order and, failing that, killed."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

START_S_MAX = 90
STOP_S_MAX = 60
LOG_LINES_SHOWN = 25


@contextlib.contextmanager
def uninterrupted():
    """What is done within is done to the end, whoever presses Ctrl-C."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before):
            signal.signal(number, handler)


class ServerFailed(Exception):
    """The server did not start, or went away; the text has the end of its log."""


def port_is_open(port):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers_xmpp(port, domain):
    """Whether a stream can be opened: ejabberd listens long before it serves."""
    header = (f"<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams'>").encode()
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as probe:
            probe.sendall(header)
            while b"</stream:features>" not in received:
                part = probe.recv(4096)
                if not part:
                    return False
                received += part
            probe.sendall(b"</stream:stream>")
            return True
    except OSError:
        return False


def as_user(user, command):
    """`command`, run as `user` when this is root."""
    if user is None or os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--", *command]


class Process:
    """`logs`: files whose ends are shown when something goes wrong. `pid_file`: where a server that is
    started through a script writes the pid of the process that is measured."""

    def __init__(self, name, command, user, environment, folder, port, domain, logs,
                 pid_file=None):
        self.name = name
        self.command = as_user(user, command)
        self.environment = environment
        self.folder = pathlib.Path(folder)
        self.port = port
        self.domain = domain
        self.output = self.folder / "output.log"
        self.logs = [*logs, self.output]
        self.pid_file = pid_file
        self.child = None
        self.pid = None

    def start(self):
        if port_is_open(self.port):
            raise ServerFailed(f"{self.name}: something else listens on port {self.port} of this machine")
        with open(self.output, "wb") as output:
            self.child = subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True)
        deadline = time.monotonic() + START_S_MAX
        while not (answers_xmpp(self.port, self.domain) and self._find_pid()):
            if self.child.poll() is not None:
                raise self.failure(f"ended with code {self.child.returncode} instead of starting")
            if time.monotonic() > deadline:
                raise self.failure(f"does not answer on port {self.port} after {START_S_MAX} s")
            time.sleep(0.1)

    def _find_pid(self):
        self.pid = self.child.pid
        if self.pid_file is None:
            return True
        try:
            self.pid = int(self.pid_file.read_text())
        except (OSError, ValueError):
            return False
        return pathlib.Path(f"/proc/{self.pid}").exists()

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def stop(self):
        """Never raises: it also runs on the way out of a failure."""
        if self.child is None:
            return
        with uninterrupted():
            self._stop()

    def _stop(self):
        if self.alive():
            self._signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                pass
        # What is left of its session: a script's child, or all of it when it did not obey.
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
        self.child = None
        while port_is_open(self.port):
            time.sleep(0.1)

    def _signal(self, number):
        try:
            os.kill(self.pid or self.child.pid, number)
        except ProcessLookupError:
            pass

    def failure(self, what):
        return ServerFailed(f"{self.name} {what}\n{self.end_of_log()}")

    def end_of_log(self):
        shown = []
        for path in self.logs:
            if path.exists() and path.stat().st_size:
                lines = path.read_text(errors="replace").splitlines()
                shown += [f"--- end of {path.name}", *lines[-LOG_LINES_SHOWN:]]
        return "\n".join(shown) or "it wrote no log"
