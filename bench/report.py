"""report.py: from the samples of a run to its tables and its targets."""

from statistics import median

OTHERS = ("stunnel", "haproxy", "shadowsocks", "openssh")  # each as it comes; the tables show openssh-gcm too
SEALING = "libcrypto's low-level calls"


def gib_cost(sample):
    return sample["cpu_seconds"] / (sample["total_mib"] / 1024)


def each_cost_us(sample):
    return sample["cpu_seconds"] / sample["total"] * 1e6


# A column: its heading, the figure in a sample, its format.
COLUMNS = {
    "mib": ("MiB/s", lambda s: s["mib_per_second"], "{:,.0f}"),
    "gib_cost": ("CPU s/GiB", gib_cost, "{:.2f}"),
    "median_us": ("median us", lambda s: s["median_us"], "{:,.0f}"),
    "p99_us": ("p99 us", lambda s: s["p99_us"], "{:,.0f}"),
    "p99_ms": ("p99 ms", lambda s: s["p99_us"] / 1000, "{:,.1f}"),
    "per_second": ("a second", lambda s: s["per_second"], "{:,.0f}"),
    "cost_us": ("CPU us each", each_cost_us, "{:,.0f}"),
    "idle_near": ("KiB, -e", lambda s: s["near_kib"], "{:.1f}"),
    "idle_far": ("KiB, -d", lambda s: s["far_kib"], "{:.1f}"),
    "idle_most": ("KiB", lambda s: max(s["near_kib"], s["far_kib"]), "{:.1f}"),
    "quiet_p99": ("quiet p99 us", lambda s: s["quiet_p99_us"], "{:,.0f}"),
    "storm_p99": ("storm p99 us", lambda s: s["storm_p99_us"], "{:,.0f}"),
    "storm_ratio": ("ratio", lambda s: s["storm_p99_us"] / s["quiet_p99_us"], "{:.1f}"),
}

TABLES = (
    ("Bulk, one way, {cc}", (("bulk-1", "mib"), ("bulk-8", "mib"), ("bulk-64", "mib"), ("bulk-1", "gib_cost"),
                             ("bulk-8", "gib_cost"), ("bulk-64", "gib_cost"))),
    ("Round trips of 64 bytes, {cc}", (("roundtrip-1", "median_us"), ("roundtrip-1", "p99_us"), ("roundtrip-1", "cost_us"),
                                       ("roundtrip-32", "per_second"), ("roundtrip-32", "p99_us"),
                                       ("roundtrip-32", "cost_us"))),
    ("New connections, 32 at once, {cc}", (("connect", "per_second"), ("connect", "median_us"), ("connect", "p99_ms"),
                                           ("connect", "cost_us"))),
    ("An open stream's round trips, quiet and under new connections at half of that rate, {cc}",
     (("storm", "quiet_p99"), ("storm", "storm_p99"), ("storm", "storm_ratio"))),
    ("Resident memory of an idle connection, of 1,000", (("idle", "idle_near"), ("idle", "idle_far"))),
)

LABELS = {"bulk-1": "1:", "bulk-8": "8:", "bulk-64": "64:", "roundtrip-1": "1:", "roundtrip-32": "32:"}


def figures(result, congestion, work, name, column):
    """The figure in each round; none where it wasn't measured or the contender has no processes to ask."""
    samples = result["samples"].get(congestion, {}).get(work, {}).get(name, [])
    try:
        return [COLUMNS[column][1](sample) for sample in samples]
    except KeyError:
        return []


def figure(result, congestion, work, name, column):
    found = figures(result, congestion, work, name, column)
    return median(found) if found else None


def cell(result, congestion, work, name, column):
    found = figures(result, congestion, work, name, column)
    if not found:
        return "-"
    middle = median(found)
    text = COLUMNS[column][2].format(middle)
    if len(found) > 1 and middle:
        text += f" ±{(max(found) - min(found)) / 2 / middle * 100:.0f}%"
    return text


def in_short(sample):
    """One sample for the line of progress."""
    return {
        "bulk": "{mib_per_second:,.0f} MiB/s",
        "roundtrip": "{per_second:,.0f} a second, median {median_us:,.0f} us",
        "connect": "{per_second:,.0f} a second, p99 {p99_us:,.0f} us",
        "storm": "p99 {quiet_p99_us:,.0f} us, under {rate} a second {storm_p99_us:,.0f} us",
        "idle": "{near_kib} and {far_kib} KiB a connection",
    }[sample["mode"]].format(**sample)


class Target:
    """One row of the targets: a figure of ours, alone or against another's, and its bound."""

    def __init__(self, title, bound, least, value):
        self.title, self.bound, self.least, self.value = title, bound, least, value

    def judge(self, result):
        try:
            value = self.value(result)
        except (TypeError, ZeroDivisionError):  # one of its figures is not there
            value = None
        row = {"target": self.title, "bound": f"{'at least' if self.least else 'at most'} {self.bound:g}",
               "value": None if value is None else round(value, 3), "mark": "not measured"}
        if value is not None:
            miss = 1 - value / self.bound if self.least else value / self.bound - 1
            row["mark"] = "met" if miss <= 0 else f"MISSED by {miss * 100:.1f} %"
        return row


