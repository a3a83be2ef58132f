"""Prints the constants that engine.c and its tests know the right bytes by. Written from docs/PROTOCOL.md, P2 and P3."""
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

E, H = bytes(range(32)), bytes(range(32, 64))


def seal(number, padded):
    counter = number.to_bytes(8, "big") + bytes(8)
    sealed = Cipher(algorithms.AES(E), modes.CTR(counter)).encryptor().update(padded)
    return sealed + hmac.new(H, sealed + number.to_bytes(8, "big"), hashlib.sha256).digest()


def batch_hash(number, count):
    plain = bytes(i * i % 251 for i in range(count * 1028))
    return hashlib.sha256(b"".join(seal(number + i, plain[i * 1028:(i + 1) * 1028]) for i in range(count))).hexdigest()


if __name__ == "__main__":
    print("the engine's own test", batch_hash(2**32 - 2, 21))
    for number in (0, 2**32 - 100, 2**40 - 1, 2**64 - 256):
        print(f"{{ UINT64_C(0x{number:x}), \"{batch_hash(number, 256)}\" }},")
