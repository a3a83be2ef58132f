"""Other ways to start: --syslog, -D, addresses of one's own for what goes out, --check, and the options of spipe."""
import ctypes
import os
import re
import signal
import socket
import time

from ends import PATIENCE, Broken, listen, need
from folder import Folder
from once import Background, Client
from processes import Process

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 1 << 18
DEVICES = ("null", "random", "urandom")
PREFIX = re.compile(rb"<\d+>\w+ +\d+ [\d:]+ (spiped)\[\d+\]: ")  # syslog(3)'s own
LIBC = ctypes.CDLL(None, use_errno=True)


class SystemLog:
    """A /dev/log that only who is started with enter() sees."""

    def __init__(self, place):
        self.devices = os.path.join(place.folder, "dev")
        os.makedirs(os.path.join(self.devices, "shm"), exist_ok=True)
        for name in DEVICES:
            with open(os.path.join(self.devices, name), "wb"):
                pass
        path = os.path.join(self.devices, "log")
        if os.path.exists(path):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)
        os.chmod(path, 0o666)
        mounts = [(f"/dev/{name}", os.path.join(self.devices, name)) for name in (*DEVICES, "shm")]
        self.mounts = [(None, b"/", MS_REC | MS_PRIVATE)] + [
            (here.encode(), there.encode(), MS_BIND | MS_REC) for here, there in [*mounts, (self.devices, "/dev")]]

    def enter(self):
        for ok in (LIBC.unshare(CLONE_NEWNS), *(LIBC.mount(*mount[:2], None, mount[2], None) for mount in self.mounts)):
            if ok != 0:
                raise OSError(ctypes.get_errno(), "a /dev of its own")

    def read(self):
        """Its lines as they look on standard error, without the time."""
        text = b""
        try:
            while True:
                text += PREFIX.sub(rb"\1: ", self.socket.recv(1 << 16).rstrip(b"\n\0")) + b"\n"
        except BlockingIOError:
            return text


class Logged(Process):
    """Its lines are those of its standard error and of the system's log."""

    def __init__(self, log, *arguments):
        super().__init__(*arguments, preexec_fn=log.enter)
        self.log, self.talks = log, log.socket

    def read(self):
        goes_on = super().read()
        self.text += self.log.read()
        return goes_on

    def close(self):
        super().close()
        self.log.socket.close()


