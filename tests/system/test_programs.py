"""Real programs through the pipe: OpenSSH, Redis and a mail server, each with a configuration of the test's own."""
import contextlib
import email
import email.policy
import getpass
import hashlib
import os
import pwd
import select
import smtplib
import subprocess
import time
from email.message import EmailMessage

import pytest
from daemons import needs_root
from network import PATIENCE, until
from programs import run

LONG_ENOUGH = 3 * PATIENCE  # for a program that moves a lot, under a sanitizer


def program(*names):
    """The first of these that is there: they stand in tests/packages.txt."""
    for name in names:
        for folder in ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"):
            if os.access(os.path.join(folder, name), os.X_OK):
                return os.path.join(folder, name)
    raise AssertionError(f"{names[0]} is missing: see tests/packages.txt")


def write(path, text, mode=0o600):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def start(launch, address, *command, **how):
    """A program in the foreground, once it listens."""
    process = launch.start(*command, **how)
    process.is_gentle, process.may_die = False, True
    until(lambda: launch.listens(process, address), f"{command[0]} listens on {address}")
    return process


@pytest.fixture
def through(network, launch, ours, key):
    """Where to connect to in order to reach an address through spiped -e and spiped -d."""
    def make(target):
        source, middle = network.address(), network.address()
        launch.daemon(ours, "-d", middle, target, key)
        launch.daemon(ours, "-e", source, middle, key)
        return source
    return make


# OpenSSH, with spipe as ProxyCommand

# sshd, as root, wants a folder that only its service makes: here one that nobody else sees.
UNDER = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs run /run && mkdir -m 755 /run/sshd && exec "$@"', "sh")


