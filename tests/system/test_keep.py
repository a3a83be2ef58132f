"""What users of spiped rely on in a daemon that has started: its processes, files, signals, sockets and limits."""
import errno
import os
import pwd
import re
import signal
import socket
import stat
import subprocess

import pytest
from daemons import (AS_PROCESS_1, Background, Door, Pair, background, child_of, credentials, hosts, keepalive_of,
                     needs_root, passes, secret_of, sockets_of, write_hosts)
from network import CLEAN, FAMILIES, UNIX, read_exactly, read_to_end, until
from peer import CLIENT, Peer

# The start

@pytest.mark.short
@pytest.mark.parametrize("role", ["-d", "-e"])
@pytest.mark.parametrize("family", FAMILIES)
def test_when_the_parent_exits_0_the_listener_accepts(network, launch, ours, place, key, family, role):
    source, target = network.address(family), network.listen()
    daemon = background(launch, ours, place, role, source, target.address, key)
    network.connect(source)
    assert (daemon.status, daemon.errors) == (0, "")


@needs_root
def test_a_daemon_keeps_its_working_directory_and_standard_error_and_nothing_else(network, launch, ours, place, key):
    with open(key, "rb") as stdin:
        daemon = background(launch, ours, place, "-d", network.address(), network.address(), key, stdin=stdin)
    assert daemon.link("cwd") == os.path.realpath(place)
    assert [daemon.link(f"fd/{fd}") for fd in (0, 1)] == ["/dev/null", "/dev/null"]
    assert daemon.link("fd/2") == os.path.realpath(daemon.errors_path)
    assert os.getsid(daemon.pid) == daemon.pid


@pytest.mark.parametrize("family", FAMILIES)
def test_the_pidfile_is_named_after_source_and_holds_a_bare_number(network, launch, ours, place, key, family):
    source = network.address(family)
    daemon = background(launch, ours, place, "-d", source, network.address(), key, pidfile=f"{source}.pid")
    with open(daemon.pidfile, encoding="ascii") as file:
        assert file.read() == str(daemon.pid)
    assert stat.S_IMODE(os.stat(daemon.pidfile).st_mode) & 0o022 == 0
    with open(f"/proc/{daemon.pid}/cmdline", "rb") as file:
        assert file.read().split(b"\0")[:2] == [ours.spiped.encode(), b"-d"]


def test_the_pidfile_and_a_unix_socket_stay_behind(network, launch, ours, place, key):
    source = network.address(UNIX)
    daemon = background(launch, ours, place, "-e", source, network.address(), key)
    daemon.terminate()
    assert os.path.exists(daemon.pidfile)
    assert stat.S_ISSOCK(os.stat(source.where).st_mode)


def test_foreground_writes_no_pidfile(network, launch, ours, place, key):
    launch.daemon(ours, "-d", network.address(), network.address(), key, "-p", f"{place}/pid", cwd=place)
    assert os.listdir(place) == ["key"]


NO_HOST, NO_KEY = "nohost.invalid:25", "/nonexistent/key"
STEPS = [  # each command line has two faults: the first step to meet one is the one that tells
    ("parse before look-up", ["-s", NO_HOST, "-t", "[::g]:25", "-k", "{key}"], "Error parsing IP address: ::g"),
    ("look-up before key", ["-s", "{source}", "-t", NO_HOST, "-k", NO_KEY], "Error looking up nohost.invalid: "),
    ("key before bind", ["-s", "{taken}", "-t", "{target}", "-k", NO_KEY], f"Cannot open file: {NO_KEY}: No such"),
    ("bind before pidfile", ["-s", "{taken}", "-t", "{target}", "-k", "{key}", "-p", "/nonexistent/pid"],
     "Error binding to {taken}: Address already in use"),
]


@pytest.mark.parametrize("name, arguments, expected", STEPS, ids=[step[0] for step in STEPS])
def test_the_start_has_its_order(network, launch, ours, place, key, name, arguments, expected):
    values = {"source": network.address(), "target": network.address(), "key": key, "taken": network.listen().address}
    arguments = [argument.format(**values) for argument in arguments]
    daemon = Background(launch, [ours.spiped, "-d", *arguments], place, "pid")
    assert daemon.status == 1
    assert daemon.errors.startswith("spiped: " + expected.format(**values))
    assert daemon.errors.count("\n") == 1
    assert sorted(os.listdir(place)) == ["errors", "key", "output"]


@needs_root
def test_the_listener_and_the_pidfile_come_before_privileges_are_dropped(network, launch, ours, place, key):
    nobody = pwd.getpwnam("nobody")
    os.mkdir(f"{place}/roots", 0o700)
    daemon = background(launch, ours, place, "-d", network.address(), network.address(), key, "-u", "nobody:nogroup",
                        pidfile="roots/spiped_X.pid")
    warning = f'keys problem="the user of -u cannot read {key} again: to change a key takes a restart"'
    assert daemon.status == 0 and daemon.errors[daemon.errors.index(" ") + 1:] == warning + "\n"
    assert credentials(daemon.pid) == (nobody.pw_uid, nobody.pw_gid, [nobody.pw_gid])


