"""Started by deploy/compare, which has installed and built what is needed. See there, or --help."""

import argparse
import datetime
import json
import os
import pathlib
import resource
import shutil
import signal
import sys
import tempfile

import certificates
import comparison
import machine
import measurements
import servers
from process import uninterrupted
from progress import Progress

ROOT = pathlib.Path(__file__).resolve().parents[2]


def absolute_path(text):
    """The servers are started in folders of their own."""
    return pathlib.Path(text).absolute()


def arguments():
    names = [server.name for server in servers.ALL]
    parser = argparse.ArgumentParser(
        prog="deploy/compare",
        description="Measures parleyd, Prosody and ejabberd with the same workloads on this machine, one "
        "at a time, and writes compare.md, compare.json and compare.html.",
        epilog="A whole comparison takes about half an hour and wants the machine for itself. Ctrl-C stops it "
        "and keeps what was measured. Settings of the servers: deploy/compare.d/templates/.")
    parser.add_argument("--quick", action="store_true",
                        help="small and short runs, once each: shows that everything works, in minutes")
    parser.add_argument("--only", default=",".join(names), metavar="SERVERS",
                        help="some of: %(default)s")
    parser.add_argument("--workloads", metavar="NAMES", help="some of: "
                        + ", ".join(measurement.name for measurement in measurements.FULL))
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each (3; 1 with --quick)")
    parser.add_argument("--modules", choices=("same", "all"), default="same",
                        help="same: Prosody and ejabberd have the modules on that parleyd has (default); "
                        "all: also those that it does not have")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR", help="where the results go (default: "
                        "build/comparison/ and the time)")
    parser.add_argument("--build", type=absolute_path, default=ROOT / "build" / "release",
                        metavar="DIR", help="folder of built programs to use as they are (default: build "
                        "build/release)")
    parser.add_argument("--report", type=pathlib.Path, metavar="DIR",
                        help="only make the table and the page of DIR/compare.json anew")
    return parser.parse_args()


def chosen(text, known, what):
    """The members of `known` (name → value) that a comma-separated list names, in their own order."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            sys.exit(f"deploy/compare: there is no {what} '{name}'; there is {', '.join(known)}")
    return [value for name, value in known.items() if name in names]


def plan_of(options):
    plan = {measurement.name: measurement
            for measurement in (measurements.QUICK if options.quick else measurements.FULL)}
    return chosen(options.workloads, plan, "workload") if options.workloads else list(plan.values())


def raise_descriptor_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def compare(options, scratch):
    classes = chosen(options.only, {server.name: server for server in servers.ALL}, "server")
    if os.geteuid() != 0 and any(server.user for server in classes):
        sys.exit("deploy/compare: Prosody and ejabberd run as users of their own: this needs root")
    bots = options.build / "tests" / "bots" / "parley-bots"
    for program in (options.build / "server" / "parleyd", bots):
        if not program.exists():
            sys.exit(f"deploy/compare: {program} is not there; it has to be built first")
    plan = plan_of(options)
    runs = options.runs or (1 if options.quick else 3)
    folder = options.out or ROOT / "build" / "comparison" / datetime.datetime.now().strftime(
        "%Y-%m-%d-%H%M")
    folder.mkdir(parents=True, exist_ok=True)
    raise_descriptor_limit()

    keys = scratch / "certificates"
    keys.mkdir(mode=0o755)
    certificates.make(keys, servers.DOMAIN)
    features = comparison.read_features(options.build, options.modules == "all")
    show = Progress(len(plan) * runs * len(classes))
    whole = comparison.Comparison(
        [server(keys, features, options.build) for server in classes], plan, runs, folder, scratch,
        bots, keys / "authority.crt", show)
    whole.describe(machine.describe(scratch), options.quick)
    whole.keep_configurations()
    for other in machine.others_running():
        print(f"Note: {other} is running on this machine and takes its share of it.")
    print(f"{show.total} runs; results: {folder}", flush=True)
    try:
        whole.run()
    except KeyboardInterrupt:
        print(f"\nInterrupted. What was measured is in {folder}")
        return 130
    print(f"Done: {folder / 'compare.md'}, {folder / 'compare.html'}")
    return 1 if any(run["fault"] and run["run"] for runs in whole.results.values()
                    for run in runs) else 0


def interrupt(number, frame):
    raise KeyboardInterrupt


def main():
    options = arguments()
    if options.report:
        comparison.write_report(options.report,
                                json.loads((options.report / "compare.json").read_text()))
        return 0
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    # /var/tmp is on a disk, which /tmp need not be: what servers store should meet one.
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="parley-compare-", dir="/var/tmp"))
    try:
        scratch.chmod(0o755)
        return compare(options, scratch)
    finally:
        with uninterrupted():
            shutil.rmtree(scratch, ignore_errors=True)


sys.exit(main())
