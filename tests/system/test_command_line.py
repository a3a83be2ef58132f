"""The command lines that users and scripts rely on: exact standard error and exit status, beside Debian's where it has
the same."""
import re
import socket

import pytest
from programs import run

LONG_PATH = "/" + "a" * 107
USAGE = "usage"  # what the program prints when it is given nothing

# (program, arguments, first line or None, then usage or nothing); each exits 1
BASE = ["-s", "{source}", "-t", "{target}", "-k", "{key}"]
SPIPE = ["-t", "{target}", "-k", "{key}"]
REFUSED = [
    # a missing, repeated or excluded option, an operand
    ("spiped", [], None, USAGE),
    ("spiped", BASE, None, USAGE),
    ("spiped", ["-d"], None, USAGE),
    ("spiped", ["-d", *BASE[2:]], None, USAGE),
    ("spiped", ["-d", *BASE[:2], *BASE[4:]], None, USAGE),
    ("spiped", ["-d", *BASE[:4]], None, USAGE),
    ("spiped", ["-d", "-e", *BASE], None, USAGE),
    ("spiped", ["-de", *BASE], None, USAGE),
    ("spiped", ["-d", "-d", *BASE], None, USAGE),
    ("spiped", ["-d", "-f", "-g", *BASE], None, USAGE),
    ("spiped", ["-d", "-r", "5", "-R", *BASE], None, USAGE),
    ("spiped", ["-d", "-F", "-F", *BASE], None, USAGE),
    ("spiped", ["-d", "-D", "-D", *BASE], None, USAGE),
    ("spiped", ["-d", "-j", "-j", *BASE], None, USAGE),
    ("spiped", ["-d", "-n", "1", "-n", "1", *BASE], None, USAGE),
    ("spiped", ["-d", "-o", "1", "-o", "1", *BASE], None, USAGE),
    ("spiped", ["-d", "-p", "a", "-p", "b", *BASE], None, USAGE),
    ("spiped", ["-d", "-s", "{source}", *BASE], None, USAGE),
    ("spiped", ["-d", "-t", "{target}", *BASE], None, USAGE),
    ("spiped", ["-d", "-u", "root", "-u", "root", *BASE], None, USAGE),
    ("spiped", ["-d", "--syslog", "--syslog", *BASE], None, USAGE),
    ("spiped", ["-d", *BASE, "operand"], None, USAGE),
    ("spipe", [], None, USAGE),
    ("spipe", SPIPE[:2], None, USAGE),
    ("spipe", SPIPE[2:], None, USAGE),
    ("spipe", ["-f", "-g", *SPIPE], None, USAGE),
    ("spipe", ["-j", "-j", *SPIPE], None, USAGE),
    ("spipe", [*SPIPE, "operand"], None, USAGE),
    # an unknown option, a missing argument: one line that names it, then usage
    ("spiped", ["-x"], "spiped: illegal option -- -x", USAGE),
    ("spiped", ["-dx"], "spiped: illegal option -- -x", USAGE),
    ("spiped", ["--frob"], "spiped: illegal option -- --frob", USAGE),
    ("spiped", ["-d", "-s"], "spiped: Missing argument to -s", USAGE),
    ("spiped", ["-dk"], "spiped: Missing argument to -k", USAGE),
    ("spipe", ["-x"], "spipe: illegal option -- -x", USAGE),
    ("spipe", ["-k"], "spipe: Missing argument to -k", USAGE),
    ("spipe", ["-e"], "spipe: illegal option -- -e", USAGE),
    # numbers
    *(("spiped", ["-d", option, "abc", *BASE], f"spiped: Error parsing argument: {option} abc: Invalid argument", "")
      for option in ("-n", "-o", "-r")),
    ("spiped", ["-d", "-n", "1x", *BASE], "spiped: Error parsing argument: -n 1x: Invalid argument", ""),
    ("spiped", ["-d", "-n", "", *BASE], "spiped: Error parsing argument: -n : Invalid argument", ""),
    ("spiped", ["-d", "-n", "99999999999999999999", *BASE],
     "spiped: Error parsing argument: -n 99999999999999999999: Numerical result out of range", ""),
    ("spiped", ["-d", "-o", "-1", *BASE], "spiped: Error parsing argument: -o -1: Numerical result out of range", ""),
    ("spiped", ["-d", "-r", "-1", *BASE], "spiped: Error parsing argument: -r -1: Numerical result out of range", ""),
    ("spipe", ["-o", "abc", *SPIPE], "spipe: Error parsing argument: -o abc: Invalid argument", ""),
    # addresses
    *((program, ["-d"] * (program == "spiped") + ["-s", "{source}"] * (program == "spiped") + ["-t", text, "-k", "{key}"],
       f"{program}: {complaint}", "")
      for program in ("spiped", "spipe")
      for text, complaint in (
          ("127.0.0.1", "Address must contain port number: 127.0.0.1"),
          ("[127.0.0.1]", "Address must contain port number: [127.0.0.1]"),
          ("", "Address must contain port number: "),
          ("[127.0.0.1:25", "Invalid [IP address]: [127.0.0.1"),
          ("[127.0.0.300]:25", "Error parsing IP address: 127.0.0.300"),
          ("[::g]:25", "Error parsing IP address: ::g"),
          ("[127.0.0.1]:abc", "Invalid port number: abc"),
          ("[127.0.0.1]:65536", "Invalid port number: 65536"),
          ("[127.0.0.1]:0", "Invalid port number: 0"),
          (LONG_PATH, f"socket path too long: {LONG_PATH}"),
          ("nohost.invalid:25", "Error looking up nohost.invalid: {no such host}"),
          ("localhost:no-such-service", "Error looking up localhost: Servname not supported for ai_socktype"))),
    ("spiped", ["-d", "-s", "nohost.invalid:25", *BASE[2:]],
     "spiped: Error looking up nohost.invalid: {no such host}", ""),
    # keys
    *((program, [*options, "-t", "{target}", "-k", key], f"{program}: {complaint}", "")
      for program, options in (("spiped", ["-d", "-s", "{source}"]), ("spipe", []))
      for key, complaint in (("/nonexistent/key", "Cannot open file: /nonexistent/key: No such file or directory"),
                             ("/dev/null/key", "Cannot open file: /dev/null/key: Not a directory"))),
    # connecting
    ("spipe", SPIPE, "spipe: Could not connect", ""),
    ("spipe", ["-t", "/nonexistent/socket", "-k", "{key}"], "spipe: Could not connect", ""),
]
# What Debian's takes or says in another way: on purpose (CHANGELOG.md), or a number that means nothing
FOLDER = "-k /: a folder of keys is for -d; this end has one key: name its file"
OURS = [
    ("spiped", ["-e", "-s", "{source}", "-t", "{target}", "-k", "/"], f"spiped: {FOLDER}", ""),
    ("spipe", ["-t", "{target}", "-k", "/"], f"spipe: {FOLDER}", ""),
    ("spiped", ["-d", *["-k", "{key}"] * 16, *BASE],
     "spiped: Error parsing argument: -k {key}: at most 16 times", ""),
    ("spipe", [*["-k", "{key}"] * 16, *SPIPE], "spipe: Error parsing argument: -k {key}: at most 16 times", ""),
    ("spiped", ["-d", "-n", "-1", *BASE], "spiped: Error parsing argument: -n -1: Numerical result out of range", ""),
    ("spiped", ["-d", "-o", "nan", *BASE], "spiped: Error parsing argument: -o nan: Invalid argument", ""),
    ("spiped", ["-d", "-r", "0", *BASE], "spiped: Error parsing argument: -r 0: Numerical result out of range", ""),
    ("spiped", ["-d", "--workers", "0", *BASE],
     "spiped: Error parsing argument: --workers 0: Numerical result out of range", ""),
    ("spiped", ["-d", "--max-handshakes", "0", *BASE],
     "spiped: Error parsing argument: --max-handshakes 0: Numerical result out of range", ""),
    ("spiped", ["-d", "--source-mode", "0888", *BASE],
     "spiped: Error parsing argument: --source-mode 0888: Invalid argument", ""),
    ("spiped", ["-d", "--log-level", "loud", *BASE],
     "spiped: Error parsing argument: --log-level loud: Invalid argument", ""),
    ("spiped", ["-d", "--workers"], "spiped: Missing argument to --workers", USAGE),
    ("spiped", ["-d", "--workers", "1", "--workers", "1", *BASE], None, USAGE),
    ("spiped", ["-d", "--source", "{source}", *BASE], None, USAGE),
    ("spiped", ["-d", "-s", " {source}", *BASE[2:]],
     "spiped: Error parsing argument: -s  {source}: it starts with a space", ""),
    ("spiped", ["-d", "-s", "{source}", "-t", " {target}", "-k", "{key}"],
     "spiped: Error parsing argument: -t  {target}: it starts with a space", ""),
    ("spiped", ["-d", "-u", "no-such-user", *BASE], "spiped: No such user: no-such-user", ""),
    ("spiped", ["-d", "-u", ":no-such-group", *BASE], "spiped: No such group: no-such-group", ""),
    ("spiped", ["-d", "-u", "root:no-such-group", *BASE], "spiped: No such group: no-such-group", ""),
    ("spiped", ["-d", "-s", "localhost:65536", *BASE[2:]], "spiped: Invalid port number: 65536", ""),
    ("spiped", ["-d", "-s", "localhost:", *BASE[2:]], "spiped: Invalid port number: ", ""),
    ("spiped", ["-d", "-s", "/nonexistent/socket", *BASE[2:]],
     "spiped: Error binding to /nonexistent/socket: No such file or directory", ""),
    ("spiped", ["-d", "-s", "[192.0.2.99]:80", *BASE[2:]],
     "spiped: Error binding to [192.0.2.99]:80: Cannot assign requested address", ""),
    ("spiped", ["-d", "-p", "/nonexistent/pid", *BASE],
     "spiped: Cannot write pidfile: /nonexistent/pid: No such file or directory", ""),
    ("spiped", ["-d", "-p", "/dev/full", *BASE], "spiped: Cannot write pidfile: /dev/full: No space left on device", ""),
    # -D waits for names only: a slip of the pen is told at once, and so is a missing key
    ("spiped", ["-d", "-D", "-t", "127.0.0.1", *BASE[:2], *BASE[4:]],
     "spiped: Address must contain port number: 127.0.0.1", ""),
    ("spiped", ["-d", "-D", "-k", "/nonexistent/key", *BASE[:4]],
     "spiped: Cannot open file: /nonexistent/key: No such file or directory", ""),
]
THEIRS = [  # where there is one key, and no folder of them
    ("spiped", ["-d", "-k", "{key}", *BASE], None, USAGE),
    *((program, [*options, "-t", "{target}", "-k", "/"], f"{program}: Error reading file: /: Is a directory", "")
      for program, options in (("spiped", ["-d", "-s", "{source}"]), ("spipe", []))),
]
TABLE = [(*line, "ours") for line in REFUSED + OURS] + [(*line, "theirs") for line in REFUSED + THEIRS]


