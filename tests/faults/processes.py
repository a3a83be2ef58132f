"""A program under test with the library preloaded, its lines, and how it ended."""
import os
import re
import select
import signal
import subprocess
import time

from ends import PATIENCE, need


class Process:
    def __init__(self, plan, library, arguments, **how):
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("stdout", subprocess.DEVNULL)
        self.popen = subprocess.Popen([*plan.under, *map(str, arguments)], env=plan.environment(library),
                                      stderr=subprocess.PIPE, start_new_session=True, **how)
        self.pid, self.text = self.popen.pid, b""
        self.descriptor = os.pidfd_open(self.pid)
        os.set_blocking(self.popen.stderr.fileno(), False)
        self.talks = self.popen.stderr  # what can be read when there are new lines

    def read(self):
        """False: nothing more will come."""
        try:
            while True:
                part = os.read(self.popen.stderr.fileno(), 1 << 16)
                if not part:
                    return False
                self.text += part
        except BlockingIOError:
            return True

    def lines(self):
        self.read()
        return self.text.decode("utf-8", "replace").splitlines()

    def says(self, pattern, patience=PATIENCE, since=0):
        """Whether such a line comes, after so many bytes, before it is over or patience is."""
        deadline = time.monotonic() + patience
        while True:
            goes_on = self.read()
            if re.search(pattern.encode(), self.text[since:], re.M):
                return True
            left = deadline - time.monotonic()
            if not goes_on or left <= 0 or not self.is_running():
                self.read()
                return re.search(pattern.encode(), self.text[since:], re.M) is not None
            select.select([self.talks, self.descriptor], [], [], left)

    def is_running(self):
        return self.popen.poll() is None

    def wait(self, patience=PATIENCE):
        """Its exit status; None while it runs on."""
        deadline = time.monotonic() + patience
        while self.popen.poll() is None and time.monotonic() < deadline:
            select.select([self.descriptor], [], [], deadline - time.monotonic())
        return self.popen.poll()

    def descriptors(self):
        try:
            return sorted(os.listdir(f"/proc/{self.pid}/fd"))
        except FileNotFoundError:
            return []

    def check_refusal(self, name):
        """It did not start: exit status 1, and one line that says why."""
        warning = ' keys problem="the user of -u cannot read '  # which a start says before what makes it fail
        status, lines = self.wait(), [line for line in self.lines() if warning not in line]
        need(status == 1, f"ended with {status} and {lines} at its start")
        need(len(lines) == 1 and re.match(rf"{name}: \S.{{4,}}", lines[0]), f"it does not say why in one line: {lines}")

    def close(self):
        if self.is_running():
            self.popen.send_signal(signal.SIGKILL)
            self.popen.wait()
        os.close(self.descriptor)
        self.popen.stderr.close()
        for file in (self.popen.stdin, self.popen.stdout):
            if file:
                file.close()
