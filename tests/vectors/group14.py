"""Prints tests/vectors/group14.txt: powers in RFC 3526's group 14, computed with Python's integers and nothing else."""
import hashlib


def pi_times_2_to(bits):
    """Machin's formula with 64 guard bits."""
    def arctan_of_one_over(x):
        term = (1 << bits + 64) // x
        total, n = term, 1
        while term:
            term //= -x * x
            n += 2
            total += term // n
        return total
    return 4 * (4 * arctan_of_one_over(5) - arctan_of_one_over(239)) >> 64


P = 2**2048 - 2**1984 - 1 + 2**64 * (pi_times_2_to(1918) + 124476)


def number(name, length):
    """Anything, but the same each time."""
    blocks = (hashlib.sha256(f"{name} {i}".encode()).digest() for i in range(length // 32))
    return int.from_bytes(b"".join(blocks), "big")


def main():
    one_bit = [1 << i for i in (0, 1, 41, 42, 43, 63, 64, 127, 128, 129, 191, 192, 213, 214, 254, 255)]
    windows = [0x3f << i for i in range(0, 256, 43)]
    edges = [0, 3, 2**64 - 1, 2**192, 2**255 - 1, 2**256 - 1, 2**256 - 2]
    exponents = edges + one_bit + [w % 2**256 for w in windows] + [number(f"x {i}", 32) for i in range(32)]
    bases = [1, 2, 3, P - 2, 2**2047, 2**64, P // 2, 0xff]
    print("# What tests/vectors/group14.py printed. Lines: p P / public X Y (Y = 2^X) / shared BASE X POWER, all hexadecimal")
    print(f"p {P:0512x}")
    for x in exponents:
        print(f"public {x:064x} {pow(2, x, P):0512x}")
    for i, base in enumerate(bases + [number(f"y {i}", 256) % P for i in range(24)]):
        x = exponents[(5 * i) % len(exponents)]
        print(f"shared {base:0512x} {x:064x} {pow(base, x, P):0512x}")


if __name__ == "__main__":
    main()
