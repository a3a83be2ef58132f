"""What whoever takes spiped over can do: sandbox_probe.c is preloaded and tries; and what spiped itself can do still."""
import contextlib
import datetime
import errno
import os
import pwd
import re
import signal
import socket
import struct
import subprocess
import threading

import pytest
from daemons import background, libc, needs_root, network_of_its_own, passes, secret_of, with_file
from keys import Folder, KeyDoor
from network import IPV4, PATIENCE, UNIX, Address, read_exactly, until
from peer import SERVER, Peer
from programs import ROOT

LINE = re.compile(r" sandbox no_new_privs=(\w+) landlock=(\d+) capabilities=(\S+) seccomp=(\S+)$")
REFUSED = errno.EPERM, errno.EACCES
DEADLY = ("execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "kexec_load", "init_module",
          "finit_module", "delete_module", "bpf", "mount", "umount2", "pivot_root", "chroot", "setns", "unshare",
          "add_key", "keyctl", "request_key", "userfaultfd", "perf_event_open", "open_by_handle_at", "setuid", "setgid",
          "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups")


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("probe") / "probe.so")
    source = os.path.join(ROOT, "tests/system/sandbox_probe.c")
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-Wall", "-Werror", "-o", path, source], check=True)
    os.chmod(os.path.dirname(path), 0o755)
    return path


@pytest.fixture
def whole(ours):
    """Sanitizers are built without the sandbox, and want to be preloaded first themselves."""
    if ours.is_sanitized():
        pytest.skip("a sanitizer's build has no filter and no Landlock")


class Taken:
    """A daemon whose first connection makes it try `what`: errors holds an errno for each, as far as it came."""

    def __init__(self, network, launch, ours, library, key, what, *options, role="-d", target=None, **how):
        reads, writes = os.pipe()
        env = {**os.environ, "LD_PRELOAD": library, "PROBE": "\n".join(what), "PROBE_FD": str(writes)}
        self.source = network.address()
        self.process = launch.daemon(ours, role, self.source, target or network.listen().address, key, *options, env=env,
                                     pass_fds=[writes], **how)
        os.close(writes)
        match = self.process.line(r" sandbox ")
        self.in_force = LINE.search(match.string)
        self.landlock = int(self.in_force.group(2)) if self.in_force else 0
        self.process.may_die = True
        with contextlib.suppress(ConnectionResetError):  # it may be dead by now
            network.connect(self.source)
        with os.fdopen(reads, encoding="ascii") as pipe:
            self.errors = dict(zip(what, map(int, pipe.read().split())))

    def has_filter(self):
        return self.in_force.group(4) == "yes"


def kernel_has_filters():
    with open("/proc/self/status", encoding="ascii") as file:
        return "Seccomp_filters:" in file.read()


def landlock_of_kernel():
    """Its version; 0: there is none."""
    create_ruleset, version = 444, 1
    return max(libc.syscall(create_ruleset, None, 0, version), 0)


def status_of(pid, field):
    """That field of each thread of a process."""
    found = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
            found.add(re.search(rf"^{field}:\s+(\S+)$", file.read(), re.M).group(1))
    return found


def elsewhere(place):
    """A file that everybody may read and write, in a folder that is not the key's."""
    os.mkdir(f"{place}/elsewhere", 0o755)
    path = f"{place}/elsewhere/file"
    with open(path, "w", encoding="ascii") as file:
        file.write("hello")
    os.chmod(path, 0o666)
    return path


def own_key(place):
    """A key in a folder without anything else in it."""
    os.mkdir(f"{place}/keys")
    with open(f"{place}/keys/key", "wb") as file:
        file.write(os.urandom(64))
    os.chmod(f"{place}/keys/key", 0o600)
    return f"{place}/keys/key"


USERS = [(), pytest.param(("-u", "nobody"), marks=needs_root)]


