"""Where keys stand: folders and links that are replaced, secrets as orchestrators mount them, and changes as it starts."""
import os
import shutil
import subprocess

import pytest
from conftest import write_key
from daemons import hosts, needs_root, secret_of, write_hosts
from keys import HOW, Folder, reload, write
from peer import CLIENT, Peer

NOBODY = pytest.param(("-u", "nobody"), "watched", marks=needs_root, id="-u nobody")
EVERY_WAY = pytest.mark.parametrize("options, how", [
    pytest.param((), "SIGHUP", id="SIGHUP"), pytest.param((), "watched", id="watched"), NOBODY,
    pytest.param(("--no-sandbox", ), "watched", id="--no-sandbox")])


def kubernetes(place):
    """A mounted secret: (its folder, a function that puts other keys into it, as kubelet does)."""
    mount, number = f"{place}/mount", iter(range(100))
    os.mkdir(mount)

    def put(**keys):
        data = f"{mount}/..2024_{next(number)}"
        os.mkdir(data)
        for name, contents in keys.items():
            write_key(data, f"{name}.key", contents)
        os.symlink(os.path.basename(data), f"{mount}/..data_tmp")
        before = os.path.realpath(f"{mount}/..data")
        os.rename(f"{mount}/..data_tmp", f"{mount}/..data")
        for name in keys:
            if not os.path.lexists(f"{mount}/{name}.key"):
                os.symlink(f"..data/{name}.key", f"{mount}/{name}.key")
        if before != f"{mount}/..data":
            shutil.rmtree(before)
        return {name: secret_of(f"{mount}/{name}.key") for name in keys}
    return mount, put


@HOW
def test_a_secret_of_kubernetes(door, place, how):
    mount, put = kubernetes(place)
    first = put(laptop=os.urandom(32), mail=os.urandom(32))
    server = door(mount)
    assert [server.serves(secret) for secret in first.values()] == ["laptop", "mail"]
    second = put(laptop=os.urandom(32), mail=os.urandom(32))
    assert reload(server, how) == ["changed=laptop", "changed=mail", "count=2"]
    assert [server.serves(secret) for secret in second.values()] == ["laptop", "mail"]
    server.refuses(first["mail"])
    third = put(mail=os.urandom(32), new=os.urandom(32))  # the links of what is gone lead nowhere, for a while
    assert reload(server, how)[-4:] == ["removed=laptop", "changed=mail", "added=new", "count=2"]
    assert [server.serves(secret) for secret in third.values()] == ["mail", "new"]
    server.refuses(second["laptop"])


def owned(place, *options):
    """For -u nobody: what is below place is nobody's."""
    for path, folders, files in os.walk(place) if "-u" in options else ():
        for name in (path, *(os.path.join(path, name) for name in folders + files)):
            os.chown(name, 65534, 65534, follow_symlinks=False)


@EVERY_WAY
def test_a_link_to_a_folder_that_leads_to_another_now(door, place, options, how):
    """And in the end to a folder in its own place: beside the link and beside what it leads to is all that can be read."""
    os.mkdir(f"{place}/sets")
    os.mkdir(f"{place}/links")
    sets = [Folder(f"{place}/sets/{number}", "laptop", f"only-{number}") for number in range(2)]
    sets.append(Folder(f"{place}/links/next-keys", "laptop", "only-2"))
    os.symlink("../sets/0", f"{place}/links/keys")
    owned(place, *options)
    server = door(f"{place}/links/keys", *options)
    for number, keys in enumerate(sets):
        if number == 1:
            os.symlink("../sets/1", f"{place}/links/next")
            os.rename(f"{place}/links/next", f"{place}/links/keys")
        elif number == 2:
            os.unlink(f"{place}/links/keys")
            os.rename(keys.path, f"{place}/links/keys")
        if number > 0:
            assert reload(server, how) == ["changed=laptop", f"removed=only-{number - 1}", f"added=only-{number}", "count=2"]
            server.refuses(sets[number - 1].secrets["laptop"])
        assert [server.serves(secret) for secret in keys.secrets.values()] == ["laptop", f"only-{number}"]


