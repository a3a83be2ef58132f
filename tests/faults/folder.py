"""A folder of keys: spiped that reads it at its start and again while it serves, and what spiped-keygen does with it."""
import os
import re
import shutil
import signal
import stat

from ends import PATIENCE, Broken, Door, need, secret_file
from once import KEY_BYTES, check_failure
from processes import Process
from scenes import MUCH, Daemon

CHANGE = re.compile(r" keys (added|changed|removed)=(\S+)$", re.M)
COUNT = r" keys count=\d+$"
EXCUSE = re.compile(" problem=|Cannot allocate memory")
LOST = 0.3  # seconds after which a line that a failed write(2) may have lost is not waited for any more


class Folder:
    """kept stays, changed gets another key, gone goes, new comes. before and after: {name: its key's file, kept elsewhere}."""

    def __init__(self, place):
        self.path, aside = os.path.join(place.folder, "keys"), os.path.join(place.folder, "aside")
        for folder in (self.path, aside):
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder)
        made = {name: secret_file(os.path.join(aside, name)) for name in ("kept", "changed", "changed-later", "gone", "new")}
        self.before = {name: made[name] for name in ("kept", "changed", "gone")}
        self.after = {"kept": made["kept"], "changed": made["changed-later"], "new": made["new"]}
        for name in self.before:
            self.put(name, self.before[name])

    def put(self, name, file):
        """As a careful administrator does: whole, or not at all."""
        shutil.copy(file, os.path.join(self.path, "." + name))
        os.replace(os.path.join(self.path, "." + name), os.path.join(self.path, name + ".key"))

    def change(self):
        self.put("changed", self.after["changed"])
        self.put("new", self.after["new"])
        os.unlink(os.path.join(self.path, "gone.key"))


class Reload(Daemon):
    """spiped -d on a folder of keys that changes while connections are open; SIGHUP makes it look."""

    def __init__(self, closes):
        super().__init__("-d")
        self.name, self.closes = "spiped -d on a folder of keys" + (" with --close-revoked" if closes else ""), closes

    @staticmethod
    def wants(site, lines):
        """The rest of a start, and of a connection's life, is that of the other scenes."""
        return site.phase == "reload" or (site.phase == "start" and any(
            re.match(r"key_|check_member|watch_|allow_keys", line) for line in lines))

    def options(self, place):
        return [*super().options(place), *(["--close-revoked"] if self.closes else [])]

    def keys(self, place):
        self.folder = Folder(place)
        return self.folder.path

    def serve(self, process):
        before, self.doors = process.descriptors(), {}
        in_force = self.at_start(process)
        opened = {name: self.door_of(in_force[name]).open() for name in in_force}
        if self.plan.fired:
            need(self.probe() == self.files(in_force), "what was said at the start is not what is in force")
        self.plan.phase("reload")
        self.folder.change()
        said = self.read_again(process, in_force)
        self.plan.phase("data")
        need(not self.plan.fired or self.plan.call not in ("uv_fs_event_start", "inotify_add_watch") or
             any(" keys watched=no " in line for line in process.lines()), "it does not say that it watches no more")
        self.check(process, opened, in_force, said)
        if said != self.folder.after:
            need(self.plan.fired, f"without a failure in force: {said}")
            need(self.read_again(process, said) in (self.folder.after, None) and
                 self.probe() == self.files(self.folder.after), "nothing fails any more, and what is in the folder is not in force")
        self.door = self.door_of(self.folder.after["new"])
        self.exchange(self.door.open(), MUCH[:5000])
        need(process.is_running(), "the daemon has died")
        self.wait_for_descriptors(process, before)

    def at_start(self, process):
        """What is in force: all, but for what a line says is passed over."""
        passed_over = {name for name in self.folder.before for line in process.lines() if f"/{name}.key: " in line}
        need(self.plan.fired or not passed_over, f"passed over: {passed_over}")
        return {name: file for name, file in self.folder.before.items() if name not in passed_over}

    def read_again(self, process, in_force):
        """What is in force afterwards, as its lines have it; None if one may be lost."""
        start = len(process.text)
        loses = self.plan.call in ("write", "writev")
        process.popen.send_signal(signal.SIGHUP)
        if not process.says(COUNT, LOST if loses else PATIENCE, since=start):
            need(loses, "it does not say that it has read the keys again")
        text = process.text[start:].decode()
        if loses and self.plan.fired:
            return None
        said = self.apply(text, in_force)
        # A folder that could not be looked at counts as changed: then that was a reading which had begun by itself.
        if said != self.folder.after and not EXCUSE.search(text):
            first = start + re.search(COUNT.encode(), process.text[start:], re.M).end()
            need(process.says(COUNT, since=first), f"it does not say why it has only {sorted(said)}")
            said = self.apply(process.text[start:].decode(), in_force)
            need(said == self.folder.after, f"it does not say why it has only {sorted(said)}")
        return said

    def apply(self, text, in_force):
        said = dict(in_force)
        for what, name in CHANGE.findall(text):
            if what == "removed":
                need(said.pop(name, None), f"{name} is removed, and was not there")
            else:
                said[name] = self.folder.after[name]
        return said

    def check(self, process, opened, before, said):
        """Who gets in, and who that was connected still is."""
        real = self.probe()
        if said is None:
            need(all(file in self.files(before) | self.files(self.folder.after) for file in real),
                 "a set of keys that is neither the old one nor the new")
        else:
            need(real == self.files(said), f"in force: {sorted(map(os.path.basename, real))}, and it says {sorted(said)}")
        need(self.folder.after["kept"] in real, "who was there before and after does not get in any more")
        for name, connection in opened.items():
            if self.closes and before[name] not in real:
                self.is_ended(connection, name)
            else:
                self.exchange(connection, MUCH if name == "kept" else b"little")

    @staticmethod
    def is_ended(connection, name):
        try:
            connection.run(lambda: False)
        except Broken:
            connection.close()

    def door_of(self, file):
        if file not in self.doors:
            self.doors[file] = Door("-d", self.door.source, self.door.listener, file)
            self.doors[file].count = 1000 * len(self.doors)
        return self.doors[file]

    @staticmethod
    def files(keys):
        return set(keys.values())

    def probe(self):
        """The keys with which somebody gets in. A failure may hit one attempt; what is refused twice is refused."""
        return {file for file in self.files(self.folder.before) | self.files(self.folder.after)
                if any(self.gets_in(self.door_of(file)) for _ in range(2))}

    @staticmethod
    def gets_in(door):
        try:
            door.open().break_off("cipher")
            return True
        except Broken:
            return False


