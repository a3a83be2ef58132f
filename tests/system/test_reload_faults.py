"""What goes wrong when keys are read again: what stays in force, the one line about it, and that a removal is taken all the same."""
import errno
import os
import re
import signal
import subprocess

import pytest
from conftest import write_key
from daemons import secret_of
from keys import MEMBERS, Folder, KeyDoor, write
from network import until
from programs import ROOT

BEFORE = pytest.mark.parametrize("before", ["known", "new"])


def is_shut(path):
    write(path, os.urandom(64))
    os.chmod(path, 0)


FAULTS = {**MEMBERS, "unreadable": (is_shut, "Permission denied")}


class Fault:
    """A server with x (where it is known before), mail and last."""

    def __init__(self, network, launch, ours, place, before):
        self.folder = Folder(f"{place}/keys", "last", "mail", "x")
        self.is_known = before == "known"
        if not self.is_known:
            self.folder.remove("x")
        self.start = lambda *options, **how: KeyDoor(network, launch, ours, self.folder, *options, **how)
        self.server, self.seen = None, 0

    def begins(self, *options, **how):
        self.server = self.start(*options, **how)
        self.seen = len(self.server.process.lines)
        return self

    def takes(self, pattern):
        """All that a reading says of which one line is like this."""
        self.server.process.signal(signal.SIGHUP)
        return until(lambda: self.reading_with(pattern), f"a reading says {pattern}")

    def reading_with(self, pattern):
        found = []
        for line in self.server.process.lines[self.seen:]:
            words = re.search(r" keys (.*?)(?: dropped=\d+)?$", line)
            found += [words.group(1)] if words else []
            if words and words.group(1).startswith("count="):
                if any(re.search(pattern, one) for one in found):
                    return found
                found = []
        return None

    def serves(self, *names):
        assert [self.server.serves(self.folder.secrets[name]) for name in names] == list(names)

    def refuses(self, *names):
        for name in names:
            self.server.refuses(self.folder.secrets[name])

    def removals_are_taken(self, problem):
        """Of another key, with the fault still there; and of what is faulty."""
        self.folder.remove("mail")
        assert self.takes("removed=mail") == [*problem, "removed=mail", f"count={1 + self.is_known}"]
        self.refuses("mail")
        self.serves("last", *["x"] * self.is_known)
        if os.path.isdir(self.folder.at("x")):
            os.rmdir(self.folder.at("x"))
        else:
            self.folder.remove("x")
        if self.is_known:
            assert self.takes("removed=x") == ["removed=x", "count=1"]
        else:
            assert self.takes("count=1")
        self.refuses("x")
        self.serves("last")


@pytest.fixture
def fault(network, launch, ours, place, before):
    return Fault(network, launch, ours, place, before)


def stays(fault):
    return "its key stays as it was" if fault.is_known else "it is passed over"


@BEFORE
@pytest.mark.parametrize("what", FAULTS)
def test_a_file_that_cannot_be_read(fault, what):
    make, problem = FAULTS[what]
    fault.begins(*["--no-sandbox"] * (what == "device"))  # else it is out of reach
    if fault.is_known:
        os.unlink(fault.folder.at("x"))
    make(fault.folder.at("x"))
    if (what, fault.is_known) == ("dangling", True):  # it is not there any more
        assert fault.takes("removed=x") == ["removed=x", "count=2"]
        fault.refuses("x")
        return
    line = [f'problem="{fault.folder.at("x")}: {problem}: {stays(fault)}"']
    assert fault.takes("problem") == [*line, f"count={2 + fault.is_known}"]
    fault.serves("last", "mail", *["x"] * fault.is_known)
    fault.removals_are_taken(line)


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("faults") / "key_faults.so")
    source = os.path.join(ROOT, "tests/system/key_faults.c")
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-Wall", "-Werror", "-o", path, source], check=True)
    return path


@BEFORE
@pytest.mark.parametrize("error, problem", [
    (errno.EIO, "Input/output error"), (errno.ESTALE, "Stale file handle"), (errno.ENOENT, None)], ids=str)
def test_a_file_that_fails_or_is_removed_during_the_read(fault, ours, library, error, problem):
    """Where it is listed still and not to be had any more."""
    if ours.is_sanitized():
        pytest.skip("a sanitizer wants to be preloaded first itself")
    env = {**os.environ, "LD_PRELOAD": library, "KEY_FAULT": str(error), "KEY_FAULT_PATH": fault.folder.at("x"),
           "KEY_FAULT_FROM": str(1 + fault.is_known)}
    fault.begins(env=env)
    if not fault.is_known:
        fault.folder.add("x")
    if problem:
        line = [f'problem="{fault.folder.at("x")}: {problem}: {stays(fault)}"']
        assert fault.takes("problem") == [*line, f"count={2 + fault.is_known}"]
        fault.serves("last", "mail", *["x"] * fault.is_known)
        fault.removals_are_taken(line)
        return
    assert fault.takes("count=2") == ["removed=x"] * fault.is_known + ["count=2"]
    fault.refuses("x")
    fault.serves("last", "mail")


