"""One line a run: which it is while it lasts (in a terminal), and what came of it."""

import sys
import time

WIDTH = 100


class Progress:
    def __init__(self, total):
        self.total = total
        self.done = 0
        self.what = ""
        self.detail = ""
        self.began = 0.0
        self.terminal = sys.stdout.isatty()

    def begin(self, what):
        self.done += 1
        self.what = what
        self.detail = ""
        self.began = time.monotonic()
        self.tick()

    def note(self, detail):
        self.detail = f" ({detail})"
        if not self.terminal:
            print(f"{self._head()}{self.detail}", flush=True)
        self.tick()

    def tick(self):
        if self.terminal:
            line = f"{self._head()}{self.detail} … {self._elapsed()}"
            print(f"\r{line[:WIDTH]:<{WIDTH}}", end="", flush=True)

    def end(self, what):
        if self.terminal:
            print(f"\r{'':<{WIDTH}}\r", end="")
        print(f"{self._head()}: {what} [{self._elapsed()}]", flush=True)

    def skip(self):
        self.done += 1

    def _head(self):
        return f"[{self.done}/{self.total}] {self.what}"

    def _elapsed(self):
        return f"{time.monotonic() - self.began:.0f} s"
