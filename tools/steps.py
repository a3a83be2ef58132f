"""steps.py: named steps that pass or fail, their counts, and how they are told (for tools/lint and tools/test)."""

import re
import subprocess
import time


class Counts:
    """How many tests passed, failed and were skipped; kept in a build folder for whoever sums up."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def save(self, path):
        with open(path, "w") as file:
            file.write(f"{self.passed} {self.failed} {self.skipped}\n")

    @classmethod
    def load(cls, path):
        with open(path) as file:
            return cls(*map(int, file.read().split()))

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def say(text):
    print(text, flush=True)


def run_step(name, command, counts, drop=None, skipped=None, **options):
    """Runs a command that is one check; its output, without lines that match `drop`, is shown only when it fails.

    skipped: the exit status by which it says that it can't be made here.
    """
    start = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", **options)
    passed, is_skipped = done.returncode == 0, done.returncode == skipped
    say(f"{'ok  ' if passed else 'skip' if is_skipped else 'FAIL'}  {name}  ({time.monotonic() - start:.1f} s)")
    if passed or is_skipped:
        counts.passed += passed
        counts.skipped += is_skipped
        return True
    counts.failed += 1
    for line in done.stdout.splitlines():
        if drop is None or not re.match(drop, line):
            say(line)
    return False
