"""chart.py: figures as SVG: bars for the contenders side by side, lines for how a cost grows."""

import math
from xml.sax.saxutils import escape

from report import COLUMNS, figure

PANELS = (
    ("One way, 8 connections, MiB/s (more is better)", "bulk-8", "mib"),
    ("CPU of the pair for a GiB, seconds (less is better)", "bulk-8", "gib_cost"),
    ("New connections a second, a key exchange each (more is better)", "connect", "per_second"),
    ("Round trips a second, 32 connections (more is better)", "roundtrip-32", "per_second"),
    ("Memory of an idle connection, a daemon, KiB (less is better)", "idle", "idle_most"),
)
# What would dwarf the rest without saying anything: nothing is encrypted, or no key is exchanged.
LEFT_OUT = {"connect": ("direct", "relay", "shadowsocks", "openssh", "openssh-gcm", "wireguard")}
BAR, GAP, LEFT, WIDTH = 18, 5, 150, 720
COLOURS = {"ours": "#1b7f5c", "direct": "#c9cdd2", "relay": "#c9cdd2"}
OTHER_COLOUR = "#7f93ad"


def document(height, body):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12" fill="#1f2328">',
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>', *body, "</svg>", ""])


def panel(result, top, title, work, column):
    """One group of bars, and the height that it takes."""
    left_out = LEFT_OUT.get(work, ("direct",))
    found = {name: figure(result, "reno", work, name, column) for name in result["contenders"] if name not in left_out}
    found = {name: value for name, value in found.items() if value is not None}
    if not found:
        return [], 0
    most = max(found.values()) or 1
    out = [f'<text x="16" y="{top + 14}" font-weight="bold">{escape(title)}</text>']
    for i, (name, value) in enumerate(found.items()):
        y = top + 26 + i * (BAR + GAP)
        length = max(value, 0) / most * (WIDTH - LEFT - 90)
        out += [f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(result["contenders"][name]["title"])}</text>',
                f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{COLOURS.get(name, OTHER_COLOUR)}"/>',
                f'<text x="{LEFT + length + 6:.1f}" y="{y + 13}">{COLUMNS[column][2].format(value)}</text>']
    return out, 26 + len(found) * (BAR + GAP) + 18


def bars(result):
    machine, body, top = result["machine"], [], 16
    for title, work, column in PANELS:
        lines, height = panel(result, top, title, work, column)
        body += lines
        top += height
    foot = f"{machine['processor']}, {machine['cores']} cores, loopback, reno, medians of {result['rounds']} rounds"
    body.append(f'<text x="16" y="{top + 4}" fill="#5b6570">{escape(foot)}</text>')
    return document(top + 20, body)


def steps_of(least, most, powers):
    """Where lines across a plot stand: powers of ten around the figures, or round numbers from 0 to over the greatest."""
    if powers:
        return [10 ** i for i in range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)]
    size = 10 ** math.floor(math.log10(most))
    step = next(size * part for part in (0.2, 0.5, 1, 2, 5) if most / (size * part) <= 6)
    return [step * i for i in range(math.ceil(most / step) + 1)]


def lines(title, across, unit, series, powers):
    """A plot: series is {name: (title, [(x, y)])}, x on a scale of powers, y too if powers says so."""
    left, right, top, bottom = 70, WIDTH - 150, 60, 310
    points = [point for _, found in series.values() for point in found if point[1] > 0]
    xs = sorted({x for x, _ in points})
    steps = steps_of(min(y for _, y in points), max(y for _, y in points), powers)
    span = math.log(xs[-1] / xs[0]) or 1

    def place(x, y):
        share = math.log(y / steps[0]) / math.log(steps[-1] / steps[0]) if powers else y / steps[-1]
        return left + math.log(x / xs[0]) / span * (right - left), bottom - share * (bottom - top)

    body = [f'<text x="16" y="26" font-weight="bold">{escape(title)}</text>',
            f'<text x="{(left + right) / 2}" y="{bottom + 38}" text-anchor="middle">{escape(across)}</text>',
            f'<text x="16" y="{top - 12}" fill="#5b6570">{escape(unit)}</text>']
    for step in steps:
        y = place(xs[0], step)[1]
        body += [f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#e3e6ea"/>',
                 f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{step:,.6g}</text>']
    body += [f'<text x="{place(x, steps[0])[0]:.1f}" y="{bottom + 18}" text-anchor="middle">{x:,}</text>' for x in xs]
    for name, (label, found) in series.items():
        colour, spots = COLOURS.get(name, OTHER_COLOUR), [place(x, y) for x, y in found if y > 0]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        body += [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
        body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in spots]
        body += [f'<text x="{spots[-1][0] + 10:.1f}" y="{spots[-1][1] + 4:.1f}">{escape(label)}</text>']
    return document(bottom + 52, body)