@pytest.fixture
def ssh(network, launch, ours, key, place):
    """The options that lead ssh and scp through the pipe to a server of the test's."""
    address, front = network.address(), network.address()
    for owner in ("host", "user"):
        subprocess.run([program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", f"{place}/{owner}"], check=True)
    config = write(f"{place}/sshd_config", f"""
        ListenAddress {address.where[0]}:{address.where[1]}
        HostKey {place}/host
        AuthorizedKeysFile {place}/user.pub
        PidFile none
        StrictModes no
        UsePAM no
        PasswordAuthentication no
        PermitRootLogin prohibit-password
        MaxStartups 100
        Subsystem sftp internal-sftp
    """)
    under = UNDER if os.geteuid() == 0 else ()
    server = start(launch, address, *under, program("sshd"), "-D", "-e", "-f", config)
    door = launch.daemon(ours, "-d", front, address, key)
    with open(f"{place}/host.pub", encoding="ascii") as file:
        known = write(f"{place}/known", f"there {file.read()}")
    options = {"ProxyCommand": f"{ours.spipe} -t {front} -k {key}", "HostKeyAlias": "there", "UserKnownHostsFile": known,
               "IdentityFile": f"{place}/user", "IdentitiesOnly": "yes", "BatchMode": "yes", "StrictHostKeyChecking": "yes",
               "User": getpass.getuser()}
    yield ["-F", "none", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    print(*server.lines, *door.lines, sep="\n")  # shown where the test fails


def test_OpenSSH_copies_64_MiB_through_spipe(ssh, place):
    content = os.urandom(64 << 20)
    with open(f"{place}/original", "wb") as file:
        file.write(content)
    for source, copy in ((f"{place}/original", f"there:{place}/there"), (f"there:{place}/there", f"{place}/back")):
        status, _, errors = run(program("scp"), "-q", *ssh, source, copy, patience=LONG_ENOUGH)
        assert (status, errors) == (0, "")
    for copy in ("there", "back"):
        with open(f"{place}/{copy}", "rb") as file:
            assert file.read() == content


def test_OpenSSH_has_ten_sessions_at_once_through_spipe(ssh, place):
    """Each waits until all ten are there, and only then answers."""
    for name in ("here", *range(10)):
        os.mkfifo(f"{place}/{name}")
    command = f"timeout {int(LONG_ENOUGH)} sh -c 'echo >{place}/here; : <{place}/$1' sh $1; sha256sum"
    said = [os.urandom(1 << 20) for _ in range(10)]
    sessions = []
    for number, words in enumerate(said):
        with open(f"{place}/said-{number}", "wb") as file:
            file.write(words)
        with open(f"{place}/said-{number}", "rb") as file:
            sessions.append(subprocess.Popen(
                [program("ssh"), *ssh, "there", f"set -- {number}; {command}"], stdin=file, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE))
    with contextlib.ExitStack() as stack:
        for session in sessions:
            stack.callback(session.wait)
            stack.callback(session.kill)
        here = stack.enter_context(open(f"{place}/here", "r+b", buffering=0))
        missing, deadline = 10, time.monotonic() + LONG_ENOUGH
        while missing:
            left = max(deadline - time.monotonic(), 0)
            assert select.select([here], [], [], left)[0], f"{missing} of ten sessions are not there"
            missing -= len(here.read(missing))
        for number in range(10):
            stack.enter_context(open(f"{place}/{number}", "r+b", buffering=0))
        for session, words in zip(sessions, said):
            output, errors = session.communicate(timeout=LONG_ENOUGH)
            assert session.returncode == 0, errors  # what else is said on it comes from the user's own shell
            assert hashlib.sha256(words).hexdigest() in output.decode()


# Redis

def redis(address, *words):
    host, port = address.where
    status, output, errors = run(program("redis-cli"), "-h", host, "-p", port, *words, patience=LONG_ENOUGH)
    assert status == 0, errors
    return output.rstrip("\n")


def redis_server(network, launch, place, *options):
    address = network.address()
    folder = f"{place}/redis-{address.where[1]}"
    os.mkdir(folder)
    start(launch, address, program("redis-server"), "--bind", address.where[0], "--port", address.where[1], "--dir", folder,
          "--save", "", "--appendonly", "no", "--daemonize", "no", "--enable-debug-command", "local", *options)
    return address


def test_redis_benchmark_through_the_pipe(network, launch, place, through):
    server = redis_server(network, launch, place)
    near = through(server)
    status, output, errors = run(program("redis-benchmark"), "-h", near.where[0], "-p", near.where[1], "-q", "-n", "10000",
                                 "-c", "50", "-d", "2000", "-t", "set,get,lpush", patience=LONG_ENOUGH)
    assert (status, errors) == (0, "")
    assert output.count("requests per second") == 3
    for command in ("set", "get", "lpush"):  # redis-benchmark counts what came back; the server, what reached it
        assert f"cmdstat_{command}:calls=10000," in redis(server, "INFO", "commandstats")


def test_a_redis_replica_syncs_through_the_pipe_and_follows(network, launch, place, through):
    original = redis_server(network, launch, place)
    redis(original, "DEBUG", "POPULATE", "20000", "key", "1000")
    near = through(original)
    replica = redis_server(network, launch, place, "--replicaof", *map(str, near.where))
    until(lambda: "master_link_status:up" in redis(replica, "INFO", "replication"), "it has synced", LONG_ENOUGH, 0.05)
    assert redis(replica, "DBSIZE") == "20000"
    redis(near, "SET", "news", "good")
    assert redis(near, "WAIT", "1", str(PATIENCE * 1000)) == "1"
    assert redis(replica, "GET", "news") == "good"
    assert redis(replica, "DEBUG", "DIGEST") == redis(original, "DEBUG", "DIGEST") != "0" * 40


# A mail server

def mail_server(network, launch, place):
    """Exim that takes mail for mail.test on loopback, and puts it into a folder."""
    address, who = network.address(), pwd.getpwnam("Debian-exim")
    for name in ("spool", "log", "mail"):
        os.mkdir(f"{place}/{name}")
        os.chown(f"{place}/{name}", who.pw_uid, who.pw_gid)
    config = write(f"{place}/exim.conf", f"""
primary_hostname = mail.test
domainlist local_domains = mail.test
local_interfaces = {address.where[0]}
daemon_smtp_ports = {address.where[1]}
spool_directory = {place}/spool
log_file_path = {place}/log/%slog
tls_advertise_hosts =
keep_environment =
acl_smtp_rcpt = recipient

begin acl
recipient:
  accept domains = +local_domains
  deny

begin routers
here:
  driver = accept
  domains = +local_domains
  transport = folder

begin transports
folder:
  driver = appendfile
  directory = {place}/mail
  maildir_format
  user = Debian-exim
""", 0o644)
    start(launch, address, program("exim4", "exim"), "-bdf", "-C", config)
    return address, f"{place}/mail/new"


@needs_root
def test_a_mail_with_an_attachment_is_delivered_whole(network, launch, place, through):
    server, mailbox = mail_server(network, launch, place)
    near, attachment = through(server), os.urandom(3 << 20)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "me@example.org", "you@mail.test", "Through the pipe"
    message.set_content("See what is attached.\n.\nA line with a dot alone ends nothing.\n")
    message.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="random")
    with smtplib.SMTP(*near.where, timeout=PATIENCE) as client:
        assert "mail.test" in client.ehlo()[1].decode()
        assert client.send_message(message) == {}
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("me@example.org", ["you@elsewhere.test"], "no relay")
    delivered, = until(lambda: os.path.isdir(mailbox) and os.listdir(mailbox), "it is delivered", LONG_ENOUGH)
    with open(f"{mailbox}/{delivered}", "rb") as file:
        received = email.message_from_binary_file(file, policy=email.policy.default)
    assert received["Subject"] == message["Subject"]
    assert received.get_body().get_content() == message.get_body().get_content()
    found, = received.iter_attachments()
    assert (found.get_filename(), found.get_content()) == ("random", attachment)
