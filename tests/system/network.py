"""Addresses, listeners and connections on loopback for the tests; every wait has a deadline."""
import select
import socket
import struct
import time

PATIENCE = 20  # seconds that any single wait may take; generous, since a sanitizer or a busy machine is slow
IPV4, IPV6, UNIX = "IPv4", "IPv6", "UNIX"
FAMILIES = (IPV4, IPV6, UNIX)
HOSTS = {IPV4: "127.0.0.1", IPV6: "::1"}


def until(condition, what, patience=PATIENCE, pause=0.002):
    """For what the kernel tells nobody about: asks again and again, until a deadline."""
    deadline = time.monotonic() + patience
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(pause)


class Ports:
    """Free TCP ports below the ephemeral ones, from a block that this process alone has while it lives."""
    FIRST, BLOCK, BLOCKS = 10000, 200, 100

    def __init__(self):
        for number in range(self.BLOCKS):
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(f"\0spiped-test-ports-{number}")
            except OSError:
                claim.close()
                continue
            self.claim, self.base, self.next = claim, self.FIRST + number * self.BLOCK, 0
            return
        raise AssertionError("all blocks of ports are in use")

    def pick(self):
        for _ in range(self.BLOCK):
            port = self.base + self.next
            self.next = (self.next + 1) % self.BLOCK
            if all(self.is_free(*family, port) for family in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))):
                return port
        raise AssertionError("no free port in this process's block")

    @staticmethod
    def is_free(family, host, port):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
        return True


class Address:
    """One address of any family: as the programs want it written, and as Python does."""

    def __init__(self, family, text, where):
        self.family, self.text, self.where = family, text, where
        self.kind = {IPV4: socket.AF_INET, IPV6: socket.AF_INET6, UNIX: socket.AF_UNIX}[family]

    def __str__(self):
        return self.text

    def socket(self):
        return socket.socket(self.kind)

    def is_listened_on(self):
        if self.family == UNIX:
            with open("/proc/net/unix", encoding="latin-1") as table:
                return any(line.split()[3] == "00010000" and line.rstrip("\n").endswith(" " + self.where)
                           for line in table.readlines()[1:])
        port = f":{self.where[1]:04X}"
        for name in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(name, encoding="ascii") as table:
                for line in table.readlines()[1:]:
                    fields = line.split()
                    if fields[3] == "0A" and fields[1].endswith(port):
                        return True
        return False


class Network:
    """A test's own sockets: made here, closed at its end."""

    def __init__(self, ports, place):
        self.ports, self.place, self.count, self.sockets = ports, place, 0, []

    def address(self, family=IPV4):
        """An address that nobody listens on yet."""
        if family == UNIX:
            self.count += 1
            path = f"{self.place}/s{self.count}"
            return Address(UNIX, path, path)
        host, port = HOSTS[family], self.ports.pick()
        return Address(family, f"[{host}]:{port}", (host, port))

    def keep(self, sock):
        self.sockets.append(sock)
        return sock

    def listen(self, address=None, family=IPV4, backlog=4096):
        """A listener, with .address and its accept under the usual deadline."""
        return Listener(self, address or self.address(family), backlog)

    def connect(self, address):
        sock = self.keep(address.socket())
        sock.settimeout(PATIENCE)
        sock.connect(address.where)
        return sock

    def heard(self, address):
        """What a new connection hears and how it ends, which may be before connect(2) has told of it."""
        try:
            return read_to_end(self.connect(address))
        except ConnectionResetError:
            return b"", RESET

    def close(self):
        for sock in self.sockets:
            sock.close()


class Listener:
    def __init__(self, network, address, backlog):
        self.network, self.address = network, address
        self.sock = network.keep(address.socket())
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(address.where)
        self.sock.listen(backlog)

    def accept(self, patience=PATIENCE):
        self.sock.settimeout(patience)
        sock = self.network.keep(self.sock.accept()[0])
        sock.settimeout(PATIENCE)
        return sock

    def has_a_visitor(self, patience=0):
        return bool(select.select([self.sock], [], [], patience)[0])

    def close(self):
        self.sock.close()


def reset(sock):
    """Closes with a RST, where the kind of socket has one."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


CLEAN, RESET, SILENCE = "end", "reset", "nothing"


def read_to_end(sock, patience=PATIENCE):
    """All that arrives and how it ended: with an end, with a reset, or not at all within patience."""
    received = bytearray()
    sock.settimeout(patience)
    try:
        while True:
            part = sock.recv(1 << 18)
            if not part:
                return bytes(received), CLEAN
            received += part
    except (ConnectionResetError, BrokenPipeError):
        return bytes(received), RESET
    except (TimeoutError, socket.timeout):
        return bytes(received), SILENCE


def read_exactly(sock, length):
    received = bytearray()
    while len(received) < length:
        part = sock.recv(min(1 << 18, length - len(received)))
        if not part:
            raise AssertionError(f"the stream ended after {len(received)} bytes of {length}")
        received += part
    return bytes(received)


def receive_queue(sock):
    """Bytes that the kernel holds for this socket, unread (FIONREAD)."""
    import fcntl
    import termios
    return struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.FIONREAD, b"\0" * 4))[0]
