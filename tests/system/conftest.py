"""What every system test shares: programs, keys, sockets, a turn of its own for what measures, tables at the end."""
import fcntl
import os
import resource
import shutil
import signal
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "peer")]

import network as network_module  # noqa: E402
import programs  # noqa: E402
import scene as scene_module  # noqa: E402
from keys import Folder, KeyDoor  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures, or needs the whole machine: no other test runs meanwhile")
    config.addinivalue_line("markers", "short: one of the few that run under the sanitizers every time")
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) == signal.SIG_IGN:  # as under nohup: programs would be born with that
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def turn(request):
    """Tests share the machine, but one marked alone has it to itself, whichever process it runs in."""
    base = os.path.join(tempfile.gettempdir(), f"spiped-tests-{os.getuid()}")
    alone = request.node.get_closest_marker("alone")
    with open(base + ".door", "w", encoding="ascii") as door, open(base + ".room", "w", encoding="ascii") as room:
        fcntl.flock(door, fcntl.LOCK_EX)  # whoever waits for the room keeps the door shut: nobody overtakes him
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


@pytest.fixture(scope="session")
def ours():
    return programs.find_ours()


@pytest.fixture(scope="session")
def theirs():
    return programs.find_theirs()


@pytest.fixture(scope="session")
def ports():
    return network_module.Ports()


@pytest.fixture
def place(turn):
    """A folder of the test's own, with a name short enough for UNIX sockets."""
    path = tempfile.mkdtemp(prefix="sp-")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def write_key(place, name, contents=None):
    path = os.path.join(place, name)
    with open(path, "wb") as file:
        file.write(os.urandom(64) if contents is None else contents)
    os.chmod(path, 0o600)
    return path


@pytest.fixture
def key(place):
    return write_key(place, "key")


@pytest.fixture
def other_key(place):
    return write_key(place, "other-key")


@pytest.fixture
def network(ports, place):
    own = network_module.Network(ports, place)
    yield own
    own.close()


@pytest.fixture
def launch(network, place):
    launcher = programs.Launcher(network, place)
    yield launcher
    network.close()
    launcher.end()


@pytest.fixture
def folder(place):
    """Of keys."""
    return Folder(f"{place}/keys", "laptop", "mail")


@pytest.fixture
def door(network, launch, ours):
    """A server on a folder of keys, or on what else a test has."""
    return lambda keys, *options, **how: KeyDoor(network, launch, ours, keys, *options, **how)


@pytest.fixture
def scene(network, launch, ours, key):
    return lambda role, *options, **how: scene_module.Scene(network, launch, ours, key, role, *options, **how)


@pytest.fixture
def many_descriptors():
    """As many as this process may have; the most that one may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def row(record_property):
    """row(table, name of the row, column, value): a cell of a table that is printed when all is done."""
    return lambda *cell: record_property("cell", [str(part) for part in cell])


def collected_cells(reporter):
    for outcome in ("passed", "failed"):
        for report in reporter.stats.get(outcome, ()):
            cells = [value for name, value in report.user_properties if name == "cell"]
            if report.when == "call" or outcome == "failed":
                yield from ((cell, outcome) for cell in cells)


def pytest_terminal_summary(terminalreporter):
    tables = {}
    for (table, name, column, value), outcome in collected_cells(terminalreporter):
        columns, rows = tables.setdefault(table, ({}, {}))
        columns[column] = max(columns.get(column, len(column)), len(value), 4)
        rows.setdefault(name, {})[column] = value if outcome == "passed" else "FAIL"
    for table, (columns, rows) in sorted(tables.items()):
        terminalreporter.section(table)
        width = max(map(len, rows))
        terminalreporter.write_line(" " * width + "  " + "  ".join(c.ljust(columns[c]) for c in sorted(columns)))
        for name, cells in sorted(rows.items()):
            line = "  ".join(cells.get(column, "-").ljust(columns[column]) for column in sorted(columns))
            terminalreporter.write_line(f"{name.ljust(width)}  {line}")
