"""Bad input and bad luck: each ends only what it must and says so in one line; the daemon goes on, or does not start."""
import errno
import fcntl
import os
import re
import resource
import select
import signal
import socket
import stat
import struct
import termios

import pytest
from daemons import hosts, needs_root, secret_of, write_hosts
from network import FAMILIES, IPV4, PATIENCE, RESET, UNIX, Address, read_exactly, read_to_end, reset, until
from peer import CLIENT, PACKET, SERVER, Peer
from programs import run

FOR_A_WHILE = 0.3  # seconds in which nothing may happen that must not
ROLES = pytest.mark.parametrize("role", ["-d", "-e"])


class Scene:
    """A daemon in either role with one connection open through it, which must not notice what the test does next."""

    def __init__(self, network, launch, ours, key, role, *options, target=None, **how):
        self.network, self.role, self.secret = network, role, secret_of(key)
        self.source, self.far = network.address(), network.listen()
        self.target = target or self.far.address
        self.process = launch.daemon(ours, role, self.source, self.target, key, *options, **how)
        self.process.line(" start ")
        self.first = self.open() if target is None else None
        self.seen = len(self.process.lines)

    def come(self):
        """Two sockets without a word yet: the one where the daemon speaks spiped, and the plain one, on -d once there."""
        if self.role == "-d":
            return self.network.connect(self.source), None
        plain = self.network.connect(self.source)
        return self.far.accept(), plain

    def peer(self, cipher, secret=None):
        role = CLIENT if self.role == "-d" else SERVER
        return Peer(cipher, role, secret or self.secret, forward_secrecy=False, timeout=PATIENCE)

    def open(self):
        cipher, plain = self.come()
        peer = self.peer(cipher).handshake()
        return peer, plain or self.far.accept()

    def passes(self, peer, plain):
        peer.send(b"to the plain side")
        assert read_exactly(plain, 17) == b"to the plain side"
        plain.sendall(b"and back")
        assert peer.read() == b"and back"

    def goes_on(self):
        """The first connection is as it was, and a new one is served."""
        self.passes(*self.first)
        peer, plain = self.open()
        self.passes(peer, plain)
        peer.close()
        plain.close()

    def troubles(self):
        """The lines about what was not as it should be."""
        return [line for line in self.process.lines[self.seen:] if not re.search(r" open | reason=end$", line)]

    def says_only(self, pattern):
        self.process.line(pattern)
        self.goes_on()
        assert len(self.troubles()) == 1 and re.search(pattern, self.troubles()[0]), self.troubles()

    def nobody_hears(self, plain):
        if self.role == "-d":
            assert not self.far.has_a_visitor()
        else:
            assert read_to_end(plain) == (b"", RESET)


@pytest.fixture
def scene(network, launch, ours, key):
    return lambda role, *options, **how: Scene(network, launch, ours, key, role, *options, **how)


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

def push(sock, what):
    """Sends what it takes of that, until it takes no more for a while: how much it took."""
    sock.setblocking(False)
    sent = 0
    while sent < len(what) and select.select([], [sock], [], FOR_A_WHILE)[1]:
        sent += sock.send(what[sent:sent + (1 << 18)])
    sock.settimeout(PATIENCE)
    return sent


@ROLES
@pytest.mark.parametrize("lazy", ["peer", "plain side"])
def test_one_that_never_reads_holds_up_its_own_connection_and_a_bounded_memory(scene, role, lazy):
    scene = scene(role)
    before = scene.process.status_kib("VmRSS")
    peer, plain = scene.open()
    if lazy == "peer":
        stuck, sender, what = peer.sock, plain, os.urandom(48 << 20)
    else:
        stuck, sender, what = plain, peer.sock, peer.seal(os.urandom(24 << 20))
    sent = push(sender, memoryview(what))
    assert sent < len(what)
    assert push(stuck, b"the other way") == 13 if lazy == "plain side" else peer.send(b"the other way") is None
    assert (peer.read() if lazy == "plain side" else read_exactly(plain, 13)) == b"the other way"
    scene.goes_on()
    assert scene.process.status_kib("VmRSS") - before < 4096
    assert scene.troubles() == []


@ROLES
def test_one_that_did_not_read_for_long_gets_every_byte_when_it_does(scene, role):
    scene = scene(role)
    peer, plain = scene.open()
    what = memoryview(os.urandom(48 << 20))
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


# A start that cannot be

FULL = ('mount -t tmpfs -o size=4k full "$0" && { head -c 4096 /dev/zero >"$0/fill"; } && "$@"; status=$?; '
        'ls "$0"; exit $status')  # one page, and it is taken


