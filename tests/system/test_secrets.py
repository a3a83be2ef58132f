"""When a connection has closed, nothing of its secrets or of its plain bytes is left in the daemon's memory."""
import os
import select
import signal
import socket

import memory
import pytest
import traces
from daemons import needs_root, secret_of
from network import PATIENCE, read_exactly, reset
from peer import CLIENT, SERVER, P, Peer, y_bytes

pytestmark = [needs_root, memory.needs_to_look]
SESSION_KEYS = {"E_sends", "H_sends", "E_receives", "H_receives"}
ROLES = ("-d", "-e")
# libcrypto as processors have it: with AES and SHA instructions; AES and AVX2; AES alone; SSSE3 alone; none of these
CRYPTO = {
    "best": None,
    "libcrypto": "",
    "libcrypto on AVX2": ":~0x20000000",
    "libcrypto on AES": "~0x1000000000000000:0",
    "libcrypto on SSSE3": "~0x1200000000000000:0",
    "libcrypto on tables": "~0x1200020000000000:0",
}


class Connection:
    """One through the daemon, with the peer that the test plays at its cipher side; secrets grows as they come up."""

    def __init__(self, watched, forward_secrecy=True):
        role = CLIENT if watched.role == "-d" else SERVER
        self.watched, self.plain = watched, None
        self.cipher = watched.network.connect(watched.source) if role == CLIENT else None
        if role == SERVER:
            self.plain = watched.network.connect(watched.source)
            self.cipher = watched.far.accept()
        self.peer = Peer(self.cipher, role, watched.secret, forward_secrecy, PATIENCE)
        self.peer.nonces()
        shake = self.peer.shake
        self.x = watched.witness.exponent(shake.salt[32:] if role == CLIENT else shake.salt[:32])
        self.secrets = list(traces.of_exponent(self.x))

    def open(self):
        if self.peer.role == CLIENT:
            self.cipher.sendall(self.peer.shake.y_message())
        self.peer.shake.take_y_message(self.peer.receive(288))
        if self.peer.role == SERVER:
            self.cipher.sendall(self.peer.shake.y_message())
        self.plain = self.plain or self.watched.far.accept()
        self.secrets = list(traces.of_session(self.peer.shake, self.x))
        return self

    def carry(self, to_plain=5000, from_plain=700):
        for length, send, receive in ((to_plain, self.peer.send, lambda n: read_exactly(self.plain, n)),
                                      (from_plain, self.plain.sendall, self.read)):
            message = self.message(length)
            send(message)
            assert receive(length) == message

    def message(self, length):
        """Random bytes again and again: so that few have to be looked for."""
        period = os.urandom(499)
        self.secrets.append(("plain", period + period[:7]))
        return (period * (length // len(period) + 1))[:length]

    def read(self, length):
        received = b""
        while len(received) < length:
            received += self.peer.read()
        return received

    def close(self):
        self.peer.end()
        self.plain.close()
        assert self.peer.read() == b""
        self.peer.close()


class Watched:
    """A daemon of one worker, and what can be found in its memory. WITNESS_OLD: of the shared key too."""

    def __init__(self, network, launch, ours, key, place, role, *options, **settings):
        if ours.is_sanitized():
            pytest.skip("a sanitizer keeps what was freed")
        self.network, self.ours, self.role, self.secret = network, ours, role, secret_of(key)
        self.witness = memory.Witness(ours, place, **settings)
        self.source, self.far = network.address(), network.listen()
        self.process = launch.daemon(ours, role, self.source, self.far.address, key, "--workers", "1", *options,
                                     **self.witness.how)
        self.process.line(" start ")

    def find(self, secrets):
        return memory.find(self.ours, self.process.pid, secrets)

    def find_when_idle(self, secrets):
        memory.until_asleep(self.process)
        return self.find(secrets)

    def find_at_its_end(self, secrets):
        """Looks once the program has done everything but to end."""
        memory.until_stopped(self.process)
        found = self.find(secrets)
        self.process.may_die = True
        self.process.signal(signal.SIGCONT)
        assert self.process.wait() == 0
        return found


@pytest.fixture
def watched(network, launch, ours, key, place):
    started = []

    def start(role, *options, **settings):
        started.append(Watched(network, launch, ours, key, place, role, *options, WITNESS_STOP="1", **settings))
        return started[-1]
    yield start
    for daemon in started:  # it would stop at its end, for nobody
        if daemon.process.is_running():
            daemon.process.popen.kill()
        daemon.process.may_die = True


def test_the_search_finds_each_secret_in_each_form(ours):
    key, message = os.urandom(32), os.urandom(40)
    secrets = [*traces.of_hmac_key("K", key), *traces.of_shared(os.urandom(256)), ("plain", message)]
    missed = {name for name, _ in secrets} - {trace.name for trace in memory.find(ours, os.getpid(), secrets)}
    assert not missed, missed
    for length in (7, 8):
        piece = bytearray(message[11:11 + length])
        assert bool(memory.find(ours, os.getpid(), [("piece", bytes(piece))])) == (length == 8)


@pytest.mark.parametrize("crypto", CRYPTO)
@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_a_closed_connection_is_left(watched, ours, role, crypto):
    processor = CRYPTO[crypto]
    options = () if processor is None or ours.crypto() else ("--crypto", "libcrypto")
    daemon = watched(role, *options, WITNESS_OLD="1", **({"OPENSSL_ia32cap": processor} if processor else {}))
    connection = Connection(daemon)
    assert [trace.length for trace in daemon.find_when_idle(connection.secrets)] == [32], "x in one place, whole"
    connection.open()
    connection.carry()
    connection.carry(to_plain=300_000, from_plain=300_000)
    found = memory.names(daemon.find_when_idle(connection.secrets))
    assert found == SESSION_KEYS | {"plain"}
    connection.close()
    daemon.process.line(" close .*reason=end")
    assert daemon.find_when_idle(connection.secrets) == []
    daemon.process.signal(signal.SIGTERM)
    assert daemon.find_at_its_end([*connection.secrets, *traces.of_key(daemon.secret)]) == []


def flipped(packet):
    return packet[:-1] + bytes([packet[-1] ^ 1])


def a_forged_packet(connection):
    """With one before it that is good, and with one behind it that nobody may read any more."""
    good, lost = connection.message(1000), connection.message(1000)
    connection.cipher.sendall(connection.peer.seal(good) + flipped(connection.peer.seal(b"x")) + connection.peer.seal(lost))
    assert read_exactly(connection.plain, len(good)) == good


# What ends an open connection, and the reason in the log
ENDINGS = {
    "a reset by the peer": (lambda connection: connection.peer.reset(), "cipher-reset"),
    "a reset by the plain side": (lambda connection: reset(connection.plain), "plain-reset"),
    "a forged packet": (a_forged_packet, "bad-mac"),
    "a cut inside a packet": (
        lambda connection: connection.cipher.sendall(connection.peer.seal(connection.message(1000))[:777])
        or connection.peer.end(), "cut"),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_left_however_it_ended(watched, role, ending):
    end, reason = ENDINGS[ending]
    daemon = watched(role)
    connection = Connection(daemon).open()
    connection.carry()
    assert memory.names(daemon.find_when_idle(connection.secrets)) == SESSION_KEYS | {"plain"}
    end(connection)
    daemon.process.line(f" close .*reason={reason}")
    assert daemon.find_when_idle(connection.secrets) == []


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_left_of_those_that_are_open_when_it_is_told_to_end(watched, role):
    daemon = watched(role, WITNESS_OLD="1")
    connections = [Connection(daemon).open() for _ in range(3)]
    for connection in connections:
        connection.carry()
    daemon.process.signal(signal.SIGTERM)
    daemon.process.line(" drain ")
    daemon.process.signal(signal.SIGTERM)
    secrets = [secret for connection in connections for secret in connection.secrets]
    assert daemon.find_at_its_end([*secrets, *traces.of_key(daemon.secret)]) == []


def of_what_is_known(connection):
    """What a handshake that came to no end has made: the exponent, the keys of its MACs, the shared value."""
    shake = connection.peer.shake
    yield from traces.of_exponent(connection.x)
    yield from traces.of_shared(y_bytes(pow(shake.y, int.from_bytes(connection.x, "big"), P)))
    for name, key in (("dhmac_own", shake.dhmac_own), ("dhmac_other", shake.dhmac_other)):
        yield from traces.of_hmac_key(name, key)


def a_wrong_mac(connection):
    if connection.peer.role == SERVER:
        connection.peer.receive(288)
    connection.cipher.sendall(flipped(connection.peer.shake.y_message()))


def a_reset_while_it_computes(connection):
    if connection.peer.role == SERVER:
        connection.peer.receive(288)
    connection.cipher.sendall(connection.peer.shake.y_message())
    connection.peer.reset()


# What ends a handshake after the nonces
FAILURES = {
    "a wrong MAC": a_wrong_mac,
    "an end": lambda connection: connection.peer.end(),
    "a reset": lambda connection: connection.peer.reset(),
    "a y that no honest peer sends": lambda connection: connection.cipher.sendall(connection.peer.shake.y_message(y=P - 1)),
    "a reset while it computes": a_reset_while_it_computes,
    "silence": lambda connection: None,
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_left_of_a_handshake_that_failed(watched, role, failure):
    daemon = watched(role, "-o", "1" if failure == "silence" else "20")
    connection = Connection(daemon)
    assert "x" in memory.names(daemon.find(of_what_is_known(connection)))
    FAILURES[failure](connection)
    daemon.process.line(" reason=")
    assert daemon.find_when_idle(of_what_is_known(connection)) == []


@pytest.mark.parametrize("role", ROLES)
def test_what_a_stalled_connection_holds_is_its_own(watched, role):
    """Its buffer was another connection's before, and larger then."""
    daemon = watched(role, "-o", "2")
    stalled, other = Connection(daemon).open(), Connection(daemon).open()
    other.carry(to_plain=300_000, from_plain=300_000)
    for receiver in (stalled.plain, stalled.cipher):
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.cipher.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    stuff(stalled)
    other.carry(to_plain=300, from_plain=300)
    assert memory.names(daemon.find_when_idle(stalled.secrets)) == SESSION_KEYS | {"plain"}
    other.close()
    daemon.process.line(" close .*reason=end")
    assert daemon.find_when_idle(other.secrets) == []
    assert memory.names(daemon.find(stalled.secrets)) == SESSION_KEYS | {"plain"}
    stalled.peer.reset()
    daemon.process.line(" close .*reason=(cipher-reset|stalled)")
    assert daemon.find_when_idle(stalled.secrets) == []


def stuff(connection):
    """Sends until nothing more is taken for a while."""
    message, left = connection.message(1 << 16), b""
    connection.cipher.setblocking(False)
    for _ in range(10_000):
        if not select.select([], [connection.cipher], [], 0.3)[1]:
            return
        left = left or connection.peer.seal(message)
        left = left[connection.cipher.send(left):]
    raise AssertionError("it was all taken")


def test_spipe_leaves_nothing(network, launch, ours, key, place):
    if ours.is_sanitized():
        pytest.skip("a sanitizer keeps what was freed")
    witness = memory.Witness(ours, place, WITNESS_STOP="1", WITNESS_OLD="1")
    far, secret = network.listen(), secret_of(key)
    process = launch.client(ours, far.address, key, **witness.how)
    peer = Peer(far.accept(), SERVER, secret, timeout=PATIENCE).handshake()
    secrets = list(traces.of_session(peer.shake, witness.exponent(peer.shake.salt[:32])))
    for write, read in ((process.popen.stdin.write, peer.read), (peer.send, lambda: process.popen.stdout.read(1000))):
        secrets.append(("plain", os.urandom(1000)))
        write(secrets[-1][1])
        assert read() == secrets[-1][1]
    memory.until_asleep(process)
    assert memory.names(memory.find(ours, process.pid, secrets)) == SESSION_KEYS | {"plain"}
    process.popen.stdin.close()
    assert peer.read() == b""
    peer.close()
    memory.until_stopped(process)
    assert memory.find(ours, process.pid, [*secrets, *traces.of_key(secret)]) == []
    process.signal(signal.SIGCONT)
    assert process.wait() == 0
