"""proofs.py: what tools/prove proves, and the bugs that each proof must see."""


class Proof:
    """
    A driver, prove_NAME.c; the sources that it is for; what these call, of src/ or a stand-in of tests/proof; and bugs:
    (file, what stands there, what is put there). A driver that has to come at static functions includes their file. only:
    the functions that it is for, where it is not for all of the sources'.
    """

    def __init__(self, name, sources, beside, bugs, *options, only=None):
        self.name, self.sources, self.beside, self.bugs, self.options, self.only = name, sources, beside, bugs, options, only


CRYPTO = ["tests/proof/crypto.c", "tests/proof/group14.c"]

PROTOCOL = [
    Proof("bytes", ["src/base/bytes.c"], [], [
        ("src/base/bytes.c", "24 - 8 * i", "24 - 16 * i"),
        ("src/base/bytes.c", "memcpy(&word_a, a + at, step);", "memcpy(&word_a, a + at, 8);"),
    ]),
    Proof("packet", ["src/protocol/packet.c"], ["src/base/bytes.c", *CRYPTO], [
        ("src/protocol/packet.c", "WIRE_PLAIN_MAX - n);", "WIRE_PADDED + WIRE_PACKET - n);"),
        ("src/protocol/packet.c", "length > WIRE_PLAIN_MAX)", "length > WIRE_PADDED)"),
    ], "-eva-slevel", "1000"),
    Proof("session", ["src/protocol/session.c", "src/protocol/keyring.c", "src/protocol/job.c"],
        ["src/protocol/packet.c", "src/base/bytes.c", *CRYPTO], [
        ("src/protocol/session.c", "if (length > session_wants_bytes(session))", "if (length > session_wants_bytes(session) + 1)"),
        ("src/protocol/session.c", "memcpy(salt + 2 * WIRE_NONCE, shared, WIRE_Y);", "memcpy(salt + 2 * WIRE_NONCE + 1, shared, WIRE_Y);"),
        ("src/protocol/keyring.c", "hash_pbkdf2(key->k, nonces, 2 * WIRE_NONCE", "hash_pbkdf2(key->k, nonces, 4 * WIRE_PACKET"),
        ("src/protocol/job.c", "group14_public(job->x, job->y)", "group14_public(job->x, job->shared + 8)"),
        ], "-eva-split-return-function", "session_job_done:full,start_data:full,packet_direction_start:full,expect:full,session_feed:full"),
]

LIBCRYPTO = ["tests/proof/libcrypto.c"]


def split(*names):
    """What a call leaves behind is looked at apart for each value that it may return."""
    return "-eva-split-return-function", ",".join(name + ":full" for name in names)


LIBCRYPTO_SPLIT = ["EVP_MD_CTX_new", "EVP_MD_CTX_copy_ex", "EVP_DigestInit_ex2", "EVP_DigestUpdate", "EVP_DigestFinal_ex",
    "EVP_EncryptInit_ex2", "EVP_EncryptUpdate"]