@needs_root
@ROLES
def test_a_full_disk_for_the_pidfile(network, ours, place, key, role):
    source, disk = network.address(), f"{place}/disk"
    os.mkdir(disk)
    status, left, errors = run("unshare", "-m", "sh", "-c", FULL, disk, ours.spiped, role, "-s", source, "-t",
                               network.address(), "-k", key, "-p", f"{disk}/pid")
    assert (status, errors) == (1, f"spiped: Cannot write pidfile: {disk}/pid: {os.strerror(errno.ENOSPC)}\n")
    assert left == "fill\n"  # no empty pidfile stays: a script would read a number from it
    assert not source.is_listened_on()


@ROLES
@pytest.mark.parametrize("family", FAMILIES)
def test_an_address_in_use(network, launch, scene, ours, place, key, role, family):
    source, target = network.address(family), network.listen()
    running = launch.daemon(ours, role, source, target.address, key)
    running.line(" start ")
    for options in (("-F",), ("-p", f"{place}/pid"), ("-D", "-F")):
        status, _, errors = run(ours.spiped, role, "-s", source, "-t", target.address, "-k", key, *options)
        assert (status, errors) == (1, f"spiped: Error binding to {source}: {os.strerror(errno.EADDRINUSE)}\n")
    assert not os.path.exists(f"{place}/pid")
    assert running.is_running() and len(running.lines) == 1  # the one that runs was not even visited
    client = network.connect(source)
    if role == "-d":
        Peer(client, CLIENT, secret_of(key)).handshake()
    target.accept()


def test_a_file_that_is_no_socket_is_never_removed(network, ours, place, key):
    source = network.address(UNIX)
    with open(source.where, "w", encoding="ascii") as file:
        file.write("precious")
    status, _, errors = run(ours.spiped, "-d", "-s", source, "-t", network.address(), "-k", key, "-F")
    assert (status, errors) == (1, f"spiped: Error binding to {source}: {os.strerror(errno.EADDRINUSE)}\n")
    assert stat.S_ISREG(os.stat(source.where).st_mode)


KEYS = {"a directory": ("Error reading file: {key}: Is a directory", os.mkdir),
        "missing": ("Cannot open file: {key}: No such file or directory", lambda path: None),
        "a dangling link": ("Cannot open file: {key}: No such file or directory", lambda path: os.symlink("nothing", path)),
        "a socket": ("Cannot open file: {key}: No such device or address",
                     lambda path: socket.socket(socket.AF_UNIX).bind(path))}


@pytest.mark.parametrize("complaint, make", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("program", ["spiped -d", "spiped -e", "spipe"])
def test_a_key_file_that_cannot_be_read(network, ours, place, program, complaint, make):
    path = f"{place}/the-key"
    make(path)
    name, *role = program.split()
    options = [*role, "-s", network.address(), "-p", f"{place}/pid"] if role else []
    for mode in ((), ("-F",), ("-D",)) if role else ((),):
        status, output, errors = run(getattr(ours, name), *options, *mode, "-t", network.address(), "-k", path)
        assert (status, output, errors) == (1, "", f"{name}: {complaint.format(key=path)}\n")
    assert not os.path.exists(f"{place}/pid")


@ROLES
def test_an_empty_key_file_is_a_key_with_a_warning(network, launch, ours, place, role):
    path = f"{place}/empty"
    open(path, "wb").close()
    os.chmod(path, 0o600)
    scene = Scene(network, launch, ours, path, role)
    warnings = [line for line in scene.process.lines if line.startswith("spiped: ")]
    assert warnings == [f"spiped: warning: key file {path} has 0 bytes: use at least 32 (spiped-keygen makes a good one)"]
    scene.goes_on()


NUMBERS = [("-n", "-1"), ("-n", "4294967296"), ("-n", "1" * 40), ("-o", "-0.1"), ("-o", "1e300"), ("-r", "-5"),
           ("-r", "1" * 40), ("--workers", "0"), ("--workers", "-1"), ("--workers", "4294967297"),
           ("--max-handshakes", "-1"), ("--max-handshakes", "4294967296"), ("--source-mode", "10000")]


@pytest.mark.parametrize("option, value", NUMBERS, ids=lambda text: text[:12])
@pytest.mark.parametrize("role", ["-d", "-e"])
def test_an_option_with_a_number_out_of_range(network, ours, place, key, role, option, value):
    source = network.address()
    for mode in ((), ("-F",), ("-D",), ("--check",)):
        status, _, errors = run(ours.spiped, role, "-s", source, "-t", network.address(), "-k", key, "-p", f"{place}/pid",
                                option, value, *mode)
        assert (status, errors) == (
            1, f"spiped: Error parsing argument: {option} {value}: Numerical result out of range\n")
    assert os.listdir(place) == ["key"] and not source.is_listened_on()


# A daemon that runs out

@ROLES
def test_no_descriptors_left_for_a_connection(scene, role):
    scene = scene(role, "-o", "60")
    process = scene.process
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (process.descriptors(), 1000))
    waiting = scene.network.connect(scene.source)
    process.line(" shortage connections=1$")
    scene.passes(*scene.first)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (1000, 1000))
    plain = None if role == "-d" else waiting
    peer = scene.peer(waiting if role == "-d" else scene.far.accept()).handshake()
    scene.passes(peer, plain or scene.far.accept())
    scene.says_only(" shortage connections=1$")


