"""What users of spiped met, row by row of what this project does instead: what is logged, where, and how much of it."""
import os
import re
import signal
import socket
import time

import pytest
from daemons import Background, Door, Pair, background, needs_root, secret_of
from network import PATIENCE, read_exactly, read_to_end, until
from peer import CLIENT, SERVER, Peer

BARE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LOOPBACK_PEER = r"127\.0\.0\.1:\d+"


@pytest.mark.short
def test_246_247_248_a_line_when_a_connection_opens_and_one_when_it_closes(network, launch, ours, key):
    pair = Pair(network, launch, ours, key)
    near, far = pair.open()
    name = "{}:{}".format(*near.getsockname())
    near.sendall(bytes(3000))
    read_exactly(far, 3000)
    far.sendall(bytes(70000))
    read_exactly(near, 70000)
    near.close()
    far.close()
    for process, target in ((pair.decrypt, pair.target.address), (pair.encrypt, None)):
        opened = process.line(rf"^{BARE} open peer=({LOOPBACK_PEER}) key=key target=(\S+) handshake_ms=\d+$")
        assert target is None or opened.group(2) == "{}:{}".format(*target.where)
        process.line(rf"^{BARE} close peer={re.escape(opened.group(1))} key=key seconds=\d+\.\d to_target=3000 "
                     r"from_target=70000 reason=end$")
    assert pair.encrypt.line(r" open peer=(\S+)").group(1) == name


def one_connection(network, source, target, key):
    peer = Peer(network.connect(source), CLIENT, secret_of(key), forward_secrecy=False).handshake()
    plain = target.accept()
    peer.end()
    plain.close()
    assert peer.read_all() == b""


LEVELS = [((), ""), (("--log-level", "info"), "sandbox start open close"), (("--log-level", "warning"), "")]


@pytest.mark.parametrize("options, events", LEVELS, ids=[" ".join(level[0]) or "-" for level in LEVELS])
def test_daemonized_warnings_only_unless_asked_for_more(network, launch, ours, place, key, options, events):
    source, target = network.address(), network.listen()
    daemon = background(launch, ours, place, "-d", source, target.address, key, *options)
    one_connection(network, source, target, key)
    target.close()
    Peer(network.connect(source), CLIENT, secret_of(key), forward_secrecy=False).nonces()
    peer = Peer(network.connect(source), CLIENT, secret_of(key), forward_secrecy=False)
    peer.nonces()
    peer.sock.sendall(peer.shake.y_message())
    until(lambda: "refused" in daemon.errors, "a warning: its target refuses")
    seen = [line.split()[1] for line in daemon.errors.splitlines()]
    assert seen == [*events.split(), "refused"]
    assert re.search(rf"refused peer={LOOPBACK_PEER} key=key target=\S+ reason=connect error=\"Connection refused\"$",
                     daemon.errors, re.M)


@pytest.mark.parametrize("level, events", [("debug", 2), ("info", 2), ("warning", 0), ("error", 0)])
def test_log_level_in_the_foreground(network, launch, ours, key, level, events):
    door = Door(network, launch, ours, key, "--log-level", level)
    one_connection(network, door.source, door.target, key)
    door.process.signal(signal.SIGTERM)
    door.process.may_die = True
    assert door.process.wait() == 0
    assert len(re.findall("^\\S+ (open|close) ", door.process.errors(), re.M)) == events