def against(other, work, column, congestion="reno"):
    return lambda r: figure(r, congestion, work, "ours", column) / figure(r, congestion, work, other, column)


def against_best(work, column):
    def value(result):
        found = [figure(result, "reno", work, other, column) for other in OTHERS]
        return figure(result, "reno", work, "ours", column) / max((f for f in found if f is not None), default=None)
    return value


def alone(work, column):
    return lambda r: figure(r, "reno", work, "ours", column)


def sealing(batch):
    """The best backend's nanoseconds a packet in batches of so many, against libcrypto's low-level calls."""
    def value(result):
        costs = {p["backend"]: p["ns"] for p in result.get("packets", []) if p["batch"] == batch}
        raw = costs.pop("raw", None)
        return min(costs.values()) / raw if raw and costs else None
    return value


TARGETS = (
    Target("bulk 1, MiB/s, against Debian's spiped", 5.0, True, against("spiped", "bulk-1", "mib")),
    Target("bulk 8, MiB/s, against Debian's spiped", 5.0, True, against("spiped", "bulk-8", "mib")),
    Target("bulk 1 under bbr, MiB/s, against Debian's spiped", 4.2, True, against("spiped", "bulk-1", "mib", "bbr")),
    Target("bulk 8 under bbr, MiB/s, against Debian's spiped", 4.6, True, against("spiped", "bulk-8", "mib", "bbr")),
    Target("bulk 1, MiB/s, against the best of the others", 1.6, True, against_best("bulk-1", "mib")),
    Target("bulk 8, MiB/s, against the best of the others", 1.3, True, against_best("bulk-8", "mib")),
    Target("bulk 8, CPU s a GiB, against Debian's spiped", 0.21, False, against("spiped", "bulk-8", "gib_cost")),
    Target("bulk 8, CPU s a GiB, against stunnel", 0.74, False, against("stunnel", "bulk-8", "gib_cost")),
    Target("bulk 8, MiB/s, against the copying relay", 0.45, True, against("relay", "bulk-8", "mib")),
    Target("new connections a second, against Debian's spiped", 3.5, True, against("spiped", "connect", "per_second")),
    Target("new connections, p99, ms", 40, False, alone("connect", "p99_ms")),
    Target("CPU a new connection, against Debian's spiped", 0.44, False, against("spiped", "connect", "cost_us")),
    Target("round trip 1, median, against Debian's spiped", 0.94, False, against("spiped", "roundtrip-1", "median_us")),
    Target("round trips a second 32, against Debian's spiped", 1.4, True, against("spiped", "roundtrip-32", "per_second")),
    Target("idle connection, KiB in the larger daemon", 3, False, alone("idle", "idle_most")),
    Target("an open stream's p99 in a storm, against quiet", 3, False, alone("storm", "storm_ratio")),
    Target(f"sealing in batches of 64, against {SEALING}", 0.50, False, sealing(64)),
    Target(f"sealing one packet alone, against {SEALING}", 0.86, False, sealing(1)),
)


def targets(result):
    return [target.judge(result) for target in TARGETS] if "ours" in result["contenders"] else []


def lines_of(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                        for i, (text, width) in enumerate(zip(row, widths))).rstrip()


def table(result, congestion, columns):
    columns = [c for c in columns if c[0] in result["samples"].get(congestion, {})]
    if not columns:
        return []
    rows = [["", *(f"{LABELS.get(work, '')} {COLUMNS[column][0]}".strip() for work, column in columns)]]
    for name, contender in result["contenders"].items():
        cells = [cell(result, congestion, work, name, column) for work, column in columns]
        if any(text != "-" for text in cells):
            rows.append([contender["title"], *cells])
    return list(lines_of(rows))


def text(result):
    machine = result["machine"]
    out = [f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}; medians of {result['rounds']} "
           f"rounds, {result['seconds']:g} s each, ± half of the spread"]
    for congestion in result["samples"]:
        for heading, columns in TABLES:
            lines = table(result, congestion, columns)
            if lines:
                out += ["", heading.format(cc=congestion), *lines]
    out += [""] + [f"{c['title']}{' ' + c['version'] if c['version'] else ''}: {c['note']}"
                   for c in result["contenders"].values()]
    if result["targets"]:
        rows = [["Target", "bound", "this run", ""]]
        rows += [[t["target"], t["bound"], "-" if t["value"] is None else f"{t['value']:g}", t["mark"]]
                 for t in result["targets"]]
        out += ["", *lines_of(rows)]
    out += ["", *(f"Not measured: {what}: {why}" for what, why in result["failures"].items())]
    return "\n".join(out).rstrip()
