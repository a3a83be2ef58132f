"""Bad input: each ends only what it must and says so in one line; the daemon goes on, and nothing authenticated is lost."""
import fcntl
import os
import re
import select
import signal
import socket
import struct
import termios

import pytest
from daemons import hosts, needs_root, secret_of, write_hosts
from network import IPV4, PATIENCE, RESET, Address, read_exactly, read_to_end, reset, until
from peer import CLIENT, PACKET, SERVER, Peer
from programs import run

FOR_A_WHILE = 0.3  # seconds in which nothing may happen that must not
ROLES = pytest.mark.parametrize("role", ["-d", "-e"])


# Strangers

def wrong_key(scene, cipher):
    peer = scene.peer(cipher, bytes(32))
    peer.nonces()
    cipher.sendall(peer.shake.y_message())


def web_browser(scene, cipher):
    cipher.sendall(b"GET / HTTP/1.0\r\n\r\n")
    cipher.shutdown(socket.SHUT_WR)


def floods(scene, cipher):
    try:
        cipher.sendall(os.urandom(1 << 20))
    except ConnectionError:
        pass


# Who closes sends a reset where our nonce has come already; and a reset may come before our connect(2) is over.
STRANGERS = {
    "a wrong key": (wrong_key, "wrong-key"),
    "a scanner that closes": (lambda scene, cipher: cipher.close(), "cut|cipher-reset"),
    "a scanner that resets": (lambda scene, cipher: reset(cipher), "cipher-reset|connect"),
    "a scanner that tries HTTP": (web_browser, "cut|cipher-reset"),
    "a flood of rubbish": (floods, "wrong-key|cipher-reset"),
    "one byte, then an end": (lambda scene, cipher: (cipher.sendall(b"?"), cipher.close()), "cut|cipher-reset"),
}


@ROLES
@pytest.mark.parametrize("what, reason", STRANGERS.values(), ids=STRANGERS)
def test_a_stranger(scene, role, what, reason):
    scene = scene(role, "-o", "60")
    cipher, plain = scene.come()
    what(scene, cipher)
    scene.says_only(rf" refused peer=\S+ (target=\S+ )?reason=({reason})( error=.*)?$")
    scene.nobody_hears(plain)


@pytest.mark.short
@ROLES
def test_a_peer_that_sends_one_byte_and_stays(scene, role):
    scene = scene(role, "-o", "1.5")
    cipher, plain = scene.come()
    cipher.sendall(b"?")
    scene.says_only(r" refused peer=\S+ (target=\S+ )?reason=handshake-timeout$")
    assert read_to_end(cipher)[1] != "nothing"
    scene.nobody_hears(plain)


@ROLES
def test_a_peer_that_sends_one_byte_of_a_packet_and_stays_is_waited_for(scene, role):
    scene = scene(role, "-o", "0.5")
    peer, plain = scene.open()
    packet = peer.seal(b"late, but whole")
    peer.sock.sendall(packet[:1])
    assert not select.select([plain, peer.sock], [], [], 1)[0]  # -o is of handshakes only
    scene.goes_on()
    peer.sock.sendall(packet[1:])
    assert read_exactly(plain, 15) == b"late, but whole"
    assert scene.troubles() == []


# A side that does not read

def kernel_keeps():
    """Bytes that the sockets of both legs hold at most, and some more: what is longer than that gets stuck."""
    most = []
    for name in ("tcp_rmem", "tcp_wmem"):
        with open(f"/proc/sys/net/ipv4/{name}") as limits:
            most.append(int(limits.read().split()[2]))
    return 2 * sum(most) + (8 << 20)


def push(sock, what):
    """Sends what it takes of that, until it takes no more for a while: how much it took."""
    sock.setblocking(False)
    sent = 0
    while sent < len(what) and select.select([], [sock], [], FOR_A_WHILE)[1]:
        sent += sock.send(what[sent:sent + (1 << 18)])
    sock.settimeout(PATIENCE)
    return sent


def gets_stuck(sock, piece):
    """Sends one piece after the other, each made when its turn comes; whether the time came when no more was taken."""
    for _ in range(kernel_keeps() >> 20):
        what = memoryview(piece(os.urandom(1 << 20)))
        if push(sock, what) < len(what):
            return True
    return False


@ROLES
@pytest.mark.parametrize("lazy", ["peer", "plain side"])
def test_one_that_never_reads_holds_up_its_own_connection_and_a_bounded_memory(scene, ours, role, lazy):
    scene = scene(role)
    most_kib = 5 * 4096 if ours.is_sanitized() else 4096  # a sanitizer keeps books on each byte
    before = scene.process.status_kib("VmRSS")
    peer, plain = scene.open()
    if lazy == "peer":
        stuck, sender, piece = peer.sock, plain, bytes
    else:
        stuck, sender, piece = plain, peer.sock, peer.seal
    assert gets_stuck(sender, piece)
    assert push(stuck, b"the other way") == 13 if lazy == "plain side" else peer.send(b"the other way") is None
    assert (peer.read() if lazy == "plain side" else read_exactly(plain, 13)) == b"the other way"
    scene.goes_on()
    assert scene.process.status_kib("VmRSS") - before < most_kib
    assert scene.troubles() == []


