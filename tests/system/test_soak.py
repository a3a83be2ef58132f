"""Load and hostility for real; `make soak MINUTES=N` runs it whole, with figures, and without that a small part of each."""
import collections
import itertools
import json
import os
import random
import socket
import sys
import threading
import time

import pytest
from crowd import Relay, resident_kib
from daemons import needs_root, network_of_its_own
from lossy_link import Link, Namespace
from network import PATIENCE, read_exactly, until
from streams import LOST_RESET

MINUTES = float(os.environ.get("SPIPED_SOAK_MINUTES", 0))
STREAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "streams.py")
TABLE = f"soak, {MINUTES:g} minutes" if MINUTES else "soak, in small"
MIB = 1 << 20
IP_BIND_ADDRESS_NO_PORT = 24  # the kernel picks a port by both ends of the connection: there are enough


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class OpenStream(threading.Thread):
    """A stream that goes on through it all: round trips, one after the other, each timed."""

    def __init__(self, network, source):
        super().__init__(daemon=True)
        self.sock, self.took, self.trouble, self.is_over = network.connect(source), [], None, False
        self.start()

    def run(self):
        try:
            while not self.is_over:
                began = time.monotonic()
                self.sock.sendall(b"still there?")
                assert read_exactly(self.sock, 12) == b"still there?"
                self.took.append(time.monotonic() - began)
        except (AssertionError, OSError) as trouble:
            self.trouble = trouble

    def end(self):
        self.is_over = True
        self.join()
        assert self.trouble is None, self.trouble


class Strangers:
    """Half-open handshakes: a nonce, and then nothing; each comes from the next of the addresses."""

    def __init__(self, door, hosts, most):
        self.door, self.hosts, self.most, self.sockets = door, itertools.cycle(hosts), most, collections.deque()

    def come(self, count):
        for _ in range(count):
            if len(self.sockets) == self.most:  # beyond what the daemon keeps: the oldest was dropped long ago
                self.sockets.popleft().close()
            sock = self.door.socket()
            self.sockets.append(sock)
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((next(self.hosts), 0))
            sock.settimeout(PATIENCE)
            sock.connect(self.door.where)
            sock.send(bytes(32))

    def leave(self):
        for sock in self.sockets:
            sock.close()
        self.sockets.clear()


