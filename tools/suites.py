"""suites.py: runs unit tests (Meson, cmocka) and system tests (pytest) and counts them, for tools/test and its like."""

import json
import os
import re
import subprocess
import xml.etree.ElementTree

from steps import Counts

PROGRAMS = ("spiped", "spipe", "spiped-keygen")
NO_TEST_SELECTED = 5  # pytest's exit status


def count_unit_tests(log):
    """Each test of each cmocka program; a program that failed in another way counts as one more that failed."""
    counts = Counts()
    with open(log) as file:
        results = [json.loads(line) for line in file]
    for result in results:
        output = result.get("stdout", "") + result.get("stderr", "")
        passed = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", output)))
        failed = sum(map(int, re.findall(r"\[  FAILED  \] (\d+) test", output)))
        skipped = sum(map(int, re.findall(r"\[  SKIPPED \] (\d+) test", output)))
        if result["result"] == "SKIP" and not skipped:
            skipped = 1
        elif result["result"] not in ("OK", "EXPECTEDFAIL", "SKIP") and not failed:
            failed = 1
        elif not (passed or failed or skipped):
            passed = 1
        counts.add(Counts(passed, failed, skipped))
    return counts


def count_system_tests(report):
    suite = next(xml.etree.ElementTree.parse(report).getroot().iter("testsuite"))
    tests, failures, errors, skipped = (int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
    return Counts(max(tests - failures - errors - skipped, 0), failures + errors, skipped)


def launchers(build, prefix):
    """Scripts that run a build's programs under a command, where tests/system looks for them: SPIPED_BUILD is their folder."""
    folder = os.path.join(build, "launchers")
    for name in PROGRAMS:
        path = os.path.join(folder, "src", name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        program = os.path.join(build, "src", name, name)
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\nexec {' '.join(prefix)} {program} \"$@\"\n")
        os.chmod(path, 0o755)
    return folder


def run_and_count(command, env, report, count, fine=(0,)):
    """The counts that a run left in its report; one without any, or with another exit status than these, has failed."""
    if os.path.exists(report):
        os.remove(report)
    status = subprocess.run(command, env=env, stdin=subprocess.DEVNULL).returncode
    counts = count(report) if os.path.exists(report) else Counts()
    if status not in fine and counts.failed == 0:
        counts.failed = 1
    return counts


def unit_tests(build, prefix, env, *which, multiplier=5):
    """Those of a build, or which of them; multiplier is for their time limits."""
    return run_and_count([*prefix, "meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs",
        "--timeout-multiplier", str(multiplier), *which], env, os.path.join(build, "meson-logs", "testlog.json"),
        count_unit_tests)


def system_tests(build, prefix, env, *which):
    """pytest with these arguments; the programs under test are in SPIPED_BUILD of env."""
    report = os.path.join(build, "system.xml")
    return run_and_count([*prefix, "/usr/bin/python3", "-m", "pytest", "-q", "--color=no", "--junitxml", report, *which], env,
        report, count_system_tests, (0, NO_TEST_SELECTED))
