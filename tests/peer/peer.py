"""An independent peer for the spiped protocol, either role, written from docs/PROTOCOL.md alone.

It behaves when asked to, and the pieces out of which it is made let a test misbehave: any y with a valid MAC, any
length with a valid MAC, packets in any order, a cut after any byte, a reset. Blocking sockets with a deadline.
"""
import hashlib
import hmac
import os
import socket
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# RFC 3526, group 14: 2^2048 - 2^1984 - 1 + 2^64 * ([2^1918 pi] + 124476)
P = int("""
FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD
EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED
EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F
83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B
E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510
15728E5A8AACAA68FFFFFFFFFFFFFFFF
""".replace("\n", ""), 16)

NONCE, Y, MAC, PLAIN_MAX, PACKET = 32, 256, 32, 1024, 1060
CLIENT, SERVER = "client", "server"


def sha256_of_key_file(contents):
    return hashlib.sha256(contents).digest()


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def pbkdf2(key, salt, length):
    return hashlib.pbkdf2_hmac("sha256", key, salt, 1, length)


def y_bytes(number):
    return number.to_bytes(Y, "big")


class Direction:
    """One direction's keys and its next packet number (P1 to P4)."""

    def __init__(self, encrypt_key, mac_key):
        self.encrypt_key, self.mac_key, self.number = encrypt_key, mac_key, 0

    def crypt(self, number, text):
        counter = struct.pack(">QQ", number, 0)
        cipher = Cipher(algorithms.AES(self.encrypt_key), modes.CTR(counter)).encryptor()
        return cipher.update(text) + cipher.finalize()

    def mac(self, number, sealed):
        return hmac_sha256(self.mac_key, sealed + struct.pack(">Q", number))

    def seal_one(self, message, length=None, padding=b"\0"):
        """One packet, with the next number. length is a lie to tell instead of the message's own."""
        claimed = len(message) if length is None else length
        fill = (padding * PLAIN_MAX)[:PLAIN_MAX - len(message)]
        sealed = self.crypt(self.number, message + fill + struct.pack(">I", claimed))
        packet = sealed + self.mac(self.number, sealed)
        self.number += 1
        return packet

    def seal(self, message):
        """As many packets as the message fills, each but the last full."""
        pieces = [message[i:i + PLAIN_MAX] for i in range(0, len(message), PLAIN_MAX)]
        return b"".join(self.seal_one(piece) for piece in pieces)

    def open(self, packet):
        sealed, mac = packet[:-MAC], packet[-MAC:]
        if not hmac.compare_digest(mac, self.mac(self.number, sealed)):
            raise ValueError("wrong MAC")
        padded = self.crypt(self.number, sealed)
        length = struct.unpack(">I", padded[PLAIN_MAX:])[0]
        if not 1 <= length <= PLAIN_MAX:
            raise ValueError("bad length")
        self.number += 1
        return padded[:length]


class Handshake:
    """The arithmetic of one end, with no socket in it: C1 to C7, S1 to S7."""

    def __init__(self, role, key, forward_secrecy=True, nonce=None, x=None):
        self.role, self.key = role, key
        self.nonce = os.urandom(NONCE) if nonce is None else nonce
        self.x = int.from_bytes(os.urandom(32) if x is None else x, "big") if forward_secrecy else 0
        self.y = pow(2, self.x, P)

    def take_nonce(self, other):
        """C2 and C3, S2 and S3."""
        nonces = (self.nonce, other) if self.role == CLIENT else (other, self.nonce)
        self.salt = nonces[0] + nonces[1]
        self.dk_1 = pbkdf2(self.key, self.salt, 64)
        dhmac_client, dhmac_server = self.dk_1[:32], self.dk_1[32:]
        own_is_first = self.role == CLIENT
        self.dhmac_own = dhmac_client if own_is_first else dhmac_server
        self.dhmac_other = dhmac_server if own_is_first else dhmac_client

    def y_message(self, y=None):
        """C4, S5: y and its MAC; y is a number to send instead of the honest one."""
        sent = y_bytes(self.y if y is None else y)
        return sent + hmac_sha256(self.dhmac_own, sent)

    def take_y_message(self, message):
        """C5 to C7, S4 to S7."""
        y, mac = message[:Y], message[Y:]
        if not hmac.compare_digest(mac, hmac_sha256(self.dhmac_other, y)):
            raise ValueError("wrong MAC")
        number = int.from_bytes(y, "big")
        if not 1 <= number < P - 1:
            raise ValueError("bad y")
        self.y_sc = y_bytes(pow(number, self.x, P))
        self.dk_2 = pbkdf2(self.key, self.salt + self.y_sc, 128)
        e_client, h_client, e_server, h_server = (self.dk_2[i:i + 32] for i in range(0, 128, 32))
        client, server = Direction(e_client, h_client), Direction(e_server, h_server)
        self.sends, self.receives = (client, server) if self.role == CLIENT else (server, client)


class Peer:
    """One end on a connected socket."""

    def __init__(self, sock, role, key, forward_secrecy=True, timeout=10):
        self.sock, self.role = sock, role
        self.shake = Handshake(role, key, forward_secrecy)
        sock.settimeout(timeout)

    def receive(self, length):
        """Exactly length bytes; fewer only where the stream ends."""
        parts = []
        while length:
            part = self.sock.recv(min(length, 1 << 20))
            if not part:
                break
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def nonces(self):
        self.sock.sendall(self.shake.nonce)
        self.shake.take_nonce(self.receive(NONCE))

    def handshake(self, y=None):
        """The whole of it, up to a y of the test's own choosing."""
        self.nonces()
        if self.role == CLIENT:
            self.sock.sendall(self.shake.y_message(y))
        other = self.receive(Y + MAC)
        if len(other) < Y + MAC:
            raise EOFError("the other end left the handshake")
        self.shake.take_y_message(other)
        if self.role == SERVER:
            self.sock.sendall(self.shake.y_message(y))
        return self

    def seal(self, message):
        return self.shake.sends.seal(message)

    def seal_one(self, message, **lies):
        return self.shake.sends.seal_one(message, **lies)

    def send(self, message):
        self.sock.sendall(self.seal(message))

    def read(self):
        """The next packet's message, or b"" at the end of the stream."""
        packet = self.receive(PACKET)
        if 0 < len(packet) < PACKET:
            raise EOFError("cut inside a packet")
        return self.shake.receives.open(packet) if packet else b""

    def read_all(self):
        return b"".join(iter(self.read, b""))

    def end(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()
