"""--check: every cause why a program would not start, all at once, and nothing is changed by asking."""
import os
import shutil
import socket
import subprocess
import time

import pytest
from daemons import Door, hosts, needs_root, network_of_its_own
from network import FAMILIES, IPV4, UNIX, Address
from programs import run

READY = "spiped: everything is there to start\n"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
FULL = 'mount -t tmpfs -o size=4k full "$0" && head -c 4096 /dev/zero >"$0/fill" && exec "$@"'
READ_ONLY = 'mount -t tmpfs -o ro none "$0" && exec "$@"'


class Options:
    """A command line that is fine, of which a test changes some; {place} in a value is the test's folder."""

    def __init__(self, network, place, key):
        self.place = place
        self.fine = {"-s": network.address(), "-t": network.address(), "-k": key, "-p": f"{place}/pid"}

    def fill(self, text):
        return str(text).replace("{place}", self.place)

    def but(self, *flags, role="-d", **changed):
        """but("-F", t="other:25", source_mode="0600")"""
        if "source_owner" in changed:
            changed = {"s": f"{self.place}/source", **changed}
        words = {("-" if len(name) == 1 else "--") + name.replace("_", "-"): value for name, value in changed.items()}
        return [role, *flags, *(self.fill(word) for pair in {**self.fine, **words}.items() for word in pair)]


@pytest.fixture
def options(network, place, key):
    return Options(network, place, key)


@pytest.fixture
def check(ours):
    return lambda options, under=(), **how: run(*under, ours.spiped, "--check", *options, **how)


@pytest.fixture
def corners(place, key):
    """What a wrong path may lead to."""
    os.mkdir(f"{place}/shut", 0o700)
    shutil.copy(key, f"{place}/shut/key")
    shutil.copy(key, f"{place}/closed")
    os.chmod(f"{place}/closed", 0o600)
    os.symlink(f"{place}/missing/file", f"{place}/dangling")
    for name in ("fifo", "file"):
        (os.mkfifo if name == "fifo" else os.mknod)(f"{place}/{name}", 0o600)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(f"{place}/stale")
    return place


# Each cause; a start says the same

LONG_PATH = "/" + "a" * 107
MALFORMED = {
    "127.0.0.1": "Address must contain port number: 127.0.0.1",
    "": "Address must contain port number: ",
    ":25": "Address must contain a host: :25",
    "[127.0.0.1:25": "Invalid [IP address]: [127.0.0.1",
    "[::g]:25": "Error parsing IP address: ::g",
    "[::1]:smtp": "Invalid port number: smtp",
    "[::1]:65536": "Invalid port number: 65536",
    "localhost:nosuchport": "Error looking up localhost: Servname not supported for ai_socktype",
    "nohost.invalid:25": None,
    "[fe80::1%nosuch]:25": "Error looking up fe80::1%nosuch: No such device",
    LONG_PATH: f"socket path too long: {LONG_PATH}",
}
IDENTITIES = {
    "nosuchuser": "No such user: nosuchuser",
    "nosuchuser:root": "No such user: nosuchuser",
    "root:nosuchgroup": "No such group: nosuchgroup",
    ":nosuchgroup": "No such group: nosuchgroup",
    "root:": 'Empty group name: "root:"',
    "": "Empty user name",
}
CAUSES = [
    ("k", "{place}/missing", "Cannot open file: {place}/missing: No such file or directory"),
    ("k", "{place}/missing/key", "Cannot open file: {place}/missing/key: No such file or directory"),
    ("k", "{place}/file/key", "Cannot open file: {place}/file/key: Not a directory"),
    ("k", "{place}/dangling", "Cannot open file: {place}/dangling: No such file or directory"),
    ("k", "{place}/stale", "Cannot open file: {place}/stale: No such device or address"),
    *((option, text, complaint) for option in "stb" for text, complaint in MALFORMED.items()
      if (option, text) not in (("b", "127.0.0.1"), ("b", ""))),
    ("b", "", "Address must contain a host: "),
    ("s", "[203.0.113.1]:8025", "Error binding to [203.0.113.1]:8025: Cannot assign requested address"),
    ("s", "{place}/missing/socket", "Error binding to {place}/missing/socket: No such file or directory"),
    ("s", "{place}/file/socket", "Error binding to {place}/file/socket: Not a directory"),
    *((option, text, complaint) for option in ("u", "source_owner") for text, complaint in IDENTITIES.items()),
    ("p", "{place}/missing/pid", "Cannot write pidfile: {place}/missing/pid: No such file or directory"),
    ("p", "{place}/file/pid", "Cannot write pidfile: {place}/file/pid: Not a directory"),
    ("p", "{place}", "Cannot write pidfile: {place}: Is a directory"),
    ("p", "", "Cannot write pidfile: : No such file or directory"),
]


