"""What a refused client is told: what the refusal probably means, and never only what it may not be."""
import contextlib

import pytest
from keys import Folder, KeyDoor

OTHER_KEY = "the other end has another key, or cannot reach its target"
OTHER_KEY_OR_G = "the other end has another key, cannot reach its target, or wants forward secrecy (-g)"


@pytest.mark.parametrize("who, options, hint", [
    ("spiped", [], OTHER_KEY), ("nobody", [], "no spiped listens there"), ("spiped", ["-f"], OTHER_KEY_OR_G),
    ("nobody", ["-f"], "no spiped listens there")])
def test_what_a_refusal_probably_means(network, launch, ours, place, other_key, who, options, hint):
    if who == "spiped":
        server = KeyDoor(network, launch, ours, Folder(f"{place}/keys", "laptop", "mail"))
        where = server.source
    else:
        listener = network.listen()
        where = listener.address
    client = launch.client(ours, where, other_key, *options)
    source = network.address()
    daemon = launch.daemon(ours, "-e", source, where, other_key, *options)
    with contextlib.suppress(ConnectionResetError):  # it may be over before connect(2) has told of it
        network.connect(source)
    for _ in range(2 if who == "nobody" else 0):
        visitor = listener.accept()
        visitor.sendall(b"220 mail.example ESMTP ready when you are, whoever you may be, and more than a nonce of text: "
                        b"as much of it as the whole of a handshake has, so that nobody waits for what is not there. " * 3)
    assert (client.wait(), client.errors()) == (1, f"spipe: Handshake failed\nspipe: probably {hint}\n")
    assert daemon.line(r" hint peer=\S+ text=\"(.*)\"$").group(1) == f"probably {hint}"
    if who == "spiped":  # whoever is asked does not guess about strangers
        server.process.line(" refused ", 2)
        assert not server.process.count(" hint ")


def test_a_client_without_forward_secrecy_is_told_that_it_may_be_wanted(network, launch, ours, key):
    source = network.address()
    launch.daemon(ours, "-d", source, network.address(), key, "-g")
    client = launch.client(ours, source, key, "-f")
    assert (client.wait(), client.errors()) == (1, f"spipe: Handshake failed\nspipe: probably {OTHER_KEY_OR_G}\n")


@pytest.mark.parametrize("cause", ["target", "room"])
def test_who_has_the_right_key_is_not_told_that_it_is_only_the_key(network, launch, ours, key, cause):
    source, target = network.address(), network.listen()
    launch.daemon(ours, "-d", source, target.address if cause == "room" else network.address(), key, "-n", "1", "-o", "1")
    if cause == "room":
        launch.client(ours, source, key)
        target.accept()
    client = launch.client(ours, source, key, "-o", "60")
    assert (client.wait(), client.errors()) == (1, f"spipe: Handshake failed\nspipe: probably {OTHER_KEY}\n")
