"""What users of spiped met, row by row of what this project does instead: addresses and the start."""
import grp
import os
import pwd
import re
import signal
import socket
import stat
import subprocess

import pytest
from daemons import Background, hosts, needs_root, network_of_its_own, secret_of
from network import IPV4, IPV6, UNIX, Address, read_exactly, read_to_end, until
from peer import CLIENT, Peer
from programs import is_spiped, run

LINK = ("link add eth0 type veth peer name eth1", "link set eth1 up", "link set eth0 up")  # nobody is at its other end


def at(host, port):
    return Address(IPV4, f"[{host}]:{port}", (host, port))


def accepts(network, host, port):
    try:
        network.connect(at(host, port))
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        pass  # it was taken, and there was no target for it
    return True


# UNIX sockets

@pytest.mark.parametrize("role", ["-d", "-e"])
def test_423_a_stale_unix_socket_is_removed(network, launch, ours, key, role):
    source, target = network.address(UNIX), network.listen()
    first = launch.daemon(ours, role, source, target.address, key)
    first.may_die = True
    first.signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL and os.path.exists(source.where)
    launch.daemon(ours, role, source, target.address, key)
    network.connect(source)


@pytest.mark.parametrize("what", ["a running one's", "a file", "a folder", "a link to a stale one", "a fifo"])
def test_423_anything_else_is_an_address_in_use(network, launch, ours, place, key, what):
    source = network.address(UNIX)
    if what == "a running one's":
        launch.daemon(ours, "-e", source, network.listen().address, key)
    elif what == "a file":
        with open(source.where, "w", encoding="ascii") as file:
            file.write("precious")
    elif what == "a folder":
        os.mkdir(source.where)
    elif what == "a fifo":
        os.mkfifo(source.where)
    else:
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(f"{place}/stale")
        os.symlink(f"{place}/stale", source.where)
    before = os.lstat(source.where)
    arguments = ["-e", "-F", "-s", source, "-t", network.address(), "-k", key]
    assert run(ours.spiped, *arguments) == (1, "", f"spiped: Error binding to {source}: Address already in use\n")
    after = os.lstat(source.where)
    assert (after.st_ino, after.st_mode, after.st_size) == (before.st_ino, before.st_mode, before.st_size)
    if what == "a running one's":
        network.connect(source)


@pytest.mark.parametrize("umask", [0o000, 0o077])
@pytest.mark.parametrize("mode", ["0660", "600", "0777"])
def test_41_source_mode(network, launch, ours, key, mode, umask):
    source = network.address(UNIX)
    launch.daemon(ours, "-e", source, network.address(), key, "--source-mode", mode, umask=umask)
    assert stat.S_IMODE(os.stat(source.where).st_mode) == int(mode, 8)


@pytest.mark.parametrize("option, value", [("--source-mode", "0600"), ("--source-owner", "nobody")])
def test_41_neither_is_for_an_address_that_is_no_socket_file(network, launch, ours, key, option, value):
    source = network.address()
    process = launch.daemon(ours, "-e", source, network.address(), key, option, value)
    process.line("^spiped: warning: --source-mode and --source-owner are for UNIX sockets: they do nothing for "
                 + re.escape(str(source)))


@needs_root
def test_41_source_owner_and_mode_are_set_before_it_listens(network, launch, ours, key):
    source = network.address(UNIX)
    options = ("--source-owner", "nobody:nogroup", "--source-mode", "0660", "-u", "nobody")
    under = ("strace", "-f", "-e", "trace=bind,/chown,chmod,fchmod,fchmodat,listen,umask", "-e", "signal=none", "-o",
             source.where + ".calls")
    launch.daemon(ours, "-e", source, network.address(), key, *options)
    found = os.stat(source.where)
    assert (found.st_uid, found.st_gid) == (pwd.getpwnam("nobody").pw_uid, grp.getgrnam("nogroup").gr_gid)
    assert stat.S_IMODE(found.st_mode) == 0o660
    if subprocess.run(["which", "strace"], stdout=subprocess.DEVNULL, check=False).returncode == 0:
        other = network.address(UNIX)
        traced = launch.start(*under, ours.spiped, "-e", "-F", "-s", other, "-t", network.address(), "-k", key,
                              *options)
        traced.is_gentle, traced.may_die = False, True
        until(other.is_listened_on, "it listens")
        with open(source.where + ".calls", encoding="ascii") as file:
            calls = file.read()
        os.kill(int(calls.split()[0]), signal.SIGKILL)
        traced.wait()
        # the umask makes the mode, so there is no moment with another one
        assert re.search(r"umask\(0?117\).*\bbind\(.*chown\(.*\blisten\(", calls, re.S), calls