def names(cases):
    return [f"-{option} {value[:30]}" for option, value, _ in cases]


@pytest.mark.parametrize("option, value, complaint", CAUSES, ids=names(CAUSES))
def test_each_cause_is_told_as_a_start_tells_it(ours, options, check, corners, option, value, complaint):
    words = options.but(**{option: value})
    status, output, errors = check(words)
    assert (status, output) == (1, "")
    if complaint is None:
        assert errors.startswith("spiped: Error looking up nohost.invalid: ") and errors.count("\n") == 1
    else:
        assert errors == f"spiped: {options.fill(complaint)}\n"
    assert run(ours.spiped, *words) == (1, "", errors)


@pytest.mark.parametrize("what", ["file", "fifo", "dangling", "shut"])
def test_a_path_that_no_running_one_can_hold_is_a_cause(options, check, corners, what):
    where = f"{corners}/{what}"
    assert check(options.but(s=where)) == (1, "", f"spiped: Error binding to {where}: File exists\n")


UNPRIVILEGED = [
    ("k", "{place}/closed", "Cannot open file: {place}/closed: Permission denied"),
    ("k", "{place}/shut/key", "Cannot open file: {place}/shut/key: Permission denied"),
    ("k", "{place}/fifo", "Cannot open file: {place}/fifo: Permission denied"),
    ("s", "[127.0.0.1]:25", "Error binding to [127.0.0.1]:25: Permission denied"),
    ("s", "{place}/socket", "Error binding to {place}/socket: Permission denied"),
    ("s", "{place}/shut/socket", "Error binding to {place}/shut/socket: Permission denied"),
    ("p", "{place}/pid", "Cannot write pidfile: {place}/pid: Permission denied"),
    ("p", "{place}/shut/pid", "Cannot write pidfile: {place}/shut/pid: Permission denied"),
    ("p", "{place}/file", "Cannot write pidfile: {place}/file: Permission denied"),
]


@pytest.fixture
def anyones(place, ours, options):
    """For a user who is nobody: our program and a key where he can read them, a folder to write into."""
    program = shutil.copy(ours.spiped, f"{place}/spiped")
    os.chmod(options.fine["-k"], 0o644)
    os.mkdir(f"{place}/open")
    os.chown(f"{place}/open", 65534, 65534)
    os.chown(options.fine["-k"], 65534, 65534)
    os.chmod(options.fine["-k"], 0o600)
    options.fine["-p"] = f"{place}/open/pid"
    return program


@needs_root
@pytest.mark.parametrize("option, value, complaint", UNPRIVILEGED, ids=names(UNPRIVILEGED))
def test_what_an_unprivileged_user_may_not(options, corners, anyones, option, value, complaint):
    words, complaint = options.but(**{option: value}), f"spiped: {options.fill(complaint)}\n"
    with network_of_its_own():  # where ports under 1024 are the system's, whatever this machine says
        assert run(*NOBODY, anyones, "--check", *words) == (1, "", complaint)
        assert run(*NOBODY, anyones, *words) == (1, "", complaint)