@pytest.mark.parametrize("user", USERS, ids=["as it was started", "nobody"])
def test_no_file_is_read_but_the_key(network, launch, ours, whole, library, place, user):
    file, key = elsewhere(place), own_key(place)
    tries = [f"read {file}", "read /etc/shadow", "read /etc/passwd", "read /proc/self/maps", "list /", f"list {place}/keys"]
    taken = Taken(network, launch, ours, library, key, [*tries, f"read {key}"], *user)
    if taken.landlock == 0:
        pytest.skip("this kernel has no Landlock")
    assert {what: taken.errors[what] for what in tries} == dict.fromkeys(tries, errno.EACCES)
    assert taken.errors[f"read {key}"] == (errno.EACCES if user else 0)


@pytest.mark.parametrize("user", USERS, ids=["as it was started", "nobody"])
def test_keys_can_be_read_again_and_nothing_elsewhere(network, launch, ours, whole, library, place, user):
    """And what stands beside a folder, since that may be what takes its place."""
    file = elsewhere(place)
    os.mkdir(f"{place}/home")
    folder = Folder(f"{place}/home/keys", "laptop")
    os.symlink(file, folder.at("outside"))
    for path in (folder.path, folder.at("laptop")) if user else ():
        os.chown(path, 65534, 65534)
    own = [f"read {folder.at('laptop')}", f"list {folder}", f"list {place}/home"]
    others = [f"read {folder.at('outside')}", f"read {file}", "read /etc/shadow", "read /etc/passwd", "read /proc/self/maps",
              "list /", f"list {place}", f"list {place}/elsewhere"]
    harm = [f"write {folder.at('laptop')}", f"create {folder}/new", f"truncate {folder.at('laptop')}",
            f"unlink {folder.at('laptop')}", f"chmod {folder.at('laptop')}"]
    taken = Taken(network, launch, ours, library, folder, [*own, *others, *harm], *user)
    if taken.landlock == 0:
        pytest.skip("this kernel has no Landlock")
    assert {what: taken.errors[what] for what in (*own, *others)} == {**dict.fromkeys(own, 0),
                                                                      **dict.fromkeys(others, errno.EACCES)}
    assert all(taken.errors[what] in REFUSED for what in harm), taken.errors


def test_a_link_out_of_the_folder_is_not_followed_once_it_serves(network, launch, ours, whole, place):
    os.mkdir(f"{place}/home")
    folder, out = Folder(f"{place}/home/keys", "laptop"), Folder(f"{place}/out", "other")
    server = KeyDoor(network, launch, ours, folder)
    if LINE.search(server.process.line(" sandbox ").string).group(2) == "0":
        pytest.skip("this kernel has no Landlock")
    os.symlink(out.at("other"), folder.at("other"))
    server.process.signal(signal.SIGHUP)
    server.process.line(" keys count=1$")
    assert server.problems()[0] == f"{folder.at('other')}: Permission denied: it is passed over"
    server.refuses(out.secrets["other"])
    assert server.serves(folder.secrets["laptop"]) == "laptop"


@pytest.mark.parametrize("user", USERS, ids=["as it was started", "nobody"])
def test_nothing_is_written_and_nobody_is_reached(network, launch, ours, whole, library, place, user):
    file, key, other = elsewhere(place), own_key(place), network.listen()
    abstract = network.keep(socket.socket(socket.AF_UNIX))
    abstract.bind(f"\0{place}")
    abstract.listen()
    tries = [f"write {file}", f"create {place}/elsewhere/new", f"truncate {file}", f"unlink {file}", f"chmod {file}",
             f"socket {socket.AF_PACKET}", f"socket {socket.AF_VSOCK}", f"raw {socket.AF_INET}", "listen", "fork",
             f"multipath {socket.AF_INET}", f"fast-open {other.address.where[1]}",
             f"fast-open-message {other.address.where[1]}", f"kill {os.getpid()}", "terminal", "limit", "far-limit", "capset", "io_uring_setup", "memfd_create", "unknown"]
    walls = [f"port {other.address.where[1]}", f"path @{place}"]
    taken = Taken(network, launch, ours, library, key, [*tries, *walls, "clone3", "thread"], *user)
    if taken.has_filter():
        assert {what: taken.errors[what] for what in tries} == dict.fromkeys(tries, errno.EPERM)
        assert taken.errors["clone3"] == errno.ENOSYS
    if taken.landlock >= 4:
        assert taken.errors[walls[0]] == errno.EACCES
    if taken.landlock >= 6:
        assert taken.errors[walls[1]] == errno.EPERM
    assert taken.errors["thread"] == 0
    assert taken.landlock == landlock_of_kernel()
    assert os.path.getsize(file) == 5 and not os.path.exists(f"{place}/elsewhere/new")


