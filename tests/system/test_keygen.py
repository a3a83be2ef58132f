"""spiped-keygen: a new key file, whole, private and on the disk, or none; and never in the place of another."""
import os
import pty
import re
import shutil
import stat
import subprocess

import pytest
from daemons import Pair, needs_root
from network import read_exactly
from programs import run

LENGTH = 32
FULL = ('mount -t tmpfs -o size=4k full "$0" && head -c 4096 /dev/zero >"$0/fill" && "$@"; status=$?; '
        'ls -A "$0"; exit $status')

def contents(path):
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture
def keygen(ours):
    return lambda *arguments, under=(), **how: run(*under, ours.keygen, *arguments, **how)


@pytest.fixture
def keygen_bytes(ours):
    """(exit status, the bytes on standard output)"""
    def make(*arguments):
        done = subprocess.run([ours.keygen, *arguments], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout
    return make


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777], ids=oct)
def test_32_bytes_that_only_the_owner_may_read_whatever_the_umask(keygen, place, umask):
    path = f"{place}/new"
    assert keygen(path, umask=umask) == (0, "", "")
    assert len(contents(path)) == LENGTH and os.listdir(place) == ["new"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and os.stat(path).st_uid == os.geteuid()


def test_no_two_keys_are_the_same(keygen, keygen_bytes, place):
    keys = set()
    for number in range(5):
        assert keygen(f"{place}/{number}")[0] == 0
        keys |= {contents(f"{place}/{number}"), keygen_bytes("-")[1]}
    assert len(keys) == 10 and all(len(set(key)) > 8 for key in keys)
    assert all(len(set(position)) > 1 for position in zip(*keys))  # no byte is left as it was


@pytest.mark.parametrize("name", ["new", "./new", "sub/new", "./-", " new", "-x"])
def test_a_name_of_any_kind(keygen, place, name):
    os.mkdir(f"{place}/sub")
    assert keygen(*["--"] * name.startswith("-"), name, cwd=place) == (0, "", "")
    assert len(contents(f"{place}/{name}")) == LENGTH


def test_a_key_takes_bytes_through_a_pair_and_no_program_complains_of_it(network, launch, ours, keygen, place):
    assert keygen(f"{place}/made") == (0, "", "")
    pair = Pair(network, launch, ours, f"{place}/made")
    near, far = pair.open()
    near.sendall(b"there")
    assert read_exactly(far, 5) == b"there"
    far.sendall(b"and back")
    assert read_exactly(near, 8) == b"and back"
    assert not pair.encrypt.count("warning") and not pair.decrypt.count("warning")
    assert run(ours.spipe, "--check", "-t", pair.source, "-k", f"{place}/made")[::2] == (0, "")


# Never in the place of another

@pytest.mark.parametrize("what", ["file", "empty", "folder", "link", "dangling", "fifo", "link to folder", "own"])
def test_nothing_that_is_there_is_touched(keygen, place, what):
    path, other = f"{place}/there", f"{place}/other"
    if what in ("file", "empty", "own"):
        assert what != "own" or keygen(path)[0] == 0
        with open(path, "ab") as file:
            file.write(b"precious" * (what == "file"))
    elif what == "folder":
        os.mkdir(path)
    elif what == "fifo":
        os.mkfifo(path)
    else:
        if what == "link":
            shutil.copy("/dev/null", other)
        elif what == "link to folder":
            os.mkdir(other)
        os.symlink(other, path)
    before = sorted(os.listdir(place)), os.lstat(path), os.path.isfile(path) and contents(path)
    assert keygen(path) == (1, "", f"spiped-keygen: Cannot create: {path}: File exists\n")
    after = sorted(os.listdir(place)), os.lstat(path), os.path.isfile(path) and contents(path)
    assert before[::2] == after[::2]
    assert before[1][:9:2] == after[1][:9:2] and before[1].st_mtime_ns == after[1].st_mtime_ns


def test_of_many_at_the_same_time_one_makes_it(launch, ours, place):
    path = f"{place}/contested"
    several = [launch.start(ours.keygen, path) for _ in range(8)]
    for process in several:
        process.may_die = True
    statuses = sorted(process.wait() for process in several)
    assert statuses == [0] + [1] * 7 and len(contents(path)) == LENGTH


# On the disk, or none

def traced(keygen, place, *options):
    """Under strace, with the options: (exit status, standard error, the calls)."""
    if not shutil.which("strace"):
        pytest.skip("no strace")
    log = f"{place}/calls"
    status, _, errors = keygen(f"{place}/new", under=("strace", "-qq", "-o", log, *options),
                               env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    with open(log, encoding="utf-8") as file:
        return status, errors, file.read()


def test_the_file_and_its_folder_are_synced_before_it_ends(keygen, place):
    status, errors, calls = traced(keygen, place)
    assert (status, errors) == (0, "")
    in_this_order = (rf'openat\(AT_FDCWD, "{place}/new", O_WRONLY\|O_CREAT\|O_EXCL[^,]*, 0600\) = (?P<file>\d+)\n',
                     r"fchmod\((?P=file), 0600\) += 0\n",
                     r"write\((?P=file), .*, 32\) += 32\n",
                     r"fsync\((?P=file)\) += 0\n",
                     rf'openat\(AT_FDCWD, "{place}", O_RDONLY[^)]*\) = (?P<folder>\d+)\n',
                     r"fsync\((?P=folder)\) += 0\n",
                     r"exit_group\(0\)")
    assert re.search(r"(?:.*\n)*?".join(in_this_order), calls), calls


FAULTS = {
    "fchmod:error=EPERM": "Operation not permitted",
    "fsync:error=EIO:when=1": "Input/output error",
    "fsync:error=EIO:when=2": "Input/output error",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_made_safe_is_not_left_there(keygen, place, fault):
    status, errors, calls = traced(keygen, place, "-e", f"inject={fault}")
    assert (status, errors) == (1, f"spiped-keygen: Cannot write: {place}/new: {FAULTS[fault]}\n")
    assert os.listdir(place) == ["calls"]
    assert calls.index("unlink(") < calls.index("Cannot write: ")


def test_a_folder_that_cannot_be_synced_at_all_is_no_trouble(keygen, place):
    """As on a file system that has no such thing."""
    assert traced(keygen, place, "-e", "inject=fsync:error=EINVAL:when=2")[:2] == (0, "")
    assert len(contents(f"{place}/new")) == LENGTH


@needs_root
def test_on_a_full_disk_no_part_of_a_file_stays(keygen, place):
    disk = f"{place}/disk"
    os.mkdir(disk)
    assert keygen(f"{disk}/new", under=("unshare", "-m", "sh", "-c", FULL, disk)) == (
        1, "fill\n", f"spiped-keygen: Cannot write: {disk}/new: No space left on device\n")


def test_where_only_a_part_fits_no_part_stays(keygen, place):
    # Python ignores the signal that would end it
    status, output, errors = keygen(f"{place}/new", under=("prlimit", "--fsize=16"), restore_signals=False)
    assert (status, output, errors) == (1, "", f"spiped-keygen: Cannot write: {place}/new: File too large\n")
    assert os.listdir(place) == []


@pytest.mark.parametrize("path, reason", [("missing/new", "No such file or directory"), ("file/new", "Not a directory"),
                                          ("", "No such file or directory"), ("n" * 256, "File name too long")])
def test_a_place_where_no_file_can_be(keygen, place, path, reason):
    os.mknod(f"{place}/file")
    assert keygen(path, cwd=place) == (1, "", f"spiped-keygen: Cannot create: {path}: {reason}\n")
    assert os.listdir(place) == ["file"]


# Standard output

def test_a_key_on_standard_output(ours, keygen_bytes, place):
    for arguments in (("-",), ("--", "-")):
        status, key = keygen_bytes(*arguments)
        assert (status, len(key)) == (0, LENGTH)
    with open(f"{place}/out", "wb") as file:
        assert subprocess.run([ours.keygen, "-"], stdout=file, check=False).returncode == 0
    assert len(contents(f"{place}/out")) == LENGTH and os.listdir(place) == ["out"]


@pytest.mark.parametrize("where, reason", [("/dev/full", "No space left on device"), (None, "Bad file descriptor")],
                         ids=["full", "closed"])
def test_standard_output_that_takes_nothing(ours, where, reason):
    redirect = f">{where}" if where else ">&-"
    assert run("sh", "-c", f'exec "$0" - {redirect}', ours.keygen) == (
        1, "", f"spiped-keygen: Cannot write: standard output: {reason}\n")


def test_no_key_goes_to_a_terminal(ours, launch):
    own, terminal = pty.openpty()
    process = launch.start(ours.keygen, "-", stdout=terminal)
    process.may_die = True
    assert process.wait() == 1
    assert process.errors() == ("spiped-keygen: A key is no text for a terminal: "
                                "spiped-keygen FILE, or spiped-keygen - > FILE\n")
    os.close(terminal)
    with pytest.raises(OSError):  # the terminal is gone, and nothing was said on it
        os.read(own, 100)
    os.close(own)


# The command line

USAGE = ("usage: spiped-keygen {FILE | -}\n       spiped-keygen -d DIR NAME\n       spiped-keygen --list DIR\n"
         "       spiped-keygen --revoke DIR NAME\n       spiped-keygen -v | --version | --help\n")


@pytest.mark.parametrize("arguments, line", [
    ([], ""),
    (["a", "b"], ""),
    (["-", "a"], ""),
    (["--"], ""),
    (["-x"], "spiped-keygen: illegal option -- -x\n"),
    (["-x", "a"], "spiped-keygen: illegal option -- -x\n"),
    (["--frob"], "spiped-keygen: illegal option -- --frob\n"),
    (["--force", "a"], "spiped-keygen: illegal option -- --force\n"),
    (["--help=a"], "spiped-keygen: illegal option -- --help\n"),
], ids=" ".join)
def test_a_wrong_command_line_is_told_how_it_goes_and_makes_nothing(keygen, place, arguments, line):
    assert keygen(*arguments, cwd=place) == (1, "", line + USAGE)
    assert os.listdir(place) == []


def test_help_and_version(keygen, ours, place):
    status, output, errors = keygen("--help", cwd=place)
    assert (status, errors) == (0, "") and output.startswith(USAGE) and "0600" in output
    version = run(ours.spiped, "--version")[1].splitlines()[0].split()[1]
    assert keygen("--version", cwd=place) == (0, f"spiped-keygen {version}\n", "")
    assert keygen("-v", cwd=place) == (0, "", f"spiped-keygen {version}\n")
    assert os.listdir(place) == []
