"""What a library cannot survive: aborts.txt."""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


def read():
    with open(os.path.join(HERE, "aborts.txt"), encoding="utf-8") as file:
        text = file.read()
    found = re.findall(r"^(\S+) (\S+) (\S+) (\S+)\n((?:\t.+\n)+)", text, re.M)
    assert len(found) == len(re.findall(r"^[^#\s]", text, re.M)), "aborts.txt has a line that is not understood"
    return [(library, call, phases.split(","), function) for library, call, phases, function, _ in found]


KNOWN = read()


def find(names, fault, stack):
    """The number of the line that allows this end, or None. stack is where it was, the fault's own is what led to it."""
    site, culprit = fault.site, next((module for module, _ in stack or () if not module.startswith("libc.")), "")
    for number, (library, call, phases, function) in enumerate(KNOWN):
        if (call == site.call and site.phase in phases and culprit.startswith(library) and
                any(re.search(rf"\b{function}\b", line) for line in names.lines(site.frames))):
            return number
    return None
