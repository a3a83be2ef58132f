"""Several keys on a server: where they may come from, whose name the log has, what is passed over and what is refused."""
import os
import shutil
import signal
import subprocess

import pytest
from conftest import write_key
from daemons import background, needs_root, secret_of
from keys import MEMBERS, Folder
from network import RESET, read_exactly
from programs import run

READY = "spiped: everything is there to start\n"
NAMES = ("laptop", "backup-host", "a", "Z.9_-", "n" * 63)
NO_FOLDER = "-k {}: a folder of keys is for -d; this end has one key: name its file"
PASSED_OVER = "{}/{} is passed over: a key's file is called NAME.key, of letters, digits and ._- and at most 63 of them"


@pytest.fixture
def start(network, ours, place):
    """A start and --check, of a spiped that has to be refused: both say the same, in one line."""
    def refuses(role, *keys, **how):
        words = [role, "-s", network.address(), "-t", network.address(), "-p", f"{place}/pid",
                 *(word for key in keys for word in ("-k", key))]
        started, checked = run(ours.spiped, *words, **how), run(ours.spiped, "--check", *words, **how)
        assert started == checked and started[:2] == (1, "") and started[2].count("\n") == 1, (started, checked)
        return started[2]
    return refuses


@pytest.fixture
def check(network, ours):
    def ask(*keys, role="-d", **how):
        return run(ours.spiped, "--check", role, "-s", network.address(), "-t", network.address(), "-F",
                   *(word for key in keys for word in ("-k", key)), **how)
    return ask


def said_by(door):
    """What its start had to say, without the program's name."""
    return [line.split(": warning: ", 1)[1] for line in door.process.lines if "spiped: warning: " in line]


def warnings_of(checked):
    """The same of --check, which may start."""
    status, output, errors = checked
    assert (status, output) == (0, READY)
    return [line.split(": warning: ", 1)[1] for line in errors.splitlines()]


# Names

def test_the_log_has_the_name_of_each_client(network, launch, ours, place, door):
    folder = Folder(f"{place}/keys", *NAMES)
    server = door(folder)
    assert server.process.count(rf" start .* keys={len(NAMES)} ")
    for name in NAMES:
        assert server.serves(folder.secrets[name]) == name
    server.refuses(bytes(32))
    assert server.process.line(r" refused peer=\S+ reason=wrong-key$")
    source = network.address()
    launch.daemon(ours, "-e", source, server.source, folder.at("laptop")).line(r" start .* key=laptop\.key ")


def test_a_file_alone_is_called_what_its_file_is(door, place, key):
    write_key(place, "with space")
    for path, name in ((key, "key"), (f"{place}/with space", "with_space")):
        server = door(path)
        assert server.process.count(f" start .* key={name} ") and server.serves(secret_of(path)) == name


def test_the_log_has_the_name_of_whoever_is_refused_after_the_key(network, launch, ours, folder):
    source = network.address()
    process = launch.daemon(ours, "-d", source, network.address(), folder)
    client = launch.client(ours, source, folder.at("mail"))
    process.line(r" refused peer=\S+ key=mail target=\S+ reason=connect ")
    client.popen.stdin.close()
    client.wait()


# What a folder has beside keys

MISTAKES = ("laptop", "laptop.pem", "a b.key", "ä.key", "n" * 64 + ".key", "x.KEY")
LEFTOVERS = ("mail.key~", "#mail.key#", ".mail.key.swp", ".hidden.key", "..data", ".key")


def test_one_line_for_what_looks_like_a_mistake_and_none_for_leftovers(door, check, place, folder):
    for name in LEFTOVERS:
        write_key(folder.path, name)
    os.mkdir(f"{folder.path}/.revoked")
    assert said_by(door(folder)) == warnings_of(check(folder)) == []
    for name in MISTAKES:
        write_key(folder.path, name)
        server = door(folder)
        expected = [PASSED_OVER.format(folder, name)]
        assert said_by(server) == warnings_of(check(folder)) == expected
        server.refuses(secret_of(f"{folder.path}/{name}"))
        assert server.serves(folder.secrets["mail"]) == "mail"
        os.unlink(f"{folder.path}/{name}")


def test_of_many_mistakes_a_few_are_named_and_the_rest_counted(door, check, folder):
    for number in range(10):
        write_key(folder.path, f"mistake-{number}")
    expected = [*(PASSED_OVER.format(folder, f"mistake-{number}") for number in range(4)), f"{folder}: 6 more are passed over"]
    assert said_by(door(folder)) == warnings_of(check(folder)) == expected


