"""Reads workflow files; a file with any problem is refused, with file and line of each."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection
from pathlib import Path

from docctl.rules import MEANINGS, ROLES, RULES, Sentence
from docctl.workflow.checking import (
    Shape,
    Table,
    check_given,
    check_head,
    check_initial,
    check_keys,
    check_paths,
    is_known,
    read_label,
    read_names,
    read_tables,
)
from docctl.workflow.definition import Seat, State, Trigger, Workflow
from docctl.workflow.problems import Place, Problem, Source, WorkflowError

_FILE: Shape = {"name": str, "version": int, "label": dict, "states": dict, "triggers": list}
_STATE: Shape = {"label": dict, "waiting": dict, "initial": bool, "final": bool}
_SEAT: Shape = {"name": str, "role": str, "label": dict}
_TRIGGER: Shape = {
    "name": str,
    "label": dict,
    "happens": dict,
    "from": list,
    "to": str,
    "roles": list,
    "rules": list,
    "asks": list,
    "signs": str,
    "seats": list,
    "by_decision": bool,
}
_ROLE = Sentence("vai trò", "role")
_RULE = Sentence("quy tắc", "rule")
_STATE_NAME = Sentence("trạng thái", "state")
_MEANING = Sentence("ý nghĩa chữ ký", "meaning of a signature")
_QUESTION = Sentence("điều cần hỏi", "question")
_ASKS = ("reason",)
# The administrator keeps accounts and backups and has no part in the business.
_BUSINESS_ROLES = tuple(role for role in ROLES if role != "admin")


def parse(text: str, *, path: Path) -> Workflow:
    """Read one workflow from its text; `path` names it in messages and must bear the workflow's name.

    Raises WorkflowError with every problem found.
    """
    source = Source(path, text)
    data = _toml(source, text)
    workflow = _workflow(source, data, text)
    if source.problems:
        raise WorkflowError(sorted(source.problems, key=lambda problem: problem.line))
    return workflow


def load(path: Path) -> Workflow:
    """Read one workflow file; raises WorkflowError with every problem found."""
    raw = path.read_bytes()
    try:
        return parse(raw.decode("utf-8"), path=path)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        sentence = Sentence("Tệp không phải UTF-8; hãy lưu lại bằng UTF-8.", "The file is not UTF-8; save it as UTF-8.")
        raise WorkflowError([Problem(path, line, sentence)]) from error


def load_folder(*folders: Path) -> dict[str, Workflow]:
    """Read every `*.toml` of the folders, by name; of two files of one name that of the earlier folder counts.

    Raises WorkflowError with every problem of every file.
    """
    files: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            files.setdefault(path.stem, path)
    found: dict[str, Workflow] = {}
    problems: list[Problem] = []
    for name, path in sorted(files.items()):
        try:
            found[name] = load(path)
        except WorkflowError as error:
            problems.extend(error.problems)
    if problems:
        raise WorkflowError(problems)
    return found


def _toml(source: Source, text: str) -> Table:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else len(source.lines)
        source.wrong_at(line, "Không đọc được TOML: {error}.", "This is not TOML: {error}.", error=error)
        raise WorkflowError(source.problems) from error


def _workflow(source: Source, data: Table, text: str) -> Workflow:
    """Build the workflow as far as it can be understood, noting what cannot."""
    check_keys(source, (), data, _FILE, needed=("name", "version", "label", "states", "triggers"))
    check_head(source, data)
    states = [
        _state(source, ("states", name), str(name), table)
        for name, table in read_tables(source, ("states",), data, "states")
    ]
    triggers = [
        _trigger(source, ("triggers", number), table, [state.name for state in states])
        for number, table in read_tables(source, ("triggers",), data, "triggers")
    ]
    check_given(source, [(("states", state.name), state.name) for state in states])
    check_given(source, [(("triggers", n, "name"), trigger.name) for n, trigger in enumerate(triggers)])
    check_initial(source, states)
    check_paths(source, states, triggers)
    return Workflow(
        name=data.get("name", ""),
        version=data.get("version", 0),
        label=read_label(source, (), data, "label"),
        states={state.name: state for state in states},
        triggers={trigger.name: trigger for trigger in triggers},
        sha256=hashlib.sha256(text.encode("utf-8")).hexdigest(),
        source=text,
        path=source.path,
    )


def _state(source: Source, place: Place, name: str, table: Table) -> State:
    check_keys(source, place, table, _STATE, needed=("label", "waiting"))
    return State(
        name=name,
        label=read_label(source, place, table, "label"),
        waiting=read_label(source, place, table, "waiting", blanks=("seats",)),
        initial=table.get("initial") is True,
        final=table.get("final") is True,
    )


def _trigger(source: Source, place: Place, table: Table, states: Collection[str]) -> Trigger:
    check_keys(source, place, table, _TRIGGER, needed=("name", "label", "happens", "from", "to"))
    seats = tuple(_seat(source, (*place, "seats", n), seat) for n, seat in read_tables(source, place, table, "seats"))
    check_given(source, [((*place, "seats", n, "name"), seat.name) for n, seat in enumerate(seats)])
    roles = read_names(source, place, table, "roles", _BUSINESS_ROLES, _ROLE)
    if bool(table.get("roles")) == bool(table.get("seats")):
        source.wrong(
            place,
            "Thao tác phải ghi “roles” hoặc “seats”, chỉ một trong hai.",
            'A trigger names either "roles" or "seats", and not both.',
        )
    signs = table.get("signs")
    if isinstance(signs, str):
        is_known(source, (*place, "signs"), signs, MEANINGS, _MEANING)
    if isinstance(table.get("to"), str):
        is_known(source, (*place, "to"), table["to"], states, _STATE_NAME)
    return Trigger(
        name=str(table.get("name", "")),
        label=read_label(source, place, table, "label"),
        sources=read_names(source, place, table, "from", states, _STATE_NAME),
        target=str(table.get("to", "")),
        roles=tuple(dict.fromkeys(seat.role for seat in seats)) or roles,
        happens=read_label(source, place, table, "happens"),
        rules=read_names(source, place, table, "rules", RULES, _RULE),
        asks=read_names(source, place, table, "asks", _ASKS, _QUESTION),
        signs=signs if isinstance(signs, str) else None,
        seats=seats,
        by_decision=table.get("by_decision") is True,
    )


def _seat(source: Source, place: Place, table: Table) -> Seat:
    check_keys(source, place, table, _SEAT, needed=("name", "role", "label"))
    role = str(table.get("role", ""))
    if role:
        is_known(source, (*place, "role"), role, _BUSINESS_ROLES, _ROLE)
    return Seat(str(table.get("name", "")), role, read_label(source, place, table, "label"))