@needs_root
def test_whom_an_unprivileged_user_cannot_become(options, anyones):
    ask = [*NOBODY, anyones, "--check"]
    assert run(*ask, *options.but(u="root")) == (1, "", "spiped: Failed to drop privileges: Operation not permitted\n")
    assert run(*ask, *options.but(u=":root")) == (1, "", "spiped: Failed to drop privileges: Operation not permitted\n")
    assert run(*ask, *options.but(u="65534:65534")) == (0, READY, "")
    assert run(anyones, "--check", *options.but(u="nobody")) == (0, READY, "")


@needs_root
@pytest.mark.parametrize("owner", ["root", ":root", "65534:0", "0:65534"])
def test_to_whom_an_unprivileged_user_cannot_give_a_socket(options, anyones, place, owner):
    words = options.but(s=f"{place}/open/socket", source_owner=owner)
    complaint = f"spiped: Error setting the owner of {place}/open/socket: Operation not permitted\n"
    assert run(*NOBODY, anyones, *words) == (1, "", complaint)
    assert run(*NOBODY, anyones, "--check", *words) == (1, "", complaint)
    assert run(anyones, "--check", *words) == (0, READY, "")
    own = options.but(s=f"{place}/open/socket", source_owner="65534:65534")
    assert run(*NOBODY, anyones, "--check", *own) == (0, READY, "")


@needs_root
@pytest.mark.parametrize("mount, reason", [(FULL, "No space left on device"), (READ_ONLY, "Read-only file system")],
                         ids=["full", "read-only"])
def test_a_disk_that_takes_no_pidfile(ours, options, check, place, mount, reason):
    os.mkdir(f"{place}/disk")
    under, words = ("unshare", "-m", "sh", "-c", mount, f"{place}/disk"), options.but(p="{place}/disk/pid")
    complaint = f"spiped: Cannot write pidfile: {place}/disk/pid: {reason}\n"
    assert check(words, under) == (1, "", complaint)
    assert run(*under, ours.spiped, *words) == (1, "", complaint)


def test_too_few_descriptors(options, check):
    under = ("prlimit", "--nofile=10:10")
    status, output, errors = check(options.but(), under)
    assert (status, output) == (1, "")
    assert errors == "spiped: the limit of 10 open files is too low to serve even one connection (ulimit -n)\n"


# All at once

def test_all_causes_at_once(options, check, corners):
    words = options.but(s="{place}/missing/socket", t="[::1", b="[::g]:25", k="{place}/no-key", u="nosuchuser",
                        source_owner=":nosuchgroup", p="{place}/missing/pid")
    status, output, errors = check(words, ("prlimit", "--nofile=10:10"))
    assert (status, output) == (1, "")
    assert sorted(errors.splitlines()) == sorted(f"spiped: {options.fill(line)}" for line in (
        "Error binding to {place}/missing/socket: No such file or directory",
        "Invalid [IP address]: [:",
        "Error parsing IP address: ::g",
        "Cannot open file: {place}/no-key: No such file or directory",
        "No such user: nosuchuser",
        "No such group: nosuchgroup",
        "Cannot write pidfile: {place}/missing/pid: No such file or directory",
        "the limit of 10 open files is too low to serve even one connection (ulimit -n)"))


# What is no cause

IN_USE = "spiped: warning: Error binding to {}: Address already in use (is it the running spiped?)\n"


@pytest.mark.parametrize("flags", ["-F", "-D", "-D -F -g", "-j -f --syslog", "-n 0 -o 0.5 -r 7", "-R --workers 3",
                                   "--max-handshakes 5 --log-level debug", "-DFj"])
@pytest.mark.parametrize("role", ["-d", "-e"])
def test_any_set_of_options(options, check, role, flags):
    assert check(options.but(*flags.split(), role=role, b="[127.0.0.1]")) == (0, READY, "")


