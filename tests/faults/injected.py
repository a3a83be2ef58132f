"""The same by another's hand: a call that strace makes fail, in a scene that our library is not in."""
import os
import tempfile

from ends import Broken, Damage

# By the kernel's names. Each fails for the nth time that the process makes it, from wherever.
CALLS = {"socket": "EMFILE", "bind": "EADDRINUSE", "listen": "EADDRINUSE", "accept4": "EMFILE", "connect": "ENETUNREACH",
         "recvfrom": "ECONNRESET", "sendto": "EPIPE", "shutdown": "ENOBUFS", "setsockopt": "ENOBUFS", "getsockopt": "ENOBUFS",
         "ioctl": "ENOMEM", "eventfd2": "EMFILE", "mlock": "ENOMEM", "madvise": "ENOMEM", "prctl": "EINVAL"}


class Injection:
    """In a Plan's place."""

    def __init__(self, call, error, nth):
        self.file = tempfile.NamedTemporaryFile(prefix="strace-")
        self.call, self.under = None, ["strace", "-D", "-f", "-qq", "-o", self.file.name, "-e", f"trace={call}", "-e",
                                       f"inject={call}:error={error}:when={nth}"]

    @staticmethod
    def environment(_):
        return dict(os.environ)

    def phase(self, name):
        pass

    @property
    def fired(self):
        with open(self.file.name, "rb") as file:
            return b"(INJECTED)" in file.read()


def run(scene, place, call, nth):
    """(verdict, what is wrong or None)."""
    plan = Injection(call, CALLS[call], nth)
    try:
        verdict = scene.run(plan, place)
        return (verdict, None) if plan.fired else ("not met", None)
    except (Damage, Broken) as damage:
        return "FAILED", str(damage)
    finally:
        plan.file.close()