@pytest.mark.parametrize("call", DEADLY)
def test_what_nobody_needs_ends_the_process(network, launch, ours, whole, library, key, call):
    taken = Taken(network, launch, ours, library, key, [call])
    if not taken.has_filter():
        assert taken.in_force.group(4) == "not-built" or not kernel_has_filters()
        pytest.skip("this build or this kernel has no filters")
    assert taken.process.wait() == -signal.SIGSYS
    assert taken.errors == {}


@pytest.mark.parametrize("options", [(), ("-f",)], ids=["-d", "-e"])
def test_every_thread_has_it_and_no_capability(network, launch, ours, key, options):
    process = launch.daemon(ours, "-e" if options else "-d", network.address(), network.listen().address, key, *options)
    process.line(" start ")
    new_privileges, _, capabilities, filtered = LINE.search(process.line(" sandbox ").string).groups()
    assert (new_privileges, capabilities) == ("yes", "none")
    assert filtered == "not-built" if ours.is_sanitized() else filtered in ("not-built", "yes" if kernel_has_filters() else "no")
    assert status_of(process.pid, "NoNewPrivs") == {"1"}
    assert status_of(process.pid, "Seccomp") == {"2" if filtered == "yes" else "0"}
    for name in ("Eff", "Prm", "Inh", "Amb", *(["Bnd"] if os.geteuid() == 0 else [])):
        assert status_of(process.pid, f"Cap{name}") == {"0" * 16}
    assert len(os.listdir(f"/proc/{process.pid}/task")) > 4


def test_spipe_has_it_too(network, launch, ours, key):
    listener = network.listen()
    spipe = launch.client(ours, listener.address, key, "--log-level", "info")
    Peer(listener.accept(), SERVER, secret_of(key), forward_secrecy=False).handshake()
    filtered = LINE.search(spipe.line(" sandbox ").string).group(4)
    assert status_of(spipe.pid, "NoNewPrivs") == {"1"}
    assert status_of(spipe.pid, "CapEff") == {"0" * 16}
    assert status_of(spipe.pid, "Seccomp") == {"2" if filtered == "yes" else "0"}


def test_no_sandbox_leaves_everything(network, launch, ours, whole, library, key, place):
    file = elsewhere(place)
    taken = Taken(network, launch, ours, library, key, [f"write {file}", f"chmod {file}", "fork"], "--no-sandbox")
    taken.process.line(r" sandbox off=yes$")
    assert set(taken.errors.values()) == {0}
    with open("/proc/self/status", encoding="ascii") as status:
        own = re.search(r"^CapEff:\s+(\S+)$", status.read(), re.M).group(1)
    assert status_of(taken.process.pid, "CapEff") == {own}
    assert status_of(taken.process.pid, "Seccomp") == {"0"}
    listener = network.listen()
    spipe = launch.client(ours, listener.address, key, "--no-sandbox", "--log-level", "info")
    listener.accept()
    spipe.line(r" sandbox off=yes$")
    assert status_of(spipe.pid, "Seccomp") == {"0"}


def test_a_kernel_without_any_of_it_is_no_failure(network, launch, ours, whole, library, key):
    source, target = network.address(), network.listen()
    env = {**os.environ, "LD_PRELOAD": library, "OLD_KERNEL": "1"}
    process = launch.daemon(ours, "-d", source, target.address, key, env=env)
    process.line(r" sandbox no_new_privs=no landlock=0 capabilities=none seccomp=(no|not-built)$")
    passes(network, source, target, key)


