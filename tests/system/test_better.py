"""What users of spiped met, row by row of what this project does instead: peers, broken connections, signals."""
import os
import re
import signal
import socket
import time

import pytest
from daemons import Door, Pair, keepalive_of, needs_root, secret_of, sockets_of, timers_of
from network import IPV4, RESET, Address, read_exactly, read_to_end, receive_queue, reset, until
from peer import CLIENT, SERVER, P, Peer

SHORTLY = 0.3  # seconds in which nothing must happen; what must has its usual patience
BURST = os.urandom(500000)  # more than a small receive buffer holds, less than all buffers on its way


# A peer without the key

def test_429_the_target_is_dialled_only_after_S4_has_passed(network, launch, ours, key, other_key):
    """1,000 of each kind: without a word, with half a handshake, with a wrong key."""
    door = Door(network, launch, ours, key, "-o", "60")
    for _ in range(10):
        silent = [door.knock() for _ in range(100)]
        peers = [door.peer() for _ in range(100)]
        for peer in peers:
            peer.sock.sendall(peer.shake.nonce)
        strangers = [Peer(door.knock(), CLIENT, secret_of(other_key), forward_secrecy=False) for _ in range(100)]
        for peer in strangers:
            peer.nonces()
            peer.sock.sendall(peer.shake.y_message())
        for peer in strangers:
            assert read_to_end(peer.sock)[0] == b""  # S5 is not sent either
        for sock in silent + [peer.sock for peer in peers + strangers]:
            sock.close()
    assert not door.target.has_a_visitor()
    door.serves()


@pytest.mark.parametrize("role", ["-d", "-e"])
@pytest.mark.parametrize("options", [(), ("-g",), ("-f",)], ids=lambda options: "".join(options) or "-")
@pytest.mark.parametrize("y", [0, P - 1], ids=["0", "p - 1"])
def test_462_y_of_0_and_p_minus_1_is_refused_always(network, launch, ours, key, role, options, y):
    source, target = network.address(), network.listen()
    process = launch.daemon(ours, role, source, target.address, key, *options)
    sock = network.connect(source)
    peer = Peer(sock if role == "-d" else target.accept(), CLIENT if role == "-d" else SERVER, secret_of(key))
    peer.nonces()
    if role == "-e":
        peer.shake.take_y_message(peer.receive(288))
    peer.sock.sendall(peer.shake.y_message(y))
    process.line(r" refused .*reason=bad-y$")
    heard, how = read_to_end(sock)
    assert (heard, how == RESET) == (b"", role == "-e")  # a stranger is just closed
    assert role == "-e" or not target.has_a_visitor()


# Broken connections

def opened(network, launch, ours, key, role, *options, buffer=None):
    """(the daemon, the peer in the other role, the plain side); buffer: what the plain side holds unread."""
    def limit(sock):
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    if role == "-d":
        door = Door(network, launch, ours, key, *options)
        limit(door.target.sock)
        return door.process, *door.open()
    source, far = network.address(), network.listen()
    process = launch.daemon(ours, "-e", source, far.address, key, *options)
    plain = network.keep(source.socket())
    limit(plain)
    plain.connect(source.where)
    return process, Peer(far.accept(), SERVER, secret_of(key), forward_secrecy=False).handshake(), plain


@pytest.mark.short
@pytest.mark.parametrize("role", ["-d", "-e"])
def test_446_a_stream_cut_inside_a_packet_is_a_reset(network, launch, ours, key, role):
    process, peer, plain = opened(network, launch, ours, key, role)
    peer.sock.sendall(peer.seal(b"before") + peer.seal(b"cut")[:1059])
    peer.end()
    assert read_to_end(plain) == (b"before", RESET)
    process.line(r" close peer=\S+ .*reason=cut$")


@pytest.mark.parametrize("role", ["-d", "-e"])
def test_all_before_a_bad_packet_is_delivered_and_the_reset_waits_until_the_kernel_has_sent_it(
        network, launch, ours, key, role):
    process, peer, plain = opened(network, launch, ours, key, role, "-o", "60", buffer=1 << 16)
    peer.sock.sendall(peer.seal(BURST) + bytes(1060))
    until(lambda: receive_queue(plain) > 0, "it has begun")
    time.sleep(SHORTLY)  # nobody reads, so nothing more must happen
    assert process.count(" close ") == 0 and receive_queue(plain) < len(BURST)
    assert read_to_end(plain) == (BURST, RESET)
    process.line(r" close .*reason=bad-mac$")


