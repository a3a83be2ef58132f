"""Where the shared key stands while a program runs: in no core file, in no swap, and shown to nobody."""
import ctypes
import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys

import memory
import pytest
import traces
from daemons import background, needs_root, passes, secret_of
from network import PATIENCE, until
from programs import Programs

pytestmark = [needs_root, memory.needs_to_look]
NOBODY = pwd.getpwnam("nobody")
AS_NOBODY = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
SYS_MEMFD_SECRET, O_CLOEXEC = 447, 0o2000000
libc = ctypes.CDLL(None, use_errno=True)

# Tries to look into another process, in each way that there is; prints those that worked.
LOOK = """
import ctypes, os, sys
pid, libc = int(sys.argv[1]), ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
class Piece(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("length", ctypes.c_size_t)]
def opens(name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return bool(file.read(1)) if name != "mem" else True
    except OSError:
        return False
for name in ("mem", "maps", "environ", "pagemap"):
    if opens(name):
        print(name)
room = ctypes.create_string_buffer(8)
here, there = Piece(ctypes.addressof(room), 8), Piece(int(sys.argv[2], 16), 8)
if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) == 8:
    print("process_vm_readv")
for name, request in (("seize", PTRACE_SEIZE),):
    if libc.ptrace(request, pid, None, None) == 0:
        print(name)
"""


def has_secret_memory():
    descriptor = libc.syscall(SYS_MEMFD_SECRET, O_CLOEXEC)
    if descriptor >= 0:
        os.close(descriptor)
    return descriptor >= 0


def unlimited_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def no_locked_memory():
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))


@pytest.fixture
def anybodys(ours, place):
    """Where any user may start them: a checkout may stand in a folder that only its owner enters."""
    return Programs(ours.name, *(shutil.copy(path, place) for path in (ours.spiped, ours.spipe, ours.keygen)))


@pytest.fixture
def daemon(network, launch, ours, key):
    def start(role="-d", *options, programs=ours, **how):
        source, target = network.address(), network.listen()
        process = launch.daemon(programs, role, source, target.address, key, *options, **how)
        process.line(" start ")
        process.serves = lambda: passes(network, source, target, key)
        return process
    return start


def all_of_the_key(key):
    with open(key, "rb") as file:
        yield "file", file.read()
    yield from traces.of_key(secret_of(key))


def assert_key_is_out_of_sight(ours, pid, key):
    """Nobody finds it, root included; and there is the page where it is."""
    assert memory.find(ours, pid, all_of_the_key(key)) == []
    pages = [one for one in memory.mappings(pid) if "secretmem" in one.name]
    assert len(pages) == 1 and {"lo", "dd"} <= set(pages[0].flags), pages


def assert_key_is_locked(ours, pid, key):
    """Where it can be found, it stands once, as K, in a page that is neither swapped nor dumped."""
    found = memory.find(ours, pid, all_of_the_key(key))
    assert [(trace.name, trace.length) for trace in found] == [("K", 32)], found
    assert {"lo", "dd"} <= set(found[0].mapping.flags), found
    assert found[0].mapping.end - found[0].mapping.start == resource.getpagesize()


@pytest.fixture(params=["in memory that the kernel shows to nobody", "in a locked page"])
def kernel(request, ours, place):
    """Two kinds of kernel: what a program is to be started with, and what must hold for its key."""
    if ours.is_sanitized():
        pytest.skip("a sanitizer locks no memory, and keeps what was freed")
    is_old = request.param == "in a locked page"
    if not is_old and not has_secret_memory():
        pytest.skip("this kernel has no memfd_secret")
    witness = memory.Witness(ours, place, **({"WITNESS_OLD": "1"} if is_old else {}))
    yield witness.how, assert_key_is_locked if is_old else assert_key_is_out_of_sight


