"""A key changed in three steps, over and over, with both daemons under load: no connection fails, and no byte is wrong."""
import os
import selectors
import signal
import threading
import time

import pytest
from conftest import write_key
from crowd import Echo
from keys import Folder
from network import PATIENCE, until

RELOADS = int(os.environ.get("SPIPED_RELOADS", "60"))  # of the server; 1000 is the whole of it
RATE = 100  # connections a second
TABLE = "a key changed under load"


class Load:
    """Connections at a fixed rate from a thread of its own; each sends some bytes, wants them back and leaves."""

    def __init__(self, source):
        self.source, self.opened, self.done, self.wrong = source, 0, 0, 0
        self.failures, self.waiting, self.is_over = [], {}, False
        self.selector = selectors.EpollSelector()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        began = time.monotonic()
        while not self.is_over or self.waiting:
            while not self.is_over and self.opened < (time.monotonic() - began) * RATE:
                self.open()
            for key, events in self.selector.select(0.005):
                try:
                    is_over = self.say(key) if events & selectors.EVENT_WRITE else self.hear(key)
                except (OSError, AssertionError) as error:
                    self.failures.append(error)
                    is_over = True
                if is_over:
                    self.selector.unregister(key.fileobj)
                    key.fileobj.close()
                    del self.waiting[key.data]

    def open(self):
        sock = self.source.socket()
        sock.setblocking(False)
        sock.connect_ex(self.source.where)
        self.selector.register(sock, selectors.EVENT_WRITE, self.opened)
        self.waiting[self.opened] = [os.urandom(3000), b""]
        self.opened += 1

    def say(self, key):
        says, _ = self.waiting[key.data]
        assert key.fileobj.send(says) == len(says)
        self.selector.modify(key.fileobj, selectors.EVENT_READ, key.data)

    def hear(self, key):
        talk = self.waiting[key.data]
        part = key.fileobj.recv(4096)
        assert part, f"an end after {len(talk[1])} bytes"
        talk[1] += part
        if not talk[0].startswith(talk[1]):
            self.wrong += 1
            return True
        self.done += len(talk[1]) == len(talk[0])
        return len(talk[1]) == len(talk[0])

    def until_older_ones_are_done(self):
        """Those that are open now."""
        now = self.opened
        until(lambda: min(self.waiting.copy(), default=now) >= now, "older connections are done")

    def stop(self):
        self.is_over = True
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "some wait still"


def reload(process):
    before = process.count(" keys count=")
    process.signal(signal.SIGHUP)
    process.line(" keys count=", before + 1)


def held(process):
    return process.descriptors(), process.status_kib("VmRSS")


@pytest.mark.alone
def test_a_key_is_changed_in_three_steps_under_load_and_nobody_notices(network, launch, ours, place, row):
    folder, echo, middle, source = Folder(f"{place}/keys", "mail", "laptop-0"), Echo(network), network.address(), network.address()
    with open(folder.at("laptop-0"), "rb") as file:
        own = write_key(place, "spiped.key", file.read())
    server = launch.daemon(ours, "-d", middle, echo.address, folder, "-n", "0")
    client = launch.daemon(ours, "-e", source, middle, own, "-n", "0")
    load = Load(source)
    until(lambda: load.done > RATE, "it runs")
    load.until_older_ones_are_done()
    before, began = [held(process) for process in (server, client)], time.monotonic()
    for number in range(1, RELOADS // 2 + 1):
        folder.add("mail", f"laptop-{number}")
        reload(server)  # 1: the server takes both
        with open(folder.at(f"laptop-{number}"), "rb") as file:
            os.rename(write_key(place, "next", file.read()), own)
        reload(client)  # 2: the client changes
        load.until_older_ones_are_done()
        server.line(rf" open .* key=laptop-{number} ")
        folder.add("mail")
        folder.remove(f"laptop-{number - 1}")
        reload(server)  # 3: the old one is refused from now on
    took = time.monotonic() - began
    load.stop()
    until(lambda: server.count(" close .* reason=end") == load.opened, "all have closed")
    after = [held(process) for process in (server, client)]
    name = f"{RELOADS} reloads in {took:.1f} s"
    for column, value in (("connections", load.opened), ("failures", len(load.failures)), ("wrong", load.wrong),
                          ("-d: descriptors, KiB", f"{before[0]} -> {after[0]}"), ("-e", f"{before[1]} -> {after[1]}")):
        row(TABLE, name, column, value)
    assert (load.done, load.wrong, load.failures) == (load.opened, 0, [])
    assert not server.count(" refused ") and not client.count(" refused ")
    assert server.count(" keys changed=mail$") >= RELOADS
    for (descriptors, memory), (later_descriptors, later_memory) in zip(before, after):
        assert later_descriptors <= descriptors and later_memory < memory + 2048
