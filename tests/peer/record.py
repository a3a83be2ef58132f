#!/usr/bin/python3
"""Writes the recorded sessions (tests/vectors/sessions.txt; tests/vectors/README.md says in what form).

    /usr/bin/python3 tests/peer/record.py > tests/vectors/sessions.txt

Nonces, exponents and data are drawn from SHA-256 of their names, so the file is the same every time.
"""
import hashlib
import sys

from peer import CLIENT, SERVER, Handshake, sha256_of_key_file

ON, OFF, REQUIRED = "on", "off", "required"
ONES, ZEROS = b"\xff" * 32, bytes(32)


def drawn(name, length):
    blocks = (hashlib.sha256(f"{name}/{i}".encode()).digest() for i in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def small(number):
    return number.to_bytes(32, "big")


class Recorder:
    def __init__(self, out):
        self.out = out
        self.names = set()

    def line(self, name, value):
        self.out.write(f"{name} {value.hex() if isinstance(value, bytes) else value}\n")

    def session(self, name, modes=(ON, ON), traffic=(), k=None, client_x=None, server_x=None, client_nonce=None,
                server_nonce=None):
        """traffic: (who, plain bytes or their number) in the order in which they are sent."""
        assert name not in self.names
        self.names.add(name)
        given = {"k": k, "client_nonce": client_nonce, "client_x": client_x, "server_nonce": server_nonce,
                 "server_x": server_x}
        fixed = {what: value or drawn(f"{name}/{what}", 32) for what, value in given.items()}
        client = Handshake(CLIENT, fixed["k"], modes[0] != OFF, fixed["client_nonce"], fixed["client_x"])
        server = Handshake(SERVER, fixed["k"], modes[1] != OFF, fixed["server_nonce"], fixed["server_x"])
        client.take_nonce(server.nonce)
        server.take_nonce(client.nonce)
        server.take_y_message(client.y_message())
        client.take_y_message(server.y_message())
        assert client.dk_2 == server.dk_2 and client.y_sc == server.y_sc

        self.out.write("\n")
        self.line("session", name)
        self.line("k", fixed["k"])
        self.line("client_fs", modes[0])
        self.line("server_fs", modes[1])
        for what in ("client_nonce", "client_x", "server_nonce", "server_x"):
            self.line(what, fixed[what])
        self.line("dk_1", client.dk_1)
        self.line("y_sc", client.y_sc)
        self.line("dk_2", client.dk_2)
        self.line("client_handshake", client.nonce + client.y_message())
        self.line("server_handshake", server.nonce + server.y_message())
        for number, (who, what) in enumerate(traffic):
            plain = drawn(f"{name}/{number}", what) if isinstance(what, int) else what
            sender, receiver = (client, server) if who == CLIENT else (server, client)
            wire = sender.sends.seal(plain)
            opened = b"".join(receiver.receives.open(wire[i:i + 1060]) for i in range(0, len(wire), 1060))
            assert opened == plain
            self.line(f"{who}_send", plain)
            self.line(f"{who}_wire", wire)


def record(out):
    out.write("# Whole sessions with fixed nonces and exponents; made by tests/peer/record.py, described in README.md.\n")
    recorder = Recorder(out)
    both = ((CLIENT, 1), (SERVER, 1))
    for modes in ((ON, ON), (ON, OFF), (ON, REQUIRED), (OFF, ON), (OFF, OFF), (REQUIRED, ON), (REQUIRED, REQUIRED)):
        recorder.session(f"modes-{modes[0]}-{modes[1]}", modes, ((CLIENT, b"ping\n"), (SERVER, b"pong\n")))
    for length in (1, 2, 1023, 1024, 1025, 2048, 5000, 15360):
        recorder.session(f"length-{length}", traffic=((CLIENT, length), (SERVER, length)))
    recorder.session("no-data")
    recorder.session("client-only", traffic=((CLIENT, 700), (CLIENT, 3000)))
    recorder.session("server-only", traffic=((SERVER, 700), (SERVER, 3000)))
    every_byte = bytes(range(256))
    recorder.session("every-byte", traffic=((CLIENT, every_byte * 5), (SERVER, every_byte[::-1] * 5)))
    recorder.session("zeros-and-ones", traffic=((CLIENT, bytes(1500)), (SERVER, b"\xff" * 1500)))
    recorder.session("in-turn", traffic=[((CLIENT, SERVER)[i % 2], 1 + 97 * i) for i in range(12)])
    recorder.session("many-small", traffic=[((CLIENT, SERVER)[i % 3 == 2], 1 + i % 5) for i in range(60)])
    recorder.session("k-leading-zeros", traffic=both, k=bytes(8) + drawn("k", 24))
    recorder.session("k-ones", traffic=both, k=ONES)
    recorder.session("k-of-an-empty-file", traffic=both, k=sha256_of_key_file(b""))
    recorder.session("nonces-leading-zeros", traffic=both, client_nonce=bytes(31) + b"\1", server_nonce=bytes(31) + b"\2")
    recorder.session("nonces-ones", traffic=both, client_nonce=ONES, server_nonce=ONES)
    recorder.session("nonces-zeros", traffic=both, client_nonce=ZEROS, server_nonce=ZEROS)
    recorder.session("x-leading-zeros", traffic=both, client_x=bytes(16) + drawn("x", 16), server_x=bytes(24) + drawn("x", 8))
    recorder.session("x-ones", traffic=both, client_x=ONES, server_x=ONES)
    recorder.session("x-client-zero", traffic=both, client_x=ZEROS)
    recorder.session("x-server-zero", traffic=both, server_x=ZEROS)
    recorder.session("x-one", traffic=both, client_x=small(1), server_x=small(1))
    recorder.session("x-two-to-the-255", traffic=both, client_x=small(1 << 255), server_x=small(1 << 255))
    recorder.session("x-2047-bits", traffic=both, client_x=small(2047), server_x=small(2048))


if __name__ == "__main__":
    record(sys.stdout)
