"""A server of ours with many keys, before clients of either make: each of them finds the one that is its own, and no other."""
import os
import select
import socket

import pytest
from conftest import write_key
from keys import Folder, KeyDoor, reload
from network import IPV4, until
from test_interop import CLIENTS, Cell

COUNTS = (1, 2, 1000)
TABLE = "interop, our -d with many keys: how many / where the client's stands among them"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("keys")
    return {count: Folder(place / str(count), *(f"client-{number:04}" for number in range(count))) for count in COUNTS}


@pytest.mark.parametrize("where", ["first", "last", "missing"])
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("make", ["ours", "theirs"])
def test_the_right_key_is_found_wherever_it_stands(network, launch, ours, theirs, place, folders, make, client, count,
                                                   where, row):
    makes = [{"ours": ours, "theirs": theirs}[make], ours]
    folder, name = folders[count], f"client-{0 if where == 'first' else count - 1:04}"
    row(TABLE, f"{make} {client}", f"{count:4}/{where}", "refused" if where == "missing" else "ok")
    key = write_key(place, "missing", os.urandom(32)) if where == "missing" else folder.at(name)
    cell = Cell(network, launch, makes, client, IPV4, key, server_key=folder.path)
    if where == "missing":
        cell.refuses()
        cell.target_hears_nothing()
        assert cell.server.line(r" refused peer=\S+ reason=wrong-key$")
        return
    for near_ends_first in (True, False):
        cell.carries(100000, near_ends_first)
    assert cell.server.line(r" close peer=\S+ key=(\S+) .*reason=end$", 2).group(1) == name


def has_gone(sock):
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return bool(poll.poll(0))


def connect_from(host, network, address):
    sock = network.keep(socket.socket())
    sock.bind((host, 0))
    sock.connect(address.where)
    return sock


def test_with_many_keys_few_strangers_are_let_in_at_a_time(network, launch, ours, tmp_path):
    """Each may make all keys be tried. Of 4,096 keys the one core that strangers have is done with 64 in a quarter of a second."""
    folder, strangers = Folder(tmp_path / "keys", "client"), []
    server = KeyDoor(network, launch, ours, folder, "--max-handshakes", "200")
    for crowd, limit in ((4095, 64), (0, 200)):
        folder.add(*(f"c{number}" for number in range(crowd)))
        if crowd == 0:
            folder.remove(*(name for name in folder.secrets if name != "client"))
        until(lambda keys=1 + crowd: reload(server)[-1] == f"count={keys}", "they are read, and no more by one that began before")
        for _ in range(limit + 10):
            strangers.append(connect_from("127.0.0.2", network, server.source))
        until(lambda: sum(has_gone(sock) for sock in strangers) == 10, "the oldest ten have gone")
        assert server.serves(folder.secrets["client"]) == "client"
        for sock in strangers:
            sock.close()
        strangers.clear()
        until(lambda: server.process.descriptors() < 64, "all strangers have gone")
    assert server.process.count(" limit handshakes=64") == 1


def test_with_many_keys_who_waits_for_room_counts_no_more(network, launch, ours, tmp_path):
    folder = Folder(tmp_path / "keys", "client", *(f"c{number}" for number in range(4095)))
    server = KeyDoor(network, launch, ours, folder, "-n", "1", "-o", "60", "--workers", "1")
    server.open(folder.secrets["client"])
    waiting = []
    for half in (1, 2):
        for _ in range(32):
            waiting.append(server.begin(folder.secrets["client"]))
            waiting[-1].sock.sendall(waiting[-1].shake.y_message())
        server.refuses(os.urandom(32))
        server.process.line(" refused .*reason=wrong-key$", half)  # whose turn came after theirs
    strangers = [connect_from("127.0.0.2", network, server.source) for _ in range(3)]
    for sock in strangers:
        assert len(sock.recv(32)) == 32  # its nonce: each was let in, and nobody has gone for it
    assert not any(has_gone(sock) for sock in strangers) and not server.process.count(" limit handshakes")