@needs_root
@pytest.mark.parametrize("options, who", [(("-u", "nobody"), "both"), (("-u", ":nogroup"), "group")])
def test_a_user_or_a_group_alone(network, launch, ours, place, key, options, who):
    nobody = pwd.getpwnam("nobody")
    daemon = background(launch, ours, place, "-d", network.address(), network.address(), key, *options)
    assert daemon.status == 0
    assert credentials(daemon.pid)[:2] == (nobody.pw_uid if who == "both" else 0, nobody.pw_gid)


@needs_root
@pytest.mark.parametrize("late", ["source", "target"])
def test_D_leaves_its_parent_at_once_and_looks_up_until_there_is_an_answer(network, launch, ours, place, key, late):
    source, target, port = network.address(), network.listen(), None
    addresses = {"source": source, "target": target.address}
    port = addresses[late].where[1]
    under = hosts(place, {"elsewhere.test": ["127.0.0.1"]})
    arguments = {**addresses, late: f"late.test:{port}"}
    daemon = background(launch, ours, place, "-d", arguments["source"], arguments["target"], key, "-D", under=under)
    assert daemon.status == 0
    write_hosts(f"{place}/hosts", {"late.test": ["127.0.0.1"]})
    until(source.is_listened_on, "it listens")
    until(lambda: has_address_or_retries(network, source, target, key), "it serves")
    if late == "source":
        assert re.fullmatch(r"spiped: warning: Error looking up late\.test: .*; trying again every second\n",
                            daemon.errors)


def has_address_or_retries(network, source, target, key):
    """A connection is refused while the target has no address."""
    peer = Peer(network.connect(source), CLIENT, secret_of(key))
    try:
        peer.handshake()
        peer.send(b"there?")
    except (OSError, EOFError):
        return False
    sock = network.keep(target.sock)
    sock.settimeout(1)
    try:
        plain = network.keep(sock.accept()[0])
    except TimeoutError:
        return False
    return read_exactly(plain, 6) == b"there?"


# Signals

def start_as(process_1, network, launch, ours, key, *options):
    """(its process, the one that signals go to, where clients connect, accept of what is behind)."""
    source, target = network.address(), network.listen()
    process = launch.daemon(ours, options[0], source, target.address, key, *options[1:], under=AS_PROCESS_1 if process_1 else ())
    pid = child_of(process) if process_1 else process.pid
    process.is_gentle, process.may_die = process.is_gentle and not process_1, True
    return process, pid, source, target


@needs_root
@pytest.mark.short
@pytest.mark.parametrize("process_1", [False, True], ids=["as any process", "as process 1"])
def test_SIGTERM_lets_connections_end_and_takes_no_more(network, launch, ours, key, process_1):
    process, pid, source, target = start_as(process_1, network, launch, ours, key, "-d")
    peer = Peer(network.connect(source), CLIENT, secret_of(key)).handshake()
    plain = target.accept()
    os.kill(pid, signal.SIGTERM)
    process.line(" drain connections=1")
    with pytest.raises(ConnectionRefusedError):
        network.connect(source)
    peer.send(b"still here")
    assert read_exactly(plain, 10) == b"still here"
    assert process.is_running()
    peer.end()
    plain.close()
    assert process.wait() == 0


@needs_root
@pytest.mark.parametrize("process_1", [False, True], ids=["as any process", "as process 1"])
def test_a_second_SIGTERM_ends_at_once(network, launch, ours, key, process_1):
    process, pid, source, target = start_as(process_1, network, launch, ours, key, "-e", "-o", "600")
    near = network.connect(source)
    target.accept()  # and says nothing
    os.kill(pid, signal.SIGTERM)
    process.line(" drain connections=1")
    os.kill(pid, signal.SIGTERM)
    assert process.wait() == 0
    assert read_to_end(near)[1] != CLEAN


def test_SIGTERM_without_connections_ends_at_once(network, launch, ours, key):
    process = launch.daemon(ours, "-d", network.address(), network.address(), key)
    process.may_die = True
    process.signal(signal.SIGTERM)
    assert process.wait() == 0


# Sockets

@needs_root
@pytest.mark.parametrize("role", ["-d", "-e"])
@pytest.mark.parametrize("options, probes", [((), 1), (("-j",), 0)])
def test_both_sockets_are_tuned(network, launch, ours, key, role, options, probes):
    source, target = network.address(), network.listen()
    process = launch.daemon(ours, role, source, target.address, key, *options)
    if role == "-d":
        Peer(network.connect(source), CLIENT, secret_of(key)).handshake()
    else:
        network.connect(source)
    target.accept()
    sockets = sockets_of(process.pid)
    assert len(sockets) == 2
    for sock in sockets:
        with sock:
            assert keepalive_of(sock) == probes
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


