#!/usr/bin/python3
"""tests/fuzz/seeds.py FOLDER: what the fuzzers start from: FOLDER/TARGET/NAME, made from what is real.

The connections are those of tests/vectors/sessions.txt, each from either end; the rest is what the manual pages show.
The corpora of tests/fuzz/corpus grew out of these: see tools/fuzz.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODES = {"on": 0, "off": 1, "required": 2}
SCRIPT = 48  # of the targets that drive a whole connection
NONE_SPOILT = 255

ADDRESSES = ["/run/spiped.sock", "/" + "x" * 107, "/" + "x" * 108, "[127.0.0.1]:8025", "[::1]:25", "[fe80::1%lo]:25",
    "[::ffff:127.0.0.1]:80", "127.0.0.1:8025", "mail.example.org:smtp", "localhost:25", "example.org:0", ":25", "[::1]",
    "[0.0.0.0]:0", "host:65536", "host:99999999999999999999", "a b:1", "host:", "", "[", "[]:1", "[1:2]:3", "x" * 300 + ":1"]
SOCKET_ADDRESSES = [bytes.fromhex(text) for text in [
    "02001f59c0000207" + "00" * 8, "0a001f59" + "00" * 4 + "20010db8" + "00" * 11 + "01" + "00" * 4,
    "0a000050" + "00" * 14 + "ffff7f000001" + "00" * 4, "0a000050" + "00" * 4 + "fe80" + "00" * 13 + "01" + "01000000",
    "0100" + "2f72756e2f732e736f636b00", "0100" + "00616263", "0100", ""]]
SPIPED = ["-e -s [0.0.0.0]:8025 -t mail:25 -k /etc/spiped/keys/mail", "-dFj -s /run/s -t [::1]:25 -k - -f -n 0 -o 2.5 -R",
    "--decrypt --source /s --target /t --key k --workers 4 --max-handshakes 9 --source-mode 0660 --source-owner a:b",
    "-d -s /s -t /t -k k --syslog -u nobody:nogroup -p /run/x.pid -b [::1] -g -r 10 -D --log-level debug --check",
    "-e -e", "-v", "--help", "--version", "-x", "--nothing", "-n", "-e -d", "-f -g", "--workers=0", "-o 1e99", "-n -1",
    "--source-mode 0778", "-e -s /s -t /t -k k operand", "-d -s /s -t /t -k a" + " -k b" * 15, "-ds/s -t/t" + " -kx" * 17, "-- -e", "-n 1\n2", "-o 0.0001 -ds a -tb -kc --crypto libcrypto --no-sandbox", "--key=\x1b[1m"]
SPIPE = ["-t host:8025 -k /etc/key", "-t /s -k - -f -j -o 3 -b [::1]:0 --exit-on-eof --log-level info --check",
    "--target [::1]:1 --key k --require-forward-secrecy --timeout 0.5", "-v", "-t", "--log-level loud", "-tk -k", "-t t -k k --crypto ipsec-mb --no-sandbox", "--crypto x"]
KEYGEN = ["/etc/spiped/key", "-", "--help", "-v", "", "a b", "-- -x", "--nothing", "x/" * 300, "-z"]
# Of key_folder.c, by place: the kinds of files, and lengths of 32, 0, 1, 31, 33 and 5000 bytes, the most that is read.
KINDS = 7
REGULAR, LINK, FOLDER, NOWHERE, LOOP, QUEUE, GONE = range(KINDS)
READ = (b"", 0, 0, 0)
KEY_FOLDERS = {
    "rotation": [(b"laptop.key", REGULAR, 0, 1), (b"phone.key", REGULAR, 0, 2), (b"mail.key", LINK, 5, 3), READ,
        (b"laptop.key", GONE, 0, 0), (b"phone.key", REGULAR, 0, 4), (b"new.key", REGULAR, 4, 5), READ, (b"laptop.key", REGULAR, 0, 6)],
    "bad-ones-stay": [(bytes([97 + i]) + b".key", REGULAR, 0, i) for i in range(6)] + [READ, (b"a.key", REGULAR, 3, 9),
        (b"b.key", FOLDER, 0, 0), (b"c.key", NOWHERE, 0, 0), (b"d.key", LOOP, 0, 0), (b"e.key", QUEUE, 0, 0), (b"f.key", REGULAR, 7, 0)],
    "bad-ones-come": [READ] + [(bytes([97 + i]) + b".key", i % 6, (0, 1, 2, 3, 6, 7)[i // 2], 0) for i in range(12)],
    "names": [(name, REGULAR, 0, i) for i, name in enumerate([b".key", b"..key", b".a.key", b"a b.key", b"a.key~", b"#a.key",
        b"a.KEY", b"n" * 63 + b".key", b"n" * 64 + b".key", b"a.b-c_D9.key", b"\xff" * 251 + b".key", b"key"])] + [READ],
    "twins": [(b"one.key", REGULAR, 0, 7), (b"two.key", REGULAR, 0, 7), READ, (b"one.key", GONE, 0, 0), READ, (b"two.key", GONE, 0, 0)],
}
USERS = ["nobody", "nobody:nogroup", ":nogroup", "0", "0:0", ":12345", "99999", "4294967295", "4294967294", "root:",
    "", ":", "x" * 256, "no\nbody", "1:2:3", "-1", "+1", " 1"]


def records():
    """The sessions of sessions.txt: {name: value}, with lists of the packets each way."""
    with open(os.path.join(ROOT, "tests", "vectors", "sessions.txt")) as file:
        blocks = "".join(line for line in file if not line.startswith("#")).split("\n\n")
    for block in filter(str.strip, blocks):
        record = {"client_wire": [], "server_wire": []}
        for line in block.strip().splitlines():
            name, value = line.split(" ", 1)
            if name in ("client_wire", "server_wire"):
                record[name].append(value)
            else:
                record[name] = value
        yield record


def head(record, role, y=0, manner=0, piece=0, say=3, batch=3):
    control = bytes([MODES[record[role + "_fs"]], manner, piece, y, say, NONE_SPOILT, batch, 0])
    return control + bytes.fromhex(record["k"] + record[role + "_nonce"] + record[role + "_x"])


def connections():
    for number, record in enumerate(records()):
        for role, peer in (("server", "client"), ("client", "server")):
            said = bytes.fromhex(record[peer + "_handshake"] + "".join(record[peer + "_wire"])[:2 * 1060 * 8])
            piece = (0, 1, 31, 100)[number % 4]
            name = record["session"]
            for target in (role, role + "_keyed"):
                yield target, name, head(record, role, piece=piece, manner=number % 2 * 8) + said
            script = bytes((number * 37 + i * 11) % 256 for i in range(SCRIPT)) if number % 2 else bytes(SCRIPT)
            whole = {"server": "decrypt_keyed", "client": "encrypt_keyed"}[role]
            yield whole, name, head(record, role, manner=(0, 16, 32, 64)[number // 2 % 4], say=number) + script + said
        dk_2 = bytes.fromhex(record["dk_2"])
        for keys, wire in ((dk_2[:64], record["client_wire"]), (dk_2[64:], record["server_wire"])):
            packets = bytes.fromhex("".join(wire)[:2 * 1060 * 8])
            if packets:
                yield "packets_keyed", record["session"] + str(number), bytes([number, number % 5, NONE_SPOILT, 0]) + keys + packets
        if number < 16:  # each y that matters, in a handshake to be repaired
            peer = bytes.fromhex(record["client_handshake"])
            yield "server_keyed", f"y-{number}", head(record, "server", y=number) + peer
            peer = bytes.fromhex(record["server_handshake"])
            yield "client_keyed", f"y-{number}", head(record, "client", y=number) + peer


def texts():
    for number, text in enumerate(ADDRESSES):
        for flags in (0, 1):
            yield "address", f"text-{number}-{flags}", bytes([flags]) + text.encode()
    for number, raw in enumerate(SOCKET_ADDRESSES):
        yield "address", f"raw-{number}", b"\2" + raw
    for target, lines in (("options_spiped", SPIPED), ("options_spipe", SPIPE)):
        for number, line in enumerate(lines):
            yield target, str(number), b"\0".join(word.encode() for word in line.split(" ")) + b"\0"
    for number, line in enumerate(KEYGEN):
        for failing in (0, 1, 2, 4, 8):
            yield "options_keygen", f"{number}-{failing}", bytes([failing]) + b"\0".join(word.encode() for word in line.split(" ")) + b"\0"
    for number, user in enumerate(USERS):
        yield "user", str(number), user.encode() + b"\0"
    for number, (name, held) in enumerate([(b"mail", bytes(range(32))), (b"a b\n\xff", b"short"), (b"", b""),
            (b"n" * 100, bytes(5000)), (b"k", b"x" * 4096)]):
        for pipe in (0, 1):
            yield "key_file", f"{number}-{pipe}", bytes([2 * len(name) + pipe]) + name + held
    for name, changes in KEY_FOLDERS.items():
        yield "key_folder", name, b"".join(
            bytes([len(file), kind + KINDS * length, fill]) + file if file else b"\0" for file, kind, length, fill in changes)
    for number, value in enumerate([b"192.0.2.7:51234", b"", b"a b", b"\x1b[31m\"\\\n\xff", b"x" * 990, b"\xff" * 300]):
        yield "line", str(number), b"\0" + value + b"\0" + b"\1" + b"\xff" * 8 + b"\2" + bytes(7) + b"\x7b" + b"\3" + bytes(8)
    yield "log", "calm", bytes.fromhex("0210" * 20)
    yield "log", "strangers", bytes.fromhex("0630" * 40 + "4e10" * 40)
    yield "log", "flood", bytes.fromhex("02ff" * 600)


def main():
    for target, name, data in [*connections(), *texts()]:
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


main()
