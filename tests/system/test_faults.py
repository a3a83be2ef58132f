"""Calls that fail in the real programs, by a preloaded library: what was found that way, and a few of all (`make faults`)."""
import os
import re
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "faults"))

import campaign  # noqa: E402
import injected  # noqa: E402
import once  # noqa: E402

SCENES = {scene.name: scene for scene in once.ALL}
SAMPLE = 5  # of each scene


@pytest.fixture(scope="module")
def stage(ours):
    if os.geteuid() != 0:
        pytest.skip("nobody else may see the descriptors of a program that keeps its memory to itself")
    if ours.is_sanitized():
        pytest.skip("a sanitizer has a malloc of its own")
    stage = campaign.Place(ours, os.path.dirname(os.path.dirname(os.path.dirname(ours.spiped))))
    if not os.path.exists(stage.library):
        stage.close()
        pytest.skip("no library to preload in this build")
    stage.known = {}
    yield stage
    stage.close()


def named(scene, stage, call, function):
    """Those faults whose name has call in it, made below that function."""
    return lambda faults: [fault for fault in faults if call in campaign.text_of(scene, fault) and any(
        re.search(rf"\b(?:{function})\b", line) for line in stage.names.lines(fault.site.frames))][:12]


def no_damage(scene, stage, choose):
    if scene.name not in stage.known:
        stage.known[scene.name] = campaign.sites_of(scene, stage)
    sites, blocks = stage.known[scene.name]
    faults = choose(list(campaign.faults_of(sites)))
    assert faults, "no such call was made"
    for fault in faults:
        outcome = campaign.run_fault(scene, fault, stage, blocks)
        assert outcome.verdict != "FAILED", f"{campaign.text_of(scene, fault)}: {outcome.problem}"


@pytest.mark.parametrize("name", SCENES)
def test_a_call_that_fails_costs_one_connection_at_most(stage, name):
    """Or the start, which says why: a few of thousands."""
    no_damage(SCENES[name], stage, lambda faults: campaign.spread(faults, SAMPLE))


@pytest.mark.parametrize("call", ["accept4", "recvfrom", "sendto"])
def test_what_strace_makes_fail_costs_no_more(stage, call):
    verdict, problem = injected.run(SCENES["spiped -d"], stage, call, 2)
    assert verdict in ("took no harm", "broke one"), problem


# What once was wrong, by the call that showed it and a function that it stood in: a peer saw the end of what had none,
# or waited for an end for ever; a daemon crashed when it was ready, or was, and reached no target.
FOUND = {"no reset can be asked for": ("data:setsockopt", "socket_reset"),
         "an end cannot be passed on": ("data:shutdown", "socket_shutdown"),
         "one that is accepted cannot be watched": ("handshake:epoll_ctl", "arrived"),
         "one that is dialled cannot be watched": ("handshake:epoll_ctl", "dialled"),
         "a handshake fails while its target is being dialled": ("handshake:EVP_MD_CTX_new", "start_data"),
         "the faster crypto fails its test once": ("start:EVP_DigestFinal_ex", "engine_choose"),
         "no rule of the sandbox for the target": ("start:syscall", "restrict_files")}


@pytest.mark.parametrize("role", ["-d", "-e"])
@pytest.mark.parametrize("call, function", FOUND.values(), ids=FOUND)
def test_what_was_found_stays_away(stage, role, call, function):
    scene = SCENES[f"spiped {role}"]
    no_damage(scene, stage, named(scene, stage, call, function))


@pytest.mark.parametrize("name, function", [("spiped -d in the background", r"pidfile\.c"), ("spiped-keygen FILE", r"main\.c")])
def test_a_file_is_written_though_a_signal_comes(stage, name, function):
    no_damage(SCENES[name], stage, named(SCENES[name], stage, ":EINTR", function))


def test_a_parent_hears_of_a_daemon_that_is_ready_whatever_fails_first(stage):
    scene = SCENES["spiped -d in the background"]
    no_damage(scene, stage, named(scene, stage, "start:write", "daemonize_ready"))
    no_damage(scene, stage, named(scene, stage, "start:read", r"daemonize_wait|read unistd\.h"))
