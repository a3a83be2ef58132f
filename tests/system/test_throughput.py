"""As fast as it is promised to be beside Debian's spiped, in turn with it in one run, by the tools of bench/."""
import json
import os
import statistics
import sys

import pytest
from programs import ROOT, run

LONG_ENOUGH = 150  # seconds for a run that takes 30 or 60, on a machine that does something else too
# What is measured, the figure in a sample, how many times Debian's it must be at least
PROMISES = {"bulk-1": ("mib_per_second", 2), "bulk-8": ("mib_per_second", 2), "connect": ("per_second", 1.5)}


def measure(build, works, rounds, folder):
    """{work: how many times Debian's we are, in the median of so many rounds}; a round is both, one after the other."""
    status, _, errors = run(sys.executable, os.path.join(ROOT, "bench/run"), build, "--only", "ours,spiped", "--works",
                            ",".join(works), "--rounds", rounds, "--seconds", "0.4", "--no-system", "--out", folder,
                            patience=LONG_ENOUGH)
    assert status == 0, errors
    with open(os.path.join(folder, "bench.json"), encoding="utf-8") as file:
        result = json.load(file)
    ratios = dict.fromkeys(works, 0)
    if result["failures"]:
        print(result["failures"])
        return ratios
    for work, samples in result["samples"]["reno"].items():
        ours, theirs = ([sample[PROMISES[work][0]] for sample in samples[name]] for name in ("ours", "spiped"))
        assert len(ours) == len(theirs) == rounds
        ratios[work] = statistics.median(mine / other for mine, other in zip(ours, theirs))
    return ratios


@pytest.mark.alone
def test_bulk_is_twice_that_of_Debians_and_new_connections_one_and_a_half_times(ours, place, row):
    if ours.is_sanitized():
        pytest.skip("a sanitizer is slow")
    build = os.path.dirname(os.path.dirname(os.path.dirname(ours.spiped)))
    ratios = measure(build, PROMISES, 5, place)
    missed = [work for work, ratio in ratios.items() if ratio < PROMISES[work][1]]
    if missed:  # once more, and longer: the machine may have had something else to do
        ratios.update(measure(build, missed, 9, place))
    for work, ratio in ratios.items():
        row("throughput, times Debian's", work, "measured", f"{ratio:.2f}")
        row("throughput, times Debian's", work, "promised", str(PROMISES[work][1]))
    assert all(ratios[work] >= least for work, (_, least) in PROMISES.items()), ratios
