"""A network between two namespaces that loses, delays, reorders and now and then is cut: two tun devices, and us between."""
import contextlib
import ctypes
import fcntl
import heapq
import os
import queue
import random
import select
import struct
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
PACKET, AT_ONCE = 1 << 16, 64
libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace with a thread in it; what the thread starts and opens is inside."""

    def __init__(self):
        self.work = queue.Queue()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.do(self.enter)

    @staticmethod
    def enter():
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

    def run(self):
        while True:
            function, answer = self.work.get()
            if function is None:
                return
            try:
                answer.put((function(), None))
            except BaseException as error:
                answer.put((None, error))

    def do(self, function):
        """The function's result; it is called in the namespace."""
        answer = queue.Queue()
        self.work.put((function, answer))
        result, error = answer.get()
        if error is not None:
            raise error
        return result

    def end(self):
        self.work.put((None, None))
        self.thread.join()

    def tun(self, name, address, peer):
        """A descriptor from which the packets come that this host sends to its peer, and the other way."""
        def make():
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
            for command in (f"address add {address} peer {peer} dev {name}", f"link set {name} mtu 9000 up"):
                subprocess.run(["ip", *command.split()], check=True)
            return fd
        return self.do(make)


class Link:
    """Carries packets between two tun descriptors, on a thread of its own, badly."""

    def __init__(self, fds, seed, delay=0.001, loss=0.001, reordered=0.01):
        self.fds, self.random = fds, random.Random(seed)
        self.delay, self.loss, self.reordered = delay, loss, reordered
        self.is_cut, self.is_over = False, False
        self.sent = self.lost = self.late = self.cuts = 0
        self.flying = []  # (when it arrives, order, where, packet)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            wait = min(0.1, max(0.0, self.flying[0][0] - time.monotonic())) if self.flying else 0.1
            for fd in select.select(self.fds, [], [], wait)[0]:
                self.take(fd)
            self.land()

    def take(self, fd):
        other = self.fds[1 - self.fds.index(fd)]
        for _ in range(AT_ONCE):
            try:
                packet = os.read(fd, PACKET)
            except BlockingIOError:
                return
            self.sent += 1
            if self.is_cut or self.random.random() < self.loss:
                self.lost += 1
                continue
            arrives = time.monotonic() + self.delay * (0.5 + self.random.random())
            if self.random.random() < self.reordered:
                self.late += 1
                arrives += 5 * self.delay
            heapq.heappush(self.flying, (arrives, self.sent, other, packet))

    def land(self):
        while self.flying and self.flying[0][0] <= time.monotonic():
            _, _, fd, packet = heapq.heappop(self.flying)
            with contextlib.suppress(OSError):  # a queue that is full loses packets: that is what it is here for
                os.write(fd, packet)

    @contextlib.contextmanager
    def cut(self):
        self.is_cut = True
        self.cuts += 1
        yield
        self.is_cut = False

    def end(self):
        self.is_over = True
        self.thread.join()
        for fd in self.fds:
            os.close(fd)
