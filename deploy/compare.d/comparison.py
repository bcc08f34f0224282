"""The comparison as a whole: every measurement, each with every server, as often as asked, one server at a
time; written down after every run, so that whatever ends it leaves what was measured."""

import datetime
import json
import pathlib
import resource
import subprocess

import configuration
import measurements
import page
import summary
import table
from bots import Bots
from process import ServerFailed
from servers import DOMAIN

# Descriptors that a server with N sessions needs beside them.
DESCRIPTORS_SPARE = 200

REMARKS = (
    "parleyd waits for the disk (fsync) with every commit of its database; Prosody's files and ejabberd's "
    "Mnesia, their defaults, are written without.",
    "Messages taken: until the server answers a ping that was sent behind them. Collected: from the moment "
    "at which the first one logs in, logins included.",
    "Memory is the proportional share (PSS) of the server's process; per session: what it has grown by since "
    "before the first login.",
    "Rate limits of clients are off in all three, passwords are stored as SCRAM-SHA-256 keys with 4,096 "
    "rounds, certificates are ECDSA P-256; modules are on for what all three do. The configurations are kept "
    "beside the result.",
)


class Comparison:
    """`servers`: those to compare, in order. `folder`: where results go. `scratch`: a folder that every user
    may enter, for the servers' data. `show`: a Progress."""

    def __init__(self, servers, plan, runs, folder, scratch, bots_program, authority, show):
        self.servers = servers
        self.plan = plan
        self.runs = runs
        self.folder = pathlib.Path(folder)
        self.scratch = pathlib.Path(scratch)
        self.show = show
        self.bots = Bots(bots_program, DOMAIN, authority, show.tick)
        self.results = {measurement.name: [] for measurement in plan}
        self.accounts = {}
        self.process = None

    def describe(self, machine, quick):
        self.about = {
            "format": 1,
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
            "machine": machine,
            "quick": quick,
            "runs": self.runs,
            "bots": self.bots.version(),
            "servers": {server.name: {"title": server.title, "version": server.version()}
                        for server in self.servers},
            "remarks": list(REMARKS),
        }

    def keep_configurations(self):
        """Writes them beside the result; those for clients without TLS only where they differ."""
        kept = {}
        for server in self.servers:
            usual = server.render(pathlib.Path("/FOLDER"), True)
            kept.update(usual)
            if server.unencrypted:
                for name, text in server.render(pathlib.Path("/FOLDER"), False).items():
                    if text != usual[name]:
                        kept[f"unencrypted-{name}"] = text
        folder = self.folder / "configurations"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in kept.items():
            (folder / name).write_text(text)
        self.about["configurations"] = kept

    def run(self):
        """Raises only KeyboardInterrupt; the server is stopped and the report written in any case."""
        stopped = "it was interrupted"
        try:
            for measurement in self.plan:
                for number in range(1, self.runs + 1):
                    for server in self.servers:
                        self._run_once(measurement, number, server)
                        self.write("more runs are under way")
            stopped = None
        finally:
            self._stop()
            self.write(stopped)

    def _run_once(self, measurement, number, server):
        if measurement.security == "none" and not server.unencrypted:
            if number == 1:
                self._keep(measurement, 0, server, "it serves no client without TLS", None)
            self.show.skip()
            return
        self.show.begin(f"{measurement.name}, run {number}, {server.title}")
        path = self.folder / "runs" / f"{measurement.name}.{server.name}.{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fault, result = self._measure(measurement, server, path)
        except (ServerFailed, OSError, subprocess.SubprocessError) as failure:
            fault, result = str(failure), None
        finally:
            self._stop()
        self._keep(measurement, number, server, fault, result)
        self.show.end(fault or described(measurement, result))

    def _measure(self, measurement, server, path):
        needed = measurement.users + DESCRIPTORS_SPARE
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if needed > allowed:
            return f"{needed:,} file descriptors are needed and {allowed:,} allowed (ulimit -n)", None
        accounts = self._accounts_of(server)
        self._start(server, accounts, measurement.security != "none")
        code, result, said = self.bots.run(measurement.arguments(), self.process, path,
                                           measurement.timeout_s)
        fault = summary.fault(code, result)
        if not self.process.alive():
            raise self.process.failure("went away during the run")
        if fault is not None and said and fault not in said:
            fault += "\n" + said
        return fault, result

    def _accounts_of(self, server):
        """The data folder of a stopped server that has all accounts. Made once; a server that failed to
        take them is not asked again."""
        if server.name not in self.accounts:
            try:
                self.accounts[server.name] = self._register(server)
            except ServerFailed as failure:
                self.accounts[server.name] = failure
        made = self.accounts[server.name]
        if isinstance(made, ServerFailed):
            raise made
        return made

    def _register(self, server):
        users = max(measurement.users for measurement in self.plan)
        self.show.note(f"registering {users:,} accounts")
        self._start(server, None, True)
        code, said = self.bots.create_accounts(users, self.process, self.scratch,
                                               measurements.REGISTER_S_MAX)
        if code != 0:
            raise self.process.failure(f"did not take {users:,} accounts: {said}")
        self._stop()
        kept = self.scratch / f"accounts-{server.name}"
        (self.scratch / server.name / "data").rename(kept)
        return kept

    def _start(self, server, accounts, tls_required):
        self.process = server.prepare(self.scratch / server.name, accounts, tls_required)
        self.process.start()

    def _stop(self):
        if self.process is not None:
            self.process.stop()
            self.process = None

    def _keep(self, measurement, number, server, fault, result):
        self.results[measurement.name].append(
            {"server": server.name, "run": number, "fault": fault, "result": result})

    def write(self, stopped):
        """The report of what there is. `stopped`: why it is partial, or None when it is whole."""
        done = [summary.summarise(measurement, self.results[measurement.name])
                for measurement in self.plan if self.results[measurement.name]]
        write_report(self.folder, self.about | {"complete": stopped is None, "stopped": stopped,
                                                "measurements": done})


def described(measurement, result):
    shown = []
    for metric in measurement.metrics:
        value = summary.figure(result, metric)
        if value is not None:
            shown.append(f"{metric.title} {summary.number(value)} {metric.unit}")
    return ", ".join(shown) or "nothing measured"


def write_report(folder, comparison):
    folder = pathlib.Path(folder)
    for name, text in (("compare.json", json.dumps(comparison, indent=1, ensure_ascii=False) + "\n"),
                       ("compare.md", table.markdown(comparison)),
                       ("compare.html", page.page(comparison))):
        new = folder / f".{name}"
        new.write_text(text, encoding="utf-8")
        new.replace(folder / name)


def read_features(programs, everything):
    """The features that are on: parleyd's own, or all there are."""
    features = configuration.read_features()
    if everything:
        return features
    done = subprocess.run([str(programs / "server" / "parleyd"), "--list-xeps"], capture_output=True,
                          text=True, check=True)
    return configuration.features_on(features, configuration.specifications(done.stdout))
