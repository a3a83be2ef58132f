"""Keys that change while it serves: what is taken when, and what becomes of connections and handshakes on the old ones."""
import hashlib
import os
import signal
import time

import pytest
from conftest import write_key
from daemons import Door, secret_of
from keys import HOW, Folder, reload, said
from network import RESET, read_exactly, read_to_end, until
from scene import Scene

STILL, MOST = 1, 10  # seconds, as in src/net/watch.h


# What is taken

@HOW
def test_keys_that_come_go_and_change(door, folder, how):
    server = door(folder)
    old = dict(folder.secrets)
    folder.add("new")
    assert reload(server, how) == ["added=new", "count=3"]
    assert server.serves(folder.secrets["new"]) == "new"
    folder.add("mail")
    assert reload(server, how)[-2:] == ["changed=mail", "count=3"]
    assert server.serves(folder.secrets["mail"]) == "mail"
    server.refuses(old["mail"])
    folder.remove("laptop")
    assert reload(server, how)[-2:] == ["removed=laptop", "count=2"]
    server.refuses(old["laptop"])
    assert server.serves(folder.secrets["mail"]) == "mail" and server.problems() == []


def test_nothing_has_changed(door, folder):
    server = door(folder)
    assert reload(server) == reload(server) == ["count=2"]
    assert server.serves(folder.secrets["mail"]) == "mail"


def test_a_change_is_taken_when_it_has_stood_still_and_in_any_case_some_time(door, folder):
    server = door(folder)
    began, seen = time.monotonic(), len(server.process.lines)
    folder.remove("laptop")
    while not server.process.count(" keys count="):
        write_key(folder.path, ".restless")
        assert time.monotonic() < began + MOST + 2 * STILL
        with server.process.news:
            server.process.news.wait(STILL / 4)
    took = time.monotonic() - began
    assert MOST - 0.5 < took and said(server, seen) == ["removed=laptop", "count=1"]
    server.refuses(folder.secrets["laptop"])
    began = time.monotonic()
    folder.add("new")
    server.process.line(" keys added=new$")
    assert STILL - 0.1 < time.monotonic() - began < STILL + 1


def test_a_file_alone_is_read_again_on_a_signal_only(door, folder, place, key):
    server = door(key, "-k", folder)
    old = secret_of(key)
    os.rename(write_key(place, "next"), key)
    folder.add("new")
    assert reload(server, "watched") == ["added=new", "count=4"]
    assert server.serves(old) == "key"
    assert reload(server) == ["changed=key", "count=4"]
    server.refuses(old)
    old = secret_of(key)
    assert server.serves(old) == "key"
    os.rename(write_key(place, "next"), key)
    folder.add("newer")
    assert reload(server, "watched") == ["added=newer", "count=5"]
    assert server.serves(old) == "key"


def test_one_name_in_two_folders(door, place):
    one, two = Folder(f"{place}/one", "laptop"), Folder(f"{place}/two", "laptop")
    server = door(one, "-k", two)
    one.remove("laptop")
    assert reload(server) == ["removed=laptop", "count=1"]
    server.refuses(one.secrets["laptop"])
    assert server.serves(two.secrets["laptop"]) == "laptop"
    one.add("laptop")
    assert reload(server) == ["added=laptop", "count=2"]
    two.add("laptop")
    assert reload(server) == ["changed=laptop", "count=2"]


def test_a_key_that_is_gone_and_has_another_name_too(door, folder):
    contents = os.urandom(64)
    folder.add("laptop", "old-laptop", contents=contents)
    server = door(folder)
    seen = len(server.problems())
    folder.remove("laptop")
    assert reload(server)[-1] == "count=2"
    assert server.problems()[seen:] == ["old-laptop is the same key as laptop, which is gone: it stays good"]
    assert server.serves(folder.secrets["laptop"]) == "old-laptop"


# What was there before

def test_open_connections_stay_and_handshakes_end_on_the_keys_they_began_with(door, folder):
    server = door(folder)
    old = dict(folder.secrets)
    peer, plain = server.open(old["laptop"])
    begun = [server.begin(old[name]) for name in ("laptop", "mail")]
    folder.remove("laptop")
    folder.add("mail", "new")
    assert reload(server) == ["removed=laptop", "changed=mail", "added=new", "count=2"]
    server.goes_on(peer, plain)
    assert server.process.line(r" revoked peer=(\S+) key=laptop seconds=\d+\.\d$")
    for number, (name, late) in enumerate(zip(("laptop", "mail"), begun)):
        server.finish(late)
        far = server.target.accept()
        server.goes_on(late, far)
        server.process.line(rf" revoked peer=\S+ key={name} ", 2 if name == "laptop" else 1)
    for secret in old.values():
        server.refuses(secret)
    assert server.serves(folder.secrets["new"]) == "new"
    folder.add("more")
    reload(server)
    server.goes_on(peer, plain)
    assert server.process.count(" revoked ") == 3  # each is told once