class Short(Background):
    """One connection, from an address that it is told to take."""

    def __init__(self, role, *more):
        super().__init__(role, "with " + " ".join(["-b", *more]))
        self.more = more

    def addresses(self, place):
        """-D looks both up once it is in the background, each by a name."""
        listener, source = listen(), place.port()
        target = listener.getsockname()[1]
        if "-D" in self.more:
            return f"localhost:{source}", ("127.0.0.1", source), listener, f"localhost:{target}"
        return f"[127.0.0.1]:{source}", ("127.0.0.1", source), listener, f"[127.0.0.1]:{target}"

    def options(self, place):
        bind = "localhost" if "-D" in self.more else "[127.0.0.1]:0"
        return ["-p", os.path.join(place.folder, "pid"), "-o", "5", "--workers", "1", "--log-level", "info", "-b", bind,
                *self.more]

    def process(self, plan, place, arguments):
        if "--syslog" not in self.more:
            return super().process(plan, place, arguments)
        return Logged(SystemLog(place), plan, place.library, arguments)

    def has_started(self, daemon):
        """With -D its parent has gone before, and what is wrong then it tells its log only."""
        loses = self.plan.call == "write"  # a line, and has started all the same
        if daemon.says(" start ", 1 if loses else PATIENCE):
            return True
        if daemon.wait(0.2) is None:
            need(loses, "it never starts")
            return True
        lines = [line for line in daemon.lines() if ": warning: " not in line]
        need(self.plan.fired and "-D" in self.more, f"it does not start: {lines}")
        need(daemon.wait() == 1 and len(lines) == 1 and re.match(r"spiped: \S.{4,}", lines[0]),
             f"it ended with {daemon.wait()}, and does not say why in one line: {lines}")
        return False

    def wants(self, site, lines):
        """The rest fails in the other scenes; but with -D no parent waits any more while it starts."""
        if any("(libcrypto" in line for line in lines):
            return False
        start = "let_parent_go|look_up|log_new|open_listeners" + ("|run_server" if "-D" in self.more else "")
        wanted = {"start": start, "handshake": "bind_socket", "drain": "stop_"}
        return any(re.match(wanted.get(site.phase, "$"), line) for line in lines)

    def serve(self, process):
        before = process.descriptors()
        if "-D" in self.more:
            self.wait_for_address(process)
        self.plan.phase("handshake")
        connection = self.attempt(self.door.open)
        self.plan.phase("data")
        self.exchange(connection or self.door.open(), b"little")
        need(process.is_running(), "the daemon has died")
        self.wait_for_descriptors(process, before)

    def wait_for_address(self, process):
        """The target's first look-up goes on while it serves, and is made again after a second."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.door.open().break_off("cipher")
            except Broken as problem:
                process.lines()  # its log may not be full of those
                need(self.plan.fired or process.says(" reason=lookup", PATIENCE), f"broken by nothing: {problem}")
                need(time.monotonic() < deadline, "the target's address is never found")
                time.sleep(0.02)

    def drain(self, process):
        self.plan.phase("drain")
        process.popen.send_signal(signal.SIGTERM)


class Options(Client):
    """spipe that ends when the far end does, whatever its standard input says."""

    def __init__(self):
        super().__init__("spipe with its options", False, ["-b", "[127.0.0.1]:0", "-f", "-j", "--exit-on-eof", "--log-level",
                                                           "info", "--crypto", "libcrypto", "--no-sandbox"])

    @staticmethod
    def wants(site, lines):
        return site.phase != "start" or not any("(libcrypto" in line for line in lines)

    @staticmethod
    def carry(plan, connection):
        connection.talk(b"hello", b"hello yourself")
        plan.phase("drain")
        connection.deliberate.add("plain")
        connection.finish("cipher")


class Check:
    """--check: it would start, or a line for each cause why not."""
    lasts = False

    def __init__(self, program, options):
        self.program, self.options, self.name = program, options, f"{program} --check {' '.join(options)}"

    @staticmethod
    def wants(site, lines):
        return not any("(libcrypto" in line for line in lines) and any(re.match("check|look_up|setup_", line) for line in lines)

    def run(self, plan, place):
        words = {"FILE": place.key, "DIR": Folder(place).path, "PIDFILE": os.path.join(place.folder, "pid")}
        addresses = ["-t", f"[127.0.0.1]:{place.port()}", "-b", "[127.0.0.1]:0"]
        if self.program == "spiped":
            addresses += ["-s", f"[127.0.0.1]:{place.port()}"]
        plan.phase("start")
        process = Process(plan, place.library, [getattr(place.programs, self.program), "--check", *addresses,
                                                *(words.get(word, word) for word in self.options)], stdout=-1)
        try:
            return self.look(plan, process)
        finally:
            process.close()

    def look(self, plan, process):
        output, status = process.popen.stdout.read().decode(), process.wait()
        lines = process.lines()
        need(plan.fired or (status == 0 and not lines), f"without a failure it ends with {status} and says {lines}")
        need(all(re.match(rf"{self.program}: \S.{{4,}}", line) for line in lines), f"it says {lines}")
        if status == 0:
            need(output == f"{self.program}: everything is there to start\n", f"it says {output!r}")
            need(all(": warning: " in line for line in lines), f"it would start, and says {lines}")
            return "took no harm"
        need(status == 1, f"it ends with {status}")
        need(any(": warning: " not in line for line in lines) or plan.call in ("puts", "fflush", "write"),
             f"it would not start, and does not say why: {lines}")
        return "did not start"


ALL = [Short("-d", "--syslog"), Short("-d", "--syslog", "-D"), Short("-e", "-D"), Options(),
       Check("spiped", ["-d", "-k", "FILE", "-k", "DIR", "-p", "PIDFILE", "-u", "nobody"]), Check("spipe", ["-k", "FILE"])]