@pytest.mark.parametrize("role", ["-d", "-e"])
def test_the_key_stands_in_one_place_that_leaks_nowhere(daemon, ours, key, kernel, role):
    how, assert_key_is_safe = kernel
    process = daemon(role, **how)
    assert_key_is_safe(ours, process.pid, key)
    if role == "-d":
        process.serves()
        assert_key_is_safe(ours, process.pid, key)


def test_so_it_does_after_the_fork(network, launch, ours, place, key, kernel):
    how, assert_key_is_safe = kernel
    source, target = network.address(), network.listen()
    started = background(launch, ours, place, "-d", source, target.address, key, **how)
    assert started.status == 0, started.errors
    assert_key_is_safe(ours, started.pid, key)
    passes(network, source, target, key)
    started.terminate()


def test_so_it_does_in_spipe(network, launch, ours, key, kernel):
    how, assert_key_is_safe = kernel
    target = network.listen()
    client = launch.client(ours, target.address, key, **how)
    target.accept()
    memory.until_asleep(client)
    assert_key_is_safe(ours, client.pid, key)


def test_where_no_memory_may_be_locked_it_works_all_the_same(daemon, anybodys, key):
    os.chown(key, NOBODY.pw_uid, NOBODY.pw_gid)
    daemon(programs=anybodys, preexec_fn=no_locked_memory, **AS_NOBODY).serves()


def dies_with_a_core(process, place):
    """Whether a process that is told to abort leaves a core file in its folder."""
    process.may_die = True
    process.signal(signal.SIGABRT)
    until(lambda: process.wait() is not None, "it has died of SIGABRT")
    assert process.wait() == -signal.SIGABRT
    return [name for name in os.listdir(place) if name.startswith("core")]


def test_no_core_file_is_left(daemon, network, launch, ours, place, key):
    if ours.is_sanitized():
        pytest.skip("a sanitized build can be looked into, by its leak checker")
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as pattern:
        if not pattern.read().startswith("core"):
            pytest.skip("core files go elsewhere on this system")
    how = {"preexec_fn": unlimited_cores, "cwd": place}
    left = dies_with_a_core(launch.start("sleep", "100", **how), place)
    assert left, "another program leaves one"
    for name in left:
        os.unlink(os.path.join(place, name))
    assert not dies_with_a_core(daemon(**how), place)
    target = network.listen()
    client = launch.client(ours, target.address, key, **how)
    target.accept()
    assert not dies_with_a_core(client, place)


def worked(pid):
    """How a process of nobody's can look into this one of nobody's."""
    heap = next(one for one in memory.mappings(pid) if one.name == "[heap]")
    done = subprocess.run([sys.executable, "-c", LOOK, str(pid), hex(heap.start)], stdout=subprocess.PIPE, check=True,
                          timeout=PATIENCE, cwd="/", **AS_NOBODY)
    return set(done.stdout.decode().split())


@pytest.mark.parametrize("becomes", ["spiped", "spiped -u", "spipe"])
def test_others_of_the_same_user_cannot_look_into_it(daemon, network, launch, ours, anybodys, key, becomes):
    if ours.is_sanitized():
        pytest.skip("a sanitized build can be looked into, by its leak checker")
    other = launch.start("sh", "-c", "read x", stdin=subprocess.PIPE, **AS_NOBODY)
    other.may_die = True
    until(lambda: any(one.name == "[heap]" for one in memory.mappings(other.pid)), "it has memory")
    assert worked(other.pid) == {"mem", "maps", "environ", "pagemap", "process_vm_readv", "seize"}
    if becomes != "spiped -u":
        os.chown(key, NOBODY.pw_uid, NOBODY.pw_gid)
    if becomes == "spipe":
        target = network.listen()
        process = launch.client(anybodys, target.address, key, **AS_NOBODY)
        target.accept()
    else:
        process = daemon("-d", "-u", "nobody") if becomes == "spiped -u" else daemon("-d", programs=anybodys, **AS_NOBODY)
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        assert f"Uid:\t{NOBODY.pw_uid}\t" in status.read()
    assert worked(process.pid) == set()
