"""generated.py: the bugs that a machine thinks of, in src/crypto, src/protocol and src/pipe.

Of each file: every condition negated, the whole and each operand of && and ||; every constant moved by one (numbers up,
sizes that have a name, and arrays, down: a length that is one short); every wipe removed; every check of a result
removed, the call itself still made. Of a table of more than eight numbers: its first, middle and last. A mutant's name
is its function and the line as it stands with what changes in «», so it stays the same when something else is edited.
"""

import os
import re

from source import CLOSING, OPENING, Source
from written import Mutant

FOLDERS = ("crypto", "protocol", "pipe")
# These run in valgrind, for long, and see what takes its time by a secret: nothing here makes that.
NO_TESTS = {"crypto-constant-time", "protocol-constant-time", "protocol-variable-time-is-seen"}
NUMBER = re.compile(r"(?<![\w.])(0x[0-9a-fA-F]+|\d+)[uUlL]*(?![\w.])")
SIZE = re.compile(r"\b(?:(?:WIRE|GROUP14|HASH|PACKET_BATCH)_[A-Z0-9_]+|ENGINE_(?:BODY|MAC|PACKET|BATCH_MAX|KEYS_SIZE)|"
                  r"RACE_(?:MAX|HEAD_START|AT_ONCE|RETRY)|PIPE_(?:READ_LARGE|READ_SMALL|IN_SIZE|OUT_PER_PACKET|LEGS|RELEASES)|"
                  r"PIECE|LANES|NUMBER|HASHED|BLOCK|SLOTS|TEETH|TABLES|COLUMNS|SPAN|ENTRIES|WORDS|LINE|KNOWN_\w+|SERIAL|"
                  r"KEY_(?:ROUNDS|INNER|OUTER|SET|E|H|NAME_MAX)|ENGINE_BACKENDS|SESSION_RANDOM|UINT64_MAX)\b")
WIPE = re.compile(r"(?<=[\t ;{}])(?:bytes_wipe|\w+_wipe|\w+_forget|explicit_bzero)\([^;]*\);")
CLEAR = re.compile(r"\b(BN)_clear(_free)\b|\bmemset(?=\(\w+, 0, sizeof)")
COMPARES = re.compile(r"[=!<>]=|[^-<>]>[^>=]|[^<]<[^<=]|&&|\|\||(?<![\w)\]] )!(?!=)")
RESULT = re.compile(r"\b(?!sizeof\b)\w+\s*\(|\berror\b|\bok\b|\bNULL\b|\bOK\b")
LEAVES = re.compile(r"\s*(?:\{[^{}]*?)?\b(?:return|break|continue|goto)\b")
DECLARED_ARRAY = re.compile(r"^\s*(?:static |const |_Alignas\(\d+\) )*(?:uint\w+_t|char|size_t|bool|struct \w+|BIGNUM|IMB_\w+)[\s*]+"
                            r"[^;=()]*\[$")
TABLE = re.compile(r"\{((?:\s*0x[0-9a-f]{2},?){9,})\s*\}")


class Found:
    """What changes in one file: (start, end, new, kind), each span and text once."""

    def __init__(self, source):
        self.source, self.changes = source, {}

    def add(self, start, end, new, kind):
        text = self.source.text[start:end]
        start, end = start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())
        if start < end:
            self.changes.setdefault((start, end, new), kind)


def operand(code, at, step):
    """From an operator, where the operand before (-1) or behind (1) it has its far end."""
    opens, closes = (OPENING, CLOSING) if step == 1 else (CLOSING, OPENING)
    depth = 0
    while True:
        c = code[at]
        if c in opens:
            depth += 1
        elif c in closes:
            depth -= 1
        if depth < 0 or (depth == 0 and (c in ",;?:" or code[at:at + 2] in ("&&", "||"))):
            return at if step == 1 else at + 1 + (code[at:at + 2] in ("&&", "||"))
        if depth == 0 and c == "=" and code[at + 1] != "=" and code[at - 1] not in "=!<>":
            return at + 1
        if depth == 0 and step == -1 and re.match(r"return\b", code[at:]):
            return at + len("return")
        at += step


def negate(found, start, end):
    text = found.source.text[start:end].strip()
    found.add(start, end, text[1:] if re.fullmatch(r"!\w+(\.\w+|->\w+)*", text) else f"!({text})", "condition")


