"""The measuring tools measure: load generators that count what arrived, refuse a result that is none, and the tables."""
import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from network import PATIENCE
from programs import ROOT, find_ours

sys.path.insert(0, os.path.join(ROOT, "bench"))
import chart  # noqa: E402
import report  # noqa: E402


def program(name):
    """Asked for when a test runs: tests can be listed with nothing built."""
    return os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(find_ours().spiped))), "bench", name)


def at(address):
    return "%s:%d" % address.where


def load(mode, near, far, *arguments):
    return subprocess.run([program("load"), mode, "--connect", at(near), "--listen", at(far),
                           *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=3 * PATIENCE, check=False)


def measure(*arguments):
    done = load(*arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def direct(network):
    address = network.address()
    return address, address


@pytest.fixture
def relay(network):
    near, far = network.address(), network.address()
    process = subprocess.Popen([program("relay"), at(near), at(far)], stdin=subprocess.DEVNULL)
    while not near.is_listened_on():
        assert process.poll() is None
        time.sleep(0.002)
    yield near, far
    process.kill()
    process.wait()


def pass_on(source, target, change):
    try:
        while data := source.recv(65536):
            target.sendall(change(data))
        target.shutdown(socket.SHUT_WR)
    except OSError:  # the load ends without a farewell
        pass


@pytest.fixture
def middle(network):
    """A relay for one connection that changes what passes towards the far end."""
    def make(change):
        listener, far = network.listen(), network.address()

        def serve():
            near = listener.accept()
            there = network.connect(far)
            threading.Thread(target=pass_on, args=(there, near, lambda data: data), daemon=True).start()
            pass_on(near, there, change)
        threading.Thread(target=serve, daemon=True).start()
        return listener.address, far
    return make


@pytest.mark.parametrize("connections", [1, 8])
def test_bulk_counts_what_arrives(direct, connections):
    sample = measure("bulk", *direct, "--connections", connections, "--seconds", 0.3, "--warm-up", 0.1)
    counted = sample["mib_per_second"] * sample["seconds"]
    assert 0 < counted <= sample["total_mib"] * 1.001


def test_bulk_through_something_that_loses_a_byte_is_no_result(middle):
    change = lambda data: data if len(data) < 2 else data[:-1]  # noqa: E731  the first byte comes alone
    done = load("bulk", *middle(change), "--seconds", 0.1, "--warm-up", 0)
    assert done.returncode == 1 and "mib_per_second" not in done.stdout
    assert "arrived; 1 of 1 connections ended" in done.stderr


@pytest.mark.parametrize("connections, count, size", [(1, 200, 64), (32, 2000, 64), (2, 20, 1 << 20)])
def test_round_trips_are_counted_once_each(relay, connections, count, size):
    sample = measure("roundtrip", *relay, "--connections", connections, "--count", count, "--size", size)
    assert count <= sample["total"] < count + connections
    assert 0 < sample["median_us"] <= sample["p99_us"]


def test_a_median_in_a_closed_loop_agrees_with_the_rate(relay):
    sample = measure("roundtrip", *relay, "--seconds", 0.5, "--warm-up", 0.1)
    assert sample["median_us"] < 2e6 / sample["per_second"]


def test_an_echo_with_another_byte_is_no_result(middle):
    change = lambda data: data if len(data) < 64 else b"\xff" + data[1:]  # noqa: E731
    done = load("roundtrip", *middle(change), "--count", 3)
    assert done.returncode == 1 and "something else came back" in done.stderr


def test_each_new_connection_is_counted_once(relay):
    sample = measure("connect", *relay, "--connections", 32, "--count", 500)
    assert sample["total"] == 500 and sample["failed"] == 0
    assert 0 < sample["median_us"] <= sample["p99_us"]


def test_new_connections_come_at_the_rate_that_was_asked_for(direct):
    sample = measure("connect", *direct, "--rate", 100, "--seconds", 1, "--warm-up", 0)
    assert 90 <= sample["total"] <= 101


def test_new_connections_that_are_refused_are_no_result(network):
    done = load("connect", network.address(), network.address(), "--connections", 32)
    assert done.returncode == 1 and "over a thousand connections failed" in done.stderr


def test_a_storm_shows_the_stream_before_and_during_it(relay):
    sample = measure("storm", *relay, "--rate", 200, "--seconds", 0.5, "--warm-up", 0.1)
    assert sample["failed"] == 0 and 100 < sample["per_second"] <= 205
    assert 0 < sample["quiet_p99_us"] and 0 < sample["storm_p99_us"]


def test_idle_connections_stay_until_standard_input_ends(network):
    near = network.address()
    holder = subprocess.Popen([program("load"), "idle", "--connect", at(near), "--listen", at(near),
                               "--connections", "50"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(holder.stdout.readline())["connections"] == 50
        with open(f"/proc/{holder.pid}/net/tcp", encoding="ascii") as table:
            port = f":{near.where[1]:04X}"
            assert sum(line.split()[1].endswith(port) and line.split()[3] == "01" for line in table) == 50
        assert holder.poll() is None
        holder.stdin.close()
        assert holder.wait(PATIENCE) == 0
    finally:
        holder.kill()
        holder.wait()


def test_the_relay_passes_a_half_close_and_what_a_slow_reader_left(network, relay):
    near, far = relay
    listener = network.listen(far)
    listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client = network.connect(near)
    server = listener.accept()
    sent = os.urandom(8 << 20)
    sender = threading.Thread(target=lambda: (client.sendall(sent), client.shutdown(socket.SHUT_WR)))
    sender.start()
    server.sendall(b"first the other way")
    assert client.recv(64) == b"first the other way"
    received = bytearray()
    while data := server.recv(1 << 20):
        received += data
    sender.join()
    assert received == sent
    server.sendall(b"after the end")
    server.close()
    assert client.recv(64) == b"after the end" and client.recv(64) == b""


@pytest.mark.parametrize("arguments", [[], ["bulk"], ["roundtrip", "--connect", "127.0.0.1:1"], ["dance"],
                                       ["bulk", "--connect", "nowhere", "--listen", "127.0.0.1:1"],
                                       ["bulk", "--connections", "0"]])
def test_load_refuses_what_it_cannot_do(arguments):
    done = subprocess.run([program("load"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == "" and done.stderr != ""


def result_of(samples):
    names = dict.fromkeys(name for works in samples.values() for field in works.values() for name in field)
    return {"machine": {"processor": "P", "cores": 2, "kernel": "6"}, "rounds": 3, "seconds": 1, "failures": {},
            "contenders": {name: {"title": name, "version": None, "note": ""} for name in names}, "samples": samples}


def bulk(*rates):
    return [{"mode": "bulk", "mib_per_second": rate, "total_mib": 1024, "cpu_seconds": 1.5} for rate in rates]


def test_a_target_is_judged_by_medians_and_says_by_how_much_it_is_missed():
    result = result_of({"reno": {"bulk-1": {"ours": bulk(900, 1000, 5000), "spiped": bulk(200)},
                                 "bulk-8": {"ours": bulk(800), "spiped": bulk(200), "stunnel": bulk(500),
                                            "openssh": bulk(700)}}})
    judged = {row["target"]: (row["value"], row["mark"]) for row in report.targets(result)}
    assert judged["bulk 1, MiB/s, against Debian's spiped"] == (5, "met")
    assert judged["bulk 8, MiB/s, against Debian's spiped"] == (4, "MISSED by 20.0 %")
    assert judged["bulk 8, MiB/s, against the best of the others"] == (1.143, "MISSED by 12.1 %")
    assert judged["bulk 8, CPU s a GiB, against stunnel"] == (1, "MISSED by 35.1 %")
    assert judged["bulk 1 under bbr, MiB/s, against Debian's spiped"] == (None, "not measured")
    assert judged["new connections, p99, ms"] == (None, "not measured")


def test_a_table_shows_medians_and_half_of_the_spread():
    result = result_of({"reno": {"bulk-1": {"spiped": bulk(200, 220, 210)}}})
    result["targets"] = report.targets(result)
    assert "210 ±5%" in report.text(result) and "1.50" in report.text(result)


def test_the_chart_is_well_formed_and_names_everybody():
    import xml.etree.ElementTree as tree
    result = result_of({"reno": {"bulk-8": {"a<b": bulk(1000), "spiped": bulk(200)}}})
    texts = [element.text for element in tree.fromstring(chart.bars(result)).iter() if element.text]
    assert "a<b" in texts and "1,000" in texts
