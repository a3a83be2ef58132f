"""spipe, between its standard input and output and a peer that the test plays: what scripts and ssh rely on."""
import fcntl
import os
import pty
import signal
import socket
import subprocess
import termios
import tty

import pytest
from daemons import secret_of
from network import PATIENCE, reset, until
from peer import SERVER, Peer

UP, DOWN = os.urandom(3000), os.urandom(3000)  # less than any kind of descriptor holds, so nobody has to take turns


class Far:
    """What spipe connects to."""

    def __init__(self, network, launch, ours, key):
        self.network, self.launch, self.ours, self.key, self.listener = network, launch, ours, key, network.listen()

    def met_by(self, *options, **how):
        """(spipe, a peer that has shaken hands with it)."""
        spipe = self.launch.client(self.ours, self.listener.address, self.key, *options, **how)
        return spipe, self.peer().handshake()

    def peer(self):
        return Peer(self.listener.accept(), SERVER, secret_of(self.key), forward_secrecy=False, timeout=PATIENCE)


@pytest.fixture
def far(network, launch, ours, key):
    return Far(network, launch, ours, key)


@pytest.mark.short
def test_the_end_of_standard_input_is_a_half_close_and_the_far_end_ends_it(far):
    spipe, peer = far.met_by()
    spipe.popen.stdin.write(b"the last of it")
    spipe.popen.stdin.close()
    assert peer.read_all() == b"the last of it"
    assert spipe.is_running()
    peer.send(b"an answer")
    assert spipe.popen.stdout.read(9) == b"an answer"
    peer.send(b", and more")
    peer.end()
    assert spipe.popen.stdout.read() == b", and more"
    assert (spipe.wait(), spipe.errors()) == (0, "")


@pytest.mark.parametrize("make", ["ours", "theirs"])
def test_a_wrong_key_is_a_handshake_that_failed(network, launch, ours, theirs, key, other_key, make):
    source = network.address()
    launch.daemon({"ours": ours, "theirs": theirs}[make], "-d", source, network.listen().address, other_key)
    spipe = launch.client(ours, source, key)
    assert (spipe.wait(), spipe.errors()) == (
        1, "spipe: Handshake failed\nspipe: probably the other end has another key, or cannot reach its target\n")


def test_a_handshake_that_times_out_is_a_connection_error(far):
    spipe = far.launch.client(far.ours, far.listener.address, far.key, "-o", "0.3")
    far.listener.accept()
    assert (spipe.wait(), spipe.errors()) == (1, "spipe: Connection error\n")


def test_nobody_to_connect_to(network, launch, ours, key):
    spipe = launch.client(ours, network.address(), key)
    assert (spipe.wait(), spipe.errors()) == (1, "spipe: Could not connect\n")


def test_with_the_key_on_standard_input_it_receives_only(far):
    with open(far.key, "rb") as stdin:
        spipe = far.launch.client(far.ours, far.listener.address, "-", stdin=stdin)
    peer = far.peer().handshake()
    assert peer.read() == b""
    peer.send(b"received")
    peer.end()
    assert spipe.popen.stdout.read() == b"received"
    assert (spipe.wait(), spipe.errors()) == (0, "")


# Descriptors of any kind

class Descriptor:
    """One end for spipe, which stays open here too: a description that others share."""

    def __init__(self, kind, place, is_input):
        self.kind, self.is_input, self.other = kind, is_input, None
        if kind == "file":
            self.path = os.path.join(place, "input" if is_input else "output")
            with open(self.path, "wb") as file:
                file.write(UP if is_input else b"")
            self.fd = os.open(self.path, os.O_RDONLY if is_input else os.O_WRONLY)
        elif kind == "null device":
            self.fd = os.open("/dev/null", os.O_RDWR)
        elif kind == "terminal":
            self.other, self.fd = pty.openpty()
            tty.setraw(self.fd)
        elif kind == "pipe":
            ends = os.pipe()
            self.fd, self.other = ends if is_input else ends[::-1]
        else:
            ours, theirs = socket.socketpair()
            self.other, self.fd = ours.detach(), theirs.detach()

    def close(self):
        for fd in (self.fd, self.other):
            if fd is not None:
                os.close(fd)

    def has_end(self):
        return self.kind != "terminal"

    def feed(self):
        """As input: says UP, or what there is, and ends, where it can."""
        if self.kind in ("terminal", "pipe", "socket"):
            os.write(self.other, UP)
        if self.kind == "pipe":
            os.close(self.other)
            self.other = None
        elif self.kind == "socket":
            with socket.socket(fileno=os.dup(self.other)) as sock:
                sock.shutdown(socket.SHUT_WR)
        return b"" if self.kind == "null device" else UP

    def heard(self, length):
        """As output: what came out, and what should have."""
        if self.kind == "null device":
            return None
        if self.kind == "file":
            def read():
                with open(self.path, "rb") as file:
                    return file.read()
            until(lambda: len(read()) >= length, "the file has it all")
            return read()
        parts = b""
        while len(parts) < length:
            parts += os.read(self.other, length - len(parts))
        return parts


