"""Asks a workflow what may be done and does it: refusal, fire, the buttons of a page, who acts next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from transitions import Machine, MachineError

from docctl.rules import ROLES, RULES, Facts, NoRole, Refused, Sentence
from docctl.workflow.definition import Seat, Trigger, Workflow

# What the machine calls the state of a record that does not exist yet; no state of a file can have this name.
_NOTHING = ""


@dataclass(frozen=True)
class Act:
    """What a page shows for one trigger: a button, or a disabled one with the sentence why."""

    trigger: str
    label: Sentence
    refusal: Sentence | None
    asks: tuple[str, ...]  # "reason" and, when the act signs, "password".
    signs: str | None
    happens: Sentence
    main: bool  # The next step of the main path: the one filled button, when it is not refused.
    mine: bool  # The actor holds a role of this act; to others the button is of no interest.


def refusal(workflow: Workflow, state: str | None, trigger: str, facts: Facts) -> Sentence | None:
    """Return why a trigger is refused now, or None when it is allowed apart from what it asks for.

    `state` None is a record that does not exist yet. The order is: unknown trigger, wrong state, role, rules as the
    file lists them, seat of the round.
    """
    asked = workflow.triggers.get(trigger)
    if asked is None:
        return Sentence(
            "Quy trình “{label}” không có thao tác “{trigger}”.", "The workflow “{label}” has no act “{trigger}”."
        ).fill(label=workflow.label, trigger=trigger)
    if asked not in workflow.leaving(state):
        return _wrong_state(workflow, state, asked)
    if not _has_role(asked, facts):
        return Sentence("Chỉ {roles} được thực hiện “{label}”.", "Only the {roles} may perform “{label}”.").fill(
            roles=_either([_lower(ROLES[role]) for role in asked.roles], Sentence("hoặc", "or the")), label=asked.label
        )
    broken = (RULES[name].refusal(facts) for name in asked.rules)
    return next((sentence for sentence in broken if sentence), None) or _no_seat(asked, facts)


def fire(workflow: Workflow, state: str | None, trigger: str, facts: Facts) -> str:
    """Return the state that a trigger leads to.

    Raises Refused with the sentence of `refusal` (NoRole when the actor has no role of the act), also when a reason is
    asked for and blank (`field="reason"`). It changes nothing: the caller stores the state by compare-and-set.
    """
    record = _Record(_NOTHING if state is None else state)
    if not _moves(workflow, record, trigger, facts):
        raise _refused(workflow, state, trigger, facts)
    if "reason" in workflow.triggers[trigger].asks and not facts.reason.strip():
        raise Refused(Sentence("Hãy ghi lý do.", "Give the reason."), field="reason")
    return record.state


def seat_for(trigger: Trigger, facts: Facts) -> Seat | None:
    """Return the seat that the actor's signature fills: the first open one of a role that he or she holds."""
    return next((s for s in trigger.seats if s.name in facts.open_seats and s.role in facts.roles), None)


def acts(workflow: Workflow, state: str, facts: Facts) -> list[Act]:
    """Return what a person could press in a state, in file order, each with its refusal or None."""
    return [
        Act(
            trigger=t.name,
            label=t.label,
            refusal=refusal(workflow, state, t.name, facts),
            asks=(*t.asks, "password") if t.signs else t.asks,
            signs=t.signs,
            happens=t.happens,
            main=t is workflow.onward(state),
            mine=_has_role(t, facts),
        )
        for t in workflow.leaving(state)
        if not t.by_decision
    ]


def waiting_for(workflow: Workflow, state: str, facts: Facts) -> Sentence:
    """Return the sentence of who acts next in a state, naming the seats of the round that are still open."""
    seats = [seat for trigger in workflow.leaving(state) for seat in trigger.seats]
    still = [seat for seat in seats if seat.name in facts.open_seats] or seats
    return workflow.states[state].waiting.fill(seats=_listed([_lower(seat.label) for seat in still]))


class _Record:
    """Stands for the record inside the machine, so that no stored row is touched by it."""

    def __init__(self, state: str) -> None:
        self.state = state


