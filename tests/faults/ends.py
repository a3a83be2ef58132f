"""Both ends of a connection through a daemon in either role, and what may become of them when one of its calls fails."""
import os
import select
import socket
import struct
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), name) for name in ("peer", "system")]

from peer import CLIENT, PACKET, SERVER, Peer, sha256_of_key_file  # noqa: E402

PATIENCE = 20  # seconds that any wait may take; a daemon gives a handshake up after five, and the machine may be busy
RECEIVES = 16384  # the most that the kernel keeps for us unread, so that a daemon has to wait for us


class Damage(Exception):
    """What must never be, whatever call fails."""


class Broken(Exception):
    """A connection ended before its time; allowed to the one that the failure hit."""


def need(condition, what):
    if not condition:
        raise Damage(what)


def wait_for(deadline, *wishes):
    """The file numbers that are ready, of (socket or number, event)."""
    poll, wanted = select.poll(), {}
    for sock, event in wishes:
        number = sock if isinstance(sock, int) else sock.fileno()
        wanted[number] = wanted.get(number, 0) | event
    for number, events in wanted.items():
        poll.register(number, events)
    return {number for number, _ in poll.poll(max(0, deadline - time.monotonic()) * 1000)}


class Stream:
    """A socket of ours, read and written without blocking."""

    def __init__(self, sock):
        self.sock, self.inbox, self.outbox, self.end = sock, bytearray(), b"", None
        self.reads = self.writes = sock.fileno()
        sock.setblocking(False)

    def wishes(self, may_read):
        return ([(self.reads, select.POLLIN)] if may_read and not self.end else []) + (
            [(self.writes, select.POLLOUT)] if self.outbox else [])

    def step(self, ready, may_read):
        if self.reads in ready and may_read and not self.end:
            self.receive()
        if self.writes in ready and self.outbox:
            self.send()

    def receive(self):
        try:
            part = os.read(self.reads, 1 << 18)
            self.inbox += part
            if not part:
                self.end = "end"
        except BlockingIOError:
            pass
        except OSError:
            self.end = "reset"

    def send(self):
        try:
            self.outbox = self.outbox[os.write(self.writes, self.outbox[:1 << 18]):]
        except BlockingIOError:
            pass
        except OSError:
            self.outbox = b""
            self.receive()  # what had come before; the error has been told now, so that this would look like an end
            self.end = "reset"

    def finish(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()


class Pipes(Stream):
    """A program's standard input and output."""

    def __init__(self, popen):
        self.files, self.inbox, self.outbox, self.end = (popen.stdin, popen.stdout), bytearray(), b"", None
        self.writes, self.reads = popen.stdin.fileno(), popen.stdout.fileno()
        for file in self.files:
            os.set_blocking(file.fileno(), False)

    def finish(self):
        self.files[0].close()

    def close(self):
        for file in self.files:
            file.close()


class Connection:
    """
    plain: our end of the plain side, a Stream; peer: a Peer at the other. What each has sent is checked when it comes out.
    plain_resets: whether the plain side has a way to show that a connection broke. A UNIX socket has none.
    """

    def __init__(self, plain, peer, plain_resets=True):
        self.plain, self.cipher, self.peer = plain, Stream(peer.sock), peer
        self.resets = {"plain": plain_resets, "cipher": peer.sock.family != socket.AF_UNIX}
        self.said = {"plain": bytearray(), "cipher": bytearray()}   # by that end
        self.heard = {"plain": bytearray(), "cipher": bytearray()}  # at that end
        self.deliberate = set()  # the ends that were told to end

    def take_in(self):
        """Opens whole packets; checks that what came out is what went in."""
        while len(self.cipher.inbox) >= PACKET:
            packet = bytes(self.cipher.inbox[:PACKET])
            del self.cipher.inbox[:PACKET]
            try:
                self.heard["cipher"] += self.peer.shake.receives.open(packet)
            except ValueError as error:
                raise Damage(f"a packet that cannot be opened came out: {error}") from error
        self.heard["plain"] += self.plain.inbox
        self.plain.inbox.clear()
        for here, there in (("plain", "cipher"), ("cipher", "plain")):
            need(self.said[there].startswith(self.heard[here]), f"the {here} end heard what nobody said")

    def check_ends(self):
        """An end that is shown is one that was meant, with every byte before it. Else it is a broken connection."""
        for here, there in (("plain", "cipher"), ("cipher", "plain")):
            stream = getattr(self, here)
            if stream.end == "end" and not self.resets[here]:
                if there not in self.deliberate or self.heard[here] != self.said[there]:
                    raise Broken(f"the {here} end is closed")
            elif stream.end == "end" and (here == "plain" or not self.cipher.inbox):
                need(there in self.deliberate, f"the {here} end sees an end that nobody made")
                need(self.heard[here] == self.said[there],
                     f"the {here} end sees an end after {len(self.heard[here])} bytes of {len(self.said[there])}")
        for here in ("plain", "cipher"):
            stream = getattr(self, here)
            if stream.end == "reset" or (stream.end == "end" and here == "cipher" and self.cipher.inbox):
                raise Broken(f"the {here} end was reset")

    def run(self, done, reads=("plain", "cipher")):
        """Until done() or broken."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.take_in()
            self.check_ends()
            if done():
                return
            ready = wait_for(deadline, *self.plain.wishes("plain" in reads), *self.cipher.wishes("cipher" in reads))
            if not ready and time.monotonic() >= deadline:
                raise Damage("it hangs: " + self.state())
            self.plain.step(ready, "plain" in reads)
            self.cipher.step(ready, "cipher" in reads)

    def state(self):
        return ", ".join(f"{here} said {len(self.said[here])} (not yet sent {len(getattr(self, here).outbox)}), "
                         f"heard {len(self.heard[here])}" for here in ("plain", "cipher"))

    def say(self, end, message):
        self.said[end] += message
        getattr(self, end).outbox += self.peer.seal(message) if end == "cipher" else message

    def has_heard_all(self):
        return self.heard["plain"] == self.said["cipher"] and self.heard["cipher"] == self.said["plain"]

    def talk(self, to_plain, to_cipher):
        self.say("cipher", to_plain)
        self.say("plain", to_cipher)
        self.run(self.has_heard_all)

    def fill(self, end, message):
        """That end says much while the other does not read, until nothing goes any more or all is gone; then all is read."""
        self.say(end, message)
        stream, left = getattr(self, end), -1
        while stream.outbox and len(stream.outbox) != left:
            left = len(stream.outbox)
            wait_for(time.monotonic() + 0.003, (stream.writes, select.POLLOUT))
            stream.send()
        wait_for(time.monotonic() + 0.005)
        self.run(self.has_heard_all)

    def finish(self, end):
        """That end has said all: the other sees so."""
        other = "plain" if end == "cipher" else "cipher"
        self.deliberate.add(end)
        try:
            getattr(self, end).finish()
        except OSError as error:
            raise Broken("it was reset") from error
        self.run(lambda: getattr(self, other).end == "end")

    def close(self):
        self.plain.close()
        self.cipher.close()

    def break_off(self, end):
        """A reset by that end: the other sees one, or at least no end of which somebody could think it was meant."""
        sock = getattr(self, end).sock
        can_be_seen = all(self.resets.values())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        other = getattr(self, "plain" if end == "cipher" else "cipher")
        deadline = time.monotonic() + PATIENCE
        while not other.end:
            if not wait_for(deadline, (other.reads, select.POLLIN)):
                raise Damage(f"a reset by the {end} end is never seen")
            other.receive()
        need(other.end == "reset" or other is self.cipher or not can_be_seen, f"a reset by the {end} end is shown as a clean end")
        self.close()

    def forge(self, message):
        """Good bytes and then a forged packet: the bytes come out, and then a reset."""
        self.say("cipher", message)
        self.cipher.outbox += bytes(PACKET)
        try:
            self.run(lambda: False, reads=("plain",))
        except Broken:
            pass
        if self.heard["plain"] != self.said["cipher"]:
            raise Broken("bytes before a forged packet did not come out")
        self.close()


class Door:
    """Where connections through a daemon are made: on -d it is met with spiped's protocol, on -e without."""

    def __init__(self, role, source, listener, key):
        self.role, self.source, self.listener = role, source, listener
        with open(key, "rb") as file:
            self.secret = self.secret_of(file.read())
        self.count, self.is_unix, self.has_spoken = 0, isinstance(source, str), False
        listener.setblocking(False)

    secret_of = staticmethod(sha256_of_key_file)

    def connect(self):
        sock = socket.socket(socket.AF_UNIX if self.is_unix else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVES)
        sock.settimeout(PATIENCE)
        try:
            sock.connect(self.source)
        except OSError as error:
            raise Broken(f"no connection is taken: {error}") from error
        return sock

    def accept(self, visitor):
        """Who comes out on the far side; unless the visitor is sent away meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while True:
            ready = wait_for(deadline, (self.listener, select.POLLIN), (visitor, select.POLLIN))
            if self.listener.fileno() in ready:
                sock = self.listener.accept()[0]
                sock.settimeout(PATIENCE)
                return sock
            if ready:
                self.check_dismissal(visitor)
                raise Broken("sent away")
            raise Damage("nobody comes out on the far side, and nobody is sent away")

    def check_dismissal(self, visitor):
        """Who came on the plain side, and has not said a word, may not take it for an end."""
        try:
            need(visitor.recv(1) or self.role == "-d" or self.is_unix, "who is sent away on the plain side sees an end")
        except OSError:
            pass

    def peer(self, sock):
        return Peer(sock, CLIENT if self.role == "-d" else SERVER, self.secret, forward_secrecy=False, timeout=PATIENCE)

    @staticmethod
    def shake_hands(peer):
        try:
            peer.handshake()
        except socket.timeout as error:
            raise Damage("a handshake hangs") from error
        except (OSError, EOFError) as error:
            raise Broken(f"ended in the handshake: {error}") from error
        except ValueError as error:
            raise Damage(f"a handshake with the right key went wrong: {error}") from error

    def open(self):
        """One that works: what goes in has come out of it."""
        self.count += 1
        token, near, peer = b"token %06d" % self.count, self.connect(), None
        self.has_spoken = False
        if self.role == "-d":
            peer = self.peer(near)
            self.shake_hands(peer)
            self.speak(near, peer.seal(token))
        while True:
            connection = self.meet(near, peer, token)
            if connection:
                return connection

    def speak(self, near, words):
        """Once, whoever comes out on the far side then."""
        if self.has_spoken:
            return
        self.has_spoken = True
        near.settimeout(PATIENCE)
        try:
            near.sendall(words)
        except OSError as error:
            raise Broken("ended before its first byte") from error

    def meet(self, near, peer, token):
        """The connection, when its token has come out; None if who came out is one that was given up before ours."""
        connection = None
        try:
            far = self.accept(near)
            near.settimeout(PATIENCE)
            if self.role == "-e":
                peer = self.peer(far)
                self.shake_hands(peer)
            connection = Connection(Stream(far if self.role == "-d" else near), peer, self.role == "-d" or not self.is_unix)
            self.speak(near, token)
            connection.said["cipher" if self.role == "-d" else "plain"] += token
            connection.run(connection.has_heard_all)
            return connection
        except Broken:
            if wait_for(0, (near, select.POLLIN)):
                raise
            return None
        except Damage:
            if not connection or connection.cipher.end != "end" or any(connection.heard.values()) or wait_for(0, (near, select.POLLIN)):
                raise
            return None  # of a visitor who had left

    def visit(self):
        """Somebody who comes and goes without a word."""
        near = self.connect()
        if self.role == "-e":
            self.accept(near).close()
        near.close()


def secret_file(path):
    with open(path, "wb") as file:
        file.write(os.urandom(64))
    os.chmod(path, 0o600)
    return path


def listen():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVES)
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    return listener
