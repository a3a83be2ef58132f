"""What breaks a daemon that trusts the world around it: floods, signals at a bad moment, systems that refuse things."""
import os
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess

import pytest
from daemons import Door, limits, needs_root, secret_of
from network import PATIENCE, reset, until
from peer import SERVER, Peer

NOBODY_ELSE = 54321  # a user of this test alone: the limit counts all threads that a user has
PIECE = b"x" * 1024


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_signals_that_keep_coming_are_no_death_by_signal(network, launch, ours, key, number):
    """`timeout` and some service managers send more than one."""
    door = Door(network, launch, ours, key)
    door.process.may_die = True

    def is_gone():
        door.process.signal(number)
        return not door.process.is_running()
    until(is_gone, "it has ended", pause=0.0001)
    assert door.process.wait() == 0


@needs_root
def test_a_system_that_refuses_threads_is_told_at_the_start(network, launch, ours, key):
    os.chmod(key, 0o644)

    def four_threads():
        os.setgid(NOBODY_ELSE)
        resource.setrlimit(resource.RLIMIT_NPROC, (4, 4))
        os.setuid(NOBODY_ELSE)
    anybodys = shutil.copy(ours.spiped, os.path.dirname(key))  # the build may stand where only root can go
    process = launch.start(anybodys, "-d", "-F", "-s", network.address(), "-t", network.address(), "-k", key,
                           "--workers", "1", preexec_fn=four_threads)
    process.may_die = True
    process.line("^spiped: Cannot start: resource temporarily unavailable$")
    assert process.wait() not in (0, -signal.SIGABRT)


def knock_and_leave(address, count):
    """In a process of its own: comes and goes with a reset, as fast as it can."""
    child = os.fork()
    if child:
        return child
    for _ in range(count):
        sock = socket.socket()
        sock.settimeout(PATIENCE)
        sock.connect(address)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    os._exit(0)


@pytest.mark.alone
def test_a_flood_is_accepted_no_faster_than_it_is_turned_away(network, launch, ours, key):
    door = Door(network, launch, ours, key, "--workers", "1", "--max-handshakes", "50", **limits(64, 4096))
    children = [knock_and_leave(door.source.where, 3000) for _ in range(3)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    door.serves()
    door.process.line("limit handshakes=50")
    assert door.process.count("shortage") == 0


def full_pipe():
    """A pipe that takes no byte more: (its end to read, its end to write)."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    try:
        while True:
            os.write(writes, PIECE)
    except BlockingIOError:
        pass
    os.set_blocking(writes, True)
    return reads, writes


def stalled_client(network, ours, key, errors):
    """spipe whose output nobody reads, and whose peer has sent more than fits there and was gone at once."""
    listener = network.listen()
    client = subprocess.Popen([ours.spipe, "-t", str(listener.address), "-k", key, "-o", "0.5"], bufsize=0,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
    peer = Peer(listener.accept(), SERVER, secret_of(key), forward_secrecy=False, timeout=PATIENCE).handshake()
    peer.send(PIECE * 256)
    assert select.select([client.stdout], [], [], PATIENCE)[0]  # a reset at once may overtake the handshake
    reset(peer.sock)
    return client


def test_what_spipe_still_writes_when_it_gives_up_is_no_zeros(network, ours, key):
    """Its reader stalls longer than -o, and so does whoever reads its message: the write goes on meanwhile."""
    errors, full = full_pipe()
    client = stalled_client(network, ours, key, full)
    os.close(full)
    try:
        until(lambda: not has_socket(client.pid), "spipe has given up")
        heard = bytearray()
        while len(heard) < 65536 + 4096:
            assert select.select([client.stdout], [], [], PATIENCE)[0]
            heard += os.read(client.stdout.fileno(), 4096)
        assert set(heard) == set(PIECE)
    finally:
        os.close(errors)
        client.kill()
        client.communicate()


def test_a_reset_right_behind_data_that_nobody_takes_ends_after_o(network, ours, key):
    """Many, since how much has been read when the reset is seen is chance."""
    clients = [stalled_client(network, ours, key, subprocess.DEVNULL) for _ in range(24)]
    try:
        assert [client.wait(PATIENCE) for client in clients] == [1] * len(clients)
    finally:
        for client in clients:
            client.kill()
            client.communicate()


def has_socket(pid):
    folder = f"/proc/{pid}/fd"
    return any(os.readlink(f"{folder}/{name}").startswith("socket:") for name in os.listdir(folder))
