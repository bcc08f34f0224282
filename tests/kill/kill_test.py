"""Kills a parleyd under load, again and again, and has its clients count: nothing that was
acknowledged may be lost, come twice or come out of order, and every archive has all of it, once
and in order (README: what parleyd promises). Then stops it in order, again and again: every session
must be resumed. Each life of the server has another number of shards, and some are cut short while
it starts. Guests of rooms live through it as well: everybody hears one sequence, which is that of
the room's archive, and affiliations are as they were answered.

usage: kill_test.py FOLDER TALKERS [--kills N] [--stops N] [--pairs N] [--guests N] [--seed N]
FOLDER: of parleyd and parleyctl. TALKERS: the built parley-talkers. A seed decides when the server
is killed; what it is doing then, the machine decides."""

import argparse
import math
import os
import random
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
from live_server import PASSWORD, LiveServer  # noqa: E402

CONFIG = """
[log]
level = "warn"
[offline]
messages_max = 100000
"""
SHARDS_MAX = 2
GUESTS_PER_ROOM = 5
DURING_START = 0.15
"""How often a kill comes while the server starts."""


class Life:
    """Of a server, from start to start."""

    def __init__(self, server, rng):
        self.server = server
        self.rng = rng

    def begin(self):
        self.server.configure(f"shards = {self.rng.randint(1, SHARDS_MAX)}\n")
        self.server.start()

    def kill(self):
        self.server.kill()
        while self.rng.random() < DURING_START:
            self.server.spawn()
            time.sleep(self.rng.uniform(0.0, 0.15))
            self.server.kill()
        self.begin()

    def stop(self):
        if self.server.stop() != 0:
            raise RuntimeError("parleyd did not stop in order:\n" + self.server.log())
        self.begin()


def run_round(server, options, interrupt, times, rng):
    """Talks while `interrupt` happens `times` times; yields the books and whether they are clean."""
    process = subprocess.Popen(
        [options.talkers, str(server.port), str(options.pairs), str(options.guests)],
        stdout=subprocess.PIPE, text=True)
    time.sleep(1.0)
    for count in range(times):
        time.sleep(rng.uniform(0.05, 0.6))
        interrupt()
        if sys.stdout.isatty():
            print(f"\r{count + 1} of {times}", end="", flush=True)
    time.sleep(1.0)
    process.send_signal(signal.SIGTERM)
    books = process.communicate(timeout=300)[0]
    numbers = {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", books)}
    return numbers, process.returncode == 0


def kill_and_stop(server, options):
    """False: something is wrong, and printed."""
    rng = random.Random(options.seed)
    life = Life(server, rng)
    life.begin()
    passed = True
    rounds = (("kills", options.kills, life.kill), ("stops", options.stops, life.stop))
    for number, (what, times, interrupt) in enumerate(rounds):
        if times == 0:
            continue
        accounts = [f"talker{account}" for account in range(2 * options.pairs)]
        accounts += [f"guest{account}" for account in range(options.guests)]
        if number > 0 and options.kills > 0:  # Without a past, as the talkers have none.
            for account in accounts:
                server.ctl("remove-user", "--yes", f"{account}@localhost")
            for room in range(math.ceil(options.guests / GUESTS_PER_ROOM)):
                server.ctl("rooms", "destroy", "--yes", f"room{room}@rooms.localhost")
        for account in accounts:
            server.add_user(account, PASSWORD)
        started = time.monotonic()
        books, clean = run_round(server, options, interrupt, times, rng)
        seconds = time.monotonic() - started
        print(f"{times} {what} in {seconds:.0f} s: {books}", flush=True)
        passed = passed and clean
        # Clients log in once; whatever comes after a stop must be a resumption.
        if what == "stops" and books["logins"] != books["devices"]:
            print(f"{books['logins'] - books['devices']} sessions were not resumed")
            passed = False
        if what == "stops" and books["guest_logins"] != books["guests"]:
            print(f"{books['guest_logins'] - books['guests']} sessions of guests were not resumed")
            passed = False
        if what == "stops" and books["got_for_another"] > 0:
            print("a client got again what another one waited for")
            passed = False
    errors = [line for line in server.log().splitlines() if "level=error" in line]
    if errors:
        print("the server logged errors:", *errors[:10], sep="\n")
    return passed and not errors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("talkers")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--stops", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--guests", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    server = LiveServer(options.folder, CONFIG)
    try:
        passed = kill_and_stop(server, options)
    finally:
        server.close()
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
