"""--crypto, and what happens where the faster backend cannot be used: a line that says why, and libcrypto instead."""
import os
import subprocess

import pytest
from programs import run

# What the ipsec-mb library says of the processor and of itself, by a library that is asked before it
PRETENDER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

uint64_t
imb_get_feature_flags(void)
{
	uint64_t (*real)(void) = (uint64_t (*)(void))dlsym(RTLD_NEXT, "imb_get_feature_flags");

	return real() & ~strtoull(getenv("PRETEND_WITHOUT"), NULL, 16);
}

void
init_mb_mgr_sse(void *manager)
{
	void (*real)(void *) = (void (*)(void *))dlsym(RTLD_NEXT, "init_mb_mgr_sse");

	if (getenv("PRETEND_BROKEN") == NULL)
		real(manager);
}
"""
AESNI, SHANI, SAFE_DATA = "2", "1", "4000"
NO_AES, NO_SHA = "this processor has no AES instructions", "this processor has no SHA instructions"
NOT_SAFE = "the library was built without SAFE_DATA, so it would leave keys behind"
BROKEN = "it does not start, or fails its own test"


@pytest.fixture
def has_ipsec_mb(ours):
    if "ipsec-mb\n" not in run(ours.spiped, "--version")[1]:
        pytest.skip("this build or this processor does not have it")
    if ours.is_sanitized():
        pytest.skip("a sanitizer's library wants to be the first")


@pytest.fixture
def pretend(place, has_ipsec_mb):
    """An environment in which the library seems to lack something."""
    source, library = os.path.join(place, "pretend.c"), os.path.join(place, "pretend.so")
    with open(source, "w", encoding="ascii") as file:
        file.write(PRETENDER)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return lambda without="0", **more: {**os.environ, "LD_PRELOAD": library, "PRETEND_WITHOUT": without, **more}


def test_version_says_which_is_in_use(ours, has_ipsec_mb):
    for program in (ours.spiped, ours.spipe):
        assert run(program, "--version")[1].splitlines()[1] == "crypto: ipsec-mb"


CANNOT = pytest.mark.parametrize("how, why", [
    ({"without": AESNI}, NO_AES),
    ({"without": SHANI}, NO_SHA),
    ({"without": SAFE_DATA}, NOT_SAFE),
    ({"PRETEND_BROKEN": "1"}, BROKEN),
], ids=["no AES", "no SHA", "not safe", "refuses to initialise"])


@CANNOT
def test_what_cannot_be_used_is_named_with_its_reason_and_libcrypto_serves(network, launch, ours, key, pretend, how, why):
    environment = pretend(**how)
    for program in (ours.spiped, ours.spipe):
        assert run(program, "--version", env=environment)[1].splitlines()[1] == f"crypto: libcrypto (ipsec-mb: {why})"
    target, source = network.listen(), network.address()
    middle = network.address()
    process = launch.daemon(ours, "-d", middle, target.address, key, env=environment)
    process.line(f' start .*crypto=libcrypto no_ipsec_mb="{why}"')
    launch.daemon(ours, "-e", source, middle, key)  # on the other backend, where nothing is forced
    near = network.connect(source)
    far = target.accept()
    near.sendall(b"across")
    assert far.recv(100) == b"across"


@CANNOT
def test_what_cannot_be_used_but_is_asked_for_is_an_error(ours, key, pretend, how, why):
    environment = pretend(**how)
    for program, rest in ((ours.spiped, ("-e", "-s", "[127.0.0.1]:0", "-F")), (ours.spipe, ())):
        name = os.path.basename(program)
        result = run(program, "-t", "[127.0.0.1]:1", "-k", key, *rest, "--crypto", "ipsec-mb", env=environment)
        assert result == (1, "", f"{name}: Error parsing argument: --crypto ipsec-mb: {why}\n")


def test_a_backend_that_does_not_exist_is_an_error(ours, key):
    for word in ("rot13", "", "ipsec", "libcrypto "):
        result = run(ours.spipe, "-t", "[127.0.0.1]:1", "-k", key, "--crypto", word)
        assert result == (1, "", f"spipe: Error parsing argument: --crypto {word}: Invalid argument\n")


@pytest.mark.parametrize("backend", ["libcrypto", "ipsec-mb"])
def test_the_backend_that_is_asked_for_serves(network, launch, ours, key, backend):
    if backend == "ipsec-mb" and "ipsec-mb\n" not in run(ours.spiped, "--version")[1]:
        pytest.skip("this build or this processor does not have it")
    process = launch.daemon(ours, "-d", network.address(), network.listen().address, key, "--crypto", backend)
    assert "no_ipsec_mb" not in process.line(f" start .*crypto={backend} .*").group(0)
