"""contenders.py: each program that the bench measures: how a pair of it is made, started, watched and ended."""

import ctypes
import getpass
import json
import os
import re
import shutil
import signal
import subprocess
import time

LOAD_PATIENCE_SECONDS = 180
START_PATIENCE_SECONDS = 10


class BenchError(Exception):
    """Why one measurement failed; the others go on."""


def write(path, text, mode=0o600):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def end_with_parent():
    """A child of a bench that was killed must not stay: PR_SET_PDEATHSIG."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def quietly(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(command)}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
    return done.stdout


def version_of(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+(p\d+)?", done.stdout + done.stderr)
    return found.group(0) if found else "unknown"


def listening_ports():
    """The TCP ports that somebody listens on in this network namespace, without connecting to any."""
    ports = set()
    for table in ("/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"):
        with open(table, encoding="ascii") as lines:
            for fields in map(str.split, list(lines)[1:]):
                if fields[3] == "0A":
                    ports.add(int(fields[1].rsplit(":", 1)[1], 16))
    return ports


def process_tree(root):
    """A process and its descendants: {pid: CPU ticks of it and of the children that it has waited for}."""
    parents, ticks = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(name)] = int(fields[1])
        ticks[int(name)] = sum(map(int, fields[11:15]))
    tree = [root]
    for pid in tree:
        tree += [child for child, parent in parents.items() if parent == pid]
    return {pid: ticks[pid] for pid in tree if pid in ticks}


def resident_kib(root):
    total = 0
    for pid in process_tree(root):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Rss:"))
    return total


class Contender:
    """A pair of daemons between `near`, where the load connects, and `far`, where it is served; `middle` joins the two."""

    name = title = note = ""
    has_processes = True
    netns = None

    def __init__(self, place, number):
        self.place = place
        self.near, self.middle, self.far = (f"127.0.0.1:{10000 + 10 * number + i}" for i in range(3))
        self.processes = []

    def version(self):
        return None

    def prepare(self):
        """Once for the whole run: keys and settings, in self.place.scratch."""

    def commands(self):
        """The near daemon and the far one."""
        raise NotImplementedError

    def path(self, suffix):
        return os.path.join(self.place.scratch, f"{self.name}-{suffix}")

    def start(self):
        near, far = self.commands()
        self.spawn(far, self.path("far.log"))
        self.await_ports(self.middle)
        self.spawn(near, self.path("near.log"))
        self.await_ports(self.near)
        self.processes.reverse()

    def spawn(self, command, log):
        with open(log, "wb") as file:
            # pylint: disable-next=subprocess-popen-preexec-fn
            self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                                   cwd=self.place.scratch, preexec_fn=end_with_parent))
        self.processes[-1].log = log

    def await_ports(self, *addresses):
        wanted = {int(address.rsplit(":", 1)[1]) for address in addresses}
        end = time.monotonic() + START_PATIENCE_SECONDS
        while not wanted <= listening_ports():
            self.check_alive()
            if time.monotonic() > end:
                raise BenchError(f"does not listen on {', '.join(addresses)}")
            time.sleep(0.01)

    def check_alive(self):
        for process in self.processes:
            if process.poll() is not None:
                with open(process.log, encoding="utf-8", errors="replace") as file:
                    last = file.read().strip().splitlines()[-1:] or ["without a word"]
                raise BenchError(f"ended with status {process.returncode}: {last[0]}")

    def stop(self):
        for process in self.processes:
            process.terminate()
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []

    def cpu_seconds(self):
        return sum(sum(process_tree(process.pid).values()) for process in self.processes) / os.sysconf("SC_CLK_TCK")

    def load_command(self, mode, arguments):
        command = [self.place.load, mode, "--connect", self.near, "--listen", self.far]
        return command + (["--listen-netns", self.netns] if self.netns else []) + list(map(str, arguments))

    def load(self, mode, *arguments):
        """Run the load; its line and the CPU seconds of the pair, counted from when the connections were open."""
        before = self.cpu_seconds()
        command = ["timeout", str(LOAD_PATIENCE_SECONDS), *self.load_command(mode, arguments)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as load:
            line = load.stdout.readline()
            if '"event": "open"' in line:
                before = self.cpu_seconds()
                line = load.stdout.readline()
            after = self.cpu_seconds()
            problem = load.stderr.read().strip().removeprefix("bench: ")
        self.check_alive()
        if load.returncode != 0:
            raise BenchError(problem or f"{mode}: no result after {LOAD_PATIENCE_SECONDS} seconds")
        sample = json.loads(line)
        if sample.get("total") == 0:
            raise BenchError(f"{mode}: not one in all the time")
        if self.has_processes:
            sample["cpu_seconds"] = round(after - before, 2)
        return sample

    def idle(self, connections):
        """KiB that each idle connection adds to the near daemon and to the far one."""
        before = [resident_kib(process.pid) for process in self.processes]
        holder = subprocess.Popen(self.load_command("idle", ["--connections", connections]), text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            if not holder.stdout.readline():
                raise BenchError(holder.stderr.read().strip().removeprefix("bench: "))
            after = [resident_kib(process.pid) for process in self.processes]
        finally:
            holder.communicate(timeout=LOAD_PATIENCE_SECONDS)
        near, far = ((b - a) / connections for a, b in zip(before, after))
        return {"mode": "idle", "connections": connections, "near_kib": round(near, 2), "far_kib": round(far, 2)}


class Direct(Contender):
    name, title, note = "direct", "no pair at all", "the load's own two ends joined"
    has_processes = False

    def start(self):
        self.near = self.far


class Relay(Contender):
    name, title, note = "relay", "copying relay pair", "encrypts nothing, 256 KiB buffers"

    def commands(self):
        return [self.place.relay, self.near, self.middle], [self.place.relay, self.middle, self.far]


class Spiped(Contender):
    name, title, note = "spiped", "spiped, Debian", "-n 0"
    options = ["-F", "-n", "0"]

    def program(self):
        return "/usr/bin/spiped"

    def version(self):
        return version_of(self.program(), "-v")

    def prepare(self):
        write(self.path("key"), os.urandom(32).hex())

    def commands(self):
        common = ["-k", self.path("key"), *self.options]
        return ([self.program(), "-e", "-s", self.near, "-t", self.middle, *common],
                [self.program(), "-d", "-s", self.middle, "-t", self.far, *common])


class Ours(Spiped):
    name, title, note = "ours", "this spiped", "-n 0 --log-level warning, as when daemonized"

    def __init__(self, place, number):
        super().__init__(place, number)
        self.options = ["-F", "-n", "0", "--log-level", "warning", *place.ours_options]

    def program(self):
        return self.place.ours


class Stunnel(Contender):
    name, title, note = "stunnel", "stunnel", "TLS 1.3, PSK; its PSK allows AES-128-GCM, not AES-256"

    def version(self):
        return version_of("stunnel", "-version")

    def prepare(self):
        secrets = write(self.path("psk"), f"bench:{os.urandom(32).hex()}\n")
        for side, accept, connect in (("near", self.near, self.middle), ("far", self.middle, self.far)):
            write(self.path(f"{side}.conf"), "foreground = yes\nsyslog = no\ndebug = err\npid =\n[pair]\n"
                  f"client = {'yes' if side == 'near' else 'no'}\naccept = {accept}\nconnect = {connect}\n"
                  f"PSKsecrets = {secrets}\nsslVersion = TLSv1.3\nciphersuites = TLS_AES_128_GCM_SHA256\n")

    def commands(self):
        return ["stunnel", self.path("near.conf")], ["stunnel", self.path("far.conf")]


class HAProxy(Contender):
    name, title, note = "haproxy", "HAProxy", "TLS 1.3, AES-256-GCM, P-256 certificate that the client checks"

    def version(self):
        return version_of("haproxy", "-v")

    def prepare(self):
        key, certificate, both = self.path("key.pem"), self.path("certificate.pem"), self.path("both.pem")
        quietly("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-subj", "/CN=bench", "-addext", "subjectAltName=DNS:bench", "-days", "2", "-keyout", key,
                "-out", certificate)
        with open(certificate, encoding="ascii") as first, open(key, encoding="ascii") as second:
            write(both, first.read() + second.read())
        suite = "ssl-min-ver TLSv1.3 ciphersuites TLS_AES_256_GCM_SHA384"
        for side, bind, server in (
                ("near", self.near, f"{self.middle} ssl verify required ca-file {certificate} verifyhost bench {suite}"),
                ("far", f"{self.middle} ssl crt {both} {suite}", self.far)):
            write(self.path(f"{side}.cfg"), "global\n\tmaxconn 9000\ndefaults\n\tmode tcp\n\ttimeout connect 30s\n"
                  "\ttimeout client 1h\n\ttimeout server 1h\nlisten pair\n"
                  f"\tbind {bind}\n\tserver far {server}\n")

    def commands(self):
        return ["haproxy", "-db", "-f", self.path("near.cfg")], ["haproxy", "-db", "-f", self.path("far.cfg")]


class Shadowsocks(Contender):
    name, title = "shadowsocks", "shadowsocks-libev"
    note = "AES-256-GCM, ss-tunnel and ss-server; a connection makes no key exchange of its own"

    def version(self):
        return version_of("ss-server", "-h")

    def prepare(self):
        write(self.path("config.json"), json.dumps({
            "server": "127.0.0.1", "server_port": int(self.middle.rsplit(":", 1)[1]), "method": "aes-256-gcm",
            "password": os.urandom(32).hex(), "timeout": 3600, "no_delay": True, "nofile": 20000}))

    def commands(self):
        host, port = self.near.rsplit(":", 1)
        return (["ss-tunnel", "-c", self.path("config.json"), "-b", host, "-l", port, "-L", self.far],
                ["ss-server", "-c", self.path("config.json")])


class OpenSSH(Contender):
    name, title, note = "openssh", "OpenSSH -L", "ChaCha20, its default; all connections share one and its key exchange"
    cipher = []

    def version(self):
        return version_of("ssh", "-V")

    def prepare(self):
        for owner in ("host", "user"):
            quietly("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(owner))
        with open(self.path("host.pub"), encoding="ascii") as file:
            host, port = self.middle.rsplit(":", 1)
            write(self.path("known"), f"[{host}]:{port} {file.read()}")
        os.chmod(self.place.scratch, 0o755)  # sshd reads the key list as the user; the secrets in it stay 0600
        write(self.path("config"), f"HostKey {self.path('host')}\nAuthorizedKeysFile {self.path('user.pub')}\n"
              "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin prohibit-password\nLogLevel ERROR\n"
              "AllowTcpForwarding yes\nPrintMotd no\n")

    def commands(self):
        host, port = self.middle.rsplit(":", 1)
        self.place.make_directory("/run/sshd")
        return (["ssh", "-N", "-F", "none", "-i", self.path("user"), "-p", port, *self.cipher,
                 "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes",
                 "-o", f"UserKnownHostsFile={self.path('known')}", "-o", "ExitOnForwardFailure=yes",
                 "-L", f"{self.near}:{self.far}", f"{getpass.getuser()}@{host}"],
                [shutil.which("sshd", path="/usr/sbin:/usr/local/sbin") or "sshd", "-D", "-e", "-f",
                 self.path("config"), "-o", f"ListenAddress={host}", "-p", port])


class OpenSSHGcm(OpenSSH):
    name, title, note = "openssh-gcm", "OpenSSH, AES-GCM", "the same with -c aes256-gcm@openssh.com"
    cipher = ["-c", "aes256-gcm@openssh.com"]


class WireGuard(Contender):
    """Not a pair of daemons but the kernel, so no CPU or memory can be told; two network namespaces and a cable."""

    name, title, note = "wireguard", "WireGuard", "in the kernel, between two network namespaces"
    has_processes = False

    def version(self):
        return version_of("wg", "--version")

    def prepare(self):
        for side in ("near", "far"):
            write(self.path(side), quietly("wg", "genkey"))

    def commands(self):
        return None

    def public(self, side):
        with open(self.path(side), encoding="ascii") as file:
            return subprocess.run(["wg", "pubkey"], stdin=file, capture_output=True, text=True, check=True).stdout.strip()

    def start(self):
        quietly("ip", "link", "add", "wg-near", "type", "wireguard")
        # Nothing but a holder of the second namespace; its end is the end of the cable and of wg-far.
        self.spawn(["unshare", "--net", "--", "sleep", "3600"], self.path("holder.log"))
        holder = str(self.processes[0].pid)
        ours = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{holder}/ns/net") == ours:
            self.check_alive()
            time.sleep(0.01)
        inside = ["nsenter", "-t", holder, "-n", "--"]
        quietly("ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", holder)
        self.side([], "near", "1", "2", self.public("far"))
        quietly(*inside, "ip", "link", "add", "wg-far", "type", "wireguard")
        self.side(inside, "far", "2", "1", self.public("near"))
        with open("/proc/sys/net/ipv4/tcp_congestion_control", encoding="ascii") as file:
            quietly(*inside, "sh", "-c", f"echo {file.read().strip()} >/proc/sys/net/ipv4/tcp_congestion_control")
        self.netns = f"/proc/{holder}/ns/net"
        self.near = self.far = "10.89.1.2:" + self.far.rsplit(":", 1)[1]

    def side(self, inside, name, own, other, peer):
        quietly(*inside, "ip", "address", "add", f"10.89.0.{own}/24", "dev", "cable")
        quietly(*inside, "ip", "link", "set", "cable", "up")
        quietly(*inside, "wg", "set", f"wg-{name}", "listen-port", "51820", "private-key", self.path(name), "peer", peer,
                "endpoint", f"10.89.0.{other}:51820", "allowed-ips", f"10.89.1.{other}/32")
        quietly(*inside, "ip", "address", "add", f"10.89.1.{own}/24", "dev", f"wg-{name}")
        quietly(*inside, "ip", "link", "set", f"wg-{name}", "up")

    def stop(self):
        super().stop()
        for device in ("wg-near", "cable"):
            subprocess.run(["ip", "link", "del", device], capture_output=True, check=False)


ALL = (Direct, Relay, Ours, Spiped, Stunnel, HAProxy, Shadowsocks, OpenSSH, OpenSSHGcm, WireGuard)
