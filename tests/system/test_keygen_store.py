"""spiped-keygen with a folder of keys: makes one a client, lists them, takes one away; what it prints is what works."""
import datetime
import hashlib
import hmac
import os
import re
import shutil
import stat
import subprocess

import pytest
from conftest import write_key
from daemons import needs_root, secret_of
from keys import MEMBERS, Folder, KeyDoor
from network import read_exactly
from programs import run

BAD_NAMES = ("", ".", "..", ".hidden", "a/b", "../x", "a b", "ü", "a\nb", "n" * 64, "-x\t")
COMPLAINT = "spiped-keygen: {}: a key's name has up to 63 letters, digits and ._- and no dot in front\n"
REVOKED = r"\d{8}T\d{6}Z"


@pytest.fixture
def keygen(ours):
    return lambda *arguments, **how: run(ours.keygen, *arguments, **how)


@pytest.fixture
def folder(place):
    return Folder(f"{place}/keys", "laptop", "mail")


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def contents(path):
    with open(path, "rb") as file:
        return file.read()


# A new one

@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777], ids=oct)
def test_the_folder_and_a_key_that_only_their_owner_may_read(keygen, place, umask):
    status, output, errors = keygen("-d", f"{place}/keys", "laptop", umask=umask if umask != 0o777 else 0o277)
    assert (status, errors) == (0, "") and output
    assert keygen("-d", f"{place}/keys/", "mail", umask=umask)[::2] == (0, "")
    assert sorted(os.listdir(f"{place}/keys")) == ["laptop.key", "mail.key"]
    assert mode_of(f"{place}/keys/laptop.key") == mode_of(f"{place}/keys/mail.key") == 0o600
    assert mode_of(f"{place}/keys") & 0o077 == 0 and (umask == 0o777 or mode_of(f"{place}/keys") == 0o700)
    keys = [contents(f"{place}/keys/{name}.key") for name in ("laptop", "mail")]
    assert [len(key) for key in keys] == [32, 32] and keys[0] != keys[1]


@needs_root
def test_it_belongs_to_who_owns_the_folder(keygen, place):
    os.mkdir(f"{place}/keys", 0o750)
    os.chown(f"{place}/keys", 65534, 1)
    assert keygen("-d", f"{place}/keys", "laptop")[0] == 0
    made = os.stat(f"{place}/keys/laptop.key")
    assert (made.st_uid, made.st_gid, mode_of(f"{place}/keys/laptop.key")) == (65534, 1, 0o600)
    assert mode_of(f"{place}/keys") == 0o750


@needs_root
def test_a_key_that_its_folders_owner_does_not_get_is_warned_of(ours, place):
    os.mkdir(f"{place}/keys", 0o700)
    os.chown(f"{place}/keys", 65534, 65534)
    status, output, errors = run("setpriv", "--bounding-set", "-chown", ours.keygen, "-d", f"{place}/keys", "laptop")
    assert status == 0 and "takes it" not in output and len(commands(output)) == 3
    assert errors == (f"spiped-keygen: warning: {place}/keys/laptop.key could not be given to the folder's owner, whose spiped "
                      "cannot read it: chown it\n")


