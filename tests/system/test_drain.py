"""A drain ends: whatever became of the connections before and during it, the program exits soon after the last one."""
import itertools
import os
import signal
import socket
import time

import pytest
from daemons import hosts, needs_root, network_of_its_own, secret_of, with_file
from network import PATIENCE, read_exactly, read_to_end, reset
from peer import CLIENT, PACKET, SERVER, Peer

CONNECTIONS, SOON = 200, 1.0


class Scene:
    """A daemon in either role; the test plays what is on both sides of it."""

    def __init__(self, network, launch, ours, key, role):
        self.network, self.role, self.secret = network, role, secret_of(key)
        self.source, self.far = network.address(), network.listen()
        self.process = launch.daemon(ours, role, self.source, self.far.address, key, "-n", "0", "-o", "60")
        self.process.may_die = True

    def come(self):
        """The socket on which the daemon speaks spiped, and the plain one, which on -d is not there yet."""
        near = self.network.connect(self.source)
        return (near, None) if self.role == "-d" else (self.far.accept(), near)

    def peer(self, cipher, secret=None):
        role = CLIENT if self.role == "-d" else SERVER
        cipher.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or y and what follows wait for each other
        return Peer(cipher, role, secret or self.secret, forward_secrecy=False, timeout=PATIENCE)

    def open(self):
        cipher, plain = self.come()
        peer = self.peer(cipher).handshake()
        plain = plain or self.far.accept()
        peer.send(b"in use")
        assert read_exactly(plain, 6) == b"in use"
        return peer, plain


# Each opens a connection, yields, and ends it

def ended_by_the_peer(scene):
    peer, plain = scene.open()
    yield
    peer.end()
    assert plain.recv(1) == b""
    plain.close()
    assert peer.read() == b""
    peer.close()


def ended_by_the_plain_side(scene):
    peer, plain = scene.open()
    yield
    plain.shutdown(socket.SHUT_WR)
    assert peer.read() == b""
    peer.close()
    assert plain.recv(1) == b""


def half_closed_long_before(scene):
    peer, plain = scene.open()
    plain.shutdown(socket.SHUT_WR)
    assert peer.read() == b""
    yield
    peer.close()


def closed_by_both(scene):
    peer, plain = scene.open()
    yield
    plain.close()
    peer.close()


def reset_by_the_peer(scene):
    peer, _ = scene.open()
    yield
    peer.reset()


def reset_by_the_plain_side(scene):
    _, plain = scene.open()
    yield
    reset(plain)


def reset_by_both_with_bytes_under_way(scene):
    peer, plain = scene.open()
    peer.send(os.urandom(30000))
    plain.sendall(os.urandom(30000))
    yield
    peer.reset()
    reset(plain)


def cut_inside_a_packet(scene):
    peer, _ = scene.open()
    peer.sock.sendall(peer.seal(b"cut")[:100])
    yield
    peer.close()


def forged(scene):
    peer, _ = scene.open()
    yield
    peer.sock.sendall(bytes(PACKET))


def without_a_word(scene):
    cipher, _ = scene.come()
    yield
    cipher.close()


def reset_inside_the_nonce(scene):
    cipher, _ = scene.come()
    cipher.sendall(bytes(10))
    yield
    reset(cipher)


def closed_inside_the_y(scene):
    cipher, _ = scene.come()
    peer = scene.peer(cipher)
    peer.nonces()
    cipher.sendall(peer.shake.y_message()[:100])
    yield
    cipher.close()


def closed_by_the_plain_side_inside_the_handshake(scene):
    cipher, plain = scene.come()
    cipher.sendall(bytes(32))
    yield
    reset(plain or cipher)
    cipher.close()


def with_a_wrong_key(scene):
    cipher, _ = scene.come()
    peer = scene.peer(cipher, bytes(32))
    peer.nonces()
    yield
    cipher.sendall(peer.shake.y_message())
    cipher.close()


WAYS = (ended_by_the_peer, ended_by_the_plain_side, half_closed_long_before, closed_by_both, reset_by_the_peer,
        reset_by_the_plain_side, reset_by_both_with_bytes_under_way, cut_inside_a_packet, forged, without_a_word,
        reset_inside_the_nonce, closed_inside_the_y, closed_by_the_plain_side_inside_the_handshake, with_a_wrong_key)


def end(connections):
    for connection in connections:
        next(connection, None)


@pytest.mark.parametrize("before", [CONNECTIONS, CONNECTIONS // 2, 0], ids=lambda before: f"{before} ended before it")
@pytest.mark.parametrize("role", ["-d", "-e"])
def test_a_drain_ends_soon_after_the_last_of_200_connections(network, launch, ours, key, role, before):
    scene = Scene(network, launch, ours, key, role)
    connections = [way(scene) for way in itertools.islice(itertools.cycle(WAYS), CONNECTIONS)]
    end(connections)  # each to where it yields: open, or as far as it gets
    last = scene.open()
    end(connections[:before])
    scene.process.signal(signal.SIGTERM)
    end(connections[before:])  # meanwhile, or when it has noticed
    assert scene.process.is_running()
    last[0].end()
    assert read_to_end(last[1]) == (b"", "end")
    scene.process.line(r" drain connections=\d+$")
    began = time.monotonic()
    last[1].close()
    assert scene.process.wait() == 0
    assert time.monotonic() - began < SOON * (10 if ours.is_sanitized() else 1)
    scene.process.reader.join(PATIENCE)  # its last lines may still be on their way
    assert not [line for line in scene.process.lines if "reason=killed" in line or "reason=stalled" in line]
    assert scene.process.count(" open peer=") == scene.process.count(" close peer=") > CONNECTIONS // 2


@needs_root
def test_a_name_server_that_does_not_answer_is_not_waited_for(network, launch, ours, key, place):
    resolv_conf = os.path.join(place, "resolv.conf")
    with open(resolv_conf, "w", encoding="ascii") as file:
        file.write("nameserver 127.0.0.1\noptions timeout:30 attempts:1\n")
    under = (*with_file(resolv_conf, "/etc/resolv.conf"), *hosts(place, {}))
    with network_of_its_own(), socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        server.settimeout(PATIENCE)
        process = launch.daemon(ours, "-e", network.address(), "far.example:25", key, "-D", under=under)
        process.may_die = True
        assert b"example" in server.recv(512)
        process.signal(signal.SIGTERM)
        assert process.wait(10 if ours.is_sanitized() else SOON) == 0  # the name server has 30; ThreadSanitizer sleeps for one at the end