@pytest.mark.parametrize("role", ["-d", "-e"])
def test_a_reset_that_waits_for_delivery_waits_no_longer_than_o(network, launch, ours, key, role):
    process, peer, plain = opened(network, launch, ours, key, role, "-o", "0.5", buffer=1 << 16)
    peer.sock.sendall(peer.seal(BURST) + bytes(1060))
    process.line(r" close .*reason=bad-mac$")
    heard, how = read_to_end(plain)
    assert (heard, how) == (BURST[:len(heard)], RESET)


@pytest.mark.short
@pytest.mark.parametrize("broken", ["near", "far"])
def test_a_connection_broken_on_one_side_is_a_reset_on_the_other(network, launch, ours, key, broken):
    pair = Pair(network, launch, ours, key)
    near, far = pair.open()
    near.sendall(b"hello")
    assert read_exactly(far, 5) == b"hello"
    ends = {"near": near, "far": far}
    reset(ends.pop(broken))
    assert read_to_end(*ends.values()) == (b"", RESET)
    own, other = (pair.encrypt, pair.decrypt) if broken == "near" else (pair.decrypt, pair.encrypt)
    own.line(r" close .*reason=plain-reset")
    other.line(r" close .*reason=cipher-reset")


# Draining and signals

@pytest.mark.parametrize("role", ["-d", "-e"])
def test_while_draining_new_clients_are_refused_at_once(network, launch, ours, key, role):
    pair = Pair(network, launch, ours, key)
    near, far = pair.open()
    process, source = (pair.encrypt, pair.source) if role == "-e" else (pair.decrypt, None)
    if source is None:
        host, port = re.search(r"\[(.*)\]:(\d+)", process.arguments[process.arguments.index("-s") + 1]).groups()
        source = Address(IPV4, f"[{host}]:{port}", (host, int(port)))
    process.signal(signal.SIGTERM)
    process.line(" drain connections=1$")
    with pytest.raises(ConnectionRefusedError):
        network.connect(source)
    near.sendall(b"meanwhile")
    assert read_exactly(far, 9) == b"meanwhile"
    process.may_die = True


def test_SIGHUP_does_no_harm(network, launch, ours, key):
    pair = Pair(network, launch, ours, key)
    near, far = pair.open()
    for process in (pair.encrypt, pair.decrypt):
        process.signal(signal.SIGHUP)
    near.sendall(b"still")
    assert read_exactly(far, 5) == b"still"
    again, far = pair.open()
    again.sendall(b"anew")
    assert read_exactly(far, 4) == b"anew"
    assert pair.encrypt.is_running() and pair.decrypt.is_running()


def test_SIGINT_drains_with_a_line_and_a_second_one_ends_at_once(network, launch, ours, key):
    pair = Pair(network, launch, ours, key)
    near, far = pair.open()
    pair.encrypt.may_die = True
    pair.encrypt.signal(signal.SIGINT)
    pair.encrypt.line(r" interrupt draining=yes again=.ends at once.$")
    near.sendall(b"to the end")
    assert read_exactly(far, 10) == b"to the end"
    with pytest.raises(ConnectionRefusedError):
        network.connect(pair.source)
    pair.encrypt.signal(signal.SIGINT)
    assert pair.encrypt.wait() == 0
    assert read_to_end(near) == (b"", RESET)
    pair.encrypt.line(" close .*reason=killed$")


def test_after_SIGINT_it_ends_with_its_last_connection(network, launch, ours, key):
    pair = Pair(network, launch, ours, key)
    near, far = pair.open()
    pair.decrypt.may_die = True
    pair.decrypt.signal(signal.SIGINT)
    pair.decrypt.line(" drain connections=1$")
    near.close()
    far.close()
    assert pair.decrypt.wait() == 0


@needs_root
@pytest.mark.parametrize("options, probed", [((), True), (("-j",), False)])
def test_an_idle_peer_that_vanished_is_given_up_after_a_quarter_of_an_hour_unless_j(
        network, launch, ours, key, options, probed):
    door = Door(network, launch, ours, key, *options)
    door.open()
    sockets = sockets_of(door.process.pid)
    assert len(sockets) == 2
    for sock in sockets:
        with sock:
            assert bool(keepalive_of(sock)) == probed
            idle, pause, count = timers_of(sock)
            assert not probed or idle + pause * count == 15 * 60
