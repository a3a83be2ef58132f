"""Streams that check themselves: streams.py serve HOST PORT | streams.py run HOST PORT SECONDS WORKERS SEED RESETS

Each byte of a stream is known from the stream's number, so that every byte is checked where it arrives. The client says
in a line of 64 bytes what the stream will be: its number, how many bytes go up and how many down, and how it ends: both
half-close when they have said all, or (RESETS of ten) one side resets when it has said that much. `run` prints a line of JSON.
"""
import json
import random
import socket
import sys
import threading
import time

from network import read_exactly, reset

BLOCK = random.Random(1).randbytes(1 << 20)
PIECE, HEADER, PATIENCE = 1 << 16, 64, 120
LOST_RESET = 320  # seconds until a reset that the network has lost is found: by asking each minute, and that may be lost five times
END, CLIENT_RESETS, SERVER_RESETS = "end", "client-resets", "server-resets"


class Wrong(AssertionError):
    """What no stream through a pipe may show."""


def part_of(stream, at, length):
    start = (stream * 7919 + at) % (len(BLOCK) - PIECE)
    return BLOCK[start:start + min(length, PIECE)]


def say(sock, stream, total):
    at = 0
    while at < total:
        part = part_of(stream, at, min(PIECE, total - at))
        sock.sendall(part)
        at += len(part)


def hear(sock, stream, total):
    """Checks each byte, up to an end or a reset. How many there were, and whether a reset ended them."""
    at, piece, expected = 0, 0, b""
    while True:
        try:
            got = sock.recv(PIECE)
        except ConnectionResetError:
            return at, True
        if not got:
            return at, False
        while got:
            if not expected:
                expected = part_of(stream, piece, min(PIECE, total - piece))
                piece += len(expected)
                if not expected:
                    raise Wrong(f"stream {stream} goes on after its {total} bytes")
            n = min(len(got), len(expected))
            if got[:n] != expected[:n]:
                raise Wrong(f"stream {stream} is not what was sent, between {at} and {at + n}")
            got, expected, at = got[n:], expected[n:], at + n


def talk(sock, says, hears, resets, sees_reset):
    """Both directions at once: (stream, bytes) each, then who resets. Whether both came to their ends: False after a reset."""
    def send():
        try:
            say(sock, *says)
            if not resets:
                sock.shutdown(socket.SHUT_WR)
        except OSError:  # the other side has reset it
            failed.append(True)

    failed = []
    sender = threading.Thread(target=send)
    sender.start()
    if resets:
        sender.join()
        reset(sock)
        return False
    count, was_reset = hear(sock, *hears)
    sender.join()
    was_reset = was_reset or bool(failed)  # the kernel tells of a reset once: whoever sends may have heard of it instead
    if not was_reset and (sees_reset or count != hears[1]):
        raise Wrong(f"stream {hears[0]} ended after {count} bytes of {hears[1]}, as if that were all")
    if was_reset and not sees_reset:
        raise Wrong(f"stream {hears[0]} was reset by nobody at either end")
    return not was_reset


def serve_one(sock):
    with sock:
        sock.settimeout(LOST_RESET)
        try:
            try:
                stream, up, down, how = read_exactly(sock, HEADER).decode().split()
            except ConnectionResetError:  # it overtook even this
                return
            sock.settimeout(LOST_RESET if how == CLIENT_RESETS else PATIENCE)
            # What a reset overtakes may be lost; the side that is reset hears a prefix, and then the reset
            talk(sock, (int(stream) + 1, int(down)), (int(stream), int(up)), how == SERVER_RESETS, how == CLIENT_RESETS)
        except (AssertionError, ValueError, OSError) as error:
            print(f"WRONG at the server: {error}", flush=True)


def serve(host, port):
    with socket.create_server((host, port), backlog=1024) as listener:
        print("serving", flush=True)
        while True:
            threading.Thread(target=serve_one, args=(listener.accept()[0],), daemon=True).start()


class Client:
    def __init__(self, host, port, seconds, workers, seed, resets):
        self.address, self.until, self.seed = (host, port), time.monotonic() + seconds, seed
        self.weights = 10 - resets, resets / 2, resets / 2
        self.lock, self.streams, self.bytes, self.resets, self.wrong = threading.Lock(), 0, 0, 0, []
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(workers)]

    def work(self, number):
        choose = random.Random(self.seed * 1000 + number)
        while time.monotonic() < self.until and not self.wrong:
            stream = choose.randrange(1 << 40)
            up, down = (int(2 ** choose.uniform(0, 25)) - 1 for _ in range(2))
            how = choose.choices((END, CLIENT_RESETS, SERVER_RESETS), self.weights)[0]
            try:
                self.one(stream, up, down, how)
            except (Wrong, OSError) as error:
                with self.lock:
                    self.wrong.append(f"{type(error).__name__}: {error} ({stream} {up} {down} {how})")

    def one(self, stream, up, down, how):
        with socket.create_connection(self.address, PATIENCE) as sock:
            sock.settimeout(LOST_RESET if how == SERVER_RESETS else PATIENCE)
            sock.sendall(f"{stream} {up} {down} {how}".encode().ljust(HEADER))
            whole = talk(sock, (stream, up), (stream + 1, down), how == CLIENT_RESETS, how == SERVER_RESETS)
        with self.lock:
            self.streams += 1
            self.resets += not whole
            self.bytes += up + down if whole else 0

    def run(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()
        print(json.dumps({"streams": self.streams, "bytes": self.bytes, "resets": self.resets, "wrong": self.wrong}))


if __name__ == "__main__":
    mode, host, port, *rest = sys.argv[1:]
    if mode == "serve":
        serve(host, int(port))
    else:
        Client(host, int(port), float(rest[0]), *map(int, rest[1:])).run()