@pytest.mark.parametrize("where", ["one address", "many addresses"])
def test_half_open_handshakes_hold_nobody_up(network, launch, ours, key, many_descriptors, row, where):
    """10,000 of them, and then three times --max-handshakes, while valid clients connect and an open stream goes on."""
    first, cap = (10000, 8192) if MINUTES else (300, 200)
    if many_descriptors < 2 * cap + 3000:
        pytest.skip("too few descriptors")
    relay = Relay(network, launch, ours, key, "-n", "1000", "-o", "120", "--max-handshakes", str(cap))
    stream = OpenStream(network, relay.source)
    hosts = ["127.0.0.1"] if where == "one address" else [f"127.{1 + i % 200}.{i // 200}.9" for i in range(5000)]
    strangers = Strangers(relay.door, hosts, int(1.2 * max(first, cap)))
    took = []
    for count in (first, 3 * cap):
        for _ in range(50):
            strangers.come(count // 50)
            began = time.monotonic()
            with network.connect(relay.source) as valid:
                valid.sendall(b"!")
                assert valid.recv(1) == b"!"
            took.append(time.monotonic() - began)
        strangers.leave()
    stream.end()
    row(TABLE, f"half-open handshakes, {where}", "figures", f"{first} and {3 * cap}; valid clients' p99 "
        f"{percentile(took, 0.99) * 1000:.0f} ms, most {max(took) * 1000:.0f}; open stream: {len(stream.took)} round trips, "
        f"most {max(stream.took) * 1000:.0f} ms")
    assert percentile(took, 0.99) < 1 or ours.is_sanitized()
    assert relay.both_run()


def test_open_connections_by_the_thousand(network, launch, ours, key, many_descriptors, row):
    count = 9000 if MINUTES else 500
    if many_descriptors < 2 * count + 1200:
        pytest.skip("too few descriptors")
    relay = Relay(network, launch, ours, key, "-n", str(count), "-o", "60", "--max-handshakes", "1024")
    for process in (relay.decrypt, relay.encrypt):
        process.line(" start ")
    before = [(process.descriptors(), resident_kib(process)) for process in (relay.decrypt, relay.encrypt)]
    relay.crowd.all_served(count, at_once=100, patience=120)
    kib = [(resident_kib(process) - start[1]) / count for process, start in zip((relay.decrypt, relay.encrypt), before)]
    for number, client in enumerate(relay.crowd.served):
        client.send(number.to_bytes(4, "big"))
    for number, client in enumerate(relay.crowd.served):
        client.settimeout(PATIENCE)
        assert int.from_bytes(read_exactly(client, 4), "big") == number
    relay.crowd.leave(count)
    for process, (descriptors_before, _) in zip((relay.decrypt, relay.encrypt), before):
        until(lambda p=process, n=descriptors_before: p.descriptors() <= n, "all descriptors are given back", 60)
    row(TABLE, f"{count} open connections", "figures", f"{kib[0]:.2f} KiB each in -d, {kib[1]:.2f} in -e; all answer")


class Drip(threading.Thread):
    """The far ends of many streams: each reads a byte a second."""

    def __init__(self, listener, count):
        super().__init__(daemon=True)
        self.listener, self.count, self.is_over, self.sockets = listener, count, threading.Event(), []
        self.start()

    def run(self):
        for _ in range(self.count):
            self.sockets.append(self.listener.accept(120))
        while not self.is_over.wait(1):
            for sock in self.sockets:
                sock.recv(1)

    def end(self):
        self.is_over.set()
        self.join()


def rate_of(near, far, seconds):
    """MiB a second that go through, read by us: the best of three times so long, since the machine may be busy for one."""
    def push():
        try:
            while True:
                near.sendall(bytes(1 << 18))
        except OSError:
            pass

    def pull():
        got, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            got += len(far.recv(1 << 18))
        return got / MIB / (time.monotonic() - began)

    threading.Thread(target=push, daemon=True).start()
    return max(pull() for _ in range(3))


@pytest.fixture
def small_buffers():
    """A network whose sockets hold 256 KiB: else it would be the kernel's limit for all of TCP that slows others down."""
    with network_of_its_own():
        for name in ("tcp_rmem", "tcp_wmem"):
            with open(f"/proc/sys/net/ipv4/{name}", "w", encoding="ascii") as file:
                file.write(f"4096 65536 {1 << 18}")
        yield


@needs_root
@pytest.mark.alone
def test_500_that_read_a_byte_a_second_cost_others_nothing(many_descriptors, small_buffers, network, launch, ours, key, row):
    """They are being filled all the time; the daemons grow by 32 MiB at most, and another stream keeps its rate."""
    count, seconds = (500, 10) if MINUTES else (60, 1)
    middle, source, listener = network.address(), network.address(), network.listen()
    daemons = [launch.daemon(ours, "-d", middle, listener.address, key, "-n", "0"),
               launch.daemon(ours, "-e", source, middle, key, "-n", "0")]
    quick = network.connect(source)
    quick_far = listener.accept()
    rate_before = rate_of(quick, quick_far, seconds)
    quick.close()
    before = [resident_kib(daemon) for daemon in daemons]
    drip = Drip(listener, count)
    filled = [network.connect(source) for _ in range(count)]
    for sock in filled:
        sock.setblocking(False)
    full, total = set(), 0
    deadline = time.monotonic() + 60
    while len(full) < count and time.monotonic() < deadline:
        for sock in filled:
            try:
                total += sock.send(bytes(1 << 18))
                full.discard(sock)
            except BlockingIOError:
                full.add(sock)
    until(lambda: len(drip.sockets) == count, "all have come", 60)
    quick = network.connect(source)
    quick_far = listener.accept()
    rate_during = rate_of(quick, quick_far, seconds)
    grown = [resident_kib(daemon) - kib for daemon, kib in zip(daemons, before)]
    drip.end()
    row(TABLE, f"{count} that read a byte a second", "figures", f"{total / MIB:.0f} MiB in flight; -d grew by "
        f"{grown[0] / 1024:.1f} MiB, -e by {grown[1] / 1024:.1f}; another stream: {rate_during / rate_before:.2f} of its rate")
    if ours.is_sanitized():
        return
    assert max(grown) < 32 * 1024
    assert rate_during > (0.7 if MINUTES else 0.5) * rate_before


@needs_root
def test_mixed_traffic_over_a_bad_network(launch, ours, key, row):
    """Loss, delay, reordering and cuts; every byte of every stream right, every end as it was meant."""
    seconds, workers, seed = MINUTES * 60 or 6, 16 if MINUTES else 6, random.randrange(1 << 30)
    near, far = Namespace(), Namespace()
    link = Link([near.tun("bad0", "10.77.0.1", "10.77.0.2"), far.tun("bad0", "10.77.0.2", "10.77.0.1")], seed)
    python = sys.executable
    try:
        server = far.do(lambda: launch.start(python, STREAMS, "serve", "127.0.0.1", "7001", stdout=-1))
        assert server.popen.stdout.readline() == b"serving\n"
        common = ("-k", key, "-F", "-o", "60", "-n", "0")
        decrypt = far.do(lambda: launch.start(ours.spiped, "-d", "-s", "[10.77.0.2]:7000", "-t", "[127.0.0.1]:7001", *common))
        encrypt = near.do(lambda: launch.start(ours.spiped, "-e", "-s", "[127.0.0.1]:7002", "-t", "[10.77.0.2]:7000", *common))
        daemons = (decrypt, encrypt)
        for daemon in daemons:
            daemon.line(" start ")
        run(near, launch, python, min(seconds, 5), workers, seed, link)  # whatever is kept for good is there after this
        before = [(daemon.descriptors(), resident_kib(daemon)) for daemon in daemons]
        found = run(near, launch, python, seconds, workers, seed + 1, link)
        for daemon, (descriptors, _) in zip(daemons, before):
            until(lambda d=daemon, n=descriptors: d.descriptors() <= n, "descriptors are where they were", LOST_RESET)
        grown = [resident_kib(daemon) - kib for daemon, (_, kib) in zip(daemons, before)]
        row(TABLE, "mixed traffic over a bad network", "figures", f"{found['streams']} streams ({found['resets']} reset on purpose), "
            f"{found['bytes'] / (1 << 30):.2f} GiB; {link.sent} packets: {link.lost} lost, {link.late} late, {link.cuts} cuts; "
            f"grown by {max(grown)} KiB; seed {seed}")
        server.may_die, server.is_gentle = True, False
        server.popen.kill()
        wrong = found["wrong"] + server.popen.stdout.read().decode().splitlines()
        assert wrong == []
        assert found["streams"] > workers
        assert max(grown) < 8192 or ours.is_sanitized()
        for daemon in daemons:
            assert daemon.count(r"reason=(bad-mac|bad-length|crypto|memory|stalled)") == 0
    finally:
        link.end()
        near.end()
        far.end()


def run(near, launch, python, seconds, workers, seed, link):
    """What the streams counted. Nobody repeats a reset that was lost, so a run with some may end minutes late."""
    client = near.do(lambda: launch.start(python, STREAMS, "run", "127.0.0.1", "7002", str(seconds), str(workers), str(seed),
                                          "2" if MINUTES else "0", stdout=-1))
    client.may_die = True
    while client.wait(min(20, seconds / 3)) is None:
        with link.cut():
            client.wait(min(3, seconds / 10))
    return json.loads(client.popen.stdout.read())
