"""What a library cannot survive: aborts.txt."""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


def read():
    with open(os.path.join(HERE, "aborts.txt"), encoding="utf-8") as file:
        text = file.read()
    found = re.findall(r"^(\S+) (\S+) (\S+) (\S+)( for-ever)?\n((?:\t.+\n)+)", text, re.M)
    assert len(found) == len(re.findall(r"^[^#\s]", text, re.M)), "aborts.txt has a line that is not understood"
    return [(library, call, phases.split(","), function, bool(stays)) for library, call, phases, function, stays, _ in found]


KNOWN = read()


def is_of(library, stack):
    """Whether it was that library: called by us, or by another through libc."""
    modules = [module for module, _ in stack]
    beyond = next((module for module in modules if not module.startswith("libc.")), "")
    return beyond.startswith(library) or (library == "libc" and modules[0].startswith("libc."))


def find(names, fault, stack):
    """The line's number that allows this, or None. stack: where it ended (None: it hangs); the fault's own is what led to it."""
    site = fault.site
    for number, (library, call, phases, function, stays) in enumerate(KNOWN):
        if call == site.call and site.phase in phases and (is_of(library, stack) if stack else stays) and any(
                re.search(rf"\b(?:{function})\b", line) for line in names.lines(site.frames)):
            return number
    return None
