"""Kills a parleyd under load, again and again, and has its clients count: nothing that was
acknowledged may be lost, come twice or come out of order (README: what parleyd promises).

usage: kill_test.py FOLDER TALKERS [--kills N] [--stops N] [--pairs N] [--seed N]
FOLDER: of parleyd and parleyctl. TALKERS: the built parley-talkers."""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
from live_server import PASSWORD, LiveServer  # noqa: E402


def run_round(server, talkers, pairs, interrupt, times, rng):
    """Talks while `interrupt` happens `times` times; yields the books and whether they are clean."""
    process = subprocess.Popen([talkers, str(server.port), str(pairs)], stdout=subprocess.PIPE,
                               text=True)
    time.sleep(1.0)
    for count in range(times):
        time.sleep(rng.uniform(0.05, 0.6))
        interrupt(server)
        server.start()
        if sys.stdout.isatty():
            print(f"\r{count + 1} of {times}", end="", flush=True)
    time.sleep(1.0)
    process.send_signal(signal.SIGTERM)
    books = process.communicate(timeout=120)[0]
    numbers = {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", books)}
    return numbers, process.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("talkers")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--stops", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    server = LiveServer(options.folder, "[log]\nlevel = \"warn\"\n")
    failed = False
    try:
        server.start()
        for number in range(2 * options.pairs):
            server.add_user(f"talker{number}", PASSWORD)
        if options.kills > 0:
            books, clean = run_round(server, options.talkers, options.pairs,
                                     lambda one: one.kill(), options.kills, rng)
            print(f"{options.kills} kills: {books}", flush=True)
            failed = failed or not clean
        if options.stops > 0:
            books, clean = run_round(server, options.talkers, options.pairs,
                                     lambda one: one.stop(), options.stops, rng)
            print(f"{options.stops} stops: {books}", flush=True)
            failed = failed or not clean
            # The clients log in once; whatever comes after a stop must be a resumption.
            if books["logins"] != 2 * options.pairs:
                print(f"{books['logins'] - 2 * options.pairs} sessions were not resumed")
                failed = True
        errors = [line for line in server.log().splitlines() if "level=error" in line]
        if errors:
            print("the server logged errors:", *errors[:10], sep="\n")
            failed = True
    finally:
        server.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
