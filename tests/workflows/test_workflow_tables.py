"""Every state, trigger, role and author pair against tables written by hand."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from docctl import workflow
from docctl.rules import ROLES, Facts, Refused, Sentence
from docctl.workflow import Workflow

HERE = Path(__file__).parent
FILES = HERE.parents[1] / "workflows"
NAMES = sorted(file.stem for file in FILES.glob("*.toml"))
SEATED, DECIDED, READ = ["first", "last"], ["alone", "decision"], ["in_force", "ended"]
SITUATIONS = {
    **dict.fromkeys(("endorse", "opine"), SEATED),
    **dict.fromkeys(
        ("issue", "withdraw", "take_up", "finish", "release", "prepare", "recall", "ask", "begin"), DECIDED
    ),
    "accept": ["fresh", "opined"],
    **dict.fromkeys(("open", "understand"), READ),
    "confirm_destroyed": ["paper", "electronic"],
    "reconcile": ["complete", "held", "incomplete"],
    "witness": ["complete", "held"],
    "agree": ["complete", "kept", "incomplete"],
    "carry_out": ["complete", "kept"],
}
# The same word is another act in another life.
HERE_ONLY = {
    ("change_request", "submit"): ["complete", "incomplete"],
    ("controlled_copy", "return"): ["paper", "electronic"],
    ("legal_assessment", "finish"): ["worked_in", "not_yet"],
    ("internal_audit", "open"): ["any"],
    **{("internal_audit", trigger): ["complete", "incomplete"] for trigger in ("begin", "report")},
    ("nonconformity", "answer"): ["complete", "incomplete"],
}
MINUTES = ("recall", "disposal")
NO = Sentence("Không.", "No.")
ME, ANOTHER = 7, 8
SEATS = {"reviewer": "content", "format_reviewer": "format"}
OPINIONS = {"reviewer": "unit", "format_reviewer": "iso"}


@dataclass(frozen=True)
class Case:
    state: str
    trigger: str
    situation: str
    role: str
    own: bool  # The record is the actor's: as author, requester, named signer, holder or reader; or he signed its minutes.

    def facts(self, life: str) -> Facts:
        mine = ME if self.own else ANOTHER
        seats = OPINIONS if life == "change_request" else SEATS
        wanted = {seats.get(self.role, "")} if self.situation == "last" else set(seats.values())
        signed = (life in MINUTES and self.own) or self.situation == "opined"
        return Facts(
            actor=ME,
            roles=frozenset({self.role}),
            author=mine,
            signer=mine,
            endorsers=frozenset({ME} if signed else ()),
            reader=self.own,
            holder=self.own,
            in_force=self.situation != "ended",
            electronic=self.situation == "electronic",
            ledger=NO if self.situation == "held" else None,
            kept=NO if self.situation == "kept" else None,
            minutes=NO if self.situation == "incomplete" else None,
            missing=NO if self.situation == "incomplete" else None,
            worked_in=self.situation == "worked_in",
            open_seats=frozenset(wanted),
            has_file=True,
            change_rows=1,
            content_hash="c0ffee",
            frozen_hash="c0ffee",
            executing=self.situation == "decision",
            lines=1,
            numbered=True,
            dated=True,
            checked_hash_equal=True,
            reason="Theo ý kiến xem xét",
        )

    def outcome(self, flow: Workflow) -> str:
        """The state it leads to, or "refused"."""
        try:
            return workflow.fire(
                flow, None if self.state == "nothing" else self.state, self.trigger, self.facts(flow.name)
            )
        except Refused:
            return "refused"


def written(name: str) -> dict[Case, str]:
    """Read a table: the cases that are allowed and the state each leads to."""
    lines = [line.split() for line in (HERE / f"{name}.txt").read_text("utf-8").splitlines()]
    head = next(n for n, words in enumerate(lines) if words[:2] == ["from", "trigger"])
    roles = lines[head][3:-1]
    assert roles == list(ROLES), "the table has a column for each role"
    allowed = {}
    for state, trigger, situation, *cells, target in lines[head + 2 :]:
        for role, cell in zip(roles, cells, strict=True):
            for own, letter in zip([True, False], cell, strict=True):
                assert letter in "Y-"
                if letter == "Y":
                    allowed[Case(state, trigger, situation, role, own)] = target
    return allowed


def every_case(flow: Workflow) -> list[Case]:
    return [
        Case(state, trigger, situation, role, own)
        for state in ["nothing", *flow.states]
        for trigger in flow.triggers
        for situation in HERE_ONLY.get((flow.name, trigger)) or SITUATIONS.get(trigger, ["any"])
        for role in ROLES
        for own in (True, False)
    ]


def differences(flow: Workflow, table: dict[Case, str]) -> list[tuple[Case, str]]:
    return [(c, found) for c in every_case(flow) if (found := c.outcome(flow)) != table.get(c, "refused")]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_every_state_trigger_role_and_author_pair_is_as_the_office_wrote_it(name: str) -> None:
    flow = workflow.load(FILES / f"{name}.toml")
    assert differences(flow, written(name)) == []


def test_the_table_speaks_of_every_trigger_and_of_no_other(name: str) -> None:
    flow = workflow.load(FILES / f"{name}.toml")
    assert {case.trigger for case in written(name)} == set(flow.triggers)
    assert {case.state for case in written(name)} <= {"nothing", *flow.states}


def test_giving_any_one_act_to_another_role_is_noticed(name: str) -> None:
    path = FILES / f"{name}.toml"
    text = path.read_text("utf-8")
    places = list(re.finditer(r'^roles = \[(.*)\]|\brole = "(\w+)"', text, re.MULTILINE))
    assert len(places) >= len(workflow.parse(text, path=path).triggers)
    for place in places:
        # Where everybody but the administrator may, the others are shut out.
        other = next((role for role in ROLES if role != "admin" and role not in place[0]), "")
        role = other or "staff"
        instead = f'roles = ["{role}"]' if place[1] else f'role = "{role}"'
        altered = workflow.parse(text[: place.start()] + instead + text[place.end() :], path=path)
        found = differences(altered, written(name))
        assert any(
            (outcome != "refused") == bool(other) and (case.role == role) == bool(other) for case, outcome in found
        ), f"nobody noticed {instead} in place of {place[0]}"


@pytest.mark.parametrize("flow", ["revision", "revision-short"])
def test_the_author_with_every_role_of_the_office_can_neither_endorse_nor_approve(flow: str) -> None:
    lives = workflow.load(FILES / f"{flow}.toml")
    facts = Facts(
        actor=ME,
        author=ME,
        roles=frozenset(ROLES),
        open_seats=frozenset({"content", "format"}),
        content_hash="c0ffee",
        frozen_hash="c0ffee",
    )
    assert "tự xem xét" in workflow.refusal(lives, "in_review", "endorse", facts).vi
    assert "tự phê duyệt" in workflow.refusal(lives, "in_approval", "approve", facts).vi


def test_the_administrator_has_no_business_transition(name: str) -> None:
    flow = workflow.load(FILES / f"{name}.toml")
    assert all("admin" not in trigger.roles for trigger in flow.triggers.values())
