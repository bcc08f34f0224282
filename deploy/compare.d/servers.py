"""The three servers: what each needs to be configured, started, and asked for its version. All of them get
the same: a folder of their own, a port, a certificate, a list of features."""

import os
import pathlib
import shutil
import sqlite3
import subprocess

import configuration
from process import Process

DOMAIN = "comparison.example"


class Server:
    name = ""
    title = ""
    port = 0
    user = None
    # Whether it can be made to serve clients without TLS, for the measurement that shows what TLS costs.
    unencrypted = True
    templates = ()
    copied = ()

    def __init__(self, certificates, features, programs):
        self.certificates = certificates
        self.features = features
        self.programs = programs

    def values(self, folder, tls_required):
        return {"FOLDER": folder, "DOMAIN": DOMAIN, "PORT": self.port, "TLS_PORT": self.port + 1,
                "CERTIFICATES": self.certificates,
                "CERTIFICATE": self.certificates / f"{DOMAIN}.crt",
                "PRIVATE_KEY": self.certificates / f"{DOMAIN}.key"}

    def render(self, folder, tls_required):
        """The configuration as {file name: text}."""
        values = self.values(folder, tls_required)
        return {name: configuration.render(configuration.template(name), {
            key: value for key, value in values.items()
            if f"@{key}@" in configuration.template(name)}) for name in self.templates}

    def prepare(self, folder, accounts, tls_required=True):
        """Makes `folder` anew with the configuration and, unless it is None, a copy of the data folder
        `accounts`. Returns the Process, not started."""
        folder = pathlib.Path(folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in self.copied:
            shutil.copy(name, folder)
        for name, text in self.render(folder, tls_required).items():
            (folder / name).write_text(text)
        if accounts is None:
            (folder / "data").mkdir()
        else:
            subprocess.run(["cp", "--archive", "--reflink=auto", str(accounts), str(folder / "data")],
                           check=True)
        self.furnish(folder / "data")
        if self.user is not None and os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{self.user}:{self.user}", str(folder)], check=True)
        return self.process(folder)

    def furnish(self, data):
        """What the server expects in its data folder and does not make itself."""

    def environment(self, folder):
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin", "HOME": str(folder),
                "LANG": "C.UTF-8"}


class Parleyd(Server):
    name = "parleyd"
    title = "parleyd"
    port = 24222
    unencrypted = False
    templates = ("parley.toml",)

    def process(self, folder):
        (folder / "data").chmod(0o700)
        return Process(self.name,
                       [str(self.programs / "server" / "parleyd"), "--config",
                        str(folder / "parley.toml"), "--quiet"],
                       self.user, self.environment(folder), folder, self.port, DOMAIN,
                       [folder / "parleyd.log"])

    def version(self):
        return output_of([str(self.programs / "server" / "parleyd"), "--version"]).split()[-1]


class Prosody(Server):
    name = "prosody"
    title = "Prosody"
    port = 24232
    user = "prosody"
    templates = ("prosody.cfg.lua",)

    def values(self, folder, tls_required):
        return super().values(folder, tls_required) | {
            "MODULES": configuration.prosody_modules(self.features),
            "COMPONENTS": configuration.prosody_components(self.features, DOMAIN),
            "TLS_REQUIRED": str(tls_required).lower()}

    def process(self, folder):
        return Process(self.name, ["prosody", "-F", "--config", str(folder / "prosody.cfg.lua")],
                       self.user, self.environment(folder), folder, self.port, DOMAIN,
                       [folder / "prosody.log"])

    def version(self):
        return package_version("prosody")


class Ejabberd(Server):
    name = "ejabberd"
    title = "ejabberd"
    port = 24242
    user = "ejabberd"
    templates = ("ejabberd.yml", "ejabberdctl.cfg")
    copied = ("/etc/ejabberd/inetrc",)
    schema = pathlib.Path("/usr/share/ejabberd/sql/lite.sql")

    def values(self, folder, tls_required):
        return super().values(folder, tls_required) | {
            "MODULES": configuration.ejabberd_modules(self.features),
            "TLS_REQUIRED": str(tls_required).lower(), "CONTROL_PORT": self.port + 2}

    def process(self, folder):
        return Process(self.name,
                       ["ejabberdctl", "--config-dir", str(folder), "--config",
                        str(folder / "ejabberd.yml"), "--ctl-config",
                        str(folder / "ejabberdctl.cfg"), "--logs", str(folder), "--spool",
                        str(folder / "data"), "foreground-quiet"],
                       self.user, self.environment(folder), folder, self.port, DOMAIN,
                       [folder / "ejabberd.log", folder / "error.log"], folder / "ejabberd.pid")

    def furnish(self, data):
        archive = data / "archive.sqlite"
        if not archive.exists():
            with sqlite3.connect(archive) as database:
                database.executescript(self.schema.read_text())
            database.close()

    def version(self):
        return package_version("ejabberd")


ALL = (Parleyd, Prosody, Ejabberd)


def output_of(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def package_version(package):
    return output_of(["dpkg-query", "--show", "--showformat=${Version}", package])
