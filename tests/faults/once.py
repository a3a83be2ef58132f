"""What the programs that do one thing go through: spipe, spiped-keygen, and spiped that goes into the background."""
import ctypes
import os
import re
import select
import signal
import socket
import stat
import time

from ends import PATIENCE, SERVER, Broken, Connection, Damage, Door, Peer, Pipes, Stream, listen, need, wait_for
from processes import Process
from scenes import MUCH, Daemon

KEY_BYTES = 32
PR_SET_CHILD_SUBREAPER = 36


def check_failure(process, name, plan):
    """Exit status 1 and one line, with a hint after it or without, and nothing of it without a failure."""
    status, lines = process.wait(), process.lines()
    need(plan.fired, f"without a failure it ends with {status} and {lines}")
    need(status == 1, f"it ends with {status} and {lines}")
    said = [line for line in lines if re.match(rf"{name}: (?!probably )\S.{{4,}}", line)]
    need(len(said) == 1, f"it does not say why in one line: {lines}")


def is_log_line(line):
    return re.match(r"\d{4}-\S+Z \w", line)


class Client:
    """spipe: from its start to its exit, with a peer of ours."""
    lasts = False

    def __init__(self, name, is_socket, options=()):
        self.name, self.is_socket, self.options = name, is_socket, options

    def run(self, plan, place):
        listener = listen()
        plan.phase("start")
        ours, its = socket.socketpair() if self.is_socket else (None, None)
        how = {"stdin": its, "stdout": its} if its else {"stdin": -1, "stdout": -1, "bufsize": 0}
        process = Process(plan, place.library, [place.programs.spipe, "-t", "[127.0.0.1]:%d" % listener.getsockname()[1], "-k",
                                                place.key, "-o", "5", *self.options], **how)
        if its:
            its.close()
        try:
            return self.talk(plan, process, listener, Stream(ours) if ours else Pipes(process.popen), place.key)
        except Broken:
            check_failure(process, "spipe", plan)
            return "broke one"
        except Damage as problem:
            raise Damage(f"{problem}; status {process.wait(0.05)}, lines {process.lines()[-6:]}") from problem
        finally:
            listener.close()
            process.close()

    def talk(self, plan, process, listener, plain, key):
        listener.setblocking(False)
        if listener.fileno() not in wait_for(time.monotonic() + PATIENCE, (listener, select.POLLIN),
                                             (process.descriptor, select.POLLIN)):
            check_failure(process, "spipe", plan)
            return "did not start"
        plan.phase("handshake")
        far = listener.accept()[0]
        far.settimeout(PATIENCE)
        with open(key, "rb") as file:
            peer = Peer(far, SERVER, Door.secret_of(file.read()), forward_secrecy=False, timeout=PATIENCE)
        Door.shake_hands(peer)
        connection = Connection(plain, peer, plain_resets=False)
        self.carry(plan, connection)
        connection.close()
        status, lines = process.wait(), [line for line in process.lines() if not is_log_line(line)]
        need(status is not None, "it does not end")
        if status != 0:
            raise Broken("all has been said, and it says that something broke")
        need(not lines, f"it went well, and says {lines}")
        return "took no harm"

    @staticmethod
    def carry(plan, connection):
        connection.talk(b"hello", b"hello yourself")
        plan.phase("data")
        connection.fill("cipher", MUCH)
        connection.fill("plain", MUCH)
        connection.finish("plain")
        connection.talk(b"after its end", b"")
        plan.phase("drain")
        connection.finish("cipher")


class Keygen:
    """spiped-keygen: a whole key, or none and a line that says why."""
    lasts = False

    def __init__(self, to_file):
        self.name, self.to_file = "spiped-keygen " + ("FILE" if to_file else "-"), to_file

    def run(self, plan, place):
        path = os.path.join(place.folder, "new")
        if os.path.exists(path):
            os.unlink(path)
        plan.phase("start")
        process = Process(plan, place.library, [place.programs.keygen, path if self.to_file else "-"], stdout=-1)
        try:
            output, status = process.popen.stdout.read(), process.wait()
            need(status in (0, 1), f"it ends with {status}")
            if status == 1:
                check_failure(process, "spiped-keygen", plan)
                need(not os.path.exists(path) or plan.call == "unlink", "a file is left of a key that was not made")
                return "did not start"
            if self.to_file:
                with open(path, "rb") as file:
                    output = file.read()
                need(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "others may read the key")
            need(len(output) == KEY_BYTES and len(set(output)) > 1, f"the key has {len(output)} bytes")
            need(not process.lines(), f"it went well, and says {process.lines()}")
            return "took no harm"
        finally:
            process.close()


