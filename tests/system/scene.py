"""A daemon in either role whose open connection must not notice what a test does next."""
import re

from daemons import secret_of
from network import PATIENCE, RESET, read_exactly, read_to_end
from peer import CLIENT, SERVER, Peer


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
        lines = self.process.lines[self.seen:]
        return [line for line in lines if not re.search(r" open | reason=end$", line) and not self.explains(line, lines)]

    def explains(self, line, lines):
        """A guess, on -e, about a refusal that stands in the log too."""
        hint = re.search(r" hint (peer=\S+) text=\"probably (no spiped listens there|the other end has another key.*)\"$", line)
        return self.role == "-e" and hint and any(
            re.search(rf" refused {hint.group(1)} .*reason=(wrong-key|cut|cipher-reset)\b", other) for other in lines)

    def says_only(self, pattern):
        self.process.line(pattern)
        self.goes_on()
        assert len(self.troubles()) == 1 and re.search(pattern, self.troubles()[0]), self.troubles()

    def nobody_hears(self, plain):
        if self.role == "-d":
            assert not self.far.has_a_visitor()
        else:
            assert read_to_end(plain) == (b"", RESET)