BELOW = [
    Proof("hash", ["src/crypto/hash.c"], ["src/base/bytes.c", *LIBCRYPTO], [
        ("src/crypto/hash.c", "memcpy(out + at, block, n - at < HASH_SIZE ? n - at : HASH_SIZE);", "memcpy(out + at, block, HASH_SIZE);"),
        ("src/crypto/hash.c", "if (key_length > BLOCK)", "if (key_length > BLOCK + 1)"),
    ], *split(*LIBCRYPTO_SPLIT, "hash_pieces", "hmac_pieces", "hash_stream_new", "hash_stream_add")),
    Proof("engine", ["src/crypto/engine.c"], ["src/base/bytes.c", "tests/proof/backends.c"], [
        ("src/crypto/engine.c", "\tif (error == ERROR_CRYPTO) {\n\t\t*good = 0;\n\t\tbytes_wipe(packets, count * ENGINE_PACKET);",
            "\tif (error == ERROR_CRYPTO) {\n\t\t*good = 0;\n\t\tbytes_wipe(packets, count * ENGINE_PACKET + 1);"),
    ], "-eva-slevel-function", "known_body:1100"),
    Proof("libcrypto", ["src/crypto/backend_libcrypto.c"], ["src/base/bytes.c", *LIBCRYPTO], [
        ("src/crypto/backend_libcrypto.c", "packet + ENGINE_BODY, theirs, sizeof number);", "packet + ENGINE_PACKET, theirs, sizeof number);"),
        ("src/crypto/backend_libcrypto.c", "error == OK && *good < count;", "error == OK && *good <= count;"),
    ], "-eva-slevel", "2000", *split(*LIBCRYPTO_SPLIT, "hash_padded_key", "slot_load", "slot_of", "mac_of", "crypt",
        "open_one", "seal_one", "libcrypto_prepare"),
        only=["libcrypto_open", "open_one", "mac_of", "crypt", "libcrypto_seal", "seal_one", "libcrypto_prepare", "libcrypto_forget",
            "slot_of", "slot_load", "slot_wipe", "hash_padded_key"]),
    Proof("ipsec_mb", ["src/crypto/backend_ipsec_mb.c"], ["src/base/bytes.c", "tests/proof/ipsec_mb.c"], [
        ("src/crypto/backend_ipsec_mb.c", "uint8_t starts[PIECE][NUMBER];", "uint8_t starts[PIECE - 1][NUMBER];"),
        ("src/crypto/backend_ipsec_mb.c", "HASHED = ENGINE_BODY + NUMBER,", "HASHED = ENGINE_BODY + ENGINE_MAC + NUMBER,"),
    ], "-eva-slevel", "1000",
        only=["ipsec_mb_open", "open_piece", "load", "run_hashes", "run_hashes_on", "run_ciphers", "ipsec_mb_seal", "seal_piece",
            "ipsec_mb_prepare", "ipsec_mb_forget", "hash_padded_key"]),
    Proof("pipe", ["src/pipe/pipe.c", "src/pipe/pipe_next.c"], ["tests/proof/session.c"], [
        ("src/pipe/pipe.c", "p->leftover = total % WIRE_PACKET;", "p->leftover = total - (count > 0 ? (count - 1) * WIRE_PACKET : 0);"),
        ("src/pipe/pipe_next.c", "return *packets * WIRE_PACKET - p->leftover;", "return *packets * WIRE_PACKET;"),
    ], *split("session_wants", "session_key")),
    Proof("connection", ["src/net/connection.c", "src/net/leg.c", "src/net/socket.c"],
        ["src/base/bytes.c", "tests/proof/net.c", "tests/proof/uv.c"], [
        ("src/net/connection.c", "leg->kind->read(leg, pool->in + offset, length);", "leg->kind->read(leg, pool->in + offset + 1, length);"),
        ("src/net/leg.c", "socket_read(leg->fd, bytes, length);", "socket_read(leg->fd, bytes - 1, length);"),
        ("src/net/socket.c", "recv(fd, bytes, length, MSG_DONTWAIT);", "recv(fd, bytes, length + 1, MSG_DONTWAIT);"),
    ], *split("poller_add", "leg_open_socket"), only=["read_leg", "connection_tell", "read_socket", "socket_read"]),
]

TEXT = ["tests/proof/text.c", "tests/proof/printf.c"]


def texts(*slevels):
    """A byte that may be anything but '\\0' is a set of 255 values; the loops that make them need not branch."""
    return "-eva-ilevel", "256", "-eva-slevel-function", ",".join(["unknown_char_but:0", "unknown_text:0", *slevels])


