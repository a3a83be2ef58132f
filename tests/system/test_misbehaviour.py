"""Each thing that a peer can do wrong, against each program in each role: what the plain side sees, what the log says."""
import os
import re
import time

import pytest
from network import CLEAN, RESET, UNIX, read_exactly, read_to_end
from peer import CLIENT, SERVER, P, Peer, sha256_of_key_file

pytestmark = pytest.mark.short
AT_ONCE = 3  # seconds: a reset waits for what came before it to be delivered, and not for -o to pass
NOT_DIALLED = "not dialled"
BEFORE = b"what came before"
BURST = os.urandom(200 * 1024)
TABLE = "misbehaviour of a peer: what the plain side sees; what the log says"
PROGRAMS = ("spiped -d", "spiped -e", "spipe")
DURING = {}  # name: (act, reason, options): the handshake never succeeds
AFTER = {}  # name: (act, reason, delivered, how it ends): after an honest handshake


def during(name, reason, *options):
    return lambda act: DURING.update({name: (act, reason, options)})


def after(name, reason, delivered=BEFORE, ending=RESET):
    return lambda act: AFTER.update({name: (act, reason, delivered, ending)})


def sends_then(peer, sent, leave):
    peer.sock.sendall(sent)
    leave(peer)


def reset_once_met(peer):
    """A reset that overtakes the end of connect(2) would look like a refusal."""
    peer.receive(32)
    peer.reset()


def y_message_after_nonces(peer):
    """The honest message that is this peer's to send: a server has read the client's by then."""
    peer.nonces()
    if peer.role == SERVER:
        peer.shake.take_y_message(peer.receive(288))
    return peer.shake.y_message()


def flipped(text, at):
    return text[:at] + bytes([text[at] ^ 0x40]) + text[at + 1:]


# The handshake: cut, reset and silent at every interesting byte

for length in (0, 1, 31, 32):
    during(f"nonce, FIN after {length} bytes", "cut")(
        lambda peer, n=length: sends_then(peer, peer.shake.nonce[:n], Peer.end))
    during(f"nonce, reset after {length} bytes", "cipher-reset")(
        lambda peer, n=length: sends_then(peer, peer.shake.nonce[:n], reset_once_met))
    during(f"nonce, silent after {length} bytes", "handshake-timeout", "-o", "0.3")(
        lambda peer, n=length: sends_then(peer, peer.shake.nonce[:n], lambda peer: None))
for length in (1, 255, 256, 287):
    during(f"y, FIN after {length} bytes", "cut")(
        lambda peer, n=length: sends_then(peer, y_message_after_nonces(peer)[:n], Peer.end))
    during(f"y, reset after {length} bytes", "cipher-reset")(
        lambda peer, n=length: sends_then(peer, y_message_after_nonces(peer)[:n], Peer.reset))
    during(f"y, silent after {length} bytes", "handshake-timeout", "-o", "0.3")(
        lambda peer, n=length: sends_then(peer, y_message_after_nonces(peer)[:n], lambda peer: None))

# The handshake: wrong messages

for at in (0, 255, 256, 287):
    during(f"y, a bit of byte {at} flipped", "wrong-key")(
        lambda peer, n=at: peer.sock.sendall(flipped(y_message_after_nonces(peer), n)))


@during("y with the MAC of the other direction", "wrong-key")
def _(peer):
    y_message_after_nonces(peer)
    peer.shake.dhmac_own = peer.shake.dhmac_other
    peer.sock.sendall(peer.shake.y_message())


for text, number in (("0", 0), ("p - 1", P - 1), ("p", P), ("p + 1", P + 1), ("2^2048 - 1", 2**2048 - 1)):
    @during(f"y = {text}, valid MAC", "bad-y")
    def _(peer, y=number):
        y_message_after_nonces(peer)
        peer.sock.sendall(peer.shake.y_message(y))


@during("y = 1 under -g", "no-forward-secrecy", "-g")
def _(peer):
    y_message_after_nonces(peer)
    peer.sock.sendall(peer.shake.y_message(1))


# Packets

def before_and(peer, bad):
    """In one go, so that good and bad stand in the same batch."""
    peer.sock.sendall(peer.seal(BEFORE) + bad(peer))


for at in (0, 1023, 1027, 1028, 1059):
    after(f"packet, a bit of byte {at} flipped", "bad-mac")(
        lambda peer, plain, n=at: before_and(peer, lambda peer: flipped(peer.seal(b"evil"), n)))
