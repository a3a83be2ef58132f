"""What spiped goes through in each run, and what has to be true at its end whatever call has failed."""
import re
import signal
import time

from ends import PATIENCE, Broken, Damage, Door, listen, need
from processes import Process

MUCH = bytes(range(256)) * 1000
KNOWN_FOR = re.compile(r"reason=(?!end\b)|shortage|refused|dropped=|lookup-failed")


class Daemon:
    """spiped in the foreground: starts, opens, carries, half-closes, is reset, drains."""
    lasts = True  # so that memory may not leak

    def __init__(self, role):
        self.name, self.role, self.broken = f"spiped {role}", role, 0

    def options(self, place):
        return ["-F", "-o", "5", "--workers", "1", "-n", "50"]

    def keys(self, place):
        return place.key

    def addresses(self, place):
        """The source as the program and as we want it, and our listener behind the target, as the program wants it."""
        listener = listen()
        source = place.port()
        return f"[127.0.0.1]:{source}", ("127.0.0.1", source), listener, "[127.0.0.1]:%d" % listener.getsockname()[1]

    def run(self, plan, place):
        self.plan, self.broken, self.problems = plan, 0, []
        source, where, listener, target = self.addresses(place)
        plan.phase("start")
        process = Process(plan, place.library, [place.programs.spiped, self.role, "-s", source, "-t", target,
                                                "-k", self.keys(place), *self.options(place)])
        try:
            # One whose line is lost has started all the same.
            if not process.says(" start ", patience=1 if plan.call == "write" else PATIENCE) and process.wait(0.2) is not None:
                process.check_refusal("spiped")
                need(plan.fired, "it does not start")
                return "did not start"
            self.door = Door(self.role, where, listener, place.key)
            self.serve(process)
            self.drain(process)
            return self.verdict(process)
        except (Damage, Broken) as problem:
            status = process.wait(0.05)
            raise Damage(f"{problem}; status {status}, lines {process.lines()[-6:]}") from problem
        finally:
            listener.close()
            process.close()

    def attempt(self, what):
        """Does it; None if the connection broke, which only the failure may do, and to one connection."""
        had_fired = self.plan.fired
        try:
            return what()
        except Broken as problem:
            if had_fired or not self.plan.fired:
                raise Damage(f"broken by nothing: {problem}") from problem
            self.broken += 1
            return None

    def serve(self, process):
        before = process.descriptors()
        if self.plan.fired:
            self.exchange(self.door.open(), b"whatever failed at the start, it serves")
            self.wait_for_descriptors(process, before)
            return
        self.plan.phase("handshake")
        old = self.attempt(self.door.open)
        new = self.attempt(self.door.open)
        self.plan.phase("data")
        self.attempt(self.door.visit)
        for connection, message in ((new, MUCH), (old, b"little")):
            if connection:
                self.attempt(lambda: self.exchange(connection, message))  # noqa: B023
        self.attempt(lambda: self.door.open().break_off("plain"))
        self.attempt(lambda: self.door.open().break_off("cipher"))
        self.attempt(lambda: self.door.open().forge(MUCH[:60000]))
        if self.plan.fired:
            self.exchange(self.door.open(), b"the next one")
        for connection in (new, old):
            if connection:
                connection.close()
        need(process.is_running(), "the daemon has died")
        self.wait_for_descriptors(process, before)

    @staticmethod
    def exchange(connection, message):
        connection.talk(b"hello", b"hello yourself")
        if message == MUCH:
            connection.fill("cipher", message)
            connection.fill("plain", message)
        else:
            connection.talk(message, message)
        connection.finish("cipher")
        connection.talk(b"", b"after the other's end")
        connection.finish("plain")
        connection.close()

    @staticmethod
    def wait_for_descriptors(process, before):
        deadline = time.monotonic() + PATIENCE
        while len(process.descriptors()) > len(before):
            need(time.monotonic() < deadline, f"descriptors leak: {len(before)} before, {len(process.descriptors())} now")
            time.sleep(0.001)

    def drain(self, process):
        last = self.attempt(self.door.open)
        self.plan.phase("drain")
        process.popen.send_signal(signal.SIGTERM)
        process.says(" drain ", patience=0.5)
        if last:
            self.attempt(lambda: self.exchange(last, MUCH[:50000]))
            last.close()

    def verdict(self, process):
        status = process.wait()
        need(status is not None, "it does not end")
        need(status == 0, f"it ends with {status}")
        need(not self.broken or any(map(KNOWN_FOR.search, process.lines())), "a connection broke, and no line says why")
        return "broke one" if self.broken else "took no harm"
