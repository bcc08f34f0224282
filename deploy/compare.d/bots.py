"""Runs parley-bots against a started server and reads what it measured."""

import json
import signal
import subprocess
import time

# How long parley-bots may take to report after it was told to end.
FAREWELL_S = 30
# Of accounts that live in a scratch folder on loopback.
PASSWORD = "comparison"
# The one that all servers have, without channel binding: the same work for each.
MECHANISM = "SCRAM-SHA-256"


class Bots:
    """`authority`: the certificate that the servers' ones are signed by. `progress` is called about once
    a second while a run lasts."""

    def __init__(self, program, domain, authority, progress):
        self.program = str(program)
        self.domain = domain
        self.authority = str(authority)
        self.progress = progress

    def version(self):
        done = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True)
        return done.stdout.split()[-1]

    def create_accounts(self, users, process, scratch, timeout_s):
        """By in-band registration. Returns (exit code, what it said)."""
        return self._execute(["accounts", "create", "--users", str(users), "--accounts", "ibr"],
                             process, scratch / "accounts.log", timeout_s)

    def run(self, arguments, process, json_path, timeout_s):
        """Returns (exit code, the result or None, what it said)."""
        code, said = self._execute(["run", *arguments, "--accounts", "existing", "--pid",
                                    str(process.pid), "--json", str(json_path)],
                                   process, json_path.with_suffix(".log"), timeout_s)
        return code, read_json(json_path), said

    def _execute(self, arguments, process, said_path, timeout_s):
        command = [self.program, *arguments, "--server", f"127.0.0.1:{process.port}", "--domain",
                   self.domain, "--password", PASSWORD, "--ca", self.authority, "--mechanism",
                   MECHANISM, "--quiet"]
        with open(said_path, "wb") as said:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                     start_new_session=True)
            try:
                code = self._await(child, process, timeout_s)
            except BaseException:
                self._end(child)
                raise
        said = said_path.read_text(errors="replace").strip()
        said_path.unlink()
        return code, said

    def _await(self, child, process, timeout_s):
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return child.wait(timeout=1)
            except subprocess.TimeoutExpired:
                self.progress()
            if time.monotonic() > deadline or not process.alive():
                return self._end(child)

    def _end(self, child):
        """An interrupted parley-bots reports what it has."""
        child.send_signal(signal.SIGINT)
        try:
            return child.wait(FAREWELL_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()


def read_json(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
