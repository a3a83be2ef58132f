"""What secrets look like in a program's memory: keys raw, expanded and hashed into states, numbers as words."""
import struct

from peer import P

MASK = 0xFFFFFFFF
PADS = {"inner": 0x36, "outer": 0x5C}


def primes(count):
    found = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def root_bits(number, power):
    """The first 32 bits of the fraction of a root."""
    low, high = 0, 1 << 40
    while low < high:
        middle = (low + high + 1) // 2
        if middle ** power <= number << (32 * power):
            low = middle
        else:
            high = middle - 1
    return low & MASK


SHA256_START = [root_bits(prime, 2) for prime in primes(8)]
SHA256_ROUNDS = [root_bits(prime, 3) for prime in primes(64)]


def rotated(word, bits):
    return (word >> bits | word << (32 - bits)) & MASK


def sha256_schedule(block):
    words = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        a, b = words[i - 15], words[i - 2]
        words.append((words[i - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + words[i - 7]
                      + (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10)) & MASK)
    return words


def sha256_state(block):
    """After one block, eight words (FIPS 180-4)."""
    a, b, c, d, e, f, g, h = SHA256_START
    for word, constant in zip(sha256_schedule(block), SHA256_ROUNDS):
        first = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + (e & f ^ ~e & MASK & g) + constant + word) & MASK
        second = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + (a & b ^ a & c ^ b & c)) & MASK
        a, b, c, d, e, f, g, h = (first + second) & MASK, a, b, c, (d + first) & MASK, e, f, g
    return [(x + y) & MASK for x, y in zip((a, b, c, d, e, f, g, h), SHA256_START)]


def times(a, b):
    """In GF(2^8) as AES has it."""
    product = 0
    while b:
        product ^= a * (b & 1)
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def substitute():
    box = []
    for value in range(256):
        inverse = next((other for other in range(256) if times(value, other) == 1), 0)
        turned = inverse
        for shift in range(1, 5):
            turned ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
        box.append(turned ^ 0x63)
    return bytes(box)


BOX = substitute()


def round_keys(key):
    """AES-256's fifteen, one behind the other (FIPS 197)."""
    words = [key[i:i + 4] for i in range(0, 32, 4)]
    constant = 1
    for i in range(8, 60):
        word = words[i - 1]
        if i % 8 == 0:
            word = bytes(BOX[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = times(constant, 2)
        elif i % 8 == 4:
            word = bytes(BOX[byte] for byte in word)
        words.append(bytes(a ^ b for a, b in zip(words[i - 8], word)))
    return b"".join(words)


def inverse_round_keys(key):
    """The same as decrypting wants them: each column times the inverse matrix, without the first and the last."""
    keys = round_keys(key)[16:-16]
    return bytes(times(keys[i - i % 4], 14 if i % 4 == 0 else (9, 13, 11)[i % 4 - 1])
                 ^ times(keys[i - i % 4 + 1], (11, 14, 9, 13)[i % 4])
                 ^ times(keys[i - i % 4 + 2], (13, 11, 14, 9)[i % 4])
                 ^ times(keys[i - i % 4 + 3], (9, 13, 11, 14)[i % 4]) for i in range(len(keys)))


def in_each_order(name, secret):
    """As bytes, as 32-bit words and 64-bit words of a little-endian machine, and as a big number there."""
    yield name, secret
    for size in (4, 8, len(secret)):
        if len(secret) % size == 0:
            yield f"{name}/{size}", b"".join(secret[i:i + size][::-1] for i in range(0, len(secret), size))


def of_hmac_key(name, key):
    """A key of HMAC-SHA256: itself, padded, in a message schedule, and the states after the padded block."""
    yield from in_each_order(name, key)
    for which, pad in PADS.items():
        block = bytes(byte ^ pad for byte in key) + bytes([pad]) * (64 - len(key))
        yield from in_each_order(f"{name}-{which}-pad", block[:len(key)])
        yield from in_each_order(f"{name}-{which}-schedule", struct.pack(">48I", *sha256_schedule(block)[16:]))
        yield from in_each_order(f"{name}-{which}-state", struct.pack(">8I", *sha256_state(block)))


def of_cipher_key(name, direction):
    """A key of AES-256-CTR: expanded, which begins with itself, the other way too, and what no wire shows of the key
    stream's last block."""
    yield from in_each_order(name, round_keys(direction.encrypt_key))
    yield f"{name}-inverse", inverse_round_keys(direction.encrypt_key)
    yield f"{name}-stream", direction.crypt(0, bytes(1040))[1028:]


def of_key(key):
    """K, and what of it HMAC prepares."""
    yield from of_hmac_key("K", key)


def of_exponent(x):
    yield from in_each_order("x", x)


def of_shared(y_sc):
    """Also as Montgomery multiplication has it."""
    yield from in_each_order("y_SC", y_sc)
    yield from in_each_order("y_SC-montgomery", (int.from_bytes(y_sc, "big") * pow(2, 2048, P) % P).to_bytes(256, "big"))


def of_session(shake, their_x):
    """All that one connection must leave nothing of, as (name, bytes)."""
    yield from of_exponent(their_x)
    yield from of_shared(shake.y_sc)
    for name, key in (("dhmac_C", shake.dk_1[:32]), ("dhmac_S", shake.dk_1[32:])):
        yield from of_hmac_key(name, key)
    for name, direction in (("sends", shake.sends), ("receives", shake.receives)):
        yield from of_cipher_key(f"E_{name}", direction)
        yield from of_hmac_key(f"H_{name}", direction.mac_key)