@EVERY_WAY
def test_a_folder_in_the_place_of_another(door, place, options, how):
    keys = Folder(f"{place}/keys", "laptop", "mail")
    owned(f"{place}/keys", *options)
    server = door(keys, *options)
    for _ in range(2 if "-u" in options else 1):  # what has come is watched as well as what was there
        new = Folder(f"{place}/new", "laptop", "extra")
        owned(new.path, *options)
        os.rename(f"{place}/keys", f"{place}/old")
        os.rename(f"{place}/new", f"{place}/keys")
        assert reload(server, how)[-1] == "count=2"
        assert [server.serves(secret) for secret in new.secrets.values()] == ["laptop", "extra"]
        server.refuses(keys.secrets["laptop"])
        shutil.rmtree(f"{place}/old")
        keys = new
    keys.path = f"{place}/keys"
    keys.remove("laptop")
    assert reload(server, how)[-2:] == ["removed=laptop", "count=1"]
    assert server.problems() == []


def put_link(path, target):
    os.symlink(target, f"{path}.next")
    os.rename(f"{path}.next", path)


@EVERY_WAY
def test_a_link_further_up_that_leads_elsewhere_now(door, place, options, how):
    os.mkdir(f"{place}/releases")
    releases = [f"{place}/releases/{number}" for number in range(3)]
    for path in releases:
        os.mkdir(path)
    sets = [Folder(f"{path}/keys", "laptop") for path in releases]
    owned(f"{place}/releases", *options)
    put_link(f"{place}/releases/current", "0")
    server = door(f"{place}/releases/current/keys", *options)
    for number in (1, 2):
        put_link(f"{place}/releases/current", str(number))
        assert reload(server, how) == ["changed=laptop", "count=1"]
        assert server.serves(sets[number].secrets["laptop"]) == "laptop"
        server.refuses(sets[number - 1].secrets["laptop"])
        shutil.rmtree(releases[number - 1])
    sets[2].add("new")
    owned(sets[2].path, *options)
    assert reload(server, how) == ["added=new", "count=2"]
    assert server.problems() == []


def test_a_link_behind_a_link_that_leads_elsewhere_now(door, place):
    """One that came with what the first one leads to."""
    for version in ("v1", "v2"):
        for number in (1, 2):
            os.makedirs(f"{place}/{version}/s{number}")
    sets = [Folder(f"{place}/{path}/keys", "laptop") for path in ("v1/s1", "v2/s1", "v2/s2")]
    put_link(f"{place}/v1/sub", "s1")
    put_link(f"{place}/v2/sub", "s1")
    put_link(f"{place}/current", "v1")
    server = door(f"{place}/current/sub/keys")
    for number, (link, target) in enumerate(((f"{place}/current", "v2"), (f"{place}/v2/sub", "s2")), 1):
        put_link(link, target)
        assert reload(server, "watched") == ["changed=laptop", "count=1"]
        assert server.serves(sets[number].secrets["laptop"]) == "laptop"
        server.refuses(sets[number - 1].secrets["laptop"])
    assert server.problems() == []


@pytest.mark.parametrize("options", [(), pytest.param(("-u", "nobody"), marks=needs_root)], ids=" ".join)
def test_a_folder_further_up_that_goes_and_comes_back(door, place, options):
    """What is put in its place may be out of the sandbox's reach: that is said."""
    os.makedirs(f"{place}/up/middle")
    keys = Folder(f"{place}/up/middle/keys", "laptop", "mail")
    owned(f"{place}/up", *options)
    server = door(keys, *options)
    os.rename(f"{place}/up", f"{place}/gone")
    assert reload(server, "watched")[-1] == "count=2"
    assert len(server.problems()) == 1
    keys.path = f"{place}/gone/middle/keys"
    keys.remove("laptop")
    os.rename(f"{place}/gone", f"{place}/up")
    assert reload(server, "watched") == ["removed=laptop", "count=1"]
    server.refuses(keys.secrets["laptop"])
    assert server.serves(keys.secrets["mail"]) == "mail" and server.process.count("watched=no") == 0


