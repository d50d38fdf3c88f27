"""Draws a workflow from its file: an SVG with the current state marked, and a table in plain text."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from itertools import groupby, pairwise
from xml.sax.saxutils import escape, quoteattr

from docctl.rules import ROLES, Sentence
from docctl.workflow.definition import Trigger, Workflow

# All measures are in pixels at the drawing's natural size, at which its text is readable.
_BOX, _TALL, _GAP, _MARGIN = 124, 56, 100, 16
_LANE, _FIRST_LANE = 34, 40  # Ways back run in lanes above the main path.
_ROW, _FIRST_ROW = 84, 72  # States beside the main path stand in rows below it.
_STEP = _BOX + _GAP
_APART = 14  # Between arrows that run side by side.
_ROUND = 12
_LINE = 16  # Height of a line of text.

_TITLE = Sentence("Sơ đồ quy trình: {label}", "Workflow: {label}")
_HERE = Sentence("Hiện tại: {state}.", "Now: {state}.")
_BY_DECISION = Sentence("theo quyết định", "by decision")
_HEADINGS = (
    Sentence("Thao tác", "Act"),
    Sentence("Từ", "From"),
    Sentence("Đến", "To"),
    Sentence("Ai", "Who"),
    Sentence("Ghi chú", "Notes"),
)
_REASON = Sentence("phải ghi lý do", "asks for a reason")
_SIGNS = Sentence("phải ký", "signs")


@dataclass(frozen=True)
class _Edge:
    """All triggers of one kind between two states, drawn as one arrow."""

    source: str
    target: str
    label: Sentence
    by_decision: bool


@dataclass(frozen=True)
class _Plan:
    """Where every state stands: its left and top edge."""

    at: dict[str, tuple[int, int]]
    main: tuple[str, ...]
    side: tuple[str, ...]
    width: int
    height: int

    def middle(self, state: str) -> int:
        return self.at[state][0] + _BOX // 2


def draw(workflow: Workflow, current: str | None = None, locale: str = "vi") -> str:
    """Return the drawing as one `<svg>` element with the current state marked by shape, class and words.

    It has its natural size, so a narrow page puts it into a container that scrolls sideways. Classes: `workflow`,
    `workflow-state`, `is-current`, `is-final`, `workflow-arrow`, `workflow-back`, `by-decision`.
    """
    edges = _edges(workflow)
    plan = _plan(workflow, edges)
    name = f"workflow-{workflow.name}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="workflow" role="img" aria-labelledby="{name}-title {name}-desc"'
        f' viewBox="0 0 {plan.width} {plan.height}" width="{plan.width}" height="{plan.height}" lang={quoteattr(locale)}'
        f' font-family="inherit" font-size="13" fill="none" stroke="currentColor" stroke-width="1.5">',
        f'<title id="{name}-title">{escape(_TITLE.fill(label=workflow.label).get(locale))}</title>',
        f'<desc id="{name}-desc">{escape(_said(workflow, current, locale))}</desc>',
        *_arrows(plan, edges, locale),
        *(_state(workflow, plan, state, state == current, locale) for state in workflow.states),
        "</svg>",
    ]
    return "\n".join(parts)


def table(workflow: Workflow, locale: str) -> str:
    """Return the workflow as a table in plain text, a line for each trigger, for readers of text and for terminals."""
    rows = [[heading.get(locale) for heading in _HEADINGS]]
    rows += [
        [
            t.label.get(locale),
            _sources(workflow, t, locale),
            workflow.states[t.target].label.get(locale),
            _roles(t, locale),
            ", ".join(note.get(locale) for note in _notes(t)) or "–",
        ]
        for t in workflow.triggers.values()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _notes(trigger: Trigger) -> list[Sentence]:
    given = ((trigger.signs, _SIGNS), ("reason" in trigger.asks, _REASON), (trigger.by_decision, _BY_DECISION))
    return [note for holds, note in given if holds]


def _sources(workflow: Workflow, trigger: Trigger, locale: str) -> str:
    return ", ".join(workflow.states[state].label.get(locale) for state in trigger.sources) or "–"


def _roles(trigger: Trigger, locale: str) -> str:
    return ", ".join(ROLES[role].get(locale) for role in trigger.roles)


def _said(workflow: Workflow, current: str | None, locale: str) -> str:
    """Return the drawing in words, for those who do not see it."""
    here = [_HERE.fill(state=workflow.states[current].label).get(locale)] if current else []
    steps = [
        f"{t.label.get(locale)}: {_sources(workflow, t, locale)} → {workflow.states[t.target].label.get(locale)}"
        f" ({_roles(t, locale)})."
        for t in workflow.triggers.values()
    ]
    return " ".join([*here, *steps])


def _edges(workflow: Workflow) -> list[_Edge]:
    """Return one arrow for each pair of states, its label naming every trigger that takes this way."""
    order = list(workflow.states)
    ways = [(s, t.target, t) for t in workflow.triggers.values() for s in t.sources if s != t.target]
    ways.sort(key=lambda way: (order.index(way[0]), order.index(way[1])))
    edges = []
    for (source, target), group in groupby(ways, key=lambda way: way[:2]):
        triggers = [trigger for _, _, trigger in group]
        label = Sentence(" / ".join(t.label.vi for t in triggers), " / ".join(t.label.en for t in triggers))
        edges.append(_Edge(source, target, label, all(t.by_decision for t in triggers)))
    return edges


def _plan(workflow: Workflow, edges: list[_Edge]) -> _Plan:
    """Place the main path from left to right and every other state below its end."""
    main = workflow.main_path()
    side = tuple(state for state in workflow.states if state not in main)
    top = _MARGIN + _FIRST_LANE + _LANE * len(_lanes(edges, main))
    at = {state: (_MARGIN + n * _STEP, top) for n, state in enumerate(main)}
    last = at[main[-1]][0]
    at |= {state: (last, top + _TALL + _FIRST_ROW + n * _ROW - _TALL // 2) for n, state in enumerate(side)}
    below = sum(edge.source in side for edge in edges)
    height = max(y for _, y in at.values()) + _TALL + _MARGIN + _LANE * below
    return _Plan(at, main, side, last + _BOX + _MARGIN + (2 * _ROUND + _APART * below if below else 0), height)


def _lanes(edges: list[_Edge], main: tuple[str, ...]) -> list[_Edge]:
    """Return the arrows that run above the main path, the shortest first, which keeps them from crossing."""
    above = [e for e in edges if e.source in main and e.target in main and not _is_next(e, main)]
    return sorted(above, key=lambda e: (abs(main.index(e.source) - main.index(e.target)), main.index(e.source)))


def _is_next(edge: _Edge, main: tuple[str, ...]) -> bool:
    return (edge.source, edge.target) in pairwise(main)


def _arrows(plan: _Plan, edges: list[_Edge], locale: str) -> list[str]:
    drawn = [_onward(plan, e, locale) for e in edges if _is_next(e, plan.main)]
    drawn += [_above(plan, e, n, locale) for n, e in enumerate(_lanes(edges, plan.main))]
    drawn += [_aside(plan, e, locale) for e in edges if e.source in plan.main and e.target in plan.side]
    from_side = [e for e in edges if e.source in plan.side]
    return drawn + [_below(plan, e, n, locale) for n, e in enumerate(from_side)]


def _onward(plan: _Plan, edge: _Edge, locale: str) -> str:
    x, y = plan.at[edge.source]
    start, end, y = x + _BOX, x + _STEP, y + _TALL // 2
    lines = textwrap.wrap(edge.label.get(locale), 12, break_long_words=False)
    text = _text(lines, (start + end) // 2 - 4, y - 9 - _LINE * (len(lines) - 1))
    return _arrow(edge, f"M{start} {y}H{end - 7}", f"M{end} {y}l-8 -4v8z", text)


def _above(plan: _Plan, edge: _Edge, lane: int, locale: str) -> str:
    """Draw an arrow that leaves the top of a state, runs along its lane and comes down on another."""
    top = plan.at[edge.source][1]
    y = top - _FIRST_LANE - lane * _LANE
    back = -1 if plan.middle(edge.target) < plan.middle(edge.source) else 1
    # Longer ways leave and land further out, so that no two of them share a line.
    start = plan.middle(edge.source) - _APART
    end = plan.middle(edge.target) + back * min(8 + _APART * lane, _BOX // 2 - 8)
    bend = back * _ROUND
    path = (
        f"M{start} {top}V{y + _ROUND}Q{start} {y} {start + bend} {y}"
        f"H{end - bend}Q{end} {y} {end} {y + _ROUND}V{top - 7}"
    )
    text = _text([edge.label.get(locale)], start + back * (_STEP // 2), y - 6)
    return _arrow(edge, path, f"M{end} {top}l-4 -8h8z", text, "workflow-back")


def _aside(plan: _Plan, edge: _Edge, locale: str) -> str:
    """Draw an arrow that leaves the foot of a state and runs right to a state beside the main path."""
    start = plan.middle(edge.source) - 16 + 16 * plan.side.index(edge.target)
    foot = plan.at[edge.source][1] + _TALL
    end, y = plan.at[edge.target]
    y += _TALL // 2
    path = f"M{start} {foot}V{y - _ROUND}Q{start} {y} {start + _ROUND} {y}H{end - 7}"
    # Right of every arrow that leaves the same foot, so that none runs through the words.
    words = plan.middle(edge.source) - 16 + 16 * (len(plan.side) - 1) + 14
    text = _text([edge.label.get(locale)], words, y - 8, anchor="start")
    return _arrow(edge, path, f"M{end} {y}l-8 -4v8z", text)


def _below(plan: _Plan, edge: _Edge, lane: int, locale: str) -> str:
    """Draw an arrow that leads from a state beside the main path back to another, beneath everything."""
    x, y = plan.at[edge.source]
    right, middle, out = x + _BOX, y + _TALL // 2, plan.width - _MARGIN - lane * _APART
    end, foot = plan.middle(edge.target) + 50, plan.at[edge.target][1] + _TALL
    floor = plan.height - _MARGIN - lane * _LANE
    path = (
        f"M{right} {middle}H{out - _ROUND}Q{out} {middle} {out} {middle + _ROUND}"
        f"V{floor - _ROUND}Q{out} {floor} {out - _ROUND} {floor}"
        f"H{end + _ROUND}Q{end} {floor} {end} {floor - _ROUND}V{foot + 7}"
    )
    text = _text([edge.label.get(locale)], x - _GAP // 2, floor - 6)
    return _arrow(edge, path, f"M{end} {foot}l-4 8h8z", text, "workflow-back")


def _arrow(edge: _Edge, path: str, head: str, text: str, *more: str) -> str:
    names = " ".join(["workflow-arrow", *more, *(["by-decision"] if edge.by_decision else [])])
    dashes = ' stroke-dasharray="5 4"' if edge.by_decision else ""
    return (
        f'<g class="{names}"><path d="{path}"{dashes}/><path d="{head}" fill="currentColor" stroke="none"/>{text}</g>'
    )


def _state(workflow: Workflow, plan: _Plan, state: str, current: bool, locale: str) -> str:
    """Draw a state: a round box, double-edged when final; the current one has a thick frame and a pointer."""
    given = workflow.states[state]
    x, y = plan.at[state]
    names = " ".join(["workflow-state", *(["is-current"] if current else []), *(["is-final"] if given.final else [])])
    frame = ' stroke-width="5"' if current else ""
    shapes = [f'<rect x="{x}" y="{y}" width="{_BOX}" height="{_TALL}" rx="8"{frame}/>']
    if given.final:
        shapes.append(f'<rect x="{x + 5}" y="{y + 5}" width="{_BOX - 10}" height="{_TALL - 10}" rx="5"/>')
    pointer = "▶\N{NO-BREAK SPACE}" if current else ""
    lines = textwrap.wrap(pointer + given.label.get(locale), 15)
    text = _text(lines, x + _BOX // 2, y + _TALL // 2 + 5 - _LINE * (len(lines) - 1) // 2, bold=current)
    here = ' aria-current="step"' if current else ""
    return f'<g class="{names}"{here}>{"".join(shapes)}{text}</g>'


def _text(lines: list[str], x: int, y: int, *, anchor: str = "middle", bold: bool = False) -> str:
    """Return lines of text; the first has its foot at `y`."""
    spans = "".join(f'<tspan x="{x}" y="{y + n * _LINE}">{escape(line)}</tspan>' for n, line in enumerate(lines))
    weight = ' font-weight="bold"' if bold else ""
    return f'<text text-anchor="{anchor}"{weight} fill="currentColor" stroke="none">{spans}</text>'
