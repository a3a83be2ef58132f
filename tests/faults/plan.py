"""The plan that the preloaded library and we share (plan.h), the calls that can be made to fail (calls.h), call stacks."""
import collections
import ctypes
import errno
import mmap
import os
import re
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LIST, FAIL = 1, 2
PHASES = ("start", "handshake", "data", "reload", "drain")
FRAMES, SITES, BLOCKS, MODULES, MODULE_NAME = 40, 1 << 14, 1 << 12, 64, 64
SHORT = 0  # as an error: one byte only
ERRORS = {"SHORT": SHORT, "EAI_AGAIN": -3, "EAI_MEMORY": -10}

Call = collections.namedtuple("Call", "name how errors")
# One call stack of one function in one phase: frames are (module, offset), outermost last.
Site = collections.namedtuple("Site", "call phase hash frames count")
# One run: the nth call at a site fails with that error.
Fault = collections.namedtuple("Fault", "site nth error")


def read_calls():
    with open(os.path.join(HERE, "calls.h"), encoding="ascii") as file:
        found = re.findall(r"^(?:CALL|OWN)\((\w+), (\w+), ([A-Z_ ]+)\)$", file.read(), re.M)
    return [Call(name, how, errors.split()) for name, how, errors in found]


CALLS = read_calls()


def number_of(error):
    return ERRORS[error] if error in ERRORS else getattr(errno, error)


class Frame(ctypes.Structure):
    _fields_ = [("module", ctypes.c_uint32), ("offset", ctypes.c_uint32)]


class Stack(ctypes.Structure):
    _fields_ = [("hash", ctypes.c_uint64), ("depth", ctypes.c_uint32), ("unused", ctypes.c_uint32),
                ("frames", Frame * FRAMES)]


class RawSite(ctypes.Structure):
    _fields_ = [("call", ctypes.c_uint32), ("phase", ctypes.c_uint32), ("count", ctypes.c_uint32),
                ("unused", ctypes.c_uint32), ("stack", Stack)]


class Block(ctypes.Structure):
    _fields_ = [("caller", Frame), ("size", ctypes.c_uint64), ("hash", ctypes.c_uint64),
                ("count", ctypes.c_uint32), ("unused", ctypes.c_uint32)]


class Raw(ctypes.Structure):
    _fields_ = [("mode", ctypes.c_uint32), ("phase", ctypes.c_uint32), ("call", ctypes.c_uint32),
                ("in_phase", ctypes.c_uint32), ("nth", ctypes.c_uint32), ("error", ctypes.c_int32),
                ("hash", ctypes.c_uint64), ("module", ctypes.c_char * MODULE_NAME), ("offset", ctypes.c_uint32),
                ("small_buffers", ctypes.c_uint32), ("trace_memory", ctypes.c_uint32), ("unused", ctypes.c_uint32),
                ("visits", ctypes.c_uint32), ("fired", ctypes.c_uint32),
                ("ended", ctypes.c_uint32), ("site_count", ctypes.c_uint32), ("block_count", ctypes.c_uint32),
                ("module_count", ctypes.c_uint32), ("live", ctypes.c_int64), ("aborted", ctypes.c_uint32),
                ("overflow", ctypes.c_uint32), ("abort", Stack), ("modules", (ctypes.c_char * MODULE_NAME) * MODULES),
                ("blocks", Block * BLOCKS), ("sites", RawSite * SITES)]


class Plan:
    """One run's. fault None: every call stack is listed."""

    def __init__(self, fault=None, small_buffers=True):
        self.file = tempfile.NamedTemporaryFile(prefix="faults-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.file.truncate(ctypes.sizeof(Raw))
        os.chmod(self.file.name, 0o666)  # whoever drops his privileges has it open already, but a look-up may not be
        self.map = mmap.mmap(self.file.fileno(), ctypes.sizeof(Raw))
        self.raw = Raw.from_buffer(self.map)
        self.raw.mode, self.raw.small_buffers = LIST, small_buffers
        self.call, self.under = fault.site.call if fault else None, []
        if fault:
            site = fault.site
            self.raw.mode, self.raw.call = FAIL, [call.name for call in CALLS].index(site.call)
            self.raw.in_phase, self.raw.nth = PHASES.index(site.phase), fault.nth
            self.raw.error, self.raw.hash = number_of(fault.error), site.hash
            self.raw.module, self.raw.offset = site.frames[0][0].encode(), site.frames[0][1]

    def environment(self, library):
        return {**os.environ, "LD_PRELOAD": library, "FAULTS_PLAN": self.file.name}

    def phase(self, name):
        self.raw.phase = PHASES.index(name)

    @property
    def fired(self):
        return bool(self.raw.fired)

    def frames(self, stack):
        return tuple(self.frame(stack.frames[i]) for i in range(stack.depth))

    def frame(self, frame):
        return (self.raw.modules[frame.module - 1].value.decode() if frame.module else "?", frame.offset)

    def sites(self):
        assert not self.raw.overflow, "more call stacks than there is room for"
        return [Site(CALLS[raw.call].name, PHASES[raw.phase], raw.stack.hash, self.frames(raw.stack), raw.count)
                for raw in self.raw.sites if raw.count]

    def blocks(self):
        """Memory that was left when the process ended: {(module, offset, size): count}."""
        counts = collections.Counter()
        for block in self.raw.blocks[:self.raw.block_count]:
            counts[(*self.frame(block.caller), block.size)] += block.count
        return counts

    def block_stacks(self, key):
        """With trace_memory: the call stacks of the memory that blocks() has under key."""
        wanted = {block.hash for block in self.raw.blocks[:self.raw.block_count]
                  if (*self.frame(block.caller), block.size) == key}
        return [self.frames(raw.stack) for raw in self.raw.sites if raw.count and raw.stack.hash in wanted]

    def aborted(self):
        """The stack of an abort or a failed assertion, or None."""
        return self.frames(self.raw.abort) if self.raw.aborted else None

    def close(self):
        self.raw = None
        try:
            self.map.close()
        except BufferError:
            pass  # some view of it lives a little longer
        self.file.close()


class Names:
    """Return addresses as names, by addr2line; a library without them tells its exported ones."""

    def __init__(self, paths):
        self.paths, self.known = paths, {}

    def learn(self, frames):
        wanted = collections.defaultdict(set)
        for module, offset in frames:
            if (module, offset) not in self.known:
                wanted[module].add(offset)
        for module, offsets in wanted.items():
            path, offsets = self.paths.get(module), sorted(offsets)
            names = ["??"] * len(offsets)
            if path:
                out = subprocess.run(["addr2line", "-f", "-s", "-e", path], input="".join(f"{o - 1:#x}\n" for o in offsets),
                                     stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
                names = [f"{name} {place}" if ":?" not in place and ":0" not in place else name
                         for name, place in zip(out[::2], out[1::2])]
            for offset, name in zip(offsets, names):
                self.known[module, offset] = f"{module}+{offset:#x}" if name.startswith("??") else f"{name} ({module})"

    def lines(self, frames):
        self.learn(frames)
        return [self.known[frame] for frame in frames]