@pytest.mark.short
@pytest.mark.parametrize("first", ["near", "far"])
def test_each_half_ends_on_its_own(network, launch, ours, key, first):
    ends = dict(zip(("near", "far"), Pair(network, launch, ours, key).open()))
    one, other = ends.pop(first), *ends.values()
    one.sendall(b"the last of it")
    one.shutdown(socket.SHUT_WR)
    assert read_to_end(other) == (b"the last of it", CLEAN)
    other.sendall(b"an answer")
    assert read_exactly(one, 9) == b"an answer"  # while the other half goes on
    other.sendall(b", and more")
    other.close()
    assert read_to_end(one) == (b", and more", CLEAN)


# Limits

@pytest.mark.parametrize("options, limit", [(("-n", "2"), 2), ((), 100), (("-n", "0"), None)])
def test_at_the_limit_e_pauses_and_serves_those_who_wait_afterwards(network, launch, ours, key, options, limit):
    source, target = network.address(), network.listen()
    process = launch.daemon(ours, "-e", source, target.address, key, "-o", "60", *options)
    clients = [network.connect(source) for _ in range((limit or 120) + 1)]
    served = [target.accept() for _ in clients[:limit]]
    if limit is None:
        return
    process.line(rf" limit connections={limit}$")
    assert not target.has_a_visitor(0.2)  # the one more is connected, and waits in the backlog
    served[0].close()
    target.accept()
    assert process.count(" limit ") == 1


def test_o_takes_fractions(network, launch, ours, key):
    process = Door(network, launch, ours, key, "-o", "0.25")
    silent = process.knock()
    assert read_to_end(silent, 4)[1] != "nothing"


@pytest.mark.parametrize("options", [(), ("-o", "0")])
def test_o_is_5_seconds_by_default_and_so_is_0(network, launch, ours, key, options):
    door = Door(network, launch, ours, key, *options)
    silent = door.knock()
    read_exactly(silent, 32)
    silent.settimeout(4)
    with pytest.raises(TimeoutError):
        silent.recv(1)
    door.process.line("refused .*reason=handshake-timeout")


# Command lines seen in the wild

@pytest.mark.parametrize("flags", [["-F", "-d"], ["-dF"], ["-Fd", "-n5", "-o1.5"]], ids=" ".join)
def test_flags_in_any_order_and_packed(network, launch, ours, key, flags):
    source, target = network.address(), network.listen()
    launch.start(ours.spiped, *flags, "-s", source, "-t", target.address, "-k", key)
    until(source.is_listened_on, "it listens")
    passes(network, source, target, key)


def test_e_D_g_F_and_no_pidfile(network, launch, ours, key):
    source, target = network.address(), network.listen()
    launch.start(ours.spiped, "-e", "-D", "-g", "-F", "-p", "/dev/null", "-s", source, "-t", target.address, "-k", key)
    until(source.is_listened_on, "it listens")
    network.connect(source)
    target.accept()


def process_with(argument):
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                if argument.encode() in file.read().split(b"\0"):
                    return number
        except OSError:
            continue
    raise AssertionError(f"no process has the argument {argument}")


def test_the_null_device_as_pidfile_stays_the_null_device(network, launch, ours, place, key):
    source = network.address()
    arguments = ["-e", "-s", source, "-t", network.address(), "-k", key, "-p", "/dev/null"]
    daemon = Background(launch, [ours.spiped, *arguments], place, "pid")
    with open(f"{place}/pid", "w", encoding="ascii") as file:
        file.write(process_with(str(source)))
    assert (daemon.status, daemon.errors) == (0, "")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@needs_root
def test_D_with_a_user_stopped_through_its_pidfile(network, launch, ours, place, key):
    source, target = network.address(), network.listen()
    daemon = background(launch, ours, place, "-d", source, target.address, key, "-D", "-u", "nobody:nogroup",
                        pidfile="spiped_X.pid")
    until(source.is_listened_on, "it listens")
    passes(network, source, target, key)
    assert subprocess.run(["sh", "-c", f'kill "$(cat {place}/spiped_X.pid)"'], check=False).returncode == 0
    until(lambda: not daemon.is_running(), "it is gone")


@needs_root
def test_process_1_of_a_container(network, launch, ours, key):
    process, pid, source, target = start_as(True, network, launch, ours, key, "-d")
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        assert re.search(r"^NSpid:\s+\d+\s+1$", status.read(), re.M)
    passes(network, source, target, key)
    os.kill(pid, signal.SIGTERM)
    assert process.wait() == 0


def test_an_address_in_use_is_told_and_left_alone(network, launch, ours, place, key):
    taken = network.listen()
    daemon = background(launch, ours, place, "-d", taken.address, network.address(), key)
    expected = f"spiped: Error binding to {taken.address}: {os.strerror(errno.EADDRINUSE)}\n"
    assert (daemon.status, daemon.errors) == (1, expected)
    network.connect(taken.address)