@pytest.mark.parametrize("what", MEMBERS)
def test_a_key_that_cannot_be_one_is_passed_over_and_the_others_serve(door, check, folder, what):
    make, problem = MEMBERS[what]
    make(folder.at("bad"))
    server = door(folder)
    assert said_by(server) == warnings_of(check(folder)) == [f"{folder.at('bad')}: {problem}: it is passed over"]
    assert [server.serves(folder.secrets[name]) for name in ("laptop", "mail")] == ["laptop", "mail"]


def test_a_key_that_others_may_read_is_warned_of(door, check, folder):
    os.chmod(folder.at("mail"), 0o644)
    expected = [f"key file {folder.at('mail')} can be read by others: chmod 600 makes it private"]
    assert said_by(door(folder)) == warnings_of(check(folder)) == expected


def test_an_empty_folder_refuses_everyone_and_says_so(door, check, place):
    folder = Folder(f"{place}/keys")
    expected = [f"there is no key in {folder}: everyone is refused"]
    server = door(folder)
    assert said_by(server) == warnings_of(check(folder)) == expected
    server.refuses(bytes(32))
    assert server.process.count(" start .* keys=0 ")


def test_a_folder_with_too_many_keys(door, check, folder):
    folder.add(*(f"x{number}" for number in range(4098)))
    assert said_by(door(folder)) == warnings_of(check(folder)) == [f"{folder} has more than 4096 keys: 4 are passed over"]


def test_two_names_with_the_same_key_are_warned_of(door, folder):
    shutil.copy(folder.at("mail"), folder.at("zoo"))
    server = door(folder)
    assert said_by(server) == ["mail and zoo are the same key: connections of both are called zoo"]
    assert server.serves(folder.secrets["mail"]) == "zoo"


# More than one -k

@pytest.mark.parametrize("first", ["new", "old"])
def test_the_server_takes_both_and_a_client_uses_the_first(network, launch, ours, place, door, first):
    paths = {name: write_key(place, name) for name in ("new", "old")}
    second = "old" if first == "new" else "new"
    both = (paths[first], "-k", paths[second])
    server = door(*both)
    assert [server.serves(secret_of(paths[name])) for name in ("new", "old")] == ["new", "old"]
    alone = door(paths[first])
    source = network.address()
    launch.daemon(ours, "-e", source, alone.source, *both)
    near = network.connect(source)
    near.sendall(b"there")
    assert read_exactly(alone.target.accept(), 5) == b"there"
    spipe = launch.client(ours, alone.source, *both)
    spipe.popen.stdin.write(b"there")
    assert read_exactly(alone.target.accept(), 5) == b"there"
    alone = door(paths[second])
    launch.daemon(ours, "-e", source := network.address(), alone.source, *both)
    assert network.heard(source) == (b"", RESET)


def test_folders_and_files_stand_beside_each_other(door, place, folder, key):
    other = Folder(f"{place}/other", "laptop", "extra")
    server = door(folder, "-k", key, "-k", other)
    names = [server.serves(secret) for secret in (*folder.secrets.values(), secret_of(key), *other.secrets.values())]
    assert names == ["laptop", "mail", "key", "laptop", "extra"]


@pytest.mark.parametrize("role", ["-d", "-e"])
def test_each_of_several_that_cannot_be_read_is_a_reason_not_to_start(start, place, key, role):
    complaint = f"spiped: Cannot open file: {place}/missing: No such file or directory\n"
    assert start(role, f"{place}/missing", key) == complaint
    if role == "-d":
        assert start(role, key, f"{place}/missing") == complaint


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_folder_is_no_key_for_an_end_that_connects(network, ours, start, folder, key, before):
    keys = [*[key] * before, folder]
    assert start("-e", *keys) == f"spiped: {NO_FOLDER.format(folder)}\n"
    for check in ((), ("--check", )):
        said = run(ours.spipe, *check, "-t", network.address(), *(word for path in keys for word in ("-k", path)))
        assert said == (1, "", f"spipe: {NO_FOLDER.format(folder)}\n")


def test_an_end_that_connects_reads_no_key_but_the_first(network, launch, ours, check, place, key):
    rest = ("-k", f"{place}/missing", "-k", "credential:none", "-k", "fd:99", "-k", f"{place}/fifo")
    os.mkfifo(f"{place}/fifo")
    launch.daemon(ours, "-e", network.address(), network.address(), key, *rest).line(" start ")
    assert warnings_of(check(key, *rest[1::2], role="-e")) == []
    assert run(ours.spipe, "-t", network.address(), "-k", key, *rest) == (1, "", "spipe: Could not connect\n")