def test_a_signal_while_they_are_read_is_not_lost(network, launch, ours, place, key, library):
    """What is read comes from the file that was there; who has replaced it meanwhile, and said so, wants that one taken."""
    if ours.is_sanitized():
        pytest.skip("a sanitizer wants to be preloaded first itself")
    env = {**os.environ, "LD_PRELOAD": library, "KEY_FAULT": "0", "KEY_FAULT_PATH": key, "KEY_FAULT_FROM": "2"}
    server = KeyDoor(network, launch, ours, key, env=env)
    old, files = secret_of(key), f"/proc/{server.process.pid}/fd"
    server.process.signal(signal.SIGHUP)
    until(lambda: key in [os.readlink(f"{files}/{name}") for name in os.listdir(files)
                          if os.path.lexists(f"{files}/{name}")], "it is being read")
    os.rename(write_key(place, "next"), key)
    server.process.signal(signal.SIGHUP)
    server.process.line(" keys count=1$", 2)
    assert server.process.count(" keys changed=key$") == 1
    server.refuses(old)
    assert server.serves(secret_of(key)) == "key"


@pytest.mark.parametrize("before", ["known"])
def test_ten_thousand_files(fault):
    """Those that were known stay, wherever they stand; of the others as many as there is room for are taken."""
    fault.begins()
    for number in range(10000):
        write(fault.folder.at(f"a-{number:05}"), b"%32d" % number)
    fault.folder.add("zoo")
    says = fault.takes(f"{10000 + 4 - 4096} are passed over")
    # It may have been read before; of thousands of lines at once the log leaves some out, the end of that reading too.
    assert [one for one in says if not one.startswith("added=")][-2:] == [
        f'problem="{fault.folder} has more than 4096 keys: {10000 + 4 - 4096} are passed over"', "count=4096"]
    fault.serves("last", "mail", "x")
    fault.refuses("zoo")
    fault.folder.remove("mail")
    assert [one for one in fault.takes("removed=mail") if "added" not in one][1:] == ["removed=mail", "count=4096"]
    fault.refuses("mail")


@BEFORE
@pytest.mark.parametrize("name", ["a b", "ü", "a\nb", '"', ".x", "\x1b[31m", "-" * 64])
def test_a_name_with_odd_characters(fault, name):
    """It is no key's: of what was called x before nothing is left."""
    fault.begins()
    odd = f"{fault.folder}/{name}.key"
    if fault.is_known:
        os.rename(fault.folder.at("x"), odd)
    else:
        write(odd, os.urandom(64))
    says = fault.takes("removed=x" if fault.is_known else "count=2")
    problem, changes = says[:-1 - fault.is_known], says[-1 - fault.is_known:]
    assert changes == ["removed=x"] * fault.is_known + ["count=2"]
    assert len(problem) == (name != ".x") and all("is passed over" in line for line in problem)
    assert all(character.isprintable() for line in fault.server.process.lines for character in line)
    fault.refuses("x")
    fault.serves("last", "mail")
    fault.folder.remove("mail")
    assert fault.takes("removed=mail") == [*problem, "removed=mail", "count=1"]
    fault.refuses("mail")


@BEFORE
@pytest.mark.parametrize("what", ["unreadable", "gone", "a file"])
def test_a_folder_that_cannot_be_read(fault, what):
    fault.begins()
    path, aside = fault.folder.path, f"{fault.folder.path}-aside"
    if not fault.is_known:
        fault.folder.add("x")
    if what == "unreadable":
        os.chmod(path, 0)
    else:
        os.rename(path, aside)
    if what == "a file":
        write(path, os.urandom(64))
    problem = {"unreadable": "Permission denied", "gone": "No such file or directory", "a file": "Not a directory"}[what]
    assert fault.takes("problem") == [f'problem="{path}: {problem}: its keys stay as they were"', f"count={2 + fault.is_known}"]
    fault.serves("last", "mail", *["x"] * fault.is_known)
    if not fault.is_known:
        fault.refuses("x")
    if what == "unreadable":
        os.chmod(path, 0o700)
    else:
        if what == "a file":
            os.unlink(path)
        os.rename(aside, path)
    fault.folder.remove("mail")
    fault.takes("removed=mail")
    fault.refuses("mail")
    fault.serves("last", "x")


@BEFORE
@pytest.mark.parametrize("how", ["SIGHUP", "watched"])
def test_the_last_key_removed(fault, how):
    fault.begins()
    fault.folder.remove("last", "mail", *["x"] * fault.is_known)
    says = fault.takes("count=0") if how == "SIGHUP" else until(lambda: fault.reading_with("count=0"), "it is seen")
    removed = [f"removed={name}" for name in ("last", "mail", *["x"] * fault.is_known)]
    assert says == [*removed, f'problem="there is no key in {fault.folder}: everyone is refused"', "count=0"]
    fault.refuses("last", "mail", "x")
    fault.folder.add("x")
    assert fault.takes("added=x") == ["added=x", "count=1"]
    fault.serves("x")


def test_a_folder_that_cannot_be_watched_is_told_of_once(network, launch, ours, place):
    """What it stands in is closed, opens, and closes again."""
    above = f"{place}/above"
    os.mkdir(above)
    server = KeyDoor(network, launch, ours, Folder(f"{above}/keys", "mail"))
    lines = lambda word: server.process.count(f" keys {word}=")

    def read_again():
        before = lines("count")
        server.process.signal(signal.SIGHUP)
        until(lambda: lines("count") > before, "they are read again")

    for times in (1, 2):
        os.chmod(above, 0o300)
        read_again()
        until(lambda: lines("watched") >= times, "it is told")  # noqa: B023
        read_again()
        assert lines("watched") == times
        os.chmod(above, 0o700)
        read_again()
    server.process.line(' keys watched=no reload="by SIGHUP only"$')
