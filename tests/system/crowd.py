"""Many clients at once, a server for all of them, and spiped between: each says one byte and wants it back."""
import selectors
import threading
import time

from network import PATIENCE


class Echo:
    """A listener that gives back what it gets, on a thread of its own; it counts who came."""

    def __init__(self, network):
        self.network, self.accepted = network, 0
        self.listener = network.listen()
        self.address = self.listener.address
        self.listener.sock.setblocking(False)
        self.selector = network.keep(selectors.EpollSelector())
        self.selector.register(self.listener.sock, selectors.EVENT_READ)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                for key, _ in self.selector.select(PATIENCE):
                    self.accept() if key.fileobj is self.listener.sock else self.answer(key.fileobj)
        except (OSError, ValueError):  # the test is over, and its sockets are closed
            pass

    def accept(self):
        try:
            sock = self.network.keep(self.listener.sock.accept()[0])
        except BlockingIOError:
            return
        sock.setblocking(False)
        self.selector.register(sock, selectors.EVENT_READ)
        self.accepted += 1

    def answer(self, sock):
        try:
            what = sock.recv(4096)
            if what:
                sock.send(what)
                return
        except ConnectionError:
            pass
        self.selector.unregister(sock)
        sock.close()


class Crowd:
    """Clients, each waiting, served (it has its byte back) or lost (it saw an end instead)."""

    def __init__(self, network, source):
        self.network, self.source = network, source
        self.selector = network.keep(selectors.EpollSelector())
        self.waiting, self.served, self.lost = set(), [], []

    def come(self, count):
        for _ in range(count):
            sock = self.network.keep(self.source.socket())
            sock.setblocking(False)
            sock.connect_ex(self.source.where)
            self.selector.register(sock, selectors.EVENT_WRITE)
            self.waiting.add(sock)

    def until(self, condition, what, patience=PATIENCE):
        """Lets them say and hear their bytes until it holds."""
        deadline = time.monotonic() + patience
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"not within {patience} s: {what}; {len(self.served)} served, "
                                     f"{len(self.waiting)} wait, {len(self.lost)} lost")
            self.watch(min(left, 0.1))

    def watch(self, seconds):
        for key, events in self.selector.select(seconds):
            if events & selectors.EVENT_WRITE:
                self.say(key.fileobj)
            else:
                self.hear(key.fileobj)

    def say(self, sock):
        try:
            sock.send(b"!")
            self.selector.modify(sock, selectors.EVENT_READ)
        except ConnectionError:
            self.settle(sock, self.lost)

    def hear(self, sock):
        try:
            answer = sock.recv(10)
        except ConnectionError:
            answer = b""
        assert answer in (b"!", b""), answer
        self.settle(sock, self.served if answer else self.lost)

    def settle(self, sock, list_of_its_like):
        self.selector.unregister(sock)
        self.waiting.remove(sock)
        list_of_its_like.append(sock)

    def all_served(self, count, at_once, patience=PATIENCE):
        """So many come, never more than at_once waiting, and stay."""
        came, before = 0, len(self.served)
        while came < count:
            some = min(at_once - len(self.waiting), count - came)
            self.come(some)
            came += some
            self.until(lambda: len(self.waiting) < at_once, "the next may come", patience)
        self.until(lambda: not self.waiting, "all are served", patience)
        assert (len(self.served) - before, self.lost) == (count, [])

    def leave(self, count):
        """So many of those who were served first close."""
        for sock in self.served[:count]:
            sock.close()
        del self.served[:count]


class Relay:
    """spiped -e and spiped -d between a crowd and an echo; how: of either process."""

    def __init__(self, network, launch, ours, key, *options, encrypt=None, decrypt=None):
        self.source, self.door, self.echo = network.address(), network.address(), Echo(network)
        self.decrypt = launch.daemon(ours, "-d", self.door, self.echo.address, key, *options, **decrypt or {})
        self.encrypt = launch.daemon(ours, "-e", self.source, self.door, key, *options, **encrypt or {})
        self.crowd = Crowd(network, self.source)

    def both_run(self):
        return self.decrypt.is_running() and self.encrypt.is_running()


def resident_kib(process):
    with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Rss:"))