for length in (0, 1025, 2**32 - 1):
    after(f"packet, length {length}, valid MAC", "bad-length")(
        lambda peer, plain, n=length: before_and(peer, lambda peer: peer.seal_one(b"evil", length=n)))


@after("first packet forged", "bad-mac", b"")
def _(peer, plain):
    peer.sock.sendall(flipped(peer.seal(b"evil"), 5))


@after("packet repeated", "bad-mac")
def _(peer, plain):
    packet = peer.seal(BEFORE)
    peer.sock.sendall(packet + packet)


@after("packets swapped", "bad-mac")
def _(peer, plain):
    first, second, third = peer.seal(BEFORE), peer.seal(b"second"), peer.seal(b"third")
    peer.sock.sendall(first + third + second)


@after("packet skipped", "bad-mac")
def _(peer, plain):
    first, _, third = peer.seal(BEFORE), peer.seal(b"second"), peer.seal(b"third")
    peer.sock.sendall(first + third)


@after("packet of the other direction", "bad-mac")
def _(peer, plain):
    peer.sock.sendall(peer.seal(BEFORE) + peer.shake.receives.seal(b"evil"))


@after("200 good packets and a forged one at once", "bad-mac", BURST)
def _(peer, plain):
    peer.sock.sendall(peer.seal(BURST) + flipped(peer.seal(b"evil"), 0))


for length in (1, 1027, 1028, 1059):
    @after(f"packet, FIN after {length} bytes", "cut")
    def _(peer, plain, cut=length):
        before_and(peer, lambda peer: peer.seal(b"evil")[:cut])
        peer.end()

    @after(f"packet, reset after {length} bytes", "cipher-reset")
    def _(peer, plain, cut=length):
        peer.send(BEFORE)
        plain.hears(BEFORE)
        peer.sock.sendall(peer.seal(b"evil")[:cut])
        peer.reset()


@after("reset between packets", "cipher-reset")
def _(peer, plain):
    peer.send(BEFORE)
    plain.hears(BEFORE)
    peer.reset()


@after("FIN between packets: an end, not a fault", "end", BEFORE, CLEAN)
def _(peer, plain):
    peer.send(BEFORE)
    peer.end()
    plain.ends()


@after("FIN before the first packet: an end, not a fault", "end", b"", CLEAN)
def _(peer, plain):
    peer.end()
    plain.ends()


@after("zeros of a packet not zero: nobody checks", "end", BEFORE, CLEAN)
def _(peer, plain):
    peer.sock.sendall(peer.seal_one(BEFORE, padding=b"\xa5"))
    peer.end()
    plain.ends()


@after("y = 1 without -g: allowed", "end", BEFORE, CLEAN)
def _(peer, plain):
    peer.send(BEFORE)
    peer.end()
    plain.ends()


class SocketSide:
    """The plain side of a daemon: a socket."""

    def __init__(self, sock):
        self.sock, self.heard = sock, b""

    def hears(self, expected):
        self.heard += read_exactly(self.sock, len(expected))

    def ends(self):
        self.sock.shutdown(1)

    def rest(self):
        heard, how = read_to_end(self.sock)
        return self.heard + heard, how


class ProgramSide:
    """The plain side of spipe: its standard input and output, and its exit status."""

    def __init__(self, process):
        self.process, self.heard = process, b""

    def hears(self, expected):
        while len(self.heard) < len(expected):
            part = self.process.popen.stdout.read(len(expected) - len(self.heard))
            assert part
            self.heard += part

    def ends(self):
        self.process.popen.stdin.close()

    def rest(self):
        while part := self.process.popen.stdout.read(1 << 18):
            self.heard += part
        return self.heard, {0: CLEAN, 1: RESET}.get(self.process.wait(), "status?")