@ROLES
def test_one_that_did_not_read_for_long_gets_every_byte_when_it_does(scene, role):
    scene = scene(role)
    peer, plain = scene.open()
    what = memoryview(os.urandom(kernel_keeps()))
    sent = push(plain, what)
    assert sent < len(what)
    plain.shutdown(socket.SHUT_WR)
    assert peer.read_all() == what[:sent]
    scene.goes_on()


@ROLES
def test_one_that_never_reads_goes_with_its_connection_alone(scene, role):
    scene = scene(role, "-o", "1")
    peer, plain = scene.open()
    push(plain, bytes(48 << 20))
    reset(plain)
    scene.says_only(r" close peer=.* reason=(plain-reset|stalled)( error=.*)?$")
    assert read_to_end(peer.sock)[1] == RESET


# A target that is not there

def ends_in_a_reset(network, source, role, key):
    """A client that has the key, or a plain one: the reset may be faster than anything that it does."""
    try:
        client = network.connect(source)
        if role == "-d":
            peer = Peer(client, CLIENT, secret_of(key), forward_secrecy=False)
            peer.nonces()
            client.sendall(peer.shake.y_message())
        return read_to_end(client)[1] == RESET
    except ConnectionResetError:
        return True


@ROLES
def test_a_target_that_refuses(network, scene, role, key):
    nobody = network.address()
    scene = scene(role, target=nobody)
    assert ends_in_a_reset(network, scene.source, role, key)
    scene.process.line(rf" refused peer=\S+ (key=key )?target={re.escape(str(nobody))} reason=connect "
                       'error="Connection refused"$')
    assert len(scene.troubles()) == 1
    scene.far = network.listen(nobody)
    scene.first = scene.open()
    scene.goes_on()


@needs_root
@ROLES
@pytest.mark.parametrize("options", [("-D",), ()], ids=["at the start, with -D", "at the start"])
def test_a_target_name_that_does_not_resolve(network, launch, ours, place, key, role, options):
    source, port = network.address(), network.address().where[1]
    under = hosts(place, {"elsewhere.test": ["127.0.0.1"]})
    command = (ours.spiped, role, "-s", source, "-t", f"late.test:{port}", "-k", key, "-o", "2")
    if not options:
        status, _, errors = run(*under, *command, cwd=place)
        assert status == 1
        assert re.fullmatch(r"spiped: Error looking up late\.test: .*\n", errors)
        assert not source.is_listened_on() and os.path.exists(key) and not os.path.exists(f"{place}/{source}.pid")
        return
    process = launch.start(*under, *command, "-F", *options, cwd=place)
    until(source.is_listened_on, "it listens, target or not")
    assert ends_in_a_reset(network, source, role, key)
    process.line(rf" refused peer=\S+ (key=key )?target=late\.test:{port} reason=lookup$")
    process.line(r" lookup-failed name=late\.test ")  # who connects at once may be refused before the first has ended
    far = network.listen(Address(IPV4, "", ("127.0.0.1", port)))
    write_hosts(f"{place}/hosts", {"late.test": ["127.0.0.1"]})
    process.line(r" lookup-works-again name=late\.test addresses=1")
    client = network.connect(source)
    if role == "-d":
        Peer(client, CLIENT, secret_of(key)).handshake().send(b"found")
        assert read_exactly(far.accept(), 5) == b"found"
        return
    client.sendall(b"found")
    assert Peer(far.accept(), SERVER, secret_of(key)).handshake().read() == b"found"


@needs_root
@ROLES
def test_a_target_name_that_resolves_no_more_keeps_its_last_address(network, scene, role, place):
    far = network.listen()
    scene = scene(role, "-r", "1", target=f"target.test:{far.address.where[1]}",
                  under=hosts(place, {"target.test": ["127.0.0.1"]}))
    scene.far = far
    scene.first = scene.open()
    write_hosts(f"{place}/hosts", {})
    scene.says_only(r" lookup-failed name=target\.test .*kept_addresses=1$")


# Nothing that was authenticated before the trouble is lost

def unsent(sock):
    """Bytes that the other side's kernel has not confirmed (SIOCOUTQ)."""
    return struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]


@ROLES
@pytest.mark.parametrize("trouble", ["reset", "cut", "forged", "a close"])
def test_all_that_came_before_a_trouble_is_delivered(scene, role, trouble):
    """All of it waits in the kernel's buffers when the trouble comes, and the daemon sees both at the same time."""
    scene = scene(role)
    peer, plain = scene.open()
    scene.passes(peer, plain)
    process, sent = scene.process, os.urandom(100 * 1024)
    process.signal(signal.SIGSTOP)
    try:
        peer.sock.sendall(peer.seal(sent))
        if trouble == "reset":
            until(lambda: unsent(peer.sock) == 0, "the daemon's kernel has it")
            peer.reset()
        elif trouble == "cut":
            peer.sock.sendall(peer.seal(b"cut")[:PACKET - 1])
            peer.end()
        elif trouble == "forged":
            peer.sock.sendall(bytes(PACKET))
        else:
            peer.close()
            plain.shutdown(socket.SHUT_WR)
    finally:
        process.signal(signal.SIGCONT)
    heard, how = read_to_end(plain)
    assert heard == sent
    assert (how == RESET) == (trouble != "a close")
    process.line(r" close peer=.*reason=(cipher-reset|cut|bad-mac|end)")
    scene.goes_on()


