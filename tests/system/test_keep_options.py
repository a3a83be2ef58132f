"""What users of spiped rely on in a daemon's options: every way to write an address, and every kind of key."""
import os
import threading

import pytest
from daemons import background, hosts, kernel_default, needs_root, passes, with_file, write_hosts
from network import IPV4, IPV6, UNIX, Address, until

IPV6_TAKES_IPV4 = kernel_default("ipv6/bindv6only") == 0


# Addresses

FORMS = [("[{host}]:{port}", IPV4), ("{host}:{port}", IPV4), ("localhost:{port}", IPV4), ("[{host}]:{port}", IPV6),
         ("{host}:{port}", IPV6)]


@pytest.mark.parametrize("form, family", FORMS, ids=[f"{form} {family}" for form, family in FORMS])
def test_every_way_to_write_an_address(network, launch, ours, key, form, family):
    """The last colon is where the port begins."""
    source, target = network.address(family), network.listen(family=family)
    for address in (source, target.address):
        address.text = form.format(host=address.where[0], port=address.where[1])
    launch.daemon(ours, "-d", source, target.address, key)
    passes(network, source, target, key)


@needs_root
def test_a_port_may_be_the_name_of_a_service(network, launch, ours, place, key):
    if not os.path.exists("/etc/services"):
        pytest.skip("this system has no names for ports")
    source, target = network.address(), network.listen()
    with open(f"{place}/services", "w", encoding="ascii") as file:
        file.write(f"in-service {source.where[1]}/tcp\nout-service {target.address.where[1]}/tcp\n")
    source.text, target.address.text = "127.0.0.1:in-service", "localhost:out-service"
    launch.daemon(ours, "-d", source, target.address, key, under=with_file(f"{place}/services", "/etc/services"))
    passes(network, source, target, key)


def test_a_unix_path_of_107_bytes(network, launch, ours, place, key):
    path = f"{place}/".ljust(107, "a")
    source, target = Address(UNIX, path, path), network.listen()
    launch.daemon(ours, "-d", source, target.address, key)
    passes(network, source, target, key)


@pytest.mark.skipif(not IPV6_TAKES_IPV4, reason="this system keeps IPv4 off IPv6 sockets")
def test_the_ipv6_wildcard_takes_ipv4_too(network, launch, ours, key):
    source, target = network.address(), network.listen()
    source.text = f"[::]:{source.where[1]}"
    launch.daemon(ours, "-d", source, target.address, key)
    passes(network, source, target, key)
    passes(network, Address(IPV6, source.text, ("::1", source.where[1])), target, key)


@needs_root
@pytest.mark.parametrize("options, moves", [(("-r", "1"), True), (("-R",), False)])
def test_the_target_is_looked_up_again_unless_R(network, launch, ours, place, key, options, moves):
    source, port = network.address(), network.address().where[1]
    places = [network.listen(Address(IPV4, host, (host, port))) for host in ("127.0.0.1", "127.0.0.2")]
    under = hosts(place, {"target.test": ["127.0.0.1"]})
    process = launch.daemon(ours, "-d", source, f"target.test:{port}", key, *options, under=under)
    passes(network, source, places[0], key)
    write_hosts(f"{place}/hosts", {})  # nobody knows it: the last good answer holds
    if moves:
        process.line("lookup-failed name=target.test .*kept_addresses=1")
    passes(network, source, places[0], key)
    write_hosts(f"{place}/hosts", {"target.test": ["127.0.0.2"]})
    if moves:
        process.line("lookup-works-again name=target.test addresses=1")
    passes(network, source, places[moves], key)


# The key

CONTENTS = {"none": b"", "a newline": b"\n", "a newline after": b"0123456789abcdef0123456789abcdef\n",
            "zeros and spaces": b" two\nlines \0\n", "many": bytes(100000)}


@pytest.mark.parametrize("contents", CONTENTS.values(), ids=CONTENTS)
def test_every_byte_of_the_key_file_counts(network, launch, ours, place, contents):
    path = f"{place}/key"
    with open(path, "wb") as file:
        file.write(contents)
    source, target = network.address(), network.listen()
    launch.daemon(ours, "-d", source, target.address, path)
    passes(network, source, target, path)


@pytest.mark.parametrize("mode", ["-F", "-D", "daemon"])
def test_the_key_may_come_on_standard_input(network, launch, ours, place, key, mode):
    source, target = network.address(), network.listen()
    with open(key, "rb") as stdin:
        if mode == "-F":
            launch.daemon(ours, "-d", source, target.address, "-", stdin=stdin)
        else:
            daemon = background(launch, ours, place, "-d", source, target.address, "-",
                                *(["-D"] if mode == "-D" else []), stdin=stdin)
            assert (daemon.status, daemon.errors) == (0, "")
    until(source.is_listened_on, "it listens")
    passes(network, source, target, key)


def test_the_key_may_come_from_a_fifo(network, launch, ours, place, key):
    os.mkfifo(f"{place}/fifo")
    with open(key, "rb") as file:
        secret = file.read()

    def feed():
        with open(f"{place}/fifo", "wb") as fifo:
            fifo.write(secret)
    threading.Thread(target=feed, daemon=True).start()
    source, target = network.address(), network.listen()
    launch.daemon(ours, "-d", source, target.address, f"{place}/fifo")
    passes(network, source, target, key)


def test_the_null_device_is_a_key(network, launch, ours):
    source, target = network.address(), network.listen()
    launch.daemon(ours, "-d", source, target.address, "/dev/null")
    passes(network, source, target, "/dev/null")


WEAK = "spiped: warning: key file {0} has 12 bytes: use at least 32 (spiped-keygen makes a good one)\n"
OPEN = "spiped: warning: key file {0} can be read by others: chmod 600 makes it private\n"


@pytest.mark.parametrize("contents, mode, expected", [(b"k" * 12, 0o600, WEAK), (b"k" * 32, 0o644, OPEN),
                                                      (b"k" * 12, 0o640, WEAK + OPEN), (b"k" * 32, 0o400, "")])
def test_size_and_mode_of_a_key_only_warn(network, launch, ours, place, contents, mode, expected):
    path = f"{place}/key"
    with open(path, "wb") as file:
        file.write(contents)
    os.chmod(path, mode)
    daemon = background(launch, ours, place, "-d", network.address(), network.address(), path)
    assert (daemon.status, daemon.errors) == (0, expected.format(path))