def test_a_link_to_a_folder_is_that_folder(keygen, place):
    os.mkdir(f"{place}/real")
    os.symlink("real", f"{place}/link")
    assert keygen("-d", f"{place}/link", "laptop")[::2] == (0, "")
    assert os.listdir(f"{place}/real") == ["laptop.key"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_a_name_that_is_none_makes_nothing(keygen, folder, place, name):
    before = sorted(os.listdir(folder.path))
    for arguments in (("-d", folder), ("--revoke", folder), ("-d", f"{place}/new")):
        assert keygen(*arguments, "--", name) == (1, "", COMPLAINT.format(re.sub(r"[\n\t]", "?", name)))
    assert sorted(os.listdir(folder.path)) == before and not os.path.exists(f"{place}/new")


@pytest.mark.parametrize("what", ["a key", *MEMBERS])
def test_what_is_there_is_never_touched(keygen, folder, what):
    if what != "a key":
        MEMBERS[what][0](folder.at("x"))
    name = "mail" if what == "a key" else "x"
    before = os.lstat(folder.at(name))
    assert keygen("-d", folder, name) == (1, "", f"spiped-keygen: Cannot create: {folder.at(name)}: File exists\n")
    assert os.lstat(folder.at(name)) == before


@pytest.mark.parametrize("where, complaint", [
    ("missing/keys", "Cannot create: {}: No such file or directory"), ("file", "Cannot create: {}/a.key: Not a directory"),
    ("file/keys", "Cannot create: {}: Not a directory"), ("dangling", "Cannot open: {}: No such file or directory")])
def test_a_folder_that_cannot_be(keygen, place, where, complaint):
    write_key(place, "file")
    os.symlink("nothing", f"{place}/dangling")
    path = f"{place}/{where}"
    assert keygen("-d", path, "a") == (1, "", f"spiped-keygen: {complaint.format(path)}\n")


def commands(output):
    return [line[4:] for line in output.splitlines() if line.startswith("    ")]


@pytest.mark.parametrize("client", ["spipe", "spiped"])
def test_what_it_prints_is_what_works(network, launch, ours, keygen, place, client):
    """Word for word, but for where this machine is, and how a file comes from it."""
    status, output, _ = keygen("-d", f"{place}/keys", "laptop")
    assert status == 0 and "HOST" in output and "PORT" in output
    server = KeyDoor(network, launch, ours, f"{place}/keys")
    fetch, spipe, spiped = commands(output)
    assert fetch == f"(umask 077; ssh root@HOST cat {place}/keys/laptop.key > spiped.key)"
    os.mkdir(f"{place}/there")
    subprocess.run(fetch.replace("ssh root@HOST ", ""), shell=True, check=True, cwd=f"{place}/there")
    assert mode_of(f"{place}/there/spiped.key") == 0o600
    source = network.address()
    host, port = server.source.where
    there = {"cwd": f"{place}/there", "env": {**os.environ, "PATH": ":".join(
        os.path.dirname(path) for path in (ours.spipe, ours.spiped))}}
    line = {"spipe": spipe, "spiped": spiped}[client].replace("HOST", host).replace("PORT", str(port))
    line = line.replace("'[127.0.0.1]:8025'", f"'{source}'")
    if client == "spipe":
        process = launch.start("/bin/sh", "-c", f"exec {line}", stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                               **there)
        process.popen.stdin.write(b"there")
    else:
        launch.pidfile(f"{place}/there/{source}.pid")
        with open(f"{place}/said", "wb") as said:  # which it holds open as long as it lives
            assert subprocess.run(["/bin/sh", "-c", line], stdout=said, stderr=said, check=False, **there).returncode == 0
        assert contents(f"{place}/said") == b""
        network.connect(source).sendall(b"there")
    assert read_exactly(server.target.accept(), 5) == b"there"
    assert server.process.line(r" open peer=\S+ key=(\S+)").group(1) == "laptop"


@pytest.mark.parametrize("where", ["my keys", "it's $HOME; `id` \"a\\b\" (~#&|<>*?[!]{})^", "schlüssel"])
def test_what_it_prints_works_in_a_folder_of_any_name(keygen, place, where):
    """ssh(1) hands its words, with blanks between, to a shell of the other machine."""
    os.mkdir(f"{place}/bin")
    with open(f"{place}/bin/ssh", "w", encoding="utf-8") as script:
        script.write('#!/bin/sh\nshift\nexec sh -c "$*"\n')
    os.chmod(f"{place}/bin/ssh", 0o700)
    status, output, _ = keygen("-d", f"{place}/{where}", "laptop")
    assert status == 0
    subprocess.run(commands(output)[0], shell=True, check=True, cwd=place,
                   env={**os.environ, "PATH": f"{place}/bin:{os.environ['PATH']}"})
    assert contents(f"{place}/spiped.key") == contents(f"{place}/{where}/laptop.key")


# The list

def fingerprint(path):
    return hmac.new(hashlib.sha256(contents(path)).digest(), b"spiped key fingerprint", "sha256").hexdigest()[:16]


def test_the_list_has_name_fingerprint_date_and_mode(keygen, folder):
    folder.add("Z", "n" * 63)
    os.chmod(folder.at("mail"), 0o400)
    day = datetime.datetime(2024, 2, 29, 23, 59, tzinfo=datetime.timezone.utc).timestamp()
    os.utime(folder.at("laptop"), (0, day))
    status, output, errors = keygen("--list", folder, env={**os.environ, "TZ": "Asia/Tokyo"})
    assert (status, errors) == (0, "")
    rows = [line.split() for line in output.splitlines()]
    assert [name for name, *_ in rows] == ["Z", "laptop", "mail", "n" * 63]
    for name, print_, date, mode in rows:
        assert print_ == fingerprint(folder.at(name)) and len(print_) == 16
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", date) and mode == ("0400" if name == "mail" else "0600")
    assert dict((row[0], row[2]) for row in rows)["laptop"] == "2024-02-29"
    columns = {line.index(row[1]) for line, row in zip(output.splitlines(), rows) if len(row[0]) < 24}
    assert len(columns) == 1
    assert contents(folder.at("mail")).hex() not in output and secret_of(folder.at("mail")).hex() not in output


def test_of_an_empty_folder_it_lists_nothing(keygen, place):
    folder = Folder(f"{place}/empty")
    status, output, errors = keygen("--list", folder)
    assert (status, output) == (0, "") and errors == f"spiped-keygen: warning: there is no key in {folder}: everyone is refused\n"


def test_two_names_with_one_key_are_warned_of(keygen, folder):
    shutil.copy(folder.at("mail"), folder.at("zoo"))
    status, output, errors = keygen("--list", folder)
    assert status == 0 and len(output.splitlines()) == 3
    assert errors == "spiped-keygen: warning: mail and zoo are the same key: connections of both are called zoo\n"


@pytest.mark.parametrize("what", MEMBERS)
def test_what_is_no_key_is_not_listed_and_told(keygen, folder, what):
    make, problem = MEMBERS[what]
    make(folder.at("bad"))
    status, output, errors = keygen("--list", folder)
    assert status == 0 and [line.split()[0] for line in output.splitlines()] == ["laptop", "mail"]
    assert errors == f"spiped-keygen: warning: {folder.at('bad')}: {problem}: it is passed over\n"


@pytest.mark.parametrize("where, complaint", [("missing", "Cannot open: {}: No such file or directory"),
                                              ("file", "Cannot list: {}: Not a directory")])
def test_what_is_no_folder_cannot_be_listed(keygen, place, where, complaint):
    write_key(place, "file")
    assert keygen("--list", f"{place}/{where}") == (1, "", f"spiped-keygen: {complaint.format(f'{place}/{where}')}\n")


def test_what_other_programs_read_from_elsewhere_is_a_folder_here(keygen, place, key):
    for where in ("-", "fd:0", "credential:x"):
        with open(key, "rb") as file:
            assert keygen("--list", where, cwd=place, stdin=file, env={**os.environ, "CREDENTIALS_DIRECTORY": place}) == (
                1, "", f"spiped-keygen: Cannot open: {where}: No such file or directory\n")
        assert keygen("-d", where, "laptop", cwd=place)[0] == 0
        status, output, errors = keygen("--list", where, cwd=place)
        assert (status, errors) == (0, "") and output.split()[:2] == ["laptop", fingerprint(f"{place}/{where}/laptop.key")]


# Taking one away

def test_a_key_that_is_taken_away_is_refused_in_a_second_or_two(network, launch, ours, keygen, folder):
    server = KeyDoor(network, launch, ours, folder)
    peer, plain = server.open(folder.secrets["mail"])
    key = contents(folder.at("mail"))
    status, output, errors = keygen("--revoke", folder, "mail")
    assert (status, errors) == (0, "") and f"{folder}/.revoked/mail.key" in output and "--close-revoked" in output
    assert contents(f"{folder}/.revoked/mail.key") == key and mode_of(f"{folder}/.revoked") == 0o700
    server.process.line(" keys removed=mail$")
    server.process.line(" keys count=1$")
    server.refuses(folder.secrets["mail"])
    server.goes_on(peer, plain)
    assert server.process.line(" revoked .*key=mail ") and server.problems() == []


def test_a_key_that_others_have_too_stays_good_and_this_is_told(keygen, folder):
    for name in ("old", "zoo"):
        shutil.copy(folder.at("mail"), folder.at(name))
    warnings = [f"spiped-keygen: warning: {folder.at(name)} is the same key, and stays good until it is taken away too\n"
                for name in ("old", "zoo")]
    for name, told in (("mail", warnings), ("old", warnings[1:]), ("zoo", [])):
        status, output, errors = keygen("--revoke", folder, name)
        assert (status, errors) == (0, "".join(told)) and ("refuses it" in output) == (told == [])


def test_what_was_no_key_is_not_good_elsewhere(keygen, folder):
    for name in ("a", "b"):
        MEMBERS["half-written"][0](folder.at(name))
    shutil.copy(folder.at("a"), folder.at("b"))
    assert keygen("--revoke", folder, "a")[::2] == (0, "")


def test_the_same_name_again_and_again_keeps_each(keygen, folder):
    keys = []
    for _ in range(3):
        keys.append(contents(folder.at("mail")))
        assert keygen("--revoke", folder, "mail")[::2] == (0, "")
        assert keygen("-d", folder, "mail")[0] == 0
    kept = os.listdir(f"{folder}/.revoked")
    assert sorted(contents(f"{folder}/.revoked/{name}") for name in kept) == sorted(keys)
    assert all(re.fullmatch(rf"mail(-{REVOKED}(-\d+)?)?\.key", name) for name in kept), kept


def test_whom_nobody_knows_cannot_be_taken_away(keygen, folder, place):
    for where, name in ((folder.path, "nobody"), (f"{place}/missing", "mail")):
        assert keygen("--revoke", where, name) == (
            1, "", f"spiped-keygen: Cannot open: {where}/{name}.key: No such file or directory\n")
    assert not os.path.exists(f"{folder}/.revoked") and len(os.listdir(folder.path)) == 2


@pytest.mark.parametrize("what", MEMBERS)
def test_whatever_has_a_keys_name_can_be_taken_away(keygen, folder, what):
    MEMBERS[what][0](folder.at("bad"))
    assert keygen("--revoke", folder, "bad")[::2] == (0, "")
    assert sorted(os.listdir(folder.path)) == [".revoked", "laptop.key", "mail.key"]


# The command line

@pytest.mark.parametrize("arguments", [
    ["-d"], ["-d", "keys"], ["-d", "keys", "a", "b"], ["--list"], ["--list", "keys", "a"], ["--revoke", "keys"],
    ["--revoke", "keys", "a", "b"], ["-d", "keys", "--list", "keys"], ["--list", "keys", "--revoke", "keys", "a"],
    ["-d", "keys", "--revoke", "keys", "a"], ["-d", "keys", "-d", "keys", "a"], ["--list", "keys", "--list", "keys"]],
    ids=" ".join)
def test_a_wrong_command_line_does_nothing(keygen, place, arguments):
    folder = Folder(f"{place}/keys", "a")
    status, output, errors = keygen(*arguments, cwd=place)
    assert (status, output) == (1, "") and "usage: spiped-keygen {FILE | -}\n" in errors
    assert os.listdir(folder.path) == ["a.key"] and os.listdir(place) == ["keys"]


@pytest.mark.parametrize("arguments", [("-d", "keys", "new"), ("--list", "keys"), ("--revoke", "keys", "mail")], ids=" ".join)
@pytest.mark.parametrize("where, reason", [("/dev/full", "No space left on device"), (None, "Bad file descriptor")],
                         ids=["full", "closed"])
def test_output_that_nobody_gets_is_a_failure(ours, folder, place, arguments, where, reason):
    redirect = f">{where}" if where else ">&-"
    assert run("sh", "-c", f'exec "$0" "$@" {redirect}', ours.keygen, *arguments, cwd=place) == (
        1, "", f"spiped-keygen: Cannot write: standard output: {reason}\n")
    assert "new.key" not in os.listdir(folder.path)
