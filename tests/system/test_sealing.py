"""Each backend seals to the byte what the independent peer seals: every length, batches of 1 to 300, numbers at the edges."""
import hashlib
import os
import subprocess

import pytest
from peer import PACKET, PLAIN_MAX, Direction

BATCHES, EDGES = 300, (0, 0xffffffff - 149, 0xffffffffffffffff - 299, 1234567)
PLAIN = bytes(i * i % 251 for i in range(BATCHES * PLAIN_MAX))
NOT_HERE = 77


def seal(number, message):
    direction = Direction(bytes(range(32)), bytes(range(32, 64)))
    direction.number = number
    return direction.seal(message)


def digest(sealed):
    return hashlib.sha256(sealed).hexdigest()


def lengths():
    return {(length, length): digest(seal(length, PLAIN[:length])) for length in range(1, PLAIN_MAX + 1)}


def batches(number):
    """A packet is the same in every batch but for the last one's length."""
    full = seal(number, PLAIN)
    found = {}
    for batch in range(1, BATCHES + 1):
        start = (batch - 1) * PLAIN_MAX
        last = seal(number + batch - 1, PLAIN[start:start + PLAIN_MAX - batch % 7])
        found[number, batch * PLAIN_MAX - batch % 7] = digest(full[:(batch - 1) * PACKET] + last)
    return found


@pytest.fixture(scope="module")
def expected():
    found = lengths()
    for number in EDGES:
        found.update(batches(number))
    return found


@pytest.mark.short
@pytest.mark.parametrize("backend", ["libcrypto", "ipsec-mb"])
def test_a_backend_seals_what_the_peer_seals(ours, expected, backend):
    build = os.path.dirname(os.path.dirname(os.path.dirname(ours.spiped)))
    program = os.path.join(build, "tests", "unit", "protocol", "seal_all")
    result = subprocess.run([program], env={**os.environ, "SPIPED_TEST_CRYPTO": backend}, capture_output=True, text=True,
                            timeout=120)
    if result.returncode == NOT_HERE and backend == "ipsec-mb":
        pytest.skip("this build or this processor does not have it")
    assert result.returncode == 0, result.stderr
    printed = [line.split() for line in result.stdout.splitlines()]
    assert {(int(number), int(length)): digest for number, length, digest in printed} == expected
