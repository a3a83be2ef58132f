"""Looks for secrets in the memory of a program that runs, as only root can: it shows itself to nobody else."""
import os
import re
import signal
import subprocess

import pytest
from network import until

CAP_SYS_PTRACE = 19


def may_look():
    """Root of a container may lack what it takes."""
    with open("/proc/self/status", encoding="ascii") as status:
        capabilities = int(re.search(r"^CapEff:\s+(\w+)", status.read(), re.M).group(1), 16)
    return bool(capabilities >> CAP_SYS_PTRACE & 1)


needs_to_look = pytest.mark.skipif(not may_look(), reason="only root with CAP_SYS_PTRACE may look into other programs")


def built(ours, name):
    return os.path.join(os.path.dirname(ours.spiped), "..", "..", "tests", "secrets", name)


class Witness:
    """For a daemon that is started with this environment: the random bytes of its handshakes, in their order."""

    def __init__(self, ours, place, **settings):
        self.file = open(os.path.join(place, "random"), "w+b", buffering=0)
        self.environment = {**os.environ, "LD_PRELOAD": os.path.realpath(built(ours, "libwitness.so")),
                            "WITNESS_RANDOM": str(self.file.fileno()), **settings}
        self.how = {"env": self.environment, "pass_fds": [self.file.fileno()]}

    def exponent(self, nonce):
        """The x that was drawn with this nonce."""
        self.file.seek(0)
        drawn = self.file.read()
        at = drawn.index(nonce)
        return drawn[at + 32:at + 64]


class Trace:
    def __init__(self, name, address, length, mapping):
        self.name, self.address, self.length, self.mapping = name, address, length, mapping

    def __repr__(self):
        return f"{self.length} bytes of {self.name} at {self.address:#x} in {self.mapping}"


class Mapping:
    """One of a process's, with its flags as smaps has them: lo is locked, dd is not in core files."""

    def __init__(self, line):
        span, self.mode, _, _, _, *name = line.split(maxsplit=5)
        self.start, self.end = (int(part, 16) for part in span.split("-"))
        self.name, self.flags = name[0].strip() if name else "", []

    def __repr__(self):
        return f"{self.start:#x} {self.mode} {self.name or 'anonymous'} ({' '.join(self.flags)})"


def mappings(pid):
    found = []
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as smaps:
        for line in smaps:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                found.append(Mapping(line))
            elif line.startswith("VmFlags:"):
                found[-1].flags = line.split()[1:]
    return found


def find(ours, pid, secrets):
    """Where in a process's memory 8 bytes or more of a secret stand; secrets are (name, bytes)."""
    text = "".join(f"{name} {secret.hex()}\n" for name, secret in secrets)
    lines = subprocess.run([built(ours, "scan"), str(pid)], input=text.encode(), stdout=subprocess.PIPE,
                           check=True).stdout.decode().splitlines()
    known = mappings(pid)
    assert int(lines[-1].split()[1]) > 1 << 20, "next to nothing was looked at"
    traces = []
    for line in lines[:-1]:
        name, address, length = line.split()
        address = int(address, 16)
        mapping = next((one for one in known if one.start <= address < one.end), None)
        traces.append(Trace(name, address, int(length), mapping))
    return traces


def names(traces):
    """Of what was found, in whichever form."""
    return {re.split("[-/]", trace.name)[0] for trace in traces}


def threads(pid):
    """Each thread's state, and how often it has slept."""
    found = []
    for thread in sorted(os.listdir(f"/proc/{pid}/task")):
        try:
            with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as status:
                text = status.read()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        found.append((re.search(r"State:\s+(\w)", text).group(1), re.findall(r"ctxt_switches:\s+(\d+)", text)))
    return found


def until_asleep(process):
    """All that there was to do is done: no thread has run between two looks."""
    looks = [None]

    def sleeps():
        looks.append(threads(process.pid))
        return looks[-1] == looks[-2] and all(state == "S" for state, _ in looks[-1])
    until(sleeps, "every thread sleeps", pause=0.05)


def until_stopped(process):
    until(lambda: all(state == "T" for state, _ in threads(process.pid)), "it has stopped itself")


def go_on(process):
    process.signal(signal.SIGCONT)
