"""Every fault of a scene: which there are, one run for each, and what came of it."""
import collections
import os
import re
import shutil
import tempfile

import aborts
from ends import Broken, Damage, secret_file
from network import Ports
from plan import CALLS, Fault, Names, Plan

TIMES = 3  # the first three calls at each stack fail, each in a run of its own
LISTED = 3  # runs without a failure whose call stacks are put together, since threads take turns as they like
ATTEMPTS = 3  # at a call that is not always made
# Of the second libcrypto asks no result, loses the generator that it made for a thread, and what that stands on for good.
NO_LEAK_OF_OURS = ("munmap", "pthread_setspecific")
LARGEST_NAME = 64  # bytes; what a fetch gives us is larger

# What is no failure, but something that may happen to whoever asks, and be asked again: nobody may notice.
HARMLESS = {"EINTR": None, "SHORT": None, "EAGAIN": ("recv", "send", "accept4")}

Outcome = collections.namedtuple("Outcome", "fault verdict problem stack")


def names_of(build):
    """Of our programs and of the libraries beside libc."""
    paths = {name: os.path.join(build, "src", name, name) for name in ("spiped", "spipe", "spiped-keygen")}
    with open("/proc/self/maps", encoding="utf-8") as maps:
        folder = os.path.dirname(re.search(r"\S+/libc\.so\.6$", maps.read(), re.M).group())
    for name in os.listdir(folder):
        paths.setdefault(name, os.path.join(folder, name))
    return Names(paths)


class Place:
    """What the runs of one job share: programs, a key, ports, a folder."""

    def __init__(self, programs, build):
        self.programs, self.library = programs, os.path.join(build, "tests", "faults", "faults.so")
        self.names = names_of(build)
        self.folder = tempfile.mkdtemp(prefix="faults-")
        os.chmod(self.folder, 0o755)
        self.key, self.port = secret_file(os.path.join(self.folder, "key")), Ports().pick

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def number(name):
    return [call.name for call in CALLS].index(name)


def sites_of(scene, place):
    """Every call stack of a few runs without a failure, with the most often that it was there in one."""
    found, blocks, stacks = {}, collections.Counter(), set()
    for _ in range(LISTED):
        plan = Plan()
        scene.run(plan, place)
        for site in plan.sites():
            key = (site.phase, site.call, site.hash)
            if key not in found or found[key].count < site.count:
                found[key] = site
        plan.close()
    for _ in range(LISTED):
        plan = Plan()
        plan.raw.mode, plan.raw.trace_memory = 0, True
        scene.run(plan, place)
        for key, count in plan.blocks().items():
            blocks[key] = max(blocks[key], count)
            stacks.update(plan.block_stacks(key))
        plan.close()
    blocks["stacks"] = stacks
    wants = getattr(scene, "wants", None)
    return [found[key] for key in sorted(found) if not wants or wants(found[key], place.names.lines(found[key].frames))], blocks


def errors_of(site):
    """What libuv writes are single words to an eventfd and to pipes of its own: never short, and never refused."""
    errors = CALLS[number(site.call)].errors
    if site.call in ("read", "write") and site.frames[0][0].startswith("libuv"):
        return ["EINTR"]
    return errors


def faults_of(sites):
    for site in sites:
        for nth in range(1, min(TIMES, site.count) + 1):
            for error in errors_of(site):
                yield Fault(site, nth, error)


def text_of(scene, fault):
    site = fault.site
    return f"{scene.name}:{site.phase}:{site.call}:{site.hash:016x}:{fault.nth}:{fault.error}"


def is_harmless(fault):
    calls = HARMLESS.get(fault.error, ())
    return calls is None or fault.site.call in calls


def from_program(frames):
    """The part of a stack from the program's own innermost frame outwards."""
    for at, (module, _) in enumerate(frames):
        if module.startswith("spipe"):
            return frames[at:]
    return ()


def is_kept(frames, size, names):
    """What libcrypto keeps for good: notes about errors, and the names that it has seen while it fetched an algorithm."""
    lines = [name for name in names.lines(frames) if "(libcrypto" in name]
    return any("ERR_" in line or ("_fetch " in line and size <= LARGEST_NAME) for line in lines)


def leaked(plan, fault, blocks, names):
    """What is there that never is, except what a library lost in the very call that failed, and its notes about it."""
    lost = []
    for key, count in plan.blocks().items():
        if count <= blocks[key]:
            continue
        if key[0].startswith("ld-linux"):
            continue  # the loader's, for threads and modules: as much as there are
        stacks = [frames for frames in plan.block_stacks(key) if frames not in blocks["stacks"]]
        ours = [frames for frames in stacks if not is_kept(frames, key[2], names) and
                not (frames[0][0].startswith("lib") and from_program(frames) == from_program(fault.site.frames))]
        if ours or not stacks:
            lost.append((key, count, blocks[key], ours))
    return lost


def run_once(scene, fault, place, blocks, trace=False):
    plan = Plan(fault)
    plan.raw.trace_memory = trace
    try:
        verdict = scene.run(plan, place)
        if not plan.fired:
            return Outcome(fault, "not met", None, None)
        if verdict != "took no harm" and is_harmless(fault):
            return Outcome(fault, "FAILED", f"it was no failure, and it {verdict}", None)
        if not scene.lasts or verdict == "did not start" or not plan.raw.ended or fault.site.call in NO_LEAK_OF_OURS:
            return Outcome(fault, verdict, None, None)
        if all(count <= blocks[key] for key, count in plan.blocks().items()):
            return Outcome(fault, verdict, None, None)
        if not trace:
            return run_once(scene, fault, place, blocks, trace=True)
        lost = leaked(plan, fault, blocks, place.names)
        return Outcome(fault, "FAILED" if lost else verdict, f"memory leaks: {lost}" if lost else None,
                       lost[0][3][0] if lost and lost[0][3] else None)
    except OSError as error:
        return Outcome(fault, "FAILED", f"the driver itself: {error!r}", plan.aborted())
    except (Damage, Broken) as damage:
        given_up = aborts.find(place.names, fault, plan.aborted()) is not None
        return Outcome(fault, "library gave up" if given_up else "FAILED", str(damage), plan.aborted())
    finally:
        plan.close()


def run_fault(scene, fault, place, blocks):
    for _ in range(ATTEMPTS):
        outcome = run_once(scene, fault, place, blocks)
        if outcome.verdict != "not met":
            break
    return outcome


def spread(faults, count):
    """About count of them, a whole number of steps apart: the same ones each time. 0: all."""
    return faults[::max(1, len(faults) // count)] if count else faults
