"""What users of spiped met, row by row of what this project does instead: -n, --max-handshakes, descriptors, memory."""
import errno
import resource
import select
import signal
import socket
import time

import pytest
from daemons import Door, kernel_default, limits, needs_root, network_of_its_own, secret_of
from network import IPV6, read_exactly, read_to_end, until
from peer import CLIENT, SERVER, Peer

SHORTLY = 0.3  # seconds in which nothing must happen; what must has its usual patience


def is_open(sock):
    """Whether nothing has ended this connection yet."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return not poll.poll(0)


def ended(*socks):
    return [sock for sock in socks if not is_open(sock)]


def test_n_counts_authenticated_connections_on_d_and_one_beyond_waits_inside_its_handshake(network, launch, ours, key):
    door = Door(network, launch, ours, key, "-n", "1", "-o", "60")
    strangers = [door.knock() for _ in range(5)]  # they use up nothing
    first, first_plain = door.open()
    second, third = door.prove(), None
    door.process.line(" limit connections=1$")
    third = door.prove()
    strangers += [door.knock() for _ in range(5)]  # accepting never stops for them
    for sock in strangers:
        assert len(read_exactly(sock, 32)) == 32
    assert not select.select([second.sock, third.sock, door.target.sock], [], [], SHORTLY)[0]  # S5 unsent, undialled
    first.close()
    first_plain.close()
    second.shake.take_y_message(second.receive(288))
    plain = door.target.accept()
    second.send(b"my turn")
    assert read_exactly(plain, 7) == b"my turn"
    assert not select.select([third.sock, door.target.sock], [], [], SHORTLY)[0]
    assert not ended(*strangers)


def test_n_one_beyond_waits_until_its_o_has_passed(network, launch, ours, key):
    door = Door(network, launch, ours, key, "-n", "1", "-o", "1")
    first, plain = door.open()
    second = door.prove()
    began = time.monotonic()
    assert read_to_end(second.sock)[0] == b""
    assert time.monotonic() - began > 0.5
    door.process.line(r" refused peer=\S+ key=key .*reason=no-room$")
    assert not door.target.has_a_visitor()
    first.send(b"undisturbed")
    assert read_exactly(plain, 11) == b"undisturbed"


def enter(door, *own_hosts):
    """Strangers from these addresses; each is in, one after the other: it has the daemon's nonce."""
    socks = []
    for host in own_hosts:
        socks.append(door.knock(host))
        read_exactly(socks[-1], 32)
    return socks


def test_max_handshakes_the_oldest_of_the_source_with_most_goes(network, launch, ours, key):
    door = Door(network, launch, ours, key, "--max-handshakes", "4", "-o", "60")
    socks = enter(door, "127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.1")
    socks += enter(door, "127.0.0.3")
    until(lambda: ended(*socks), "one goes")
    assert ended(*socks) == [socks[1]]
    door.process.line(r" limit handshakes=4$")
    door.process.line(r" refused peer=127\.0\.0\.1:\d+ reason=evicted")
    socks += enter(door, "127.0.0.1")  # it counts with its source, which has the most again
    until(lambda: len(ended(*socks)) == 2, "one more goes")
    assert ended(*socks) == [socks[1], socks[2]]
    door.serves()  # an honest one, from an address with one stranger of its own


@needs_root
def test_max_handshakes_an_IPv6_source_is_its_64(network, launch, ours, key):
    own = [f"addr add {address}/128 dev lo" for address in ("fd00:0:0:1:a::1", "fd00:0:0:1:b::1", "fd00:0:0:2::1")]
    with network_of_its_own(*own):
        source, target = network.address(IPV6), network.listen()
        source.text = f"[::]:{source.where[1]}"
        launch.daemon(ours, "-d", source, target.address, key, "--max-handshakes", "3", "-o", "60")
        socks = []
        for host in ("fd00:0:0:2::1", "fd00:0:0:1:a::1", "fd00:0:0:1:b::1", "::1"):
            socks.append(network.keep(socket.create_connection(source.where, source_address=(host, 0))))
            read_exactly(socks[-1], 32)
        until(lambda: ended(*socks), "one goes")
        assert ended(*socks) == [socks[1]]  # two addresses of one prefix are two from one source


def test_max_handshakes_is_half_of_the_descriptors_where_that_is_less_than_8192(network, launch, ours, key):
    door = Door(network, launch, ours, key, "-o", "60", **limits(128, 128))
    socks = [door.knock() for _ in range(80)]
    cap = int(door.process.line(r" limit handshakes=(\d+)$").group(1))
    assert 128 // 4 < cap <= 128 // 2
    until(lambda: len(ended(*socks)) == 80 - cap, "all over the cap are gone")
    assert ended(*socks) == socks[:80 - cap]
    door.serves()


def test_max_handshakes_by_default_a_burst_of_honest_clients_from_one_address_fits(network, launch, ours, key):
    door = Door(network, launch, ours, key, "-o", "60")
    socks = [door.knock() for _ in range(400)]
    for sock in socks:
        read_exactly(sock, 32)
    assert not ended(*socks)
    assert door.process.count("limit|evicted") == 0


