"""Checks what a workflow file says; each check notes every problem it finds, with its line, and goes on."""

from __future__ import annotations

import difflib
import re
import string
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from docctl.rules import Sentence
from docctl.workflow.definition import State, Trigger
from docctl.workflow.problems import Place, Source

Shape = Mapping[str, type]
Table = Mapping[str, Any]

_LABEL: Shape = {"vi": str, "en": str}
_KINDS: dict[type, Sentence] = {
    str: Sentence("một chuỗi trong ngoặc kép", "a quoted string"),
    int: Sentence("một số nguyên", "a whole number"),
    bool: Sentence("true hoặc false", "true or false"),
    list: Sentence("một danh sách [...]", "a list [...]"),
    dict: Sentence("một bảng {...}", "a table {...}"),
}
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_SETTING = Sentence("khóa", "key")


def check_keys(source: Source, place: Place, table: Table, shape: Shape, needed: Iterable[str]) -> None:
    """Note unknown keys, missing keys and values of the wrong kind."""
    for key, value in table.items():
        if is_known(source, (*place, key), key, shape, _SETTING) and type(value) is not shape[key]:
            source.wrong(
                (*place, key), "“{key}” phải là {kind}.", '"{key}" must be {kind}.', key=key, kind=_KINDS[shape[key]]
            )
    for key in needed:
        if key not in table:
            source.wrong(place, "Thiếu “{key}”.", '"{key}" is missing.', key=key)


def is_known(source: Source, place: Place, name: str, known: Collection[str], kind: Sentence) -> bool:
    """Note a name that is not known, with the nearest one that is."""
    if name in known:
        return True
    near = difflib.get_close_matches(name, known, n=1)
    source.wrong(
        place,
        "Không có {kind} “{value}”; " + ("có phải “{near}”?" if near else "có: {all}."),
        'There is no {kind} "{value}"; ' + ('did you mean "{near}"?' if near else "there are: {all}."),
        value=name,
        kind=kind,
        near=near[0] if near else "",
        all=", ".join(known),
    )
    return False


def read_names(
    source: Source, place: Place, table: Table, key: str, known: Collection[str], kind: Sentence
) -> tuple[str, ...]:
    """Return a list of names, noting those that are not known."""
    given = table.get(key)
    if not isinstance(given, list):
        return ()
    if not all(isinstance(name, str) for name in given):
        source.wrong((*place, key), "“{key}” phải là danh sách tên.", '"{key}" must be a list of names.', key=key)
        return ()
    for name in given:
        is_known(source, (*place, key), name, known, kind)
    return tuple(given)


def read_label(source: Source, place: Place, table: Table, key: str, blanks: Collection[str] = ()) -> Sentence:
    """Return a text in both languages, noting a language that is missing or empty and a blank that nothing fills."""
    given = table.get(key)
    if not isinstance(given, dict):
        return Sentence("", "")
    check_keys(source, (*place, key), given, _LABEL, needed=("vi", "en"))
    for language, text in given.items():
        if isinstance(text, str) and not text.strip():
            source.wrong(
                (*place, key, language),
                "“{key}” chưa có nội dung tiếng {language}.",
                '"{key}" has no text in {language}.',
                key=key,
                language=language,
            )
        elif isinstance(text, str) and not _fills(text, blanks):
            source.wrong(
                (*place, key, language),
                "“{key}” có dấu ngoặc nhọn không dùng được; chỉ được dùng: {blanks}.",
                '"{key}" has braces that nothing fills; these may be used: {blanks}.',
                key=key,
                blanks=", ".join(f"{{{blank}}}" for blank in blanks) or "–",
            )
    return Sentence(str(given.get("vi", "")), str(given.get("en", "")))


def _fills(text: str, blanks: Collection[str]) -> bool:
    try:
        return all(name is None or name in blanks for _, name, _, _ in string.Formatter().parse(text))
    except ValueError:
        return False