def test_with_F_there_is_no_pidfile_that_could_not_be_written(options, check):
    assert check(options.but("-F", p="{place}/missing/pid")) == (0, READY, "")


@pytest.mark.parametrize("option", ["s", "t", "b"])
def test_with_D_a_name_that_does_not_resolve_yet_is_a_warning(options, check, option):
    status, output, errors = check(options.but("-D", **{option: "nohost.invalid:25"}))
    assert (status, output) == (0, READY)
    assert errors.startswith("spiped: warning: Error looking up nohost.invalid: ") and errors.count("\n") == 1
    assert check(options.but("-D", **{option: "[::1"}))[0] == 1
    assert check(options.but("-D", **{option: "localhost:nosuchport"}))[0] == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_an_address_in_use_is_a_warning_and_the_running_one_notices_nothing(
        network, launch, ours, options, check, key, place, family):
    door = Door(network, launch, ours, key)
    source = network.address(family)
    running = launch.daemon(ours, "-e", source, door.source, key)
    running.line(" start ")
    before = list(running.lines)
    warning = IN_USE.format(source)
    assert check(options.but(s=source)) == (0, READY, warning)
    assert check(options.but(s=source, k="{place}/missing")) == (
        1, "", f"{warning}spiped: Cannot open file: {place}/missing: No such file or directory\n")
    network.connect(source)
    running.line(" open ")
    assert [line for line in running.lines if " open " not in line] == before


@needs_root
def test_one_address_of_several_that_can_be_bound_is_enough(options, check, network, place):
    port = network.ports.pick()
    words = options.but(s=f"many.test:{port}")
    assert check(words, hosts(place, {"many.test": ["203.0.113.1", "127.0.0.2"]})) == (0, READY, "")
    assert check(words, hosts(place, {"many.test": ["203.0.113.1", "203.0.113.2"]})) == (
        1, "", f"spiped: Error binding to many.test:{port}: Cannot assign requested address\n")
    network.listen(Address(IPV4, "", ("127.0.0.2", port)))
    for addresses in (["127.0.0.2", "203.0.113.98"], ["203.0.113.98", "127.0.0.2"]):
        assert check(words, hosts(place, {"many.test": addresses})) == (0, READY, IN_USE.format(f"many.test:{port}"))


def test_an_answer_that_cannot_be_written_is_not_0(options, ours):
    with open("/dev/full", "wb") as full:
        assert subprocess.run([ours.spiped, "--check", *options.but()], stdout=full, check=False).returncode == 1


# Nothing is changed

def ages(place):
    """Everything in a folder, and itself, looks long unread."""
    paths = [place, *(os.path.join(place, name) for name in os.listdir(place))]
    for path in paths:
        os.utime(path, (10000, time.time()), follow_symlinks=False)
    return {path: state(path) for path in paths}


def state(path):
    found = os.lstat(path)
    return (found.st_ino, found.st_mode, found.st_uid, found.st_size, found.st_atime_ns, found.st_mtime_ns,
            found.st_ctime_ns)


def unchanged(place, before):
    assert {path: state(path) for path in before} == before
    assert sorted(os.path.join(place, name) for name in os.listdir(place)) == sorted(set(before) - {place})


@pytest.mark.parametrize("flags", [(), ("-F",), ("-D",)], ids=" ".join)
@pytest.mark.parametrize("source", ["tcp", "new", "stale", "running", "file"])
def test_nothing_is_changed(network, launch, ours, options, check, corners, key, source, flags):
    where = options.fine["-s"] if source == "tcp" else f"{corners}/{source}"
    if source == "running":
        running = network.listen(Address(UNIX, where, where))
    before = ages(corners)
    status, _, _ = check(options.but(*flags, s=where, source_mode="0600", source_owner=f":{os.getgid()}"), cwd=corners)
    assert status == (source == "file")
    unchanged(corners, before)
    if source == "tcp":
        assert not where.is_listened_on()
    if source == "running":
        assert not running.has_a_visitor()


