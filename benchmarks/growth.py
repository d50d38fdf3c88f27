"""The picture of how search grows with the number of documents, drawn as SVG from the rows of the benchmark."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import floor, log10
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960, 360, 60, 100, 40, 60  # Left and right of each panel.
LABEL = 14  # From one label to the next.
PANELS = (("whole mix", "CPU ms for a query, p50 over the mix"), ("build", "CPU s to build the index"))
FTS5 = "SQLite FTS5"
COLOURS = {"whoosh": "#b45309", "tantivy": "#0f766e", FTS5: "#475569"}
DASHES = {"whoosh": "", "tantivy": "7 3", FTS5: "2 3"}

Points = list[tuple[float, float]]


def drawn(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the picture: one panel for queries and one for the build, both axes logarithmic."""
    width = WIDTH / len(PANELS) - LEFT - RIGHT
    panels = [
        _panel(title, _points(lines, what), LEFT + number * (LEFT + width + RIGHT), width)
        for number, (what, title) in enumerate(PANELS)
    ]
    words = "Search: processor time by number of documents, docctl’s engines beside SQLite FTS5, both axes logarithmic."
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            ' font-family="sans-serif" font-size="12">',
            f"<title>{escape(words)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            *panels,
            "</svg>\n",
        ]
    )


def _points(lines: Sequence[Mapping[str, Any]], what: str) -> dict[str, Points]:
    found: dict[str, Points] = {}
    measured: dict[float, list[float]] = {}
    for line in lines:
        if line["what"] == what:
            found.setdefault(line["engine"], []).append((line["documents"], line["docctl"]))
            measured.setdefault(line["documents"], []).append(line["fts5"])
    found[FTS5] = [(size, sum(times) / len(times)) for size, times in sorted(measured.items())]
    return found


def _panel(title: str, series: Mapping[str, Points], left: float, width: float) -> str:
    height = HEIGHT - TOP - BOTTOM
    sizes, times = (
        _decades(x for some in series.values() for x, _ in some),
        _decades(y for some in series.values() for _, y in some),
    )

    def place(x: float, y: float) -> tuple[float, float]:
        right = (log10(x) - sizes[0]) / (sizes[-1] - sizes[0])
        up = (log10(y) - times[0]) / (times[-1] - times[0])
        return round(left + right * width, 1), round(TOP + (1 - up) * height, 1)

    parts = [f'<text x="{left}" y="{TOP - 16}" font-weight="bold" fill="#111827">{escape(title)}</text>']
    for power in times:
        _, y = place(10 ** sizes[0], 10**power)
        parts.append(f'<line x1="{left}" y1="{y}" x2="{left + width}" y2="{y}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end" fill="#374151">{10**power:,g}</text>')
    for power in sizes:
        x, _ = place(10**power, 10 ** times[0])
        parts.append(f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{TOP + height}" stroke="#f3f4f6"/>')
        parts.append(f'<text x="{x}" y="{TOP + height + 18}" text-anchor="middle" fill="#374151">{10**power:,d}</text>')
    parts.append(
        f'<text x="{left + width / 2}" y="{TOP + height + 38}" text-anchor="middle" fill="#374151">documents</text>'
    )
    taken: list[float] = []
    # From the top down, so that a label which makes room for another one goes below it.
    for name, some in sorted(series.items(), key=lambda row: -row[1][-1][1]):
        placed = [place(x, y) for x, y in some]
        path = " ".join(f"{x},{y}" for x, y in placed)
        colour = COLOURS[name]
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{DASHES[name]}"/>'
        )
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in placed]
        x, y = placed[-1]
        if x < left + width:  # It ends inside, among the others: its label stands above it.
            parts.append(f'<text x="{x}" y="{y - 8}" text-anchor="end" fill="{colour}">{escape(name)}</text>')
            continue
        y = max(y, *(other + LABEL for other in taken), 0)
        taken.append(y)
        parts.append(f'<text x="{x + 6}" y="{y + 4}" fill="{colour}">{escape(name)}</text>')
    return "\n".join(parts)


def _decades(values: Iterable[float]) -> list[int]:
    """Return the powers of ten that values lie between."""
    some = list(values)
    low, high = floor(log10(min(some))), floor(log10(max(some)) - 1e-9) + 1
    return list(range(low, max(high, low + 1) + 1))