def test_check_tells_each_cause_of_all_keys(check, place, key):
    none = {name: value for name, value in os.environ.items() if name != "CREDENTIALS_DIRECTORY"}
    status, output, errors = check("credential:x", f"{place}/missing", key, "fd:99", env=none)
    assert (status, output, errors.splitlines()) == (1, "", [
        "spiped: -k credential:x: there is no $CREDENTIALS_DIRECTORY (systemd sets it: LoadCredential=)",
        f"spiped: Cannot open file: {place}/missing: No such file or directory",
        "spiped: Error reading file: fd:99: Bad file descriptor"])


@needs_root
def test_a_folder_that_cannot_be_read_is_a_reason_not_to_start(network, ours, place, folder):
    program, who = shutil.copy(ours.spiped, place), ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    words = ("-d", "-s", network.address(), "-t", network.address(), "-k", folder, "-F")
    for check in ((), ("--check", )):
        assert run(*who, program, *check, *words) == (1, "", f"spiped: Cannot open file: {folder}: Permission denied\n")


# From other stores

def test_an_open_descriptor_is_a_key_and_is_closed_then(door, key):
    with open(key, "rb") as file:
        number = file.fileno()
        server = door(f"fd:{number}", pass_fds=[number])
    assert server.serves(secret_of(key)) == f"fd:{number}"
    assert number not in [int(name) for name in os.listdir(f"/proc/{server.process.pid}/fd")
                          if os.readlink(f"/proc/{server.process.pid}/fd/{name}") == key]
    server.process.signal(signal.SIGHUP)  # it cannot be read again, and does not have to
    server.process.line(" keys count=1$")
    assert server.serves(secret_of(key)) == f"fd:{number}" and server.problems() == []


@pytest.mark.parametrize("role", ["-d", "-e"])
@pytest.mark.parametrize("text, complaint", [
    ("fd:99", "Error reading file: fd:99: Bad file descriptor"),
    ("fd:x", "Cannot open file: fd:x: No such file or directory"),
    ("fd:", "Cannot open file: fd:: No such file or directory"),
    ("fd:-1", "Cannot open file: fd:-1: No such file or directory"),
    ("fd:3x", "Cannot open file: fd:3x: No such file or directory"),
    ("fd:99999999999999999999", "Cannot open file: fd:99999999999999999999: No such file or directory"),
])
def test_a_descriptor_that_is_none(start, role, text, complaint):
    assert start(role, text) == f"spiped: {complaint}\n"


@pytest.mark.parametrize("role", ["-d", "-e"])
def test_a_descriptor_that_cannot_be_read(start, place, role):
    for flags, complaint in ((os.O_DIRECTORY, "Is a directory"), (os.O_WRONLY | os.O_CREAT, "Bad file descriptor")):
        fd = os.open(place if flags == os.O_DIRECTORY else f"{place}/written", flags)
        assert start(role, f"fd:{fd}", pass_fds=[fd]) == f"spiped: Error reading file: fd:{fd}: {complaint}\n"
        assert start(role, "-", stdin=fd) == f"spiped: Error reading file: standard input: {complaint}\n"
        os.close(fd)


@pytest.mark.parametrize("role", ["-d", "-e"])
def test_nothing_from_a_descriptor_is_no_key(network, ours, start, place, key, role):
    """It is what a command leaves that has failed; whoever has an empty file would get in."""
    with open(f"{place}/empty", "wb+") as file:
        fd = file.fileno()
        assert start(role, f"fd:{fd}", pass_fds=[fd]) == f"spiped: Error reading file: fd:{fd}: No data available\n"
        if role == "-d":
            assert start(role, key, "-", stdin=file) == "spiped: Error reading file: standard input: No data available\n"
    reads, writes = os.pipe()
    os.close(writes)
    words = [role, "-s", network.address(), "-t", network.address(), "-k", f"fd:{reads}"]
    complaint = f"Error reading file: fd:{reads}: No data available\n"
    assert run(ours.spiped, *words, pass_fds=[reads]) == (1, "", f"spiped: {complaint}")
    assert run(ours.spipe, *words[3:], pass_fds=[reads]) == (1, "", f"spipe: {complaint}")
    os.close(reads)