def read_tables(source: Source, place: Place, table: Table, key: str) -> list[tuple[Any, Table]]:
    """Return the tables under a key: by name of a table, by number of a list."""
    given = table.get(key)
    pairs: list[tuple[Any, Any]] = []
    if isinstance(given, dict):
        pairs = list(given.items())
    elif isinstance(given, list):
        pairs = list(enumerate(given))
    for name, value in pairs:
        if not isinstance(value, dict):
            at = (*place, name) if place and place[-1] == key else (*place, key, name)
            source.wrong(at, "“{key}” phải gồm các bảng.", '"{key}" must hold tables.', key=key)
    return [(name, value) for name, value in pairs if isinstance(value, dict)]


def check_head(source: Source, data: Table) -> None:
    """Note a name that is not the file's and a version that is no version."""
    if isinstance(data.get("name"), str) and data["name"] != source.path.stem:
        source.wrong(
            ("name",),
            "Tên quy trình “{name}” phải trùng tên tệp “{stem}”.",
            'The workflow\'s name "{name}" must be that of the file, "{stem}".',
            name=data["name"],
            stem=source.path.stem,
        )
    if type(data.get("version")) is int and data["version"] < 1:
        source.wrong(("version",), "“version” bắt đầu từ 1.", '"version" starts at 1.')


def check_given(source: Source, names: Iterable[tuple[Place, str]]) -> None:
    """Note a name that is given twice, or that is not made of small letters, figures, - and _."""
    seen: set[str] = set()
    for place, name in names:
        if not _NAME.fullmatch(name):
            source.wrong(
                place,
                "Tên “{name}” chỉ được gồm chữ thường không dấu, số, - và _.",
                'The name "{name}" may hold small letters a-z, figures, - and _ only.',
                name=name,
            )
        elif name in seen:
            source.wrong(place, "“{name}” được ghi hai lần.", '"{name}" is there twice.', name=name)
        seen.add(name)


def check_initial(source: Source, states: Iterable[State]) -> None:
    """Note that no state is initial, or more than one."""
    initial = [state.name for state in states if state.initial]
    if not initial:
        source.wrong(
            ("states",), "Không có trạng thái bắt đầu (initial = true).", "No state is initial (initial = true)."
        )
    for name in initial[1:]:
        source.wrong(
            ("states", name, "initial"),
            "Chỉ một trạng thái được bắt đầu; “{first}” đã bắt đầu.",
            'Only one state is initial; "{first}" already is.',
            first=initial[0],
        )


def check_paths(source: Source, states: Sequence[State], triggers: Sequence[Trigger]) -> None:
    """Note states that nothing reaches, that lead to no end, and ends that lead on.

    Silent where a state is misspelt or no single one is initial: that is noted already, and what follows from it is not
    a mistake of its own.
    """
    initial = [state.name for state in states if state.initial]
    ways = [(start, trigger.target) for trigger in triggers for start in trigger.sources]
    if len(initial) != 1 or not {end for way in ways for end in way} <= {state.name for state in states}:
        return
    reached = _closure(set(initial), ways)
    ending = _closure({state.name for state in states if state.final}, [(end, start) for start, end in ways])
    for state in states:
        name = state.name
        place = ("states", name)
        if name not in reached:
            source.wrong(place, "Không thao tác nào dẫn tới “{name}”.", 'Nothing leads to "{name}".', name=name)
        if name not in ending:
            source.wrong(
                place,
                "Từ “{name}” không có đường tới trạng thái kết thúc (final = true).",
                'From "{name}" no way leads to a final state (final = true).',
                name=name,
            )
        if state.final and any(start == name for start, _ in ways):
            source.wrong(
                place,
                "“{name}” là kết thúc mà vẫn còn thao tác.",
                '"{name}" is final, yet something leaves it.',
                name=name,
            )
    for number, trigger in enumerate(triggers):
        if not trigger.sources and trigger.target != initial[0]:
            source.wrong(
                ("triggers", number, "to"),
                "Thao tác không có “from” phải dẫn tới trạng thái bắt đầu “{initial}”.",
                'A trigger that comes from nothing must lead to the initial state, "{initial}".',
                initial=initial[0],
            )


def _closure(states: set[str], ways: Collection[tuple[str, str]]) -> set[str]:
    """Return the states that can be reached from some, themselves included."""
    found = set(states)
    while more := {end for start, end in ways if start in found} - found:
        found |= more
    return found