PARSERS = [
    Proof("append", [], [], [
        ("src/base/line.c", "size_t fits = length < room ? length : room;", "size_t fits = length < room + 2 ? length : room;"),
    ]),
    Proof("line", ["src/base/line.c", "src/base/error.c"], TEXT, [
        ("src/base/line.c", "append(line, escaped, (size_t)length);", "append(line, escaped, (size_t)length + 2);"),
        ("src/base/error.c", "< ERROR_COUNT ? errors[error].word", "<= ERROR_COUNT ? errors[error].word"),
    ], *texts(), "-eva-min-loop-unroll", "70", "-eva-use-spec", "append",
        "-eva-slevel-merge-after-loop", "append_quoted,is_plain_text", *split("put_number", "proof_snprintf", "proof_vsnprintf")),
    Proof("key_file", ["src/daemon/key_file.c"],
        [*TEXT, "src/base/bytes.c", "tests/proof/files.c", "tests/proof/hash_stream.c", "tests/proof/message.c"], [
        ("src/daemon/key_file.c", "read(fd, bytes, sizeof bytes)", "read(fd, bytes, sizeof bytes + 1)"),
        ("src/daemon/key_file.c", "hash_stream_add(stream, bytes, (size_t)length)", "hash_stream_add(stream, bytes, sizeof bytes)"),
        ("src/daemon/key_file.c", "(void)snprintf(text, KEY_FILE_TEXT,", "(void)snprintf(text, KEY_FILE_TEXT + 1,"),
    ], *texts("hash_descriptor:0"), "-eva-slevel", "500", "-eva-interprocedural-splits",
        *split("fstat", "stat", "note_status", "put_number", "strcmp", "is_standard_input")),
    Proof("key_folder", ["src/daemon/key_folder.c"], TEXT, [
        ("src/daemon/key_folder.c", "strspn(name, good) >= length;", "name[length + 1] != '.';"),
        ("src/daemon/key_folder.c", "length > KEY_FOLDER_SUFFIX &&", "length > 0 &&"),
    ], *texts(), "-eva-use-spec", "strspn", only=["key_folder_is_name", "is_key", "is_mistake"]),
    Proof("key_way", ["src/daemon/key_way.c"], TEXT, [
        ("src/daemon/key_way.c", "(size_t)size + after >= PATH_MAX", "(size_t)size + after > PATH_MAX"),
        ("src/daemon/key_way.c", "readlink(next, target, sizeof target)", "readlink(next, target, sizeof target + 1)"),
        ("src/daemon/key_way.c", "while (count < most &&", "while (count <= most &&"),
    ], *texts(), "-eva-slevel", "20000", *split("strspn", "strcspn", "proof_readlink")),
    Proof("key_ring", ["src/daemon/key_ring.c"], ["src/base/bytes.c", "tests/proof/files.c"], [
        ("src/daemon/key_ring.c", "capacity * sizeof(struct key)", "capacity * WIRE_KEY"),
        ("src/daemon/key_ring.c", "i < length && i < KEY_NAME_MAX", "i < length"),
        ("src/daemon/key_ring.c", "ring->size - sizeof *ring", "ring->size"),
        ("src/daemon/key_ring.c", "\tcounted_take(&key->name->counted);\n", ""),
    ], *texts(), "-eva-alloc-builtin", "fresh", *split("add_one")),
    Proof("key_read", ["src/daemon/key_read.c"], [*TEXT, "tests/proof/files.c", "tests/proof/message.c"], [
        ("src/daemon/key_read.c", "reading->ring->count - first >= KEY_SET_MAX", "reading->ring->count - first > KEY_SET_MAX"),
        ("src/daemon/key_read.c", "i + 1 < ring->count", "i <= ring->count"),
        ("src/daemon/key_read.c", "starts[KEY_SOURCES_MAX + 1]", "starts[KEY_SOURCES_MAX]"),
    ], *texts(), "-eva-slevel", "5000", "-eva-interprocedural-splits", *split("strcmp", "key_folder_list")),
    Proof("keygen", ["src/spiped-keygen/main.c"],
        [*TEXT, "src/base/bytes.c", "src/base/error.c", "tests/proof/arguments.c", "tests/proof/message.c"], [
        ("src/spiped-keygen/main.c", "random_bytes(key, sizeof key)", "random_bytes(key, sizeof key + 1)"),
        ("src/spiped-keygen/main.c", "argc - arguments.at != (options.list == NULL)", "argc - arguments.at > 1"),
    ], *texts(), "-main", "prove", "-eva-interprocedural-splits", *split("put_number", "random_bytes")),
    Proof("keygen_file", ["src/spiped-keygen/file.c"],
        [*TEXT, "tests/proof/files.c", "tests/proof/message.c"], [
        ("src/spiped-keygen/file.c", "snprintf(copy, sizeof copy", "snprintf(copy, sizeof copy + 1"),
        ("src/spiped-keygen/file.c", "bytes += written;", "bytes += length;"),
    ], *texts(), "-eva-slevel", "500", "-eva-interprocedural-splits", *split("put_number")),
    Proof("privileges", ["src/daemon/privileges.c"], [*TEXT, "tests/proof/accounts.c", "tests/proof/message.c"], [
        ("src/daemon/privileges.c", "if (length >= sizeof user)", "if (length > sizeof user)"),
        ("src/daemon/privileges.c", "while (at < identity->group_count", "while (at <= identity->group_count"),
    ], *texts("has_no_other_group:0", "privileges_may_give_to:0"), "-eva-slevel", "500", "-eva-interprocedural-splits",
        *split("put_number", "parse_number", "getgroups", "getgrouplist")),
    Proof("arguments", ["src/daemon/arguments.c"], [*TEXT, "tests/proof/engine.c", "tests/proof/message.c"], [
        ("src/daemon/arguments.c", "arguments->at == arguments->argc)", "arguments->at > arguments->argc)"),
        ("src/daemon/arguments.c", "|= UINT64_C(1) << index", "|= UINT64_C(1) << (index + 1)"),
        ("src/daemon/arguments.c", "list->count == KEY_SOURCES_MAX", "list->count > KEY_SOURCES_MAX"),
        ("src/daemon/arguments.c", "seconds * 1000 > most_milliseconds", "seconds > 1e30"),
        ("src/daemon/arguments.c", "sizeof arguments->given, \"--", "sizeof *arguments, \"--"),
    ], *texts(), "-eva-ilevel", "512", "-eva-slevel", "1000", "-eva-min-loop-unroll", "70", "-warn-special-float", "none", "-eva-interprocedural-splits",
        *split("put_number", "find_letter", "find_name", "read_number", "read_word")),
    Proof("spiped_options", ["src/spiped/options.c"], [*TEXT, "tests/proof/arguments.c", "tests/proof/message.c"], [
        ("src/spiped/options.c", "sizeof options->default_pidfile;", "sizeof *options;"),
        ("src/spiped/options.c", ".count = sizeof table / sizeof *table", ".count = sizeof table / sizeof *table + 1"),
        ("src/spiped/options.c", "ARGUMENT(LIST, keys, 0, 0)", "ARGUMENT(LIST, source, 0, 0)"),
    ], *texts("options_parse:0"), "-eva-widening-delay", "20", "-eva-interprocedural-splits", *split("put_number")),
    Proof("spipe_options", ["src/spipe/options.c"], [*TEXT, "tests/proof/arguments.c", "tests/proof/message.c"], [
        ("src/spipe/options.c", ".count = sizeof table / sizeof *table", ".count = sizeof table / sizeof *table + 1"),
        ("src/spipe/options.c", "ARGUMENT(LIST, keys, 0, 0)", "ARGUMENT(LIST, target, 0, 0)"),
    ], *texts("options_parse:0"), "-eva-widening-delay", "20", "-eva-interprocedural-splits", *split("put_number")),
    Proof("address", ["src/net/address.c"], [*TEXT, "tests/proof/inet.c"], [
        ("src/net/address.c", "if (size - used < sizeof \"\\\\xHH\" + 3)", "if (size - used < sizeof \"\\\\xHH\" + 2)"),
        ("src/net/address.c", "if (length >= sizeof ip)", "if (length > sizeof ip)"),
        ("src/net/address.c", "if (length >= sizeof endpoint->host)", "if (length > sizeof endpoint->host)"),
        ("src/net/address.c", "if (length > size)", "if (length > 2 * size)"),
    ], *texts("endpoint_parse:20", "copy_printable:0", "is_ip:600", "strcspn:600"), "-eva-plevel", "10",
        "-eva-min-loop-unroll", "700", "-eva-interprocedural-splits", *split("strcspn")),
]

PROOFS = [*PROTOCOL, *BELOW, *PARSERS]
