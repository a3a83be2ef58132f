"""workshop.py: a scratch copy of the tree with a build folder of its own, where one mutant after the other is tried."""

import json
import math
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile

# What a compiler warns of stays a warning, so that the tests have to see it; but not what writes behind an array.
OVERFLOWS = "-Werror=stringop-overflow -Werror=stringop-overread -Werror=array-bounds"
OPTIONS = ["-Dtests=enabled", "-Dbench=false", "-Doptimization=2", "-Ddebug=false", "-Dc_args=" + OVERFLOWS]
SKIPPED = re.compile(r"build.*|\..*|__pycache__")
PROGRAMS = ["src/spiped/spiped", "src/spipe/spipe", "src/spiped-keygen/spiped-keygen", "tests/secrets/scan",
    "tests/secrets/libwitness.so"]
GIB = 1 << 30
SYSTEM_TEST_SECONDS = 120
NOT_RUN = 77  # Meson's: a unit test that cannot run, here or for the bug alone, has seen nothing


class BuildFailed(Exception):
    pass


def files_of(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not SKIPPED.fullmatch(name)]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root)


class Workshop:
    def __init__(self, folder):
        self.tree, self.build = os.path.join(folder, "tree"), os.path.join(folder, "build")
        self.tests, self.seconds = {}, {}

    def prepare(self, root):
        """Brings the copy up to date, writing only what is different, so that ninja does only what is needed."""
        wanted = set(files_of(root))
        for path in set(files_of(self.tree)) - wanted:
            os.remove(os.path.join(self.tree, path))
        for path in wanted:
            source, copy = os.path.join(root, path), os.path.join(self.tree, path)
            if not os.path.exists(copy) or not same(source, copy):
                os.makedirs(os.path.dirname(copy), exist_ok=True)
                shutil.copyfile(source, copy)
                shutil.copymode(source, copy)
        made = os.path.exists(os.path.join(self.build, "build.ninja"))
        self.must(["meson", *(["configure", self.build] if made else ["setup", self.build, self.tree]), *OPTIONS])
        self.must(["ninja", "-C", self.build, "-j", "1", "build.ninja"])
        for test in json.loads(subprocess.check_output(["meson", "introspect", "--tests", self.build])):
            self.tests[test["name"].replace(" ", "-")] = test

    def must(self, command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise BuildFailed(done.stdout)

    def write(self, path, text):
        with open(os.path.join(self.tree, path), "w") as file:
            file.write(text)

    def read(self, path):
        with open(os.path.join(self.tree, path)) as file:
            return file.read()

    def make(self, name):
        """Builds what one test is made of."""
        targets = PROGRAMS if name.startswith("test_") else [os.path.relpath(part, self.build)
            for part in self.tests[name]["cmd"] if os.path.normpath(part).startswith(self.build + "/")]
        self.must(["ninja", "-C", self.build, "-j", "1", *targets])

    def try_test(self, name):
        """None when it passes, else how it failed. A test may take what it took at first, several times over."""
        if name.startswith("test_"):
            command = ["/usr/bin/python3", "-m", "pytest", "-q", "-x", "--color=no", "-p", "no:cacheprovider",
                "tests/system/" + name]
            env, cwd = {**os.environ, "SPIPED_BUILD": self.build}, self.tree
            processor, wall = SYSTEM_TEST_SECONDS, SYSTEM_TEST_SECONDS
        else:
            test = self.tests[name]
            command, cwd = test["cmd"], test["workdir"] or self.build
            env = {**os.environ, "MALLOC_PERTURB_": "77", **test["env"]}
            usual = self.seconds.get(name, 60)
            processor, wall = math.ceil(4 * usual) + 1, 20 * usual + 30
        before = used_by_children()
        verdict = run(command, env, cwd, processor, wall)
        self.seconds.setdefault(name, used_by_children() - before)
        return verdict


def used_by_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def same(a, b):
    with open(a, "rb") as first, open(b, "rb") as second:
        return first.read() == second.read()


def limit(processor):
    def in_child():
        resource.setrlimit(resource.RLIMIT_CPU, (processor, processor + 2))
        resource.setrlimit(resource.RLIMIT_DATA, (2 * GIB, 2 * GIB))
        resource.setrlimit(resource.RLIMIT_FSIZE, (GIB // 4, GIB // 4))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return in_child


def run(command, env, cwd, processor, wall):
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        child = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, preexec_fn=limit(processor))
        try:
            status = child.wait(wall)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            end_group(child)
        if status is None or status in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
            return "a hang"
        output.seek(0)
        said = output.read()[-100_000:]
        if status == NOT_RUN:
            return None
        if status == 0:
            return "all of it was skipped" if re.search(r"^\d+ skipped", said, re.MULTILINE) else None
        return what_failed(said, status)


def end_group(child):
    """What it has left behind goes with it: the group is ours, made for it alone."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def what_failed(output, status):
    failed = re.search(r"^\[ +(?:FAILED|ERROR) +\] (\w+)$", output, re.MULTILINE) or \
        re.search(r"^(?:FAILED|ERROR) \S+::(\S+)", output, re.MULTILINE)
    if failed:
        return failed.group(1)
    if status < 0:
        running = re.findall(r"\[ RUN      \] (\w+)", output)
        return f"{signal.Signals(-status).name} in {running[-1] if running else 'it'}"
    return f"status {status}"