# Addresses

@needs_root
def test_link_local_addresses(launch, ours, network, place, key):
    with network_of_its_own(*LINK, "addr add fe80::1/64 dev eth0 nodad"):
        port, plain = network.ports.pick(), network.listen()
        middle = Address(IPV6, f"[fe80::1%eth0]:{port}", ("fe80::1", port, 0, socket.if_nametoindex("eth0")))
        source = network.address()
        launch.daemon(ours, "-d", middle, plain.address, key)
        front = launch.daemon(ours, "-e", source, middle, key, "-b", "[fe80::1%eth0]")
        near = network.connect(source)
        near.sendall(b"across the link")
        assert read_exactly(plain.accept(), 15) == b"across the link"
        front.line(rf" open .*target={re.escape(middle.text)} ")
        status, _, errors = run(ours.spiped, "-e", "-s", source, "-t", f"[fe80::1%nosuch]:{port}", "-k", key)
        assert (status, errors) == (1, "spiped: Error looking up fe80::1%nosuch: No such device\n")


SOURCES = [  # role, its addresses, those listened on, what is said (in any order)
    ("-d", ["127.0.0.2", "127.0.0.3"], ["127.0.0.2", "127.0.0.3"], []),
    ("-e", ["127.0.0.2", "127.0.0.3"], ["127.0.0.2", "127.0.0.3"], []),
    ("-d", ["127.0.0.2", "192.0.2.99"], ["127.0.0.2"],
     ["Error binding to 192.0.2.99:{port}: Cannot assign requested address"]),
    ("-e", ["127.0.0.2", "192.0.2.99"], ["127.0.0.2"],
     ["many.test:{port} has 2 addresses: listening on 127.0.0.2:{port} only"]),
]


@needs_root
@pytest.mark.parametrize("role, addresses, bound, said", SOURCES, ids=[" ".join([s[0], *s[1]]) for s in SOURCES])
def test_a_name_with_several_addresses_as_source(network, launch, ours, place, key, role, addresses, bound, said):
    port = network.ports.pick()
    source = Address(IPV4, f"many.test:{port}", (bound[0], port))
    process = launch.daemon(ours, role, source, network.listen().address, key,
                            under=hosts(place, {"many.test": addresses}))
    for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
        assert accepts(network, host, port) == (host in bound)
    process.line(" start ")
    warnings = [line for line in process.lines if line.startswith("spiped: warning: ")]
    for line in said:
        assert f"spiped: warning: {line.format(port=port)}" in warnings
    assert len([line for line in warnings if "192.0.2.99" not in line]) + (role == "-d") * len(
        [line for line in warnings if "192.0.2.99" in line]) == len(said)


@needs_root
@pytest.mark.parametrize("role", ["-d", "-e"])
def test_a_name_with_several_addresses_as_source_one_in_use(network, launch, ours, place, key, role):
    taken = network.listen(at("127.0.0.2", network.ports.pick()))
    port = taken.address.where[1]
    source = Address(IPV4, f"many.test:{port}", ("127.0.0.3", port))
    under = hosts(place, {"many.test": ["127.0.0.2", "127.0.0.3"]})
    process = launch.start(*under, ours.spiped, role, "-F", "-s", source, "-t", network.address(), "-k", key)
    process.line(" start ")
    assert accepts(network, "127.0.0.3", port)
    assert f"spiped: warning: Error binding to 127.0.0.2:{port}: Address already in use" in process.lines


@needs_root
@pytest.mark.parametrize("role", ["-d", "-e"])
def test_a_name_as_source_without_an_address_that_can_be_bound(network, ours, place, key, role):
    under = hosts(place, {"many.test": ["192.0.2.98", "192.0.2.99"]})
    port = network.ports.pick()
    arguments = [*under, ours.spiped, role, "-s", f"many.test:{port}", "-t", network.address(), "-k", key]
    assert run(*arguments, cwd=place) == (1, "", f"spiped: Error binding to many.test:{port}: "
                                                 "Cannot assign requested address\n")