def test_the_soft_limit_of_descriptors_is_raised_as_far_as_needed(network, launch, ours, key):
    process = launch.daemon(ours, "-e", network.address(), network.address(), key, "-n", "200", **limits(64, 5000))
    process.line(" start ")
    soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    assert hard == 5000
    assert 400 < soft < 600
    process = launch.daemon(ours, "-e", network.address(), network.address(), key, "-n", "0", **limits(64, 5000))
    process.line(" start ")
    assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (5000, 5000)


def test_a_warning_when_n_cannot_fit_the_descriptors_and_fewer_workers(network, launch, ours, key):
    process = launch.daemon(ours, "-e", network.address(), network.address(), key, "-n", "5000", "--workers", "64",
                            **limits(256, 256))
    fits = process.line(r"^spiped: warning: -n 5000 does not fit the limit of 256 open files \(ulimit -n\): "
                        r"at most (\d+) connections at a time$").group(1)
    started = process.line(r" start .*max_connections=(\d+) workers=(\d+)$")
    assert started.group(1) == fits
    assert 30 < int(fits) < 128
    assert 1 <= int(started.group(2)) < 64


@pytest.mark.parametrize("role", ["-d", "-e"])
def test_463_with_64_descriptors_and_200_clients_it_lives_and_serves_as_soon_as_some_leave(
        network, launch, ours, key, role):
    source, target = network.address(), network.listen()
    process = launch.daemon(ours, role, source, target.address, key, "-o", "60", "-n", "0", **limits(64, 64))
    clients = [network.connect(source) for _ in range(200)]
    process.line(r" (limit|shortage) ")
    assert process.is_running()
    for client in clients:
        client.close()
    if role == "-d":
        peer = Peer(network.connect(source), CLIENT, secret_of(key)).handshake()
        plain = target.accept()
    else:
        # those that were let in have gone as well: a handshake that the test answers is the one of the last
        plain = network.connect(source)
        plain.sendall(b"served")
        peer = next_served(target, key)
        assert peer.read() == b"served"
        return
    peer.send(b"served")
    assert read_exactly(plain, 6) == b"served"


def next_served(target, key):
    """Clients that left stay connected until their handshakes are over: takes all, until one has something to say."""
    while True:
        peer = Peer(target.accept(), SERVER, secret_of(key), forward_secrecy=False).handshake()
        readable = select.select([peer.sock], [], [], 10)[0]
        assert readable
        if peer.sock.recv(1, socket.MSG_PEEK):
            return peer
        peer.close()


@needs_root
def test_463_running_out_of_descriptors_while_it_runs_is_told_and_survived(network, launch, ours, key):
    """Beneath its own limits: somebody else has taken what it counted on."""
    door = Door(network, launch, ours, key, "-o", "60")
    first, plain = door.open()
    resource.prlimit(door.process.pid, resource.RLIMIT_NOFILE, (door.process.descriptors(), 1000))
    waiting = [door.knock() for _ in range(3)]
    door.process.line(" shortage connections=1$")
    first.send(b"undisturbed")
    assert read_exactly(plain, 11) == b"undisturbed"
    resource.prlimit(door.process.pid, resource.RLIMIT_NOFILE, (1000, 1000))
    for sock in waiting:
        assert len(read_exactly(sock, 32)) == 32  # it asks again within a second
    assert door.process.count("shortage") == 1
    door.serves()


@needs_root
@pytest.mark.parametrize("before", [1, 8])
def test_463_one_failed_allocation_refuses_a_connection_and_no_more(network, launch, ours, key, before):
    """Of memory, or of what the random source needs of it."""
    if ours.is_sanitized():
        pytest.skip("a sanitizer takes address space of its own")
    door = Door(network, launch, ours, key, "-o", "60")
    first, plain = [door.open() for _ in range(before)][0]
    size = door.process.status_kib("VmSize") * 1024
    resource.prlimit(door.process.pid, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))
    clients = []

    def is_short():
        try:
            clients.append(door.knock())
        except ConnectionResetError:
            pass  # the refusal was faster than the end of connect(2)
        return door.process.count(r"refused .*reason=(memory|random)")
    until(is_short, "memory is short")
    assert door.process.is_running()
    first.send(b"waits at most")
    resource.prlimit(door.process.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert read_exactly(plain, 13) == b"waits at most"
    door.serves()


def test_a_burst_of_connections_fits_the_backlog(network, launch, ours, key):
    """While nobody accepts, the kernel answers all; with a backlog of 10 most would wait for a second or more."""
    burst = min(300, kernel_default("core/somaxconn"))
    door = Door(network, launch, ours, key)
    door.process.signal(signal.SIGSTOP)
    try:
        socks = [network.keep(door.source.socket()) for _ in range(burst)]
        for sock in socks:
            sock.setblocking(False)
            assert sock.connect_ex(door.source.where) in (0, errno.EINPROGRESS)
        until(lambda: len(select.select([], socks, [], 0)[1]) == burst, "the kernel has answered all", 0.9)
    finally:
        door.process.signal(signal.SIGCONT)
    for sock in socks:
        sock.settimeout(20)
        assert len(read_exactly(sock, 32)) == 32