@ROLES
def test_no_descriptor_left_to_reach_the_target_with_and_nothing_is_lost(scene, role):
    """The one that is in waits for it, with what its authenticated peer has sent already."""
    scene = scene(role, "-o", "60")
    process = scene.process
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (process.descriptors() + 1, 1000))
    client = scene.network.connect(scene.source)
    if role == "-d":
        peer = scene.peer(client).handshake()
        peer.send(b"ahead of the target")
    else:
        client.sendall(b"ahead of the target")
    assert not scene.far.has_a_visitor(2 * FOR_A_WHILE)
    scene.passes(*scene.first)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (1000, 1000))
    far = scene.far.accept()
    assert (read_exactly(far, 19) if role == "-d" else scene.peer(far).handshake().read()) == b"ahead of the target"
    scene.goes_on()


def memory_limit(process, spare):
    """No more than it has now and so many bytes; None: as much as there is."""
    limit = resource.RLIM_INFINITY if spare is None else process.status_kib("VmSize") * 1024 + spare
    resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


@needs_root
@ROLES
@pytest.mark.parametrize("spare", [0, 1 << 18], ids=["at all", "for all of them"])
def test_no_memory_for_a_connection_refuses_that_one_and_loses_nothing_of_the_others(scene, ours, role, spare):
    if ours.is_sanitized():
        pytest.skip("a sanitizer ends the program where it has no memory")
    scene = scene(role, "-o", "60", "-n", "0")
    process, (peer, plain) = scene.process, scene.first
    sent = os.urandom(300000)
    memory_limit(process, spare)
    for _ in range(400):
        try:
            client = scene.network.connect(scene.source)
            client.send(b"x" * 32)
        except ConnectionError:
            pass  # the refusal was faster than we
    process.line(" refused .*reason=(memory|random|crypto)")
    peer.send(sent)
    memory_limit(process, None)
    assert read_exactly(plain, len(sent)) == sent
    while scene.far.has_a_visitor(FOR_A_WHILE):
        scene.far.accept().close()  # those that there was memory for
    assert all(re.search(r" reason=(memory|random|crypto|cut|cipher-reset)|shortage|left_out", line)
               for line in scene.troubles()), scene.troubles()
    scene.goes_on()


@needs_root
def test_a_daemon_whose_descriptors_outgrow_its_memory_lives(network, launch, ours, key):
    """What the event loop keeps for each descriptor is there from the start: it has no way to say that it has no memory."""
    if ours.is_sanitized():
        pytest.skip("a sanitizer ends the program where it has no memory")
    target = network.listen()
    for _ in range(8):
        source = network.address()
        process = launch.daemon(ours, "-e", source, target.address, key, "-n", "0")
        process.line(" start ")
        memory_limit(process, 1 << 20)
        clients = [network.keep(source.socket()) for _ in range(400)]
        for client in clients:
            client.connect(source.where)
        for client in clients:
            client.close()
        assert process.wait(0.1) is None
        memory_limit(process, None)
        process.signal(signal.SIGTERM)
        process.signal(signal.SIGTERM)
        process.may_die = True


@needs_root
def test_a_start_with_too_little_memory_serves_or_says_why(network, launch, ours, key):
    """Of every size from what the loader can do with up to what is enough; nothing aborts."""
    if ours.is_sanitized():
        pytest.skip("a sanitizer reserves terabytes")
    target, starts = network.listen(), []
    for kib in range(8 << 10, 1 << 20, 4 << 10):
        source = network.address()
        process = launch.start("prlimit", f"--as={kib << 10}", ours.spiped, "-d", "-s", source, "-t", target.address, "-k",
                               key, "-F")
        process.may_die = True
        until(lambda: source.is_listened_on() or not process.is_running(), "it starts or ends")  # noqa: B023
        if process.is_running() and process.wait(0.05) is None:
            break
        starts.append((process.wait(), process.errors()))
    else:
        raise AssertionError("it never starts")
    ours_to_say = [(status, errors) for status, errors in starts if "shared librar" not in errors]
    assert ours_to_say, "no size between the loader's need and ours was met"
    for status, errors in ours_to_say:
        assert status == 1 and re.fullmatch(r"spiped: [^\n]+\n", errors), (status, errors)


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


