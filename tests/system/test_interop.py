"""Ours and Debian's in every place of a pair: a drop-in is one that nobody on the other side notices."""
import os
import subprocess

import pytest
from conftest import write_key
from exchange import End, exchange
from network import CLEAN, FAMILIES, IPV4, IPV6, RESET, UNIX, read_exactly, read_to_end

EIGHT_MIB = 8 << 20
SIZES = (0, 1, 1023, 1024, 1025, EIGHT_MIB)
BYTES = memoryview(os.urandom(2 * EIGHT_MIB))
OPTIONS = ("", "-f", "-g")
CLIENTS = ("-e", "spipe")
TABLE = "interop, {} and {}: client option / server option; each cell every size, both ways, either end first"


class Cell:
    """A pair with its target, in one place of the matrix."""

    def __init__(self, network, launch, makes, client, family, key, options=("", ""), server_key=None):
        self.network, self.launch, self.makes, self.client, self.key = network, launch, makes, client, key
        self.client_options, self.server_options = ([option] if option else [] for option in options)
        self.target = network.listen(family=family)
        self.middle = network.address(family)
        self.server = launch.daemon(makes[1], "-d", self.middle, self.target.address, server_key or key,
                                    *self.server_options)
        if client == "-e":
            self.source = network.address(family)
            launch.daemon(makes[0], "-e", self.source, self.middle, key, *self.client_options)

    def near_end(self):
        """A new connection: the end that a user of the client side has, and spipe's process if it is one."""
        if self.client == "-e":
            sock = self.network.connect(self.source)
            return End(sock), sock, None
        process = self.launch.client(self.makes[0], self.middle, self.key, *self.client_options)
        return End(process.popen.stdout, process.popen.stdin), None, process

    def carries(self, size, near_ends_first):
        near, _, process = self.near_end()
        far = End(self.target.accept())
        exchange(near, far, BYTES[:size], BYTES[EIGHT_MIB:EIGHT_MIB + size], near_ends_first)
        if process:
            assert process.wait() == 0
            assert process.errors() == ""
            near.reads.close()

    def refuses(self):
        """The handshake fails: the user sees no byte, and spipe says so."""
        try:
            _, sock, process = self.near_end()
        except ConnectionResetError:
            return  # it was refused before connect(2) had even returned
        if process:
            assert process.wait() == 1
            guesses = self.makes[0].name == "ours" and "-g" not in self.client_options  # else it knows what it refuses
            other = ("cannot reach its target, or wants forward secrecy (-g)" if "-f" in self.client_options else
                     "or cannot reach its target")
            hint = f"spipe: probably the other end has another key, {other}\n" if guesses else ""
            assert process.errors() == "spipe: Handshake failed\n" + hint
            assert process.popen.stdout.read() == b""
            return
        heard, how = read_to_end(sock)
        assert heard == b""
        expected = (RESET, ) if self.makes[0].name == "ours" and sock.family != 1 else (RESET, CLEAN)
        assert how in expected

    def target_hears_nothing(self):
        """Ours never dials for a stranger; Debian's does, and says nothing there."""
        if self.makes[1].name == "ours":
            assert not self.target.has_a_visitor()
        else:
            assert read_to_end(self.target.accept())[0] == b""


@pytest.fixture(params=["ours-ours", "ours-theirs", "theirs-ours", "theirs-theirs"])
def makes(request, ours, theirs):
    by_name = {"ours": ours, "theirs": theirs}
    return [by_name[name] for name in request.param.split("-")]


def place_in_table(makes, client, family):
    return TABLE.format("-e" if client == "-e" else "spipe", "-d"), f"{makes[0]} {client} -> {makes[1]} -d, {family}"


@pytest.mark.parametrize("server_option", OPTIONS)
@pytest.mark.parametrize("client_option", OPTIONS)
@pytest.mark.parametrize("family", [pytest.param(IPV4, marks=pytest.mark.short), IPV6, UNIX])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_pair_carries_every_size_both_ways(network, launch, makes, client, family, client_option, server_option, key,
                                             row):
    refused = {client_option, server_option} == {"-f", "-g"}
    table = place_in_table(makes, client, family)
    row(*table, f"{client_option or 'none'}/{server_option or 'none'}", "refused" if refused else "ok")
    cell = Cell(network, launch, makes, client, family, key, (client_option, server_option))
    if refused:
        cell.refuses()
        if client_option == "-f":
            cell.target_hears_nothing()
        return
    for size in SIZES:
        for near_ends_first in (True, False):
            cell.carries(size, near_ends_first)


@pytest.mark.parametrize("wrong_side", ["client", "server"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_wrong_key_on_either_side_passes_nothing(network, launch, makes, client, family, wrong_side, key, place, row):
    """Which side has the wrong one is a matter of view, but a short and a long key file make two cases of it."""
    table = place_in_table(makes, client, family)
    row(*table, f"wrong key {wrong_side}", "refused")
    wrong = write_key(place, "wrong", b"another key" if wrong_side == "client" else os.urandom(5000))
    keys = (wrong, key) if wrong_side == "client" else (key, wrong)
    cell = Cell(network, launch, makes, client, family, keys[0], server_key=keys[1])
    cell.refuses()
    cell.target_hears_nothing()


def test_nothing_on_standard_input_alone_is_a_key(network, launch, makes, place):
    empty = write_key(place, "empty", b"")
    target, middle = network.listen(), network.address()
    launch.daemon(makes[1], "-d", middle, target.address, "-", stdin=subprocess.DEVNULL)
    client = launch.client(makes[0], middle, empty)
    client.popen.stdin.write(b"there")
    assert read_exactly(target.accept(), 5) == b"there"