class Store:
    """spiped-keygen and a folder: what it says is done is done, and a key is never lost."""
    lasts = False

    def __init__(self, name, options):
        self.name, self.options = "spiped-keygen " + name, options

    @staticmethod
    def wants(site, lines):
        """What libcrypto does within is in the scenes of spiped-keygen FILE."""
        return not any("(libcrypto" in line for line in lines) and any(
            re.match(r"(store|file|key|hash)_|print_key|path_of|said_all", line) for line in lines)

    def run(self, plan, place):
        folder = Folder(place)
        plan.phase("start")
        options = [folder.path if word == "DIR" else word for word in self.options]
        process = Process(plan, place.library, [place.programs.keygen, *options], stdout=-1)
        try:
            output, status = process.popen.stdout.read().decode(), process.wait()
            need(status in (0, 1), f"it ends with {status} and {process.lines()}")
            return self.look(plan, process, folder, output)
        finally:
            process.close()

    def look(self, plan, process, folder, output):
        status = process.wait()
        files = {os.path.relpath(os.path.join(where, name), folder.path)
                 for where, _, names in os.walk(folder.path) for name in names}
        before = {name + ".key" for name in folder.before}
        if self.options[0] == "--list":
            return self.look_at_list(plan, process, folder, output)
        if self.options[0] == "-d":
            need(files in (before, before | {"another.key"}), f"there is {files}")
            need(status == 1 or len(files) > len(before), "it has made no key")
            need(len(files) == len(before) or self.is_whole(os.path.join(folder.path, "another.key")) or
                 (status == 1 and plan.call == "unlink"), "half a key")
        else:
            revoked = before - {"kept.key"} | {".revoked/kept.key"}
            need(files in (before, revoked) and (status == 1 or files == revoked), f"there is {files}")
        if status == 1:
            check_failure(process, "spiped-keygen", plan)
            return "did not start"
        need(not process.lines() and output.count("\n") >= 3, f"it went well, and says {process.lines()}, {output!r}")
        return "took no harm"

    @staticmethod
    def is_whole(path):
        return os.path.getsize(path) == KEY_BYTES and stat.S_IMODE(os.stat(path).st_mode) == 0o600

    @staticmethod
    def look_at_list(plan, process, folder, output):
        """Each key has its line; one that could not be read has one on standard error."""
        status, listed = process.wait(), re.findall(r"^(\S+) +[0-9a-f]{16}  \d{4}-\d\d-\d\d  0600$", output, re.M)
        need(len(listed) == output.count("\n") and set(listed) <= set(folder.before), f"it lists {output!r}")
        need(status == 0 or (plan.fired and process.lines()), f"it ends with {status} and says {process.lines()}")
        missing = set(folder.before) - set(listed)
        need(status == 1 or all(any(f"/{name}.key: " in line for line in process.lines()) for name in missing),
             f"{missing} is not in the list, and no line says why: {process.lines()}")
        return "did not start" if status else "took no harm"


ALL = [Reload(False), Reload(True), Store("-d DIR NAME", ["-d", "DIR", "another"]), Store("--list DIR", ["--list", "DIR"]),
       Store("--revoke DIR NAME", ["--revoke", "DIR", "kept"])]
