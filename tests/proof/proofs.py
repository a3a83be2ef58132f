"""proofs.py: what tools/prove proves, and the bugs that each proof must see."""


class Proof:
    """
    A driver, prove_NAME.c; the sources that it is for; what these call, of src/ or a stand-in of tests/proof; and bugs:
    (file, what stands there, what is put there). A driver that has to come at static functions includes their file.
    """

    def __init__(self, name, sources, beside, bugs, *options):
        self.name, self.sources, self.beside, self.bugs, self.options = name, sources, beside, bugs, options


CRYPTO = ["tests/proof/crypto.c", "tests/proof/group14.c"]

PROTOCOL = [
    Proof("bytes", ["src/base/bytes.c"], [], [
        ("src/base/bytes.c", "24 - 8 * i", "24 - 16 * i"),
        ("src/base/bytes.c", "memcpy(&word_a, a + at, step);", "memcpy(&word_a, a + at, 8);"),
    ]),
    Proof("packet", ["src/protocol/packet.c"], ["src/base/bytes.c", *CRYPTO], [
        ("src/protocol/packet.c", "WIRE_PLAIN_MAX - n);", "WIRE_PADDED + WIRE_PACKET - n);"),
        ("src/protocol/packet.c", "length > WIRE_PLAIN_MAX)", "length > WIRE_PADDED)"),
    ]),
    Proof("session", ["src/protocol/session.c", "src/protocol/keyring.c", "src/protocol/job.c"],
        ["src/protocol/packet.c", "src/base/bytes.c", *CRYPTO], [
        ("src/protocol/session.c", "if (length > session_wants_bytes(session))", "if (length > session_wants_bytes(session) + 1)"),
        ("src/protocol/session.c", "memcpy(salt + 2 * WIRE_NONCE, shared, WIRE_Y);", "memcpy(salt + 2 * WIRE_NONCE + 1, shared, WIRE_Y);"),
        ("src/protocol/keyring.c", "hash_pbkdf2(key->k, nonces, 2 * WIRE_NONCE", "hash_pbkdf2(key->k, nonces, 4 * WIRE_PACKET"),
        ("src/protocol/job.c", "group14_public(job->x, job->y)", "group14_public(job->x, job->shared + 1)"),
        ], "-eva-split-return-function", "session_job_done:full,start_data:full,packet_direction_start:full,expect:full,session_feed:full"),
]

PROOFS = [*PROTOCOL]
