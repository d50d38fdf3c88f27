"""What a workflow file says, once read: states, triggers, seats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from docctl.rules import Sentence


@dataclass(frozen=True)
class State:
    """A state: a human decision that holds until the next one."""

    name: str
    label: Sentence
    waiting: Sentence  # Who or what acts next; `{seats}` stands for the seats of the round still open.
    initial: bool = False
    final: bool = False


@dataclass(frozen=True)
class Seat:
    """A place in a round that one person of one role signs; the round is over when every seat is signed."""

    name: str
    role: str
    label: Sentence


@dataclass(frozen=True)
class Trigger:
    """An act that moves a record: from where, to where, who may, under which rules, and what exactly will happen."""

    name: str
    label: Sentence
    sources: tuple[str, ...]  # Empty: the act that brings the record into being.
    target: str  # Reached when every seat is signed; without seats, at once.
    roles: tuple[str, ...]  # Any one of them is enough; of a trigger with seats, the roles of its seats.
    happens: Sentence
    rules: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    signs: str | None = None  # The meaning of the signature, a key of MEANINGS.
    seats: tuple[Seat, ...] = ()
    by_decision: bool = False  # Fired by executing a decision, never by a button.


@dataclass(frozen=True)
class Workflow:
    """One version of one workflow file."""

    name: str
    version: int
    label: Sentence
    states: Mapping[str, State] = field(hash=False)  # In file order.
    triggers: Mapping[str, Trigger] = field(hash=False)  # In file order.
    sha256: str  # Of the file's bytes, in hexadecimal.
    source: str  # The file's text, kept with the version so that a record finishes under it.
    path: Path

    @property
    def initial(self) -> str:
        """Name of the state in which a record begins, the only one in which its content is open to change."""
        return next(state.name for state in self.states.values() if state.initial)

    def leaving(self, state: str | None) -> tuple[Trigger, ...]:
        """Return the triggers that start in a state, in file order; of None, those that begin a record."""
        return tuple(t for t in self.triggers.values() if (state in t.sources if state else not t.sources))

    def onward(self, state: str) -> Trigger | None:
        """Return the trigger of the main path: the first in the file that leaves the state."""
        return next(iter(self.leaving(state)), None)

    def main_path(self) -> tuple[str, ...]:
        """Return the states from the initial one onward, as far as the main path leads without returning."""
        path = [self.initial]
        while (step := self.onward(path[-1])) and step.target not in path:
            path.append(step.target)
        return tuple(path)
