"""place.py: where a bench runs: a network namespace of its own, and a folder that goes with it."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile

INSIDE = "SPIPED_BENCH_NAMESPACE"
IPV4 = "/proc/sys/net/ipv4"
FILES = 20000  # descriptors: enough for 9,000 connections in the load and in each daemon


def enter_namespace():
    """Start over in a network namespace; without root, as the root of a user namespace."""
    if not os.environ.get(INSIDE):
        os.environ[INSIDE] = "1"
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        os.execvp("unshare", ["unshare", "--net", *user, "--", sys.executable, *sys.argv])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if hard == resource.RLIM_INFINITY else min(FILES, hard), hard))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open(f"{IPV4}/ip_local_port_range", "w", encoding="ascii") as file:
        file.write("20000 65535")  # below stand the contenders' own


def congestion_now():
    with open(f"{IPV4}/tcp_congestion_control", encoding="ascii") as file:
        return file.read().strip()


def congestion_set(name):
    with open(f"{IPV4}/tcp_congestion_control", "w", encoding="ascii") as file:
        file.write(name)


class Place:
    """The programs of a build, and a folder for keys and settings."""

    def __init__(self, build, ours=None, ours_options=""):
        self.load = os.path.abspath(os.path.join(build, "bench/load"))
        self.relay = os.path.abspath(os.path.join(build, "bench/relay"))
        self.ours = os.path.abspath(ours or os.path.join(build, "src/spiped/spiped"))
        self.ours_options = ours_options.split()
        self.scratch = tempfile.mkdtemp(prefix="spiped-bench-")
        self.made = []

    def make_directory(self, path):
        if not os.path.isdir(path):
            os.mkdir(path, 0o755)
            self.made.append(path)

    def clear(self):
        shutil.rmtree(self.scratch, ignore_errors=True)
        for path in self.made:
            os.rmdir(path)


def insert(path, name, text):
    """Puts the text in the place of what stands between the marks of that name, where there is such a page."""
    if not os.path.exists(path):
        return
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(start)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{start}```\n{text}\n```\n{end}{rest.split(end)[1]}")