@pytest.mark.parametrize("pidfile", ["there", "missing/pid", "stale", "file"])
def test_no_pidfile_is_made_or_touched(options, check, corners, pidfile):
    with open(f"{corners}/there", "w", encoding="ascii") as file:
        file.write("4711")
    before = ages(corners)
    check(options.but(p=f"{corners}/{pidfile}"))
    unchanged(corners, before)


def test_nothing_is_connected_to(network, ours, options, check):
    target = network.listen()
    assert check(options.but(t=target.address))[0] == 0
    assert run(ours.spipe, "--check", "-t", target.address, "-k", options.fine["-k"])[0] == 0
    assert not target.has_a_visitor()


# Nothing is read that can be read once only

PROGRAMS = pytest.mark.parametrize("program", ["spiped", "spipe"])


def ask(ours, options, program, key, **how):
    words = options.but(k=key) if program == "spiped" else ["-t", options.fine["-t"], "-k", key]
    return run(getattr(ours, program), "--check", *words, **how)


@PROGRAMS
def test_a_fifo_that_nobody_writes_to_does_not_hang_it(ours, options, corners, program):
    assert ask(ours, options, program, f"{corners}/fifo", patience=5) == (0, READY.replace("spiped", program), "")


@PROGRAMS
def test_a_key_in_a_fifo_stays_there(ours, options, corners, program):
    fifo = os.open(f"{corners}/fifo", os.O_RDWR | os.O_NONBLOCK)
    os.write(fifo, b"the key")
    assert ask(ours, options, program, f"{corners}/fifo") == (0, READY.replace("spiped", program), "")
    assert os.read(fifo, 100) == b"the key"
    os.close(fifo)


@PROGRAMS
@pytest.mark.parametrize("where", ["-", "{place}/key", "/dev/stdin"])
def test_standard_input_stays_untouched(ours, options, where, program, place):
    reads, writes = os.pipe()
    os.write(writes, b"the key")
    assert ask(ours, options, program, options.fill(where), stdin=reads) == (0, READY.replace("spiped", program), "")
    os.close(writes)
    assert os.read(reads, 100) == b"the key"
    os.close(reads)
    with open(f"{place}/key", "rb") as file:
        assert ask(ours, options, program, "-", stdin=file)[0] == 0
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0


# spipe

FOLDER = "-k {place}: a folder of keys is for -d; this end has one key: name its file"
SPIPE_CAUSES = [*(case for case in CAUSES if case[0] in "ktb" and "nosuchport" not in case[1]), ("k", "{place}", FOLDER)]


@pytest.mark.parametrize("option, value, complaint", SPIPE_CAUSES, ids=names(SPIPE_CAUSES))
def test_spipe_each_cause(ours, options, corners, key, option, value, complaint):
    words = {"-t": options.fine["-t"], "-k": key, "-" + option: options.fill(value)}
    arguments = [word for pair in words.items() for word in pair]
    status, output, errors = run(ours.spipe, "--check", *arguments)
    assert (status, output) == (1, "")
    if complaint is None:
        assert errors.startswith("spipe: Error looking up nohost.invalid: ") and errors.count("\n") == 1
    else:
        assert errors == f"spipe: {options.fill(complaint)}\n"
    assert run(ours.spipe, *arguments) == (1, "", errors)


def test_spipe_all_causes_at_once(ours, place):
    status, output, errors = run(ours.spipe, "--check", "-t", "[::1", "-b", "[::g]:1", "-k", f"{place}/missing")
    assert (status, output) == (1, "")
    assert sorted(errors.splitlines()) == sorted((
        "spipe: Invalid [IP address]: [:", "spipe: Error parsing IP address: ::g",
        f"spipe: Cannot open file: {place}/missing: No such file or directory"))
