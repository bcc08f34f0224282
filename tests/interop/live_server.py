"""A parleyd of its own for a test: temporary data folder, ports of its own, stopped at the end."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PASSWORD = "correct horse battery"


class Port:
    """A free port of 127.0.0.1, and nobody else's until it is closed: the system gives it neither to
    others who ask for a free one nor to outgoing connections, while a server that sets SO_REUSEADDR
    may listen on it, and again after a restart, because this socket does not."""

    def __init__(self):
        self.holder = socket.socket()
        self.holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.holder.bind(("127.0.0.1", 0))
        self.number = self.holder.getsockname()[1]

    def close(self):
        self.holder.close()


class LiveServer:
    """`folder` is the directory of the built programs (parleyd, parleyctl)."""

    def __init__(self, folder, extra_config=""):
        self.folder = folder
        self.directory = tempfile.mkdtemp(prefix="parley-interop-")
        self.ports = (Port(), Port())
        self.port, self.tls_port = (port.number for port in self.ports)
        self.extra_config = extra_config
        self.config = os.path.join(self.directory, "parley.toml")
        self.certificate = os.path.join(self.directory, "data", "self-signed.crt")
        self.socket = os.path.join(self.directory, "data", "parleyctl.sock")
        self.log_path = os.path.join(self.directory, "server.log")
        self.configure()
        self.process = None

    def configure(self, top_level=""):
        """Writes the configuration anew; `top_level`: lines outside of all tables."""
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                f'data_dir = "{self.directory}/data"\n{top_level}'
                "[listen]\n"
                'addresses = ["127.0.0.1"]\n'
                f"c2s_port = {self.port}\n"
                f"c2s_tls_port = {self.tls_port}\n" + self.extra_config)

    def spawn(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.folder, "parleyd"), "--config", self.config, "--quiet"],
                stdout=log, stderr=log)

    def start(self):
        """Returns when it serves."""
        self.spawn()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError("parleyd did not start:\n" + self.log())
            if self.ctl("status", check=False).returncode == 0:
                return self
            time.sleep(0.05)
        raise RuntimeError("parleyd does not answer:\n" + self.log())

    def stop(self):
        """Stops gracefully and returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for port in self.ports:
            port.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def ctl(self, *arguments, stdin="", check=True):
        return subprocess.run(
            [os.path.join(self.folder, "parleyctl"), "--socket", self.socket, *arguments],
            input=stdin, capture_output=True, text=True, timeout=120, check=check)

    def add_user(self, name, password=PASSWORD):
        self.ctl("add-user", f"{name}@localhost", stdin=password + "\n")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()


def run_tests(module_name):
    """Runs the unittest cases of a module; the server's folder is the first argument. A run without
    tests fails."""
    import sys
    import unittest

    module = sys.modules[module_name]
    module.FOLDER = sys.argv.pop(1)
    program = unittest.main(module=module_name, exit=False, verbosity=2)
    if program.result.testsRun == 0:
        sys.exit("no test ran")
    sys.exit(0 if program.result.wasSuccessful() else 1)