def conditions(found):
    code = found.source.code
    for match in re.finditer(r"\b(if|while)\s*\(", code):
        end = found.source.closing(match.end() - 1)
        negate(found, match.end(), end)
        condition = found.source.text[match.end():end]
        if match.group(1) == "if" and LEAVES.match(code, end + 1):
            found.add(match.end(), end, f"({condition}) && 0", "check")
        elif match.group(1) == "if" and RESULT.search(condition):
            found.add(match.end(), end, f"({condition}) || 1", "check")
    for match in re.finditer(r"\bfor\s*\(", code):
        end = found.source.closing(match.end() - 1)
        first = code.index(";", match.end())
        negate(found, first + 1, code.index(";", first + 1, end))
    for match in re.finditer(r"\?", code):
        start = operand(code, match.start() - 1, -1)
        negate(found, start, match.start())
        if not RESULT.search(code, start, match.start()):
            continue
        branches = re.match(r"\?\s*(\w+)[^:;]*:\s*(\w+)", code[match.start():])
        if branches and "OK" in branches.groups():
            keeps = "|| 1" if branches.group(1) == "OK" else "&& 0"
            found.add(start, match.start(), f"({found.source.text[start:match.start()].strip()}) {keeps}", "check")
    for match in re.finditer(r"&&|\|\|", code):
        for start, end in ((operand(code, match.start() - 1, -1), match.start()), (match.end(), operand(code, match.end(), 1))):
            negate(found, start, end)
            text = found.source.text[start:end].strip()
            if RESULT.search(text):
                found.add(start, end, f"(({text}) || 1)" if match.group() == "&&" else f"(({text}) && 0)", "check")
    for match in re.finditer(r"\breturn\b([^;?]*);|[^=!<>]=(?!=)([^;={}?]*);", code):
        span = match.span(1) if match.group(1) is not None else match.span(2)
        if COMPARES.search(code[slice(*span)]) and "->" not in code[slice(*span)][:2]:
            if "{" not in code[slice(*span)]:
                negate(found, *span)


def in_parameters(source, at):
    """Outside of functions, within parentheses: a declaration's, where numbers mean nothing, or an assertion's."""
    if source.function_at(at):
        return False
    before = source.code[source.code.rfind("\n\n", 0, at) + 1:at]
    return before.count("(") > before.count(")")


def constants(found):
    source = found.source
    skipped = set()
    for table in TABLE.finditer(source.code):
        numbers = [match.start() + table.start(1) for match in NUMBER.finditer(table.group(1))]
        skipped |= set(numbers) - {numbers[0], numbers[len(numbers) // 2], numbers[-1]}
    for pattern in (NUMBER, SIZE):
        for match in pattern.finditer(source.code):
            start, end = match.span()
            text = match.group()
            line = source.code[source.code.rfind("\n", 0, start) + 1:start]
            defined = re.match(r"\s*(?:=|,|\})", source.code[end:]) and pattern is SIZE \
                and re.search(r"(?:\{|,|^)\s*$", line)
            if start in skipped or in_parameters(source, start) or defined or "_Static_assert" in line:
                continue
            down = pattern is SIZE or DECLARED_ARRAY.match(line) or source.function_at(start) == "" and re.search(r"\[$", line)
            found.add(start, end, f"({text} - 1)" if down else f"({text} + 1)", "constant")


def wipes(found):
    for match in WIPE.finditer(found.source.code):
        if not found.source.function_at(match.start()):
            continue  # it is declared here
        found.add(match.start(), match.end(), ";", "wipe")
    for match in CLEAR.finditer(found.source.code):
        text = match.group()
        found.add(match.start(), match.end(), "BN_free" if text.startswith("BN") else "(void)sizeof", "wipe")


def shown(text):
    return re.sub(r"\s+", " ", text).strip()


def name_of(source, start, end, new):
    """function: line with «what changes» → new"""
    first = source.text.rfind("\n", 0, start) + 1
    last = source.text.find("\n", end)
    line = source.text[first:start] + "«" + source.text[start:end] + "»" + source.text[end:last]
    return f"{source.function_at(start) or '-'}: {shown(line)} → {shown(new) or 'nothing'}"


def mutants_of(path, text, tests):
    found = Found(Source(text))
    for find in (wipes, conditions, constants):
        find(found)
    names, mutants = {}, []
    for (start, end, new), kind in sorted(found.changes.items()):
        name = f"{path} {name_of(found.source, start, end, new)}"
        names[name] = names.get(name, 0) + 1
        if names[name] > 1:
            name += f" #{names[name]}"
        mutants.append(Mutant(name, name, path, start, end, new, tests, kind))
    return mutants


def tests_for(path, tests):
    """Those of its folder, which should see it: its own first, then the quick ones. `tests`: seconds of each."""
    folder, name = path.split("/")[1], os.path.basename(path)[:-2]
    return sorted((test for test in tests if test.startswith(folder + "-") and test not in NO_TESTS),
        key=lambda test: (f"{folder}-{name.split('_')[0]}" not in test, tests[test], test))


def generate(root, tests):
    """All of them; `tests` is how many seconds each test that there is takes."""
    mutants = []
    for folder in FOLDERS:
        top = os.path.join(root, "src", folder)
        for name in sorted(os.listdir(top)):
            if name.endswith((".c", ".h")):
                path = f"src/{folder}/{name}"
                with open(os.path.join(root, path)) as file:
                    mutants += mutants_of(path, file.read(), tests_for(path, tests))
    return mutants
