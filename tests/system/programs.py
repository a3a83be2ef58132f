"""The programs under test, ours and Debian's, as processes that a test starts, watches and ends by their id."""
import glob
import os
import re
import select
import signal
import subprocess
import threading
import time

from network import PATIENCE, until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")


class Programs:
    """One make of spiped: where its programs are."""

    def __init__(self, name, spiped, spipe, keygen=None):
        self.name, self.spiped, self.spipe, self.keygen = name, spiped, spipe, keygen

    def __repr__(self):
        return self.name

    def crypto(self):
        """The options that force the backend which SPIPED_TEST_CRYPTO names."""
        forced = os.environ.get("SPIPED_TEST_CRYPTO")
        return ("--crypto", forced) if forced and self.name == "ours" else ()

    def is_sanitized(self):
        """Whether it was built under a sanitizer, or to count what is run: slower, with other memory and no filter."""
        with open(self.spiped, "rb") as file:
            program = file.read()
        return any(name in program for name in (b"__asan_init", b"__tsan_init", b"__gcov_init"))


def find_ours():
    directory = os.environ.get("SPIPED_BUILD")
    if not directory:
        built = glob.glob(os.path.join(ROOT, "build*/src/spiped/spiped"))
        if not built:
            raise RuntimeError("nothing is built: run make, or set SPIPED_BUILD to a build directory")
        directory = os.path.dirname(os.path.dirname(os.path.dirname(max(built, key=os.path.getmtime))))
    where = os.path.join(os.path.abspath(directory), "src")
    return Programs("ours", *(os.path.join(where, name, name) for name in ("spiped", "spipe", "spiped-keygen")))


def find_theirs():
    spiped = os.environ.get("DEBIAN_SPIPED", "/usr/bin/spiped")
    return Programs("theirs", spiped, os.path.join(os.path.dirname(spiped), "spipe"))


class Process:
    """A running program: its lines on standard error as they come, its end."""

    def __init__(self, arguments, **how):
        self.arguments = [str(argument) for argument in arguments]
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("stdout", subprocess.DEVNULL)
        self.popen = subprocess.Popen(self.arguments, stderr=subprocess.PIPE, start_new_session=True, **how)
        self.pid = self.popen.pid
        self.lines, self.news, self.silent = [], threading.Condition(), False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.may_die, self.is_gentle = False, True

    def read(self):
        for line in self.popen.stderr:
            with self.news:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.silent = True
            self.news.notify_all()

    def errors(self):
        """Everything on standard error, once it is closed."""
        self.reader.join(PATIENCE)
        return "".join(line + "\n" for line in self.lines)

    def line(self, pattern, count=1, patience=PATIENCE):
        """The count-th line that matches, waited for."""
        regex = re.compile(pattern)
        deadline = time.monotonic() + patience
        with self.news:
            while True:
                found = [match for match in map(regex.search, self.lines) if match]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if left <= 0 or self.silent:
                    raise AssertionError(f"no line ({count}) like {pattern!r} in:\n" + "\n".join(self.lines[-30:]))
                self.news.wait(left)

    def count(self, pattern):
        with self.news:
            return sum(1 for line in self.lines if re.search(pattern, line))

    def is_running(self):
        return self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, patience=PATIENCE):
        """Its exit status, or None if it runs on."""
        if self.popen.poll() is None:
            descriptor = os.pidfd_open(self.pid)
            select.select([descriptor], [], [], patience)
            os.close(descriptor)
        return self.popen.poll()

    def status_kib(self, field):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"^{field}:\s+(\d+)", status.read(), re.M).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def end(self):
        """Tells ours twice, so that it needs no end of its connections; a sanitizer has its say then."""
        died = not self.is_running()
        for number in (signal.SIGTERM, signal.SIGTERM) if self.is_gentle else ():
            if self.is_running():
                self.signal(number)
                self.wait(0.2)
        refuses_to_end = self.is_gentle and self.wait() is None
        if self.is_running():
            self.popen.kill()
            self.popen.wait()
        report = f"{self.arguments} ended with {self.popen.returncode}:\n" + self.errors()
        assert not refuses_to_end, "two SIGTERM did not end " + report
        assert not SANITIZER.search(report), report
        assert self.may_die or not died, "ended by itself: " + report


class Launcher:
    """A test's processes; ended with it."""

    def __init__(self, network, place):
        self.network, self.place, self.processes, self.daemons = network, place, [], []

    def start(self, *arguments, **how):
        process = Process(arguments, **how)
        self.processes.append(process)
        return process

    def daemon(self, programs, role, source, target, key, *options, under=(), **how):
        """spiped -F, in role -e or -d, under a command that executes it; returns when it listens."""
        process = self.start(*under, programs.spiped, role, "-s", source, "-t", target, "-k", key, "-F", *options,
                             *programs.crypto(), **how)
        process.is_gentle = programs.name == "ours"
        until(lambda: self.listens(process, source), f"{source} is listened on")
        return process

    @staticmethod
    def listens(process, source):
        assert process.is_running(), f"{process.arguments} did not start:\n{process.errors()}"
        return source.is_listened_on()

    def client(self, programs, target, key, *options, **how):
        """spipe, with pipes on standard input and output."""
        how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0, **how}
        process = self.start(programs.spipe, "-t", target, "-k", key, *options, *programs.crypto(), **how)
        process.may_die = True
        process.is_gentle = programs.name == "ours"
        return process

    def pidfile(self, path):
        """A daemon that has left its parent: ended by the number in its pidfile at the test's end."""
        self.daemons.append(path)
        return path

    def end(self):
        complaints = []
        for process in reversed(self.processes):
            try:
                process.end()
            except AssertionError as complaint:
                complaints.append(str(complaint))
        for path in self.daemons:
            kill_by_pidfile(path)
        assert not complaints, "\n".join(complaints)


def kill_by_pidfile(path):
    """SIGKILL to the process in a pidfile, if it is a spiped still, and waits until it is gone."""
    try:
        with open(path, encoding="ascii") as file:
            pid = int(file.read())
        if not is_spiped(pid):
            return
        os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return
    until(lambda: not is_spiped(pid), f"{pid} is gone")


def is_spiped(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"spiped" in file.read()
    except OSError:
        return False


def run(*arguments, patience=PATIENCE, **how):
    """Runs to its end: (exit status, standard output, standard error)."""
    how.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(argument) for argument in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=patience, check=False, **how)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