def test_in_the_background_a_good_start_says_nothing(network, launch, ours, place, key):
    daemon = background(launch, ours, place, "-d", network.address(), network.address(), key)
    assert (daemon.status, daemon.errors) == (0, "")


# What it needs

@needs_root
def test_root_connects_to_a_unix_socket_of_another_user(network, launch, ours, key):
    source, target = network.address(), network.listen(family=UNIX)
    os.chown(target.address.where, pwd.getpwnam("nobody").pw_uid, 0)
    os.chmod(target.address.where, 0o600)
    process = launch.daemon(ours, "-d", source, target.address, key)
    passes(network, source, target, key)
    process.line(r" sandbox .* capabilities=dac_override ")


def privileged_port(network):
    return next(port for port in range(1023, 512, -1) if network.ports.is_free(socket.AF_INET, "127.0.0.1", port))


@needs_root
def test_root_connects_from_a_port_of_root(network, launch, ours, key):
    source, target, port = network.address(), network.listen(), privileged_port(network)
    process = launch.daemon(ours, "-e", source, target.address, key, "-b", f"[127.0.0.1]:{port}")
    process.line(r" sandbox .* capabilities=net_bind_service ")
    network.connect(source)
    assert target.accept().getpeername() == ("127.0.0.1", port)


def at(host, port):
    return Address(IPV4, f"[{host}]:{port}", (host, port))


def own_etc(place, nameserver="127.0.0.1"):
    """A command under which /etc is a folder of the test's."""
    os.mkdir(f"{place}/etc", 0o755)
    for name, text in (("hosts", ""), ("nsswitch.conf", "hosts: files dns\n"),
                       ("resolv.conf", f"nameserver {nameserver}\noptions timeout:1\n")):
        replace(f"{place}/etc/{name}", text)
    return with_file(f"{place}/etc", "/etc")


def replace(path, text):
    """As editors and DHCP clients do it: by a new file that takes the old one's name."""
    with open(f"{path}.new", "w", encoding="ascii") as file:
        file.write(text)
    os.rename(f"{path}.new", path)


def comes_to(network, source, listener):
    network.connect(source)
    return listener.has_a_visitor(0.2)


@needs_root
@pytest.mark.parametrize("user", [(), ("-u", "65534:65534")], ids=["root", "nobody"])
def test_the_target_is_looked_up_again_in_a_hosts_file_that_was_replaced(network, launch, ours, place, key, user):
    source, first = network.address(), network.listen()
    port = first.address.where[1]
    second = network.listen(at("127.0.0.2", port))
    under = own_etc(place)
    replace(f"{place}/etc/hosts", "127.0.0.1 target.test\n")
    launch.daemon(ours, "-e", source, f"target.test:{port}", key, "-r", "1", *user, under=under)
    assert comes_to(network, source, first)
    replace(f"{place}/etc/hosts", "127.0.0.2 target.test\n")
    until(lambda: comes_to(network, source, second), "the new address is used")


class NameServer:
    """Answers each question for an address with its own, over TCP only; on port 53 of the namespace it is made in."""

    def __init__(self, network, host, answer):
        self.answer, self.asked_by_tcp = answer, 0
        self.datagrams = network.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.streams = network.keep(socket.socket())
        for sock in (self.datagrams, self.streams):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, 53))
        self.streams.listen()
        for serve in (self.serve_datagrams, self.serve_streams):
            threading.Thread(target=serve, daemon=True).start()

    def reply(self, query, is_cut):
        end = query.index(b"\0", 12) + 5
        is_ours = query[end - 4:end] == b"\0\1\0\1" and not is_cut
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(self.answer) if is_ours else b""
        flags = b"\x87\x80" if is_cut else b"\x85\x80"
        return query[:2] + flags + b"\0\1\0" + bytes([is_ours]) + b"\0\0\0\0" + query[12:end] + answer

    def serve_datagrams(self):
        with contextlib.suppress(OSError):  # the test has ended
            while True:
                query, sender = self.datagrams.recvfrom(4096)
                self.datagrams.sendto(self.reply(query, True), sender)

    def serve_streams(self):
        with contextlib.suppress(OSError):
            while True:
                with self.streams.accept()[0] as sock, contextlib.suppress(AssertionError):
                    while True:
                        query = read_exactly(sock, int.from_bytes(read_exactly(sock, 2), "big"))
                        reply = self.reply(query, False)
                        self.asked_by_tcp += 1
                        sock.sendall(len(reply).to_bytes(2, "big") + reply)


