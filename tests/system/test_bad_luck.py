"""Bad luck: a start that cannot be exits 1 with one line; a daemon that runs out of something lives and loses nothing."""
import errno
import os
import re
import resource
import signal
import socket
import stat

import pytest
from daemons import needs_root, secret_of
from network import FAMILIES, UNIX, read_exactly, until
from peer import CLIENT, Peer
from programs import run
from scene import Scene

FOR_A_WHILE = 0.3  # seconds in which nothing may happen that must not
ROLES = pytest.mark.parametrize("role", ["-d", "-e"])


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
    before = list(running.lines)
    for options in (("-F",), ("-p", f"{place}/pid"), ("-D", "-F")):
        status, _, errors = run(ours.spiped, role, "-s", source, "-t", target.address, "-k", key, *options)
        assert (status, errors) == (1, f"spiped: Error binding to {source}: {os.strerror(errno.EADDRINUSE)}\n")
    assert not os.path.exists(f"{place}/pid")
    assert running.is_running() and running.lines == before  # the one that runs was not even visited
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


FOLDER = "-k {key}: a folder of keys is for -d; this end has one key: name its file"
KEYS = {"a directory": (FOLDER, os.mkdir),
        "missing": ("Cannot open file: {key}: No such file or directory", lambda path: None),
        "a dangling link": ("Cannot open file: {key}: No such file or directory", lambda path: os.symlink("nothing", path)),
        "a socket": ("Cannot open file: {key}: No such device or address",
                     lambda path: socket.socket(socket.AF_UNIX).bind(path))}


@pytest.mark.parametrize("program, what", [(program, what) for program in ("spiped -d", "spiped -e", "spipe")
                                           for what in KEYS if (program, what) != ("spiped -d", "a directory")])
def test_a_key_file_that_cannot_be_read(network, ours, place, program, what):
    complaint, make = KEYS[what]
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


LOADER_FAILED = 127  # whatever it lacked: no line of ours has been run


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
    ours_to_say = [(status, errors) for status, errors in starts if status != LOADER_FAILED]
    assert ours_to_say, "no size between the loader's need and ours was met"
    for status, errors in ours_to_say:
        assert status == 1 and re.fullmatch(r"spiped: [^\n]+\n", errors), (status, errors)