@pytest.fixture
def descriptor(place):
    made = []

    def make(*arguments):
        made.append(Descriptor(arguments[0], place, arguments[1]))
        return made[-1]
    yield make
    for one in made:
        one.close()


KINDS = ("file", "null device", "terminal", "pipe", "socket")


@pytest.mark.parametrize("mode", [0, os.O_NONBLOCK], ids=["blocking", "not blocking"])
@pytest.mark.parametrize("output", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_any_kind_of_descriptor_works_and_is_left_as_it_was(far, descriptor, source, output, mode):
    ends = descriptor(source, True), descriptor(output, False)
    for end in ends:
        fcntl.fcntl(end.fd, fcntl.F_SETFL, fcntl.fcntl(end.fd, fcntl.F_GETFL) & ~os.O_NONBLOCK | mode)
    flags = [fcntl.fcntl(end.fd, fcntl.F_GETFL) for end in ends]
    settings = [termios.tcgetattr(end.fd) for end in ends if end.kind == "terminal"]
    spipe, peer = far.met_by(stdin=ends[0].fd, stdout=ends[1].fd)
    expected = ends[0].feed()
    peer.send(DOWN)
    assert ends[1].heard(len(DOWN)) in (DOWN, None)
    if ends[0].has_end():
        assert peer.read_all() == expected
    else:
        heard = b""
        while len(heard) < len(UP):
            heard += peer.read()
        assert heard == expected
    assert [fcntl.fcntl(end.fd, fcntl.F_GETFL) for end in ends] == flags
    peer.end()
    if ends[0].has_end():
        assert (spipe.wait(), spipe.errors()) == (0, "")
    else:
        spipe.signal(signal.SIGTERM)
        assert spipe.wait() == -signal.SIGTERM
    assert [fcntl.fcntl(end.fd, fcntl.F_GETFL) for end in ends] == flags
    assert [termios.tcgetattr(end.fd) for end in ends if end.kind == "terminal"] == settings


# Better

@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_spipe_at_once(far, number):
    """ssh stops its ProxyCommand with SIGHUP."""
    spipe, peer = far.met_by()
    spipe.signal(number)
    assert spipe.wait() == -number
    assert spipe.errors() == ""


def test_329_exit_on_eof_ends_it_at_the_far_ends_end(far):
    spipe, peer = far.met_by("--exit-on-eof")
    peer.send(b"all there is")
    peer.end()
    assert spipe.popen.stdout.read() == b"all there is"
    assert (spipe.wait(), spipe.errors()) == (0, "")


def test_329_without_it_spipe_goes_on_sending_until_the_connection_is_dead(far):
    spipe, peer = far.met_by()
    peer.send(b"all there is")
    peer.end()
    assert spipe.popen.stdout.read() == b"all there is"
    spipe.popen.stdin.write(b"I am still here")
    assert peer.read() == b"I am still here"
    reset(peer.sock)
    assert (spipe.wait(), spipe.errors()) == (1, "spipe: Connection error: the encrypted connection broke\n")


@pytest.mark.parametrize("kind", ["nobody reads", "closed", "full"])
def test_standard_output_closed_is_a_message(far, kind):
    reads, writes = os.pipe()
    os.close(reads)
    target, key = far.listener.address, far.key
    wrappers = {"nobody reads": (), "closed": ("sh", "-c", 'exec "$0" "$@" >&-'),
                "full": ("sh", "-c", 'exec "$0" "$@" >/dev/full')}
    reasons = {"nobody reads": "Broken pipe", "closed": "Bad file descriptor", "full": "No space left on device"}
    spipe = far.launch.start(*wrappers[kind], far.ours.spipe, "-t", target, "-k", key, stdin=subprocess.PIPE,
                             stdout=writes)
    os.close(writes)
    spipe.may_die = True
    peer = far.peer().handshake()
    peer.send(b"to nobody")
    assert (spipe.wait(), spipe.errors()) == (1, f"spipe: Cannot write to standard output: {reasons[kind]}\n")


def test_446_a_stream_cut_inside_a_packet_is_not_an_end(far):
    spipe, peer = far.met_by()
    peer.sock.sendall(peer.seal(b"before") + peer.seal(b"cut")[:500])
    peer.end()
    assert spipe.popen.stdout.read() == b"before"
    assert spipe.wait() == 1
    assert spipe.errors() == ("spipe: Connection error: the encrypted connection ended inside a packet or inside the "
                              "handshake\n")
