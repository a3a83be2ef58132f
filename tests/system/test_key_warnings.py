"""What the programs say of a key that is too short or not private: once, where somebody reads it, and they go on."""
import os
import signal

import pytest
from daemons import Door, background
from programs import run

SHORT = "{program}: warning: key file {key} has {bytes} bytes: use at least 32 (spiped-keygen makes a good one)\n"
SHARED = "{program}: warning: key file {key} can be read by others: chmod 600 makes it private\n"
KEYS = [(32, 0o600, ""), (32, 0o400, ""), (31, 0o600, SHORT), (0, 0o600, SHORT), (64, 0o640, SHARED),
        (64, 0o604, SHARED), (31, 0o644, SHORT + SHARED), (64, 0o622, "")]
EACH_KEY = pytest.mark.parametrize("size, mode, said", KEYS, ids=[f"{size} bytes, {mode:o}" for size, mode, _ in KEYS])


def ask(ours, place, program, key):
    daemons = ["-d", "-s", f"{place}/socket"] if program == "spiped" else []
    return run(getattr(ours, program), "--check", *daemons, "-t", f"{place}/target", "-k", key)


@pytest.fixture
def some_key(place, key):
    def make(size, mode):
        with open(key, "wb") as file:
            file.write(os.urandom(size))
        os.chmod(key, mode)
        return key
    return make


@EACH_KEY
@pytest.mark.parametrize("program", ["spiped", "spipe"])
def test_check_warns_of_a_weak_key(ours, place, some_key, program, size, mode, said):
    key = some_key(size, mode)
    expected = said.format(program=program, key=key, bytes=size)
    assert ask(ours, place, program, key) == (0, f"{program}: everything is there to start\n", expected)


@EACH_KEY
def test_spipe_warns_of_no_key_when_it_starts(ours, place, some_key, size, mode, said):
    key = some_key(size, mode)
    assert run(ours.spipe, "-t", f"{place}/nobody", "-k", key) == (1, "", "spipe: Could not connect\n")


@EACH_KEY
def test_a_daemon_warns_once_of_a_weak_key_and_goes_on(network, launch, ours, some_key, size, mode, said):
    key = some_key(size, mode)
    door = Door(network, launch, ours, key)
    door.process.line(" start ")
    door.serves()
    door.process.signal(signal.SIGHUP)
    door.serves()
    warnings = [line + "\n" for line in door.process.lines if "warning" in line]
    assert "".join(warnings) == said.format(program="spiped", key=key, bytes=size)


def test_a_daemon_in_the_background_warns_before_its_parent_has_gone(network, launch, ours, some_key, place):
    key = some_key(31, 0o644)
    daemon = background(launch, ours, place, "-e", network.address(), network.address(), key)
    assert (daemon.status, daemon.errors) == (0, (SHORT + SHARED).format(program="spiped", key=key, bytes=31))
    assert daemon.is_running()