@pytest.mark.parametrize("where", ["-", "/dev/stdin", "fd:0"])
def test_standard_input_is_a_key(door, key, where):
    reads, writes = os.pipe()
    with open(key, "rb") as file:
        os.write(writes, file.read())
    os.close(writes)
    server = door(where, stdin=reads)
    os.close(reads)
    name = {"-": "stdin", "/dev/stdin": "stdin"}.get(where, where)
    assert server.serves(secret_of(key)) == name
    server.process.signal(signal.SIGHUP)
    server.process.line(" keys count=1$")
    assert server.serves(secret_of(key)) == name and server.problems() == []


@pytest.mark.parametrize("sandbox", [(), ("--no-sandbox", )], ids=" ".join)
def test_a_fifo_is_read_once_and_holds_nobody_up(door, place, launch, key, sandbox):
    fifo = f"{place}/fifo"
    os.mkfifo(fifo)
    launch.start("sh", "-c", 'cat "$0" >"$1"; read x', key, fifo, stdin=subprocess.PIPE)
    server = door(fifo, *sandbox)
    server.process.signal(signal.SIGHUP)
    server.process.line(" keys count=1$")
    assert server.serves(secret_of(key)) == "fifo" and server.problems() == []
    server.process.may_die = True
    server.process.signal(signal.SIGTERM)
    assert server.process.wait() == 0


@pytest.mark.parametrize("role", ["-d", "-e"])
def test_a_credential(network, launch, ours, place, role, start, check):
    os.mkdir(f"{place}/credentials")
    write_key(f"{place}/credentials", "spiped")
    given = {**os.environ, "CREDENTIALS_DIRECTORY": f"{place}/credentials"}
    process = launch.daemon(ours, role, network.address(), network.address(), "credential:spiped", env=given)
    process.line(" start .* key=spiped ")
    assert warnings_of(check("credential:spiped", role=role, env=given)) == []
    none = {name: value for name, value in os.environ.items() if name != "CREDENTIALS_DIRECTORY"}
    assert start(role, "credential:spiped", env=none) == (
        "spiped: -k credential:spiped: there is no $CREDENTIALS_DIRECTORY (systemd sets it: LoadCredential=)\n")
    for name in ("", "../key", "a/b", "/etc/passwd"):
        assert start(role, f"credential:{name}", env=given) == (
            f"spiped: -k credential:{name}: a credential's name is no path\n")
    assert start(role, "credential:none", env=given) == (
        f"spiped: Cannot open file: {place}/credentials/none: No such file or directory\n")


def test_a_folder_of_credentials(door, place):
    folder = Folder(f"{place}/credentials", "laptop")
    os.mkdir(f"{place}/credentials/keys")
    os.rename(folder.at("laptop"), f"{place}/credentials/keys/laptop.key")
    server = door("credential:keys", env={**os.environ, "CREDENTIALS_DIRECTORY": folder.path})
    assert server.serves(folder.secrets["laptop"]) == "laptop"


# -u

@needs_root
@pytest.mark.parametrize("owner", ["root", "nobody"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_who_cannot_read_the_keys_again_is_told_at_the_start(door, place, folder, kind, owner):
    keys = folder.path if kind == "folder" else folder.at("mail")
    if owner == "nobody":
        for path in (folder.path, folder.at("mail"), folder.at("laptop")):
            os.chown(path, 65534, 65534)
    server = door(keys, "-u", "nobody")
    warning = f"the user of -u cannot read {keys} again: to change a key takes a restart"
    assert server.problems() == ([warning] if owner == "root" else [])
    server.serves(folder.secrets["mail"])
    server.process.signal(signal.SIGHUP)
    server.process.line(f" keys count={2 if kind == 'folder' else 1}$")
    assert len(server.problems()) == (2 if owner == "root" else 0), server.problems()
    server.serves(folder.secrets["mail"])


@needs_root
def test_so_is_who_can_read_the_folder_but_not_a_key(door, folder):
    os.chmod(folder.path, 0o755)
    assert door(folder, "-u", "nobody").problems() == [
        f"the user of -u cannot read {folder} again: to change a key takes a restart"]


@needs_root
def test_the_parent_that_goes_into_the_background_has_said_it(network, launch, ours, place, folder):
    daemon = background(launch, ours, place, "-d", network.address(), network.address(), folder, "-u", "nobody")
    assert daemon.status == 0
    assert [line.split(" ", 1)[1] for line in daemon.errors.splitlines()] == [
        f'keys problem="the user of -u cannot read {folder} again: to change a key takes a restart"']