@needs_root
def test_with_syslog_the_lines_go_there_and_standard_error_is_let_go(network, launch, ours, place, key):
    devices = ("null", "zero", "random", "urandom")
    os.mkdir(f"{place}/dev")
    os.chmod(f"{place}/dev", 0o755)
    log = network.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    log.bind(f"{place}/dev/log")
    log.settimeout(PATIENCE)
    mounts = [f"touch {place}/dev/{name} && mount --bind /dev/{name} {place}/dev/{name}" for name in devices]
    script = " && ".join([*mounts, f"mount --rbind {place}/dev /dev", 'exec "$@"'])
    source, target = network.address(), network.listen()
    daemon = Background(launch, ["unshare", "-m", "sh", "-c", script, "sh", ours.spiped, "-d", "-s", source, "-t",
                                 target.address, "-k", key, "-p", "pid", "--syslog"], place, "pid")
    assert (daemon.status, daemon.errors) == (0, "")
    assert os.stat(f"/proc/{daemon.pid}/fd/2").st_rdev == os.stat("/dev/null").st_rdev
    one_connection(network, source, target, key)
    for event in ("sandbox", "start", "open", "close"):
        line = log.recv(4096).decode().rstrip("\n\0")
        assert re.fullmatch(rf"<30>\w+ +\d+ [\d:]+ spiped\[{daemon.pid}\]: {event} [^\n]*", line), line
    daemon.terminate()
    assert daemon.errors == ""


def test_spipe_says_errors_only(network, launch, ours, key):
    listener = network.listen()
    spipe = launch.client(ours, listener.address, key)
    peer = Peer(listener.accept(), SERVER, secret_of(key), forward_secrecy=False).handshake()
    spipe.popen.stdin.close()
    peer.end()
    assert (spipe.wait(), spipe.errors()) == (0, "")


def full_pipe():
    """A pipe that nobody reads, filled."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    filled = 0
    try:
        while True:
            filled += os.write(writes, b"\n" * 4096)
    except BlockingIOError:
        os.set_blocking(writes, True)
    return reads, writes, filled


def is_refused(source):
    """A connection whose target refuses, which may be known before connect(2) has ended."""
    with source.socket() as sock:
        try:
            sock.connect(source.where)
        except ConnectionResetError:
            return
        assert read_to_end(sock)[0] == b""


def test_warnings_that_nobody_reads_block_nothing_and_drops_are_counted(network, launch, ours, key):
    reads, writes, filled = full_pipe()
    source, nobody = network.address(), network.address()
    under = ("sh", "-c", f'exec "$0" "$@" 2>/proc/self/fd/{writes}')
    process = launch.daemon(ours, "-e", source, nobody, key, "-n", "0", under=under, pass_fds=[writes])
    os.close(writes)
    many = 2000
    for _ in range(many):  # each a line, as the target refuses
        is_refused(source)
    assert process.is_running()
    with os.fdopen(reads, "rb") as log:
        assert len(log.read(filled)) == filled
        is_refused(source)
        process.may_die = True
        process.signal(signal.SIGTERM)
        rest = log.read().decode()
    assert process.wait() == 0
    told, dropped = len(re.findall(" refused ", rest)), sum(map(int, re.findall(r" dropped=(\d+)$", rest, re.M)))
    assert 100 < told < many
    assert told + dropped == many + 1


def test_a_blocked_log_does_not_keep_the_daemon_from_ending(network, launch, ours, key):
    reads, writes, _ = full_pipe()
    under = ("sh", "-c", f'exec "$0" "$@" 2>/proc/self/fd/{writes}')
    process = launch.daemon(ours, "-e", network.address(), network.address(), key, under=under, pass_fds=[writes])
    process.may_die = True
    process.signal(signal.SIGTERM)
    assert process.wait() == 0
    os.close(reads)
    os.close(writes)


def test_lines_about_strangers_are_10_a_second_at_most(network, launch, ours, key):
    door = Door(network, launch, ours, key)
    many = 300
    began = time.monotonic()
    for _ in range(many):
        sock = door.knock()
        sock.shutdown(socket.SHUT_WR)
        read_to_end(sock)
    door.serves()

    def told():
        return sum(int(number) for line in list(door.process.lines) for number in re.findall(r"left_out=(\d+)", line)) \
            + door.process.count(" refused .*reason=cut")
    until(lambda: told() == many, "each is told or counted")
    assert door.process.count(" refused ") <= 10 * (2 + time.monotonic() - began)
    assert door.process.count(" refused ") < many
    door.process.line(" close .*reason=end")  # those of others are not held back