@HOW
def test_a_folder_in_a_secret_of_kubernetes(door, place, how):
    """Which is a link into what ..data leads to."""
    mount = f"{place}/mount"
    os.mkdir(mount)
    for number in range(3):
        os.mkdir(f"{mount}/..{number}")
        keys = Folder(f"{mount}/..{number}/keys", "laptop")
        put_link(f"{mount}/..data", f"..{number}")
        if number == 0:
            os.symlink("..data/keys", f"{mount}/keys")
            server = door(f"{mount}/keys")
        else:
            assert reload(server, how)[-2:] == ["changed=laptop", "count=1"]
            shutil.rmtree(f"{mount}/..{number - 1}")
        assert server.serves(keys.secrets["laptop"]) == "laptop"
    assert server.problems() == []


@pytest.mark.parametrize("options", [(), pytest.param(("-u", "nobody"), marks=needs_root), ("--no-sandbox", )], ids=" ".join)
def test_a_key_file_that_links_lead_to(door, place, options):
    os.mkdir(f"{place}/mount")
    for number in range(3):
        os.mkdir(f"{place}/mount/..{number}")
        secret = secret_of(write_key(f"{place}/mount/..{number}", "mail.key"))
        owned(f"{place}/mount", *options)
        put_link(f"{place}/mount/..data", f"..{number}")
        if number == 0:
            os.symlink("..data/mail.key", f"{place}/mount/mail.key")
            server = door(f"{place}/mount/mail.key", *options)
        else:
            shutil.rmtree(f"{place}/mount/..{number - 1}")
            assert reload(server) == ["changed=mail.key", "count=1"]
        assert server.serves(secret) == "mail.key"


# At the start

@needs_root
@pytest.mark.parametrize("options", [(), ("-u", ":nogroup"), ("--no-sandbox", )], ids=" ".join)
def test_a_folder_that_root_cannot_read_without_its_privileges(door, folder, options):
    """It gives them up, but for --no-sandbox: somebody else's folder is closed to it then."""
    os.chown(folder.path, 65534, 65534)
    who = "the user of -u" if "-u" in options else "without its privileges spiped"
    said = [f"{who} cannot read {folder} again: to change a key takes a restart"]
    assert door(folder, *options).problems() == ([] if "--no-sandbox" in options else said)


@pytest.mark.parametrize("options", [(), pytest.param(("-u", "nobody"), marks=needs_root)], ids=" ".join)
def test_what_is_passed_over_can_be_read_again(door, folder, options):
    os.symlink("nothing", folder.at("nobody"))
    owned(folder.path, *options)
    server = door(folder, *options)
    assert not [line for line in server.process.lines if "again" in line]


def test_a_folder_that_changed_before_it_was_watched(network, launch, ours, folder):
    """While another key, on standard input, was waited for: the folder has been read by then."""
    write(f"{folder}/README", b"")
    source, target = network.address(), network.listen()
    arguments = [ours.spiped, "-F", *ours.crypto(), "-d", "-s", source, "-t", target.address, "-k", folder, "-k", "-"]
    process = launch.start(*arguments, stdin=subprocess.PIPE)
    process.line("README is passed over")
    folder.remove("laptop")
    process.popen.stdin.write(os.urandom(32))
    process.popen.stdin.close()
    process.line(" keys removed=laptop$")
    process.line(" keys count=2$")


@needs_root
def test_keys_that_change_while_D_waits(network, launch, ours, place, folder, key):
    source, target = network.address(), network.listen()
    under = hosts(place, {})
    process = launch.start(*under, ours.spiped, "-F", "-D", "-d", "-s", f"late.test:{source.where[1]}", "-t", target.address,
                           "-k", folder, "-k", key, *ours.crypto())
    process.line("trying again every second")
    folder.remove("laptop")
    old = secret_of(key)
    os.rename(write_key(place, "next"), key)
    write_hosts(f"{place}/hosts", {"late.test": ["127.0.0.1"]})
    assert process.line(r" start .* keys=(\d+) ").group(1) == "2"
    assert process.count(" keys removed=laptop$") == process.count(" keys changed=key$") == 1
    assert Peer(network.connect(source), CLIENT, secret_of(key)).handshake()
    with pytest.raises((EOFError, ConnectionResetError)):
        Peer(network.connect(source), CLIENT, old).handshake()