@pytest.fixture
def values(network, key, place):
    return {"source": network.address().text, "target": network.address().text, "key": key, "place": place}


def lookup_error(host):
    """What this machine's resolver says: without a network it is another sentence."""
    try:
        socket.getaddrinfo(host, 25)
    except socket.gaierror as error:
        return error.strerror
    raise AssertionError(f"{host} has an address here")


def fill(text, values):
    if "{no such host}" in text:
        text = text.replace("{no such host}", lookup_error("nohost.invalid"))
    return re.sub(r"\{(\w+)\}", lambda found: values[found.group(1)], text)


def without_later_warnings(program, errors):
    """A warning of ours may follow the first line."""
    first, *rest = errors.splitlines(keepends=True) or [""]
    return first + "".join(line for line in rest if not line.startswith(f"{program}: warning: "))


@pytest.mark.parametrize("program, arguments, first, then, make", TABLE,
                         ids=[f"{line[4]}-{line[0]} {' '.join(line[1])[:60]}" for line in TABLE])
def test_a_command_line_that_is_refused(ours, theirs, launch, place, values, program, arguments, first, then, make):
    programs = {"ours": ours, "theirs": theirs}[make]
    path = getattr(programs, program)
    status, output, errors = run(path, *(fill(argument, values) for argument in arguments), cwd=place)
    usage = run(path)[2]
    assert usage.startswith(f"usage: {program} ")
    expected = (fill(first, values) + "\n" if first else "") + (usage if then else "")
    if make == "theirs" and not then:
        expected, errors = expected.splitlines()[0], errors.splitlines()[0]  # it explains some in a second line
    assert without_later_warnings(program, errors) == expected
    assert (status, output) == (1, "")


@pytest.mark.parametrize("program", ["spiped", "spipe"])
def test_the_version_is_on_standard_error_for_v_and_on_standard_output_for_version(ours, program):
    path = getattr(ours, program)
    status, output, errors = run(path, "-v")
    assert (status, output) == (0, "")
    assert re.fullmatch(rf"{program} \d+\.\d+\.\d+\S*\n", errors)
    status, output, nothing = run(path, "--version")
    assert (status, output.splitlines()[0], nothing) == (0, errors.rstrip("\n"), "")


@pytest.mark.parametrize("program", ["spiped", "spipe"])
def test_help_names_every_option_of_the_usage(ours, program):
    path = getattr(ours, program)
    status, output, errors = run(path, "--help")
    usage = run(path)[2]
    assert (status, errors) == (0, "")
    assert output.startswith(usage)
    for option in set(re.findall(r"(?<![\w-])--?\w[\w-]*", usage)) - {"-DFj"}:
        assert re.search(rf"^ +(-\w, )?{option}\b|^ +{option},", output[len(usage):], re.M), option
