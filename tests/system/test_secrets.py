"""When a connection has closed, nothing of its secrets or of its plain bytes is left in the daemon's memory."""
import os
import signal

import memory
import pytest
import traces
from daemons import needs_root, secret_of
from network import PATIENCE, read_exactly
from peer import CLIENT, SERVER, Peer

pytestmark = needs_root
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
        self.peer.timeout = PATIENCE
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
    """A daemon of one worker, and what can be found in its memory."""

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
    daemon = watched(role, *options, **({"OPENSSL_ia32cap": processor} if processor else {}))
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
