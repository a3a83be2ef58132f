"""Two ends of a pipe that talk at the same time, in one loop without threads; either half-closes first."""
import os
import select
import socket
import time

from network import PATIENCE


class End:
    """One end: a socket, or two files (a program's standard output and input, which end together only)."""

    def __init__(self, reads, writes=None):
        self.is_socket = isinstance(reads, socket.socket)
        self.reads, self.writes = reads, reads if writes is None else writes
        for one in {self.reads, self.writes}:
            one.setblocking(False) if isinstance(one, socket.socket) else os.set_blocking(one.fileno(), False)

    def finish(self):
        if self.is_socket:
            self.writes.shutdown(socket.SHUT_WR)
        else:
            self.writes.close()


class Side:
    def __init__(self, name, end, says, hears, ends_first):
        self.name, self.end, self.ends_first, self.heard = name, end, ends_first, 0
        self.says, self.hears = memoryview(says), memoryview(hears)  # what is still to come, of both
        self.sees_end, self.finished = False, False

    def wants(self):
        wishes = []
        if not self.sees_end:
            wishes.append((self.end.reads.fileno(), select.POLLIN))
        if self.says:
            wishes.append((self.end.writes.fileno(), select.POLLOUT))
        return wishes

    def may_finish(self):
        if self.ends_first or self.sees_end:
            return True
        return not self.end.is_socket and not self.hears

    def step(self):
        if not self.sees_end:
            try:
                part = os.read(self.end.reads.fileno(), 1 << 18)
            except BlockingIOError:
                pass
            else:
                assert part == bytes(self.hears[:len(part)]), f"after {self.heard} bytes the {self.name} end hears other ones"
                self.hears, self.sees_end, self.heard = self.hears[len(part):], not part, self.heard + len(part)
        if self.says:
            try:
                self.says = self.says[os.write(self.end.writes.fileno(), self.says[:1 << 18]):]
            except BlockingIOError:
                pass
        if not self.says and not self.finished and self.may_finish():
            self.finished = True
            self.end.finish()


def exchange(near, far, near_says, far_says, near_ends_first, patience=PATIENCE):
    """
    Both say what they have at the same time. One half-closes as soon as it has said it, the other only when it has
    seen that end. Both must hear exactly what the other said, and then an end.
    """
    sides = (Side("near", near, near_says, far_says, near_ends_first),
             Side("far", far, far_says, near_says, not near_ends_first))
    deadline = time.monotonic() + patience
    while True:
        for side in sides:
            side.step()
        if all(side.finished and side.sees_end for side in sides):
            break
        wishes = {}
        for side in sides:
            for fd, what in side.wants():
                wishes[fd] = wishes.get(fd, 0) | what
        poll = select.poll()
        for fd, what in wishes.items():
            poll.register(fd, what)
        left = deadline - time.monotonic()
        assert left > 0, "stuck: " + ", ".join(
            f"{side.name} has {len(side.says)} to say and {len(side.hears)} to hear" for side in sides)
        poll.poll(left * 1000)
    for side in sides:
        assert not side.hears, f"the {side.name} end heard {side.heard} bytes, and then an end that came too early"
