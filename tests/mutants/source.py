"""source.py: as much of C as mutants need: which text is code, where functions stand, which parentheses match."""

import bisect
import re

NOT_CODE = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|^[ \t]*#(?:\\\n|[^\n])*', re.DOTALL | re.MULTILINE)
FUNCTION = re.compile(r"^(?:static inline [\w ]+\*?)?(\w+)\((?:[^;{}]*)\)\n\{", re.MULTILINE)
OPENING, CLOSING = "([{", ")]}"


class Source:
    """One file: `text` as it stands, and `code`, as long, with blanks for what is no code."""

    def __init__(self, text):
        self.text = text
        self.code = NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
        self.functions = []  # (name, start of the body, end of the body)
        for match in FUNCTION.finditer(self.code):
            end = self.code.find("\n}", match.end())
            self.functions.append((match.group(1), match.end() - 1, end + 2))
        self.starts = [start for _, start, _ in self.functions]

    def function_at(self, at):
        """The name of the function around this place, "" outside."""
        index = bisect.bisect_right(self.starts, at) - 1
        if index >= 0 and at < self.functions[index][2]:
            return self.functions[index][0]
        return ""

    def body_of(self, name):
        for known, start, end in self.functions:
            if known == name:
                return start, end
        return None

    def closing(self, at):
        """The place of the parenthesis that closes the one at this place."""
        depth = 0
        for i in range(at, len(self.code)):
            depth += (self.code[i] in OPENING) - (self.code[i] in CLOSING)
            if depth == 0:
                return i
        raise ValueError(f"nothing closes what opens at {at}")

    def line_of(self, at):
        return self.text.count("\n", 0, at) + 1


def find_loosely(text, wanted, start=0, end=None):
    """Where `wanted` stands in text[start:end], white space of any kind and amount being the same: all places."""
    words = re.findall(r"\w+|[^\w\s]", wanted)
    pattern = r"\s*".join(map(re.escape, words))
    if words and re.match(r"\w", words[0]):
        pattern = r"(?<!\w)" + pattern
    if words and re.match(r"\w", words[-1]):
        pattern += r"(?!\w)"
    return [match.span() for match in re.compile(pattern).finditer(text, start, len(text) if end is None else end)]
