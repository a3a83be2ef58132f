#!/usr/bin/python3
"""tests/orders/bugs.py BUILD: bugs put into src/pipe by hand, one at a time; the search must find each.

BUILD has tests/orders/orders built in it. Prints a line a bug, with the number of moves that it takes to see it, and
exits 1 when one lives or no longer fits the source.
"""

import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What it does wrong, then the text that is replaced and what it is replaced by.
BUGS = {
    "pipe.c": [
        ("a client's handshake has no time",
            "if (p->settings->kind == PIPE_ENCRYPT)\n\t\tp->deadline =", "if (false)\n\t\tp->deadline ="),
        ("an open pipe keeps the handshake's time", "\t\tp->deadline = UINT64_MAX;\n\t\tif (p->legs", "\t\tif (p->legs"),
        ("a broken leg that is not read has no time",
            "[leg].ended)\n\t\tend_broken(p, leg, reset_reason(leg), now);\n\telse\n\t\tp->deadline",
            "[leg].ended)\n\t\tend_broken(p, leg, reset_reason(leg), now);\n\telse if (false)\n\t\tp->deadline"),
        ("a leg that takes nothing has no time",
            "reset_reason(which), now);\n\telse\n\t\tp->deadline",
            "reset_reason(which), now);\n\telse if (false)\n\t\tp->deadline"),
        ("a side that still takes something is given no more time",
            "p->deadline = now + p->settings->timeout; /* it still", "(void)now; /* it still"),
        ("to look whether it takes something is progress",
            "if (event->length > 0 && !p->ending &&", "if (!p->ending &&"),
        ("time that is up at the end is ignored", "\t\tp->hurried = true;\n\t\treturn;", "\t\treturn;"),
        ("a stop waits for delivery",
            "end_at_once(p, event->error, now);\n\t\tbreak;", "end(p, event->error, now);\n\t\tbreak;"),
        ("the last reason counts", "\tif (p->ending)\n\t\treturn;\n\tp->ending = true;\n\tp->reason = reason;",
            "\tp->reason = reason;\n\tif (p->ending)\n\t\treturn;\n\tp->ending = true;"),
        ("keys outlive the end", "p->settings->timeout;\n\tsession_end(&p->session);", "p->settings->timeout;"),
        ("a cut inside a packet is an end", "(p->opened != STEP_DONE || p->leftover > 0)", "(p->opened != STEP_DONE)"),
        ("a cut inside the handshake is an end", "(p->opened != STEP_DONE || p->leftover > 0)", "(p->leftover > 0)"),
        ("a part of a packet is kept from the wrong place",
            "event->in + count * WIRE_PACKET, p->leftover", "event->in, p->leftover"),
        ("good packets before a bad one are lost", "if (opened > 0) {", "if (opened > 0 && error == OK) {"),
        ("the end of a leg that takes nothing is a good one",
            "leg->ended = true;\n\tif (leg->unwritable || leg->hung_up)", "leg->ended = true;\n\tif (leg->hung_up)"),
        ("the end of a broken leg is a good one",
            "leg->ended = true;\n\tif (leg->unwritable || leg->hung_up)", "leg->ended = true;\n\tif (leg->unwritable)"),
        ("two legs that take nothing go on", "leg->ended || p->legs[pipe_other(which)].unwritable)", "leg->ended)"),
        ("an ended leg that takes nothing goes on",
            "p->opened != STEP_DONE || leg->ended || p->legs[pipe_other", "p->opened != STEP_DONE || p->legs[pipe_other"),
        ("a failed write keeps its buffer",
            "leg->blocked = false;\n\tpipe_drop_pending(p, which);", "leg->blocked = false;"),
        ("a read of nothing keeps its buffer", "\t\tpipe_release(p, event->out);\n\t\t/* It is", "\t\t/* It is"),
        ("sealing that fails keeps its buffer",
            "\t\tpipe_release(p, event->out);\n\t\tend_broken(p, PIPE_CIPHER", "\t\tend_broken(p, PIPE_CIPHER"),
        ("a leg that has nothing more and takes nothing goes on",
            "!p->ending && (leg->unwritable || leg->hung_up)", "!p->ending && leg->hung_up"),
        ("a broken leg that has nothing more goes on",
            "!p->ending && (leg->unwritable || leg->hung_up)", "!p->ending && leg->unwritable"),
        ("a target that is connected too late counts",
            "if (p->ending || p->dial != STEP_ASKED)", "if (p->dial != STEP_ASKED)"),
        ("room that nobody asked for counts", "if (!p->ending && p->admit == STEP_ASKED) {", "if (!p->ending) {"),
        ("packets may overtake S5", "if (wants == SESSION_READY && p", "if ((wants & SESSION_READY) != 0 && p"),
        ("it opens before the target is there", "if (p->legs[dialled_leg(p)].connected)\n\t\t\tp", "if (true)\n\t\t\tp"),
        ("the target is dialled before there is room",
            "asks_admission ? STEP_NONE : STEP_DUE", "asks_admission ? STEP_DUE : STEP_DUE"),
        ("exponentiations run before there is room", " && p->admit == STEP_DONE && p->dh", " && p->dh"),
        ("the key is not told before all is open",
            "\t\tp->key = session_key(&p->session);\n\t\tp->admit", "\t\tp->admit"),
        ("a socket that was full changes nothing",
            "if (leg->blocked)\n\t\tleg->read_packets", "if (false)\n\t\tleg->read_packets"),
        ("the rest of a batch counts as a whole one", "else if (leg->start == 0 && leg", "else if (leg"),
        ("a short write is taken for a whole one",
            "leg->blocked = event->length < leg->end - leg->start", "leg->blocked = event->length == 0"),
        ("what a short write took is not counted",
            "if (event->leg == PIPE_PLAIN)\n\t\tp->plain_out",
            "if (event->leg == PIPE_PLAIN && !leg->blocked)\n\t\tp->plain_out"),
        ("the wrong leg is blamed for no time",
            "if (p->legs[i].hung_up || p->legs[i].unwritable)", "if (p->legs[i].hung_up)"),
        ("no room is a slow handshake",
            "p->admit == STEP_ASKED ? ERROR_NO_ROOM : ERROR_HANDSHAKE_TIMEOUT", "ERROR_HANDSHAKE_TIMEOUT"),
        ("a leg that breaks at the end is waited for", "\tif (p->ending)\n\t\tp->legs[leg].broken = true;\n", ""),
        ("that a leg is broken counts twice", "if (p->ending || p->legs[leg].hung_up)", "if (p->ending)"),
        ("delivery that nobody waits for counts", "delivered = p->legs[event->leg].awaiting", "delivered = true"),
    ],
    "pipe_next.c": [
        ("keys outlive a good end", "p->reason = OK;\n\tsession_end(&p->session);", "p->reason = OK;"),
        ("an end overtakes what waits", "leg->pending != NULL || leg->shut ||", "leg->shut ||"),
        ("an end goes to a leg that takes nothing", "leg->shut ||\n\t    leg->unwritable)", "leg->shut)"),
        ("a reset waits for no delivery", "!dead && !leg->delivered", "!dead && leg->pending != NULL"),
        ("a broken leg is waited for", "dead = leg->broken || leg->unwritable ||", "dead = leg->unwritable ||"),
        ("a leg that takes nothing is waited for", "dead = leg->broken || leg->unwritable ||", "dead = leg->broken ||"),
        ("a stranger is reset", "is_clean || stranger ? PIPE_CLOSE", "is_clean ? PIPE_CLOSE"),
        ("a stream that lost its rest is closed", "p->reason == OK && leg->pending == NULL;", "p->reason == OK;"),
        ("a leg that was never there is closed",
            "if (leg->closed || !leg->connected)\n\t\treturn false;", "if (leg->closed)\n\t\treturn false;"),
        ("a closed leg keeps its buffer", "\tpipe_drop_pending(p, which);\n\tleg->closed", "\tleg->closed"),
        ("delivery is asked for again and again", "\t\tleg->awaiting = true;\n", ""),
        ("no back pressure", "to->pending == NULL && !to->unwritable)", "!to->unwritable)"),
        ("it reads for a leg that takes nothing", "to->pending == NULL && !to->unwritable)", "to->pending == NULL)"),
        ("it reads on after an end", "if (p->ending || leg->ended)", "if (p->ending)"),
        ("spipe does not end with the far end", " || p->settings->end_at_far_end))", "))"),
        ("all end with the far end", "!(p->legs[PIPE_CIPHER].shut || p->settings->end_at_far_end)", "false"),
        ("a pipe that is over has a time", "\t\tp->deadline = UINT64_MAX;\n", ""),
        ("a read forgets the part that is there", "*packets * WIRE_PACKET - p->leftover", "*packets * WIRE_PACKET"),
        ("memory that is short changes nothing", "pressure ? PIPE_READ_SMALL : p->legs", "p->legs"),
        ("a second job is never asked for", "\tp->dh = STEP_NONE;\n", ""),
    ],
    "admission.c": [
        ("a newcomer's own source is spared",
            "if (index != ADMISSION_NONE && admission->buckets[index].count == admission->most)", "if (false)"),
        ("the newest of a list is forgotten", "\t\t*newest = older;\n", "\t\t(void)newest;\n"),
        ("a bucket with nobody is kept", "\tif (bucket->count == 0)\n\t\tbucket_free(admission, index);", ""),
        ("those who left are counted", "\tadmission->strangers--;\n", ""),
        ("an end makes room twice",
            "\tif (slot == ADMISSION_NONE) {\n\t\tadmission->admitted--;",
            "\tadmission->admitted--;\n\tif (slot == ADMISSION_NONE) {"),
        ("the last to ask comes first", "uint32_t slot = admission->first;\n", "uint32_t slot = admission->last;\n"),
        ("the most is never less",
            "admission->by_count[admission->most] == ADMISSION_NONE)\n\t\tadmission->most--;",
            "false)\n\t\tadmission->most--;"),
        ("one more than -n comes in",
            "admission->admitted >= admission->limit", "admission->admitted > admission->limit"),
        ("one who waits can be sent away",
            "\tslot_withdraw(admission, slot);\n\tadmission->slots[slot].waiting", "\tadmission->slots[slot].waiting"),
    ],
    "race.c": [
        ("five at once", "race->trying >= RACE_AT_ONCE", "race->trying > RACE_AT_ONCE"),
        ("one that was given up counts as tried", "\t\trace->trying--;\n\t\t*index", "\t\t*index"),
        ("each retry has its own time", "\t\tif (race->states[i] == RACE_WAITING) {", "\t\tif (true) {"),
        ("a refusal lets the next one wait", "\trace->next_start = now;\n}\n\n/* Gives", "}\n\n/* Gives"),
        ("no head start", "now + RACE_HEAD_START", "now"),
        ("a retry has no end", "race->states[i] == RACE_RETRYING && now >= race->deadlines[i]", "false"),
        ("it asks too late where a retry's time ends",
            "race->states[i] != RACE_TRYING && race->states[i] != RACE_RETRYING", "race->states[i] != RACE_TRYING"),
        ("a failure after the end counts", "\tif (race->states[index] != RACE_TRYING)\n\t\treturn;\n", ""),
        ("the last error is the first", "\trace->last_error = error;\n\trace->next_start", "\trace->next_start"),
    ],
}