def test_a_handshake_that_began_before_knows_no_key_that_came_later(door, folder):
    server = door(folder)
    secret = hashlib.sha256(b"a key that nobody has yet, of 32 bytes").digest()
    early = server.begin(secret)
    folder.add("new", contents=b"a key that nobody has yet, of 32 bytes")
    reload(server)
    assert folder.secrets["new"] == secret
    early.sock.sendall(early.shake.y_message())
    server.process.line(" refused .*reason=wrong-key$")
    assert server.serves(folder.secrets["new"]) == "new"


def test_keys_that_are_not_in_force_any_more_leave_the_memory(door, folder):
    """Though connections that began with them are open."""
    server = door(folder)
    folder.add("laptop")
    reload(server)  # there is room for more keys than at the start now
    peer, plain = server.open(folder.secrets["mail"])
    locked = server.process.status_kib("VmLck")
    if locked == 0:
        pytest.skip("no memory can be locked here")
    for _ in range(3):
        folder.add("laptop")
        reload(server)
        server.serves(folder.secrets["laptop"])
    until(lambda: server.process.status_kib("VmLck") == locked, "there is one set of keys")
    reload(server)
    until(lambda: server.process.status_kib("VmLck") == locked, "there is one set of keys still")
    server.goes_on(peer, plain)


def test_a_connection_has_its_name_for_as_long_as_it_lasts(door, folder):
    """With memory that is filled with something else when it is given back."""
    tunables = "glibc.malloc.tcache_count=0:glibc.malloc.perturb=77"
    server = door(folder, env={**os.environ, "GLIBC_TUNABLES": tunables})
    peer, plain = server.open(folder.secrets["laptop"])
    folder.remove("laptop")
    reload(server)
    server.process.line(" revoked .*key=laptop ")
    server.goes_on(peer, plain)
    peer.close()
    plain.close()
    server.process.line(" close .*key=laptop ")


def test_close_revoked(door, folder):
    server = door(folder, "--close-revoked")
    old = dict(folder.secrets)
    laptop, mail = server.open(old["laptop"]), server.open(old["mail"])
    late = server.begin(old["laptop"])
    laptop[0].send(b"the last of it")
    assert read_exactly(laptop[1], 14) == b"the last of it"
    folder.remove("laptop")
    reload(server)
    assert server.process.line(r" close peer=\S+ key=laptop .*reason=revoked$")
    assert read_to_end(laptop[1]) == (b"", RESET) and read_to_end(laptop[0].sock)[1] == RESET
    late.sock.sendall(late.shake.y_message())
    assert server.process.line(r" close peer=\S+ key=laptop .*reason=revoked$", 2)
    assert read_to_end(server.target.accept()) == (b"", RESET)
    server.goes_on(*mail)
    assert not server.process.count(" revoked ")
    server.refuses(old["laptop"])


def test_each_key_that_is_taken_away_ends_its_own(door, folder):
    """The second as well as the first."""
    server = door(folder, "--close-revoked")
    opened = {name: server.open(folder.secrets[name]) for name in ("laptop", "mail")}
    for name, (_, plain) in opened.items():
        folder.remove(name)
        reload(server)
        assert read_to_end(plain) == (b"", RESET)
        assert server.process.line(f" close .*key={name} .*reason=revoked$")


def test_many_of_a_key_that_is_taken_away_go_at_once_and_all_others_stay(door, folder):
    server = door(folder, "--close-revoked")
    theirs = [server.open(folder.secrets["laptop"]) for _ in range(20)]
    others = [server.open(folder.secrets["mail"]) for _ in range(20)]
    folder.remove("laptop")
    reload(server)
    for _, plain in theirs:
        assert read_to_end(plain) == (b"", RESET)
    for peer, plain in others:
        server.goes_on(peer, plain)
    assert server.process.line(" close .*key=laptop .*reason=revoked$", 20) and server.process.count(" close ") == 20


# -e

@pytest.mark.parametrize("options", [(), ("--close-revoked", )], ids=" ".join)
def test_the_end_that_connects_reads_its_key_again_and_its_connections_stay(network, launch, ours, place, key, options):
    scene = Scene(network, launch, ours, key, "-e", *options)
    os.rename(write_key(place, "next"), key)
    scene.process.signal(signal.SIGHUP)
    scene.process.line(" keys count=1$")
    assert scene.process.count(" keys changed=key$") == 1
    scene.passes(*scene.first)
    cipher, plain = scene.come()
    peer = scene.peer(cipher, secret_of(key)).handshake()
    scene.passes(peer, plain)
    scene.passes(*scene.first)
    assert not scene.process.count(" revoked |reason=revoked")


def test_where_its_file_is_gone_its_key_stays(network, launch, ours, key):
    scene = Scene(network, launch, ours, key, "-e")
    os.unlink(key)
    scene.process.signal(signal.SIGHUP)
    scene.process.line(rf' keys problem="{key}: No such file or directory: its key stays as it was"$')
    scene.goes_on()


def test_a_signal_during_the_drain_is_no_trouble(network, launch, ours, key):
    door = Door(network, launch, ours, key)
    peer, plain = door.open()
    door.process.line(" open ")
    door.process.may_die = True
    for number in (signal.SIGTERM, signal.SIGHUP):
        door.process.signal(number)
    door.process.line(" keys count=1$")
    peer.close()
    assert read_to_end(plain)[0] == b""
    plain.close()
    assert door.process.wait() == 0