@needs_root
@pytest.mark.parametrize("user", [(), ("-u", "65534:65534")], ids=["root", "nobody"])
@pytest.mark.parametrize("folder", ["etc", "resolve"], ids=["a file", "a link out of /etc"])
def test_the_target_is_looked_up_again_at_a_name_server_that_was_replaced(network, launch, ours, place, folder, user):
    with network_of_its_own():
        source, first = network.address(), network.listen()
        port = first.address.where[1]
        second = network.listen(at("127.0.0.2", port))
        NameServer(network, "127.0.0.1", "127.0.0.1")
        other = NameServer(network, "127.0.0.3", "127.0.0.2")
        under = own_etc(place)
        if folder != "etc":
            os.mkdir(f"{place}/{folder}", 0o755)
            os.rename(f"{place}/etc/resolv.conf", f"{place}/{folder}/resolv.conf")
            os.symlink(f"{place}/{folder}/resolv.conf", f"{place}/etc/resolv.conf")
        launch.daemon(ours, "-e", source, f"target.test:{port}", own_key(place), "-r", "1", *user, under=under)
        assert comes_to(network, source, first)
        replace(f"{place}/{folder}/resolv.conf", "nameserver 127.0.0.3\n")
        until(lambda: comes_to(network, source, second), "the new address is used")
        assert other.asked_by_tcp > 0


def log_socket(network, place):
    log = network.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    log.bind(f"{place}/dev/log")
    os.chmod(f"{place}/dev/log", 0o666)
    log.settimeout(PATIENCE)
    return log


def zone_file(place, hours):
    """A time zone without a rule but its distance from UTC."""
    with open(f"{place}/zone", "wb") as file:
        file.write(struct.pack(">5s15s6liBB4s", b"TZif", b"", 0, 0, 0, 0, 1, 4, hours * 3600, 0, 0, b"FAR"))
    return f":{place}/zone"


@needs_root
@pytest.mark.parametrize("user", [(), ("-u", "nobody")], ids=["root", "nobody"])
def test_a_log_daemon_that_starts_again_gets_the_next_lines_in_local_time(network, launch, ours, place, user):
    os.mkdir(f"{place}/dev", 0o755)
    with open(f"{place}/dev/null", "wb"):
        pass
    log, key = log_socket(network, place), own_key(place)
    script = f'mount --bind /dev/null {place}/dev/null && mount --rbind {place}/dev /dev && exec "$@"'
    source, target = network.address(), network.listen()
    daemon = background(launch, ours, place, "-d", source, target.address, key, "--syslog", *user,
                        under=["unshare", "-m", "sh", "-c", script, "sh"], env={**os.environ, "TZ": zone_file(place, 5)})
    assert (daemon.status, daemon.errors) == (0, "")
    if user:
        assert "cannot read" in log.recv(4096).decode()
    assert " sandbox " in log.recv(4096).decode()
    log.close()
    os.unlink(f"{place}/dev/log")
    log = log_socket(network, place)
    passes(network, source, target, key)
    line = log.recv(4096).decode()
    written = datetime.datetime.strptime(re.match(r"<30>(\w+ +\d+ [\d:]+) spiped\[", line).group(1), "%b %d %H:%M:%S")
    far = datetime.datetime.utcnow() + datetime.timedelta(hours=5)
    assert abs((written.replace(year=far.year) - far).total_seconds()) < 60
    daemon.terminate()
