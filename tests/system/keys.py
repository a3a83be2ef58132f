"""Folders of keys: one on the disk, a spiped -d that takes it, and what becomes of whoever comes with one of them."""
import os
import re
import signal
import socket

import pytest
from daemons import secret_of
from network import PATIENCE, read_exactly
from peer import CLIENT, Peer

HOW = pytest.mark.parametrize("how", ["SIGHUP", "watched"])  # they are read again
PROBLEM = r" keys problem=\"(.*)\"$"


def write(path, contents):
    with open(path, "wb") as file:
        file.write(contents)
    os.chmod(path, 0o600)


MEMBERS = {  # what may stand in the place of a key: (how it is made, what is said of it)
    "half-written": (lambda path: write(path, os.urandom(31)), "Shorter than 32 bytes"),
    "empty": (lambda path: write(path, b""), "Shorter than 32 bytes"),
    "folder": (os.mkdir, "Is a directory"),
    "fifo": (os.mkfifo, "Not a regular file"),
    "dangling": (lambda path: os.symlink("nothing", path), "No such file or directory"),
    "loop": (lambda path: os.symlink(path, path), "Too many levels of symbolic links"),
    "device": (lambda path: os.symlink("/dev/zero", path), "Not a regular file"),
    "huge": (lambda path: write(path, bytes(2 << 20)), "File too large"),
    "huge and sparse": (lambda path: (write(path, b""), os.truncate(path, 1 << 40)), "File too large"),
}


class Folder:
    """A folder of NAME.key; it remembers what each key ever was."""

    def __init__(self, path, *names):
        self.path, self.secrets = str(path), {}
        os.mkdir(self.path, 0o700)
        self.add(*names)

    def __str__(self):
        return self.path

    def at(self, name):
        return f"{self.path}/{name}.key"

    def add(self, *names, contents=None):
        """Or changes them; each is whole from the first moment on."""
        for name in names:
            part = f"{self.path}/.{name}.part"
            write(part, contents or os.urandom(64))
            self.secrets[name] = secret_of(part)
            os.rename(part, self.at(name))

    def remove(self, *names):
        for name in names:
            os.unlink(self.at(name))


class KeyDoor:
    """spiped -d with keys of several clients, whom the test plays."""

    def __init__(self, network, launch, ours, keys, *options, **how):
        self.network, self.source, self.target = network, network.address(), network.listen()
        self.process = launch.daemon(ours, "-d", self.source, self.target.address, keys, *options, **how)
        self.process.line(" start ")

    def peer(self, secret):
        return Peer(self.network.connect(self.source), CLIENT, secret, forward_secrecy=False, timeout=PATIENCE)

    def begin(self, secret):
        """A peer of which the server has the nonce, and nothing else yet."""
        peer = self.peer(secret)
        peer.nonces()
        return peer

    @staticmethod
    def finish(peer):
        peer.sock.sendall(peer.shake.y_message())
        peer.shake.take_y_message(peer.receive(288))

    def open(self, secret):
        """(the peer, the target's end): bytes have gone both ways."""
        peer = self.peer(secret).handshake()
        plain = self.target.accept()
        self.goes_on(peer, plain)
        return peer, plain

    @staticmethod
    def goes_on(peer, plain):
        peer.send(b"there")
        assert read_exactly(plain, 5) == b"there"
        plain.sendall(b"and back")
        assert peer.read() == b"and back"

    def serves(self, secret):
        """Opens and ends a connection: the name that the log has for it."""
        peer, plain = self.open(secret)
        name = socket.getnameinfo(peer.sock.getsockname(), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
        who = re.escape("{}:{}".format(*name))
        peer.close()
        plain.close()
        opened, closed = (self.process.line(rf" {event} peer={who} key=(\S+) ").group(1) for event in ("open", "close"))
        assert opened == closed
        return opened

    def refuses(self, secret):
        """It says nothing, and the target hears of nobody."""
        peer = self.begin(secret)
        peer.sock.sendall(peer.shake.y_message())
        try:
            assert peer.receive(288) == b""
        except ConnectionResetError:
            pass
        assert not self.target.has_a_visitor()
        peer.close()

    def problems(self):
        return [match.group(1) for match in (re.search(PROBLEM, line) for line in self.process.lines) if match]


def reload(server, how="SIGHUP"):
    """What a reading that begins now, or by itself, has to say."""
    seen = len(server.process.lines)
    if how == "SIGHUP":
        server.process.signal(signal.SIGHUP)
    return said(server, seen)


def said(server, seen):
    """What is about keys from that line on, up to the end of a reading."""
    before = sum(" keys count=" in line for line in server.process.lines[:seen])
    server.process.line(r" keys count=\d+$", before + 1)
    lines = [re.search(r" keys (.*)$", line) for line in server.process.lines[seen:]]
    return [line.group(1) for line in lines if line]