class Victim:
    """One of our programs, with a peer in front of it that will misbehave."""

    def __init__(self, network, launch, ours, key, program, *options):
        self.network, self.program, self.hint = network, program, None
        with open(key, "rb") as file:
            self.key = sha256_of_key_file(file.read())
        if program == "spiped -d":
            self.target, self.source = network.listen(), network.address()
            self.process = launch.daemon(ours, "-d", self.source, self.target.address, key, *options)
            return
        self.far = network.listen()
        if program == "spiped -e":
            self.source = network.address()
            self.process = launch.daemon(ours, "-e", self.source, self.far.address, key, *options)
        else:
            self.process = launch.client(ours, self.far.address, key, *options)

    def meet(self, forward_secrecy=True):
        """A peer with a connection to it, and its plain side where that is there already."""
        if self.program == "spiped -d":
            return Peer(self.network.connect(self.source), CLIENT, self.key, forward_secrecy), None
        side = ProgramSide(self.process) if self.program == "spipe" else SocketSide(self.network.connect(self.source))
        return Peer(self.far.accept(), SERVER, self.key, forward_secrecy), side

    def opened(self, forward_secrecy=True):
        peer, side = self.meet(forward_secrecy)
        peer.handshake()
        return peer, side or SocketSide(self.target.accept())

    def says(self, event, reason):
        """The line about the connection, for the daemons; for spipe the words on standard error."""
        if self.program == "spipe":
            errors = self.process.errors()
            hint = f"spipe: {self.hint}\n" if self.hint else ""
            assert re.fullmatch(rf"(spipe: [^\n]+\n{hint})?", errors), errors
            assert bool(errors) == (reason != "end"), errors
            return errors[len("spipe: "):-1 - len(hint)]
        found = self.process.line(r"Z (close|refused) peer=\S+ .*?\breason=(\S+)")
        assert found.groups() == (event, reason)
        if self.hint and self.program == "spiped -e":
            self.process.line(rf" hint peer=\S+ text=\"{self.hint}\"$")
        else:
            assert not self.process.count(" hint ")
        return f"{event} reason={reason}"

    def goes_on(self):
        if self.program == "spipe":
            return
        peer, side = self.opened()
        peer.send(b"honest")
        side.hears(b"honest")


def hint_of(name, reason):
    """What a client end makes of it: who has a nonce and then closes may be one of us, and not have liked our MAC."""
    if reason == "wrong-key":
        return "probably no spiped listens there"
    if reason not in ("cut", "cipher-reset"):
        return None
    met = name.startswith("y") or name.endswith("after 32 bytes")
    return "probably the other end has another key, or cannot reach its target" if met else "probably no spiped listens there"


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", DURING)
def test_a_peer_that_fails_the_handshake_passes_nothing(network, launch, ours, key, row, name, program):
    act, reason, options = DURING[name]
    victim = Victim(network, launch, ours, key, program, *options)
    victim.hint = hint_of(name, reason)
    peer, side = victim.meet()
    act(peer)
    said = victim.says("refused", reason)
    if side is None:
        seen = NOT_DIALLED
        assert not victim.target.has_a_visitor()
    else:
        heard, seen = side.rest()
        assert (heard, seen) == (b"", RESET)
    if program == "spipe":
        seen = "exit 1"
        expected = "Connection error" if reason == "handshake-timeout" else "Handshake failed"
        assert said == expected
    victim.goes_on()
    row(TABLE, name, program, f"{seen}; {said}")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", AFTER)
def test_a_peer_that_breaks_an_open_connection_takes_nothing_back(network, launch, ours, key, row, name, program):
    act, reason, delivered, ending = AFTER[name]
    victim = Victim(network, launch, ours, key, program)
    peer, side = victim.opened(forward_secrecy="y = 1" not in name)
    began = time.monotonic()
    act(peer, side)
    heard, seen = side.rest()
    assert heard == delivered
    assert time.monotonic() - began < AT_ONCE
    assert seen == ending
    said = victim.says("close", reason)
    victim.goes_on()
    if program == "spipe":
        seen, said = {CLEAN: "exit 0", RESET: "exit 1"}[seen], said or "-"
    row(TABLE, name, program, f"{len(heard)} bytes, {seen}; {said}")


@pytest.mark.parametrize("role", ["-d", "-e"])
def test_a_unix_socket_is_closed_where_a_tcp_one_is_reset(network, launch, ours, key, role):
    """There is no reset to send, so the log tells."""
    plain_listener = network.listen(family=UNIX)
    cipher = network.listen() if role == "-e" else None
    source = network.address(UNIX if role == "-e" else "IPv4")
    target = cipher.address if cipher else plain_listener.address
    process = launch.daemon(ours, role, source, target, key)
    with open(key, "rb") as file:
        secret = sha256_of_key_file(file.read())
    plain = network.connect(source) if role == "-e" else None
    peer = Peer(cipher.accept(), SERVER, secret) if cipher else Peer(network.connect(source), CLIENT, secret)
    peer.handshake()
    plain = plain or plain_listener.accept()
    began = time.monotonic()
    before_and(peer, lambda peer: flipped(peer.seal(b"evil"), 0))
    assert read_to_end(plain) == (BEFORE, CLEAN)
    assert time.monotonic() - began < AT_ONCE
    assert process.line(r" close .*reason=(\S+)").group(1) == "bad-mac"