@pytest.mark.parametrize("bind", ["[127.0.0.5]", "[127.0.0.5]:0", "127.0.0.5:0", "127.0.0.5"])
@pytest.mark.parametrize("program", ["spiped -d", "spiped -e", "spipe"])
def test_351_b_without_a_port(network, launch, ours, key, program, bind):
    target, source = network.listen(), network.address()
    if program != "spipe":
        launch.daemon(ours, program[-2:], source, target.address, key, "-b", bind)
    for _ in range(2):  # the port is not a fixed one
        if program == "spiped -d":
            Peer(network.connect(source), CLIENT, secret_of(key), forward_secrecy=False).handshake()
        elif program == "spiped -e":
            network.connect(source)
        else:
            launch.client(ours, target.address, key, "-b", bind)
        assert target.accept().getpeername()[0] == "127.0.0.5"


DEAD_FIRST = (*LINK, "addr add 2001:db8::1/64 dev eth0 nodad",
              "addr add 192.0.2.1/24 dev eth0")


@needs_root
@pytest.mark.parametrize("dead", [["2001:db8::99"], ["2001:db8::97", "2001:db8::98", "2001:db8::99"]], ids=len)
def test_a_dead_first_address_does_not_eat_the_time_of_the_others(network, launch, ours, place, key, dead):
    """RFC 8305: with -o 0.4 and a head start of a quarter of a second, the fourth begins after the first has ended."""
    with network_of_its_own(*DEAD_FIRST):
        target, source = network.listen(), network.address()
        under = hosts(place, {"target.test": [*dead, "127.0.0.1"]})
        order = run(*under, "getent", "ahosts", "target.test")[1].split()
        assert order.index(dead[0]) < order.index("127.0.0.1")
        launch.daemon(ours, "-e", source, f"target.test:{target.address.where[1]}", key, "-o", "0.4", under=under)
        network.connect(source)
        target.accept()


@needs_root
def test_when_all_addresses_are_dead_it_is_said_after_o(network, launch, ours, place, key):
    with network_of_its_own(*DEAD_FIRST):
        source = network.address()
        under = hosts(place, {"target.test": ["2001:db8::99", "192.0.2.99"]})
        process = launch.daemon(ours, "-e", source, "target.test:25", key, "-o", "0.4", under=under)
        near = network.connect(source)
        process.line(r" refused .*target=target\.test:25 reason=connect-timeout")
        assert read_to_end(near)[0] == b""


# The start

def test_D_with_a_missing_key_exits_1_and_starts_nothing(network, launch, ours, place):
    daemon = Background(launch, [ours.spiped, "-d", "-D", "-s", network.address(), "-t", network.address(), "-k",
                                 f"{place}/no-key"], place, "pid")
    assert daemon.status == 1
    assert daemon.errors == f"spiped: Cannot open file: {place}/no-key: No such file or directory\n"
    assert not any(is_spiped(pid) and place in command(pid) for pid in filter(str.isdigit, os.listdir("/proc")))


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


@pytest.mark.parametrize("option", ["-s", "-t", "-b"])
def test_D_with_a_syntax_error_exits_1_at_once(network, launch, ours, place, key, option):
    words = {"-s": network.address(), "-t": network.address(), "-k": key, option: "[::1"}
    arguments = [word for pair in words.items() for word in pair]
    daemon = Background(launch, [ours.spiped, "-d", "-D", *arguments], place, "pid")
    assert (daemon.status, daemon.errors) == (1, "spiped: Invalid [IP address]: [:\n")


@pytest.mark.parametrize("program", ["spiped", "spipe"])
def test_one_line_for_a_name_that_does_not_resolve(network, ours, place, key, program):
    arguments = ["-d", "-s", network.address()] if program == "spiped" else []
    status, output, errors = run(getattr(ours, program), *arguments, "-t", "nohost.invalid:25", "-k", key, cwd=place)
    assert (status, output) == (1, "")
    assert re.fullmatch(rf"{program}: Error looking up nohost\.invalid: [^\n]+\n", errors)