def _moves(workflow: Workflow, record: _Record, trigger: str, facts: Facts) -> bool:
    if trigger not in workflow.triggers or record.state not in (_NOTHING, *workflow.states):
        return False
    try:
        return bool(_machine(workflow).events[trigger].trigger(record, facts))
    except MachineError:  # The machine's word for "not from this state".
        return False


@lru_cache(maxsize=64)
def _machine(workflow: Workflow) -> Machine:
    """Build the machine of a workflow version, once; it holds no record, so threads may share it."""
    machine = Machine(
        model=None, states=[_NOTHING, *workflow.states], initial=None, auto_transitions=False, send_event=False
    )
    for trigger in workflow.triggers.values():
        may: list[Any] = [partial(_has_role, trigger), *(RULES[name].test for name in trigger.rules)]
        if trigger.seats:
            may.append(partial(_has_seat, trigger))
        for source in trigger.sources or (_NOTHING,):
            machine.add_transition(
                trigger.name, source, trigger.target, conditions=[*may, partial(_ends_round, trigger)]
            )
            if trigger.seats:  # Seats remain open: signed, and the state stays.
                machine.add_transition(trigger.name, source, source, conditions=may)
    return machine


def _has_role(trigger: Trigger, facts: Facts) -> bool:
    return not facts.roles.isdisjoint(trigger.roles)


def _has_seat(trigger: Trigger, facts: Facts) -> bool:
    return seat_for(trigger, facts) is not None


def _ends_round(trigger: Trigger, facts: Facts) -> bool:
    return sum(seat.name in facts.open_seats for seat in trigger.seats) <= 1


def _no_seat(trigger: Trigger, facts: Facts) -> Sentence | None:
    if not trigger.seats or seat_for(trigger, facts):
        return None
    still = [_lower(seat.label) for seat in trigger.seats if seat.name in facts.open_seats]
    return Sentence(
        "Phần xem xét của bạn đã được ký trong lượt này; còn chờ: {still}.",
        "Your part of the review is already signed in this round; still open: {still}.",
    ).fill(still=_listed(still))


def _refused(workflow: Workflow, state: str | None, trigger: str, facts: Facts) -> Refused:
    sentence = refusal(workflow, state, trigger, facts)
    if sentence is None:
        raise RuntimeError(f"{workflow.name}: {trigger} from {state} is refused by the machine and by no rule")
    asked = workflow.triggers.get(trigger)
    if asked and asked in workflow.leaving(state) and not _has_role(asked, facts):
        return NoRole(sentence)
    return Refused(sentence)


def _wrong_state(workflow: Workflow, state: str | None, asked: Trigger) -> Sentence:
    here = workflow.states[state].label if state else Sentence("Chưa có", "Not yet there")
    possible = [trigger.label for trigger in workflow.leaving(state)]
    if not possible:
        return Sentence(
            "Không thể “{label}” ở trạng thái “{state}”; đây là trạng thái kết thúc.",
            "“{label}” is not possible in the state “{state}”, which is final.",
        ).fill(label=asked.label, state=here)
    return Sentence(
        "Không thể “{label}” ở trạng thái “{state}”; lúc này chỉ có thể: {possible}.",
        "“{label}” is not possible in the state “{state}”; possible now: {possible}.",
    ).fill(label=asked.label, state=here, possible=_listed(possible))


def _listed(labels: Iterable[Sentence]) -> Sentence:
    labels = list(labels)
    return Sentence(", ".join(label.vi for label in labels) or "–", ", ".join(label.en for label in labels) or "–")


def _either(labels: list[Sentence], word: Sentence) -> Sentence:
    return Sentence(
        _joined([label.vi for label in labels], f" {word.vi} "), _joined([label.en for label in labels], f" {word.en} ")
    )


def _joined(words: list[str], last: str) -> str:
    return last.join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _lower(label: Sentence) -> Sentence:
    """Return a label as it stands inside a sentence; an abbreviation such as ISO keeps its capitals."""
    return Sentence(_lower_first(label.vi), _lower_first(label.en))


def _lower_first(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