class Background(Daemon):
    """spiped that forks, writes a pidfile, drops its privileges, and listens on a path where a socket was left behind."""

    def __init__(self, role, name="in the background"):
        super().__init__(role)
        self.name = f"spiped {role} {name}"

    def process(self, plan, place, arguments):
        return Process(plan, place.library, arguments)

    def has_started(self, daemon):
        """Whether it has when its parent has gone."""
        return True

    def addresses(self, place):
        listener, path = listen(), os.path.join(place.folder, "source")
        if os.path.exists(path):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(path)
        return path, path, listener, "localhost:%d" % listener.getsockname()[1]

    def options(self, place):
        user = ["-u", "nobody", "--source-owner", "nobody"] if os.geteuid() == 0 else []
        return ["-p", os.path.join(place.folder, "pid"), "-o", "5", "--workers", "1", "-n", "50", "--source-mode", "0666",
                "--log-level", "info", *user]

    def run(self, plan, place):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        pidfile = os.path.join(place.folder, "pid")
        if os.path.exists(pidfile):
            os.unlink(pidfile)
        self.plan, self.broken = plan, 0
        source, where, listener, target = self.addresses(place)
        plan.phase("start")
        process = self.process(plan, place, [place.programs.spiped, self.role, "-s", source, "-t", target, "-k", place.key,
                                             *self.options(place)])
        daemon = None
        try:
            status = process.wait()
            if status != 0:
                need(status == 1, f"ended with {status} at its start")
                process.check_refusal("spiped")
                need(plan.fired, "it does not start")
                self.reap_all()
                return "did not start"
            with open(pidfile, encoding="ascii") as file:
                daemon = Orphan(process, int(file.read()))
            if not self.has_started(daemon):
                return "did not start"
            self.door = Door(self.role, where, listener, place.key)
            self.serve(daemon)
            self.drain(daemon)
            return self.verdict(daemon)
        except (Damage, Broken) as problem:
            raise Damage(f"{problem}; status {daemon.wait(0.05) if daemon else process.wait(0.05)}, lines "
                         f"{process.lines()[-6:]}") from problem
        finally:
            listener.close()
            if daemon:
                daemon.close()
            process.close()
            for pid in children():  # of a start that was given up
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    @staticmethod
    def reap_all():
        """A daemon that has not started has gone, too."""
        deadline = time.monotonic() + PATIENCE
        for pid in children():
            while os.waitpid(pid, os.WNOHANG)[0] == 0:
                need(time.monotonic() < deadline, "its child lives on")
                time.sleep(0.001)


def children():
    """The daemons that have been left to us."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        pids = [int(pid) for pid in file.read().split()]
    names = {}
    for pid in pids:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            names[pid] = file.read().strip()
    return [pid for pid in pids if names[pid] == "spiped"]


class Orphan:
    """The daemon that a Process has left behind: ours to wait for."""

    def __init__(self, parent, pid):
        self.parent, self.pid, self.popen = parent, pid, self
        self.descriptor, self.status = os.pidfd_open(pid), None
        self.lines, self.descriptors = parent.lines, lambda: sorted(os.listdir(f"/proc/{pid}/fd"))

    def says(self, pattern, patience):
        deadline = time.monotonic() + patience
        while not any(re.search(pattern, line) for line in self.lines()):
            if time.monotonic() > deadline or not self.is_running():
                return False
            select.select([self.parent.talks, self.descriptor], [], [], max(0, deadline - time.monotonic()))
        return True

    def send_signal(self, number):
        signal.pidfd_send_signal(self.descriptor, number)

    def is_running(self):
        return self.wait(0) is None

    def wait(self, patience=PATIENCE):
        if self.status is None and select.select([self.descriptor], [], [], patience)[0]:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def close(self):
        if self.is_running():
            self.send_signal(signal.SIGKILL)
            self.wait()
        os.close(self.descriptor)


ALL = [Daemon("-d"), Daemon("-e"), Client("spipe on pipes", False), Client("spipe on a socket", True), Keygen(True),
       Keygen(False), Background("-d"), Background("-e")]
