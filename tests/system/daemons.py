"""What tests of the daemons share: a pair of them, one in the background, its sockets, worlds of their own."""
import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess

import pytest
from network import PATIENCE, read_exactly, until
from peer import CLIENT, Peer, sha256_of_key_file

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make namespaces, users and the like")
CLONE_NEWNET, PIDFD_GETFD = 0x40000000, 438
libc = ctypes.CDLL(None, use_errno=True)

# A container's first process: signals without a handler do nothing to it
AS_PROCESS_1 = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


def secret_of(key):
    with open(key, "rb") as file:
        return sha256_of_key_file(file.read())


class Pair:
    """spiped -e and spiped -d behind it."""

    def __init__(self, network, launch, ours, key, *options):
        self.network, self.source, middle, self.target = network, network.address(), network.address(), network.listen()
        self.decrypt = launch.daemon(ours, "-d", middle, self.target.address, key, *options)
        self.encrypt = launch.daemon(ours, "-e", self.source, middle, key, *options)

    def open(self):
        """A connection through both: (the client's end, the server's)."""
        near = self.network.connect(self.source)
        return near, self.target.accept()


class Door:
    """spiped -d, met by peers that the test plays."""

    def __init__(self, network, launch, ours, key, *options, **how):
        self.network, self.secret = network, secret_of(key)
        self.source, self.target = network.address(), network.listen()
        self.process = launch.daemon(ours, "-d", self.source, self.target.address, key, *options, **how)

    def knock(self, own_host=None):
        """A connection from that address, silent yet."""
        sock = self.network.keep(self.source.socket())
        sock.settimeout(PATIENCE)
        if own_host:
            sock.bind((own_host, 0))
        sock.connect(self.source.where)
        return sock

    def peer(self, sock=None):
        return Peer(sock or self.knock(), CLIENT, self.secret, forward_secrecy=False, timeout=PATIENCE)

    def prove(self):
        """A peer that has proved the key, and waits for S5."""
        peer = self.peer()
        peer.nonces()
        peer.sock.sendall(peer.shake.y_message())
        return peer

    def open(self):
        """(the peer, the target's end of the connection)."""
        peer = self.peer().handshake()
        return peer, self.target.accept()

    def serves(self):
        peer, plain = self.open()
        peer.send(b"good day")
        assert plain.recv(100) == b"good day"
        peer.close()
        plain.close()


class Background:
    """spiped that has left its parent, which is waited for: with its pidfile and what it says on standard error."""

    def __init__(self, launch, command, cwd, pidfile, **how):
        launch.pidfile(os.path.join(cwd, pidfile))
        self.pidfile, self.errors_path = os.path.join(cwd, pidfile), os.path.join(cwd, "errors")
        how.setdefault("stdin", subprocess.DEVNULL)
        with open(self.errors_path, "wb") as errors, open(os.path.join(cwd, "output"), "wb") as output:
            self.status = subprocess.run([str(word) for word in command], stdout=output, stderr=errors, cwd=cwd,
                                         timeout=PATIENCE, check=False, **how).returncode

    @property
    def errors(self):
        with open(self.errors_path, encoding="utf-8") as file:
            return file.read()

    @property
    def pid(self):
        with open(self.pidfile, encoding="ascii") as file:
            return int(file.read())

    def is_running(self):
        """Not yet gone, and not a dead one that nobody has waited for."""
        try:
            with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
                return file.read().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    def link(self, name):
        return os.readlink(f"/proc/{self.pid}/{name}")

    def terminate(self):
        pid = self.pid
        os.kill(pid, signal.SIGTERM)
        until(lambda: not self.is_running(), f"{pid} is gone")


def background(launch, ours, place, role, source, target, key, *options, pidfile="pid", under=(), **how):
    command = [*under, ours.spiped, role, "-s", source, "-t", target, "-k", key, *options]
    if pidfile != f"{source}.pid":
        command += ["-p", os.path.join(place, pidfile)]
    return Background(launch, command, place, pidfile, **how)


def passes(network, source, target, key):
    """Whether spiped -d on source takes a peer with this key to target."""
    peer = Peer(network.connect(source), CLIENT, secret_of(key)).handshake()
    peer.send(b"good day")
    plain = target.accept()
    assert read_exactly(plain, 8) == b"good day"
    peer.close()
    plain.close()


def child_of(process):
    """The one process that this one has started."""
    path = f"/proc/{process.pid}/task/{process.pid}/children"

    def read():
        with open(path, encoding="ascii") as file:
            return file.read().split()
    return int(until(read, f"{process.arguments} has a child")[0])


def sockets_of(pid):
    """Connected TCP sockets of another process, as duplicates of our own: to be asked for their options."""
    watched, found = os.pidfd_open(pid), []
    for name in os.listdir(f"/proc/{pid}/fd"):
        if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
            continue
        number = libc.syscall(PIDFD_GETFD, watched, int(name), 0)
        if number < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        sock = socket.socket(fileno=number)
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not sock.getsockopt(
                socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            found.append(sock)
        else:
            sock.close()
    os.close(watched)
    return found


def hosts(place, names):
    """A command under which names have these addresses, and no others do: {name: [address, ...]}."""
    path = os.path.join(place, "hosts")
    write_hosts(path, names)
    return with_file(path, "/etc/hosts")


def write_hosts(path, names):
    """In place: it may be mounted."""
    with open(path, "w", encoding="ascii") as file:
        file.write("".join(f"{address} {name}\n" for name, addresses in names.items() for address in addresses))


def with_file(path, over):
    """A command under which a file of the test's stands in the place of the system's."""
    return "unshare", "-m", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', path, over


@contextlib.contextmanager
def network_of_its_own(*commands):
    """This thread, and what it starts, in a new network namespace in which these `ip` commands were run."""
    with open("/proc/thread-self/ns/net", encoding="ascii") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        try:
            for command in ("link set lo up", *commands):
                subprocess.run(["ip", *command.split()], check=True)
            yield
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)


def limits(soft, hard):
    """For a process to start: so many descriptors at most."""
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))}


def keepalive_of(sock):
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def timers_of(sock):
    """Seconds of silence before the first probe, between probes, and how many."""
    return tuple(sock.getsockopt(socket.IPPROTO_TCP, option)
                 for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT))


def credentials(pid):
    """(uid, gid, supplementary groups) of a process, each where all four of a kind agree."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    uids, gids = set(fields["Uid"].split()), set(fields["Gid"].split())
    assert len(uids) == len(gids) == 1, fields
    return int(uids.pop()), int(gids.pop()), [int(group) for group in fields["Groups"].split()]


def kernel_default(name):
    with open(f"/proc/sys/net/{name}", encoding="ascii") as file:
        return int(file.read())

