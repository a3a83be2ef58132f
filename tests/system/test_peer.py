"""The independent peer is right: it talks to Debian's spiped in either role, and the recorded sessions are its own."""
import io
import os

import pytest
import record
from network import CLEAN, read_exactly, read_to_end
from peer import CLIENT, SERVER, Peer, sha256_of_key_file
from programs import ROOT

MESSAGE = os.urandom(5000)


def key_hash(path):
    with open(path, "rb") as file:
        return sha256_of_key_file(file.read())


@pytest.fixture(params=["", "-f", "-g"])
def option(request):
    return [request.param] if request.param else []


@pytest.mark.parametrize("forward_secrecy", [True, False])
def test_the_peer_as_a_client_talks_with_debians_spiped(network, launch, theirs, key, option, forward_secrecy):
    target, source = network.listen(), network.address()
    launch.daemon(theirs, "-d", source, target.address, key, *option)
    peer = Peer(network.connect(source), CLIENT, key_hash(key), forward_secrecy)
    if option == ["-g"] and not forward_secrecy:
        with pytest.raises((EOFError, ConnectionResetError)):
            peer.handshake()
        return
    peer.handshake().send(MESSAGE)
    plain = target.accept()
    assert read_exactly(plain, len(MESSAGE)) == MESSAGE
    plain.sendall(MESSAGE[::-1])
    plain.close()
    assert peer.read_all() == MESSAGE[::-1]


@pytest.mark.parametrize("forward_secrecy", [True, False])
def test_the_peer_as_a_server_talks_with_debians_spiped(network, launch, theirs, key, option, forward_secrecy):
    target, source = network.listen(), network.address()
    launch.daemon(theirs, "-e", source, target.address, key, *option)
    plain = network.connect(source)
    plain.sendall(MESSAGE)
    peer = Peer(target.accept(), SERVER, key_hash(key), forward_secrecy).handshake()
    if option == ["-g"] and not forward_secrecy:
        assert peer.receive(1) == b""
        return
    peer.send(MESSAGE[::-1])
    peer.end()
    assert read_to_end(plain) == (MESSAGE[::-1], CLEAN)
    plain.close()
    assert peer.read_all() == MESSAGE


def test_the_recorded_sessions_are_what_the_peer_makes():
    made = io.StringIO()
    record.record(made)
    with open(os.path.join(ROOT, "tests/vectors/sessions.txt"), encoding="ascii") as file:
        assert file.read() == made.getvalue()