def find(build, scratch, number, name, file, old, new):
    """What there is to say about one bug, and whether it was found."""
    with open(os.path.join(ROOT, "src/pipe", file)) as source:
        text = source.read()
    if text.count(old) != 1:
        return f"NO LONGER FITS src/pipe/{file}", False
    path = os.path.join(scratch, f"{number}.c")
    with open(path, "w") as source:
        source.write(text.replace(old, new))
    libraries = [os.path.join(build, "src", folder, f"lib{folder}.a") for folder in ("pipe", "protocol", "base")]
    objects = glob.glob(os.path.join(build, "tests/orders/orders.p/*.o"))
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O1", "-w", "-fPIE", "-I", os.path.join(ROOT, "src"),
        path, *objects, *libraries, "-o", path + ".run"], check=True)
    result = subprocess.run([path + ".run"], stdout=subprocess.PIPE, text=True, timeout=300)
    os.remove(path + ".run")
    moves = re.search(r"BROKEN.*\n.*?(\d+) moves", result.stdout)
    if result.returncode < 0:
        return "caught: it crashes", True
    if result.returncode != 1 or moves is None:
        return f"LIVES (exit status {result.returncode})", False
    return f"caught after {moves.group(1)} moves", True


def main():
    build = os.path.abspath(sys.argv[1])
    bugs = [(name, file, old, new) for file, some in BUGS.items() for name, old, new in some]
    caught = 0
    with tempfile.TemporaryDirectory(prefix="spiped-orders-") as scratch:
        with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count() or 1))) as pool:
            found = [pool.submit(find, build, scratch, number, *bug) for number, bug in enumerate(bugs)]
            for (name, file, _, _), future in zip(bugs, found):
                verdict, is_caught = future.result()
                caught += is_caught
                print(f"{file:12} {name}: {verdict}", flush=True)
    print(f"{caught} of {len(bugs)} bugs caught")
    return 0 if caught == len(bugs) else 1


sys.exit(main())
