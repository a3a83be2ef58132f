"""written.py: the seeded bugs that people thought of, read from the lists beside this file.

    mac-over-31-bytes: the server's MAC is compared without its last byte
        src/protocol/session.c receive_server_y, caught by protocol-refusals
        - bytes_equal(expected, mac, WIRE_MAC)
        + bytes_equal(expected, mac, WIRE_MAC - 1)

Name and sentence; file, function (none: anywhere in the file) and the test that has to see it; the old text, which must
stand there just once, however it is laid out; and the new one, if any (then a statement becomes an empty one). A test is one of `meson test`, or, where only
whole programs show the bug, one of tests/system: `test_limits.py::name`. Lines that start with # are comments.
"""

import glob
import os
import re
from dataclasses import dataclass

from source import Source, find_loosely

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = re.compile(r"([a-z0-9-]+): (.+)")
PLACE = re.compile(r"\s+(src/\S+\.[ch])(?: (\w+))?, caught by (\S.*)")


@dataclass
class Mutant:
    name: str
    sentence: str
    path: str
    start: int  # the text from start to end becomes `new`
    end: int
    new: str
    tests: list  # names; the first that fails catches it
    group: str = ""

    def applied_to(self, text):
        return text[:self.start] + self.new + text[self.end:]


def parse(block, where):
    """(name, sentence, path, function, test, old, new), or ValueError."""
    lines = block.split("\n")
    head, place = HEAD.fullmatch(lines[0]), PLACE.fullmatch(lines[1]) if len(lines) > 1 else None
    changes = [line.strip() for line in lines[2:]]
    if head is None or place is None or any(line[:1] not in "-+" for line in changes):
        raise ValueError(f"{where}: not as tests/mutants/written.py has it: {lines[0]}")
    old, new = ("\n".join(line[1:].strip() for line in changes if line[0] == sign) for sign in "-+")
    return *head.groups(), *place.groups(), old, new


def read(root, tests):
    """(mutants, problems): all that apply, and a line for each that doesn't. `tests` are the names that there are."""
    mutants, problems, sources = [], [], {}
    for path in sorted(glob.glob(os.path.join(HERE, "*.txt"))):
        group = os.path.basename(path)[:-4]
        if group == "living":
            continue
        with open(path) as file:
            text = re.sub(r"^#.*\n", "", file.read(), flags=re.MULTILINE)
        for block in filter(None, (block.strip("\n") for block in re.split(r"\n\s*\n", text))):
            try:
                mutants.append(resolve(root, parse(block, os.path.relpath(path, root)), sources, group))
            except ValueError as problem:
                problems.append(str(problem))
    names = [mutant.name for mutant in mutants]
    problems += [f"{name}: there are two of that name" for name in sorted(set(names)) if names.count(name) > 1]
    for mutant in mutants:
        test = mutant.tests[0]
        if tests is not None and not test.startswith("test_") and test not in tests:
            problems.append(f"{mutant.name}: there is no test {test!r}")
        if test.startswith("test_") and not system_test_exists(root, test):
            problems.append(f"{mutant.name}: there is no tests/system/{test}")
    return mutants, problems


def system_test_exists(root, test):
    file, _, name = test.partition("::")
    path = os.path.join(root, "tests/system", file)
    if not os.path.exists(path):
        return False
    with open(path) as opened:
        return f"def {name.partition('[')[0]}(" in opened.read()


def resolve(root, parsed, sources, group):
    name, sentence, path, function, test, old, new = parsed
    if path not in sources:
        if not os.path.exists(os.path.join(root, path)):
            raise ValueError(f"{name}: there is no {path}")
        with open(os.path.join(root, path)) as file:
            sources[path] = Source(file.read())
    source = sources[path]
    body = (0, len(source.text)) if function is None else source.body_of(function)
    if body is None:
        raise ValueError(f"{name}: no function {function} in {path}")
    places = find_loosely(source.text, old, *body)
    if len(places) != 1:
        raise ValueError(f"{name}: its old text stands {len(places)} times in {function or path}, not once")
    if not new and old.endswith(";"):
        new = ";"
    return Mutant(name, sentence, path, *places[0], new, [test], group)
