"""In force on a date, as known on another: the answers equal those of a small model that shares no code with docctl."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from docctl import clock, decisions, documents, histories, intervals, revisions, units
from docctl.documents import Document
from docctl.histories import Told
from docctl.rules import Refused
from docctl.site import Site
from tests.conftest import Cast, keep

DAY_ONE = date(2020, 1, 1)
ASKED = range(0, 44, 3)
OFFICE_DAY = timedelta(hours=7)  # Ho Chi Minh City is seven hours ahead, all the year.


@dataclass
class Model:
    """What a clerk with a pencil would know: marks on a calendar, and a photograph of the calendar after every act."""

    marks: list[tuple[int, str | None]] = field(default_factory=list)
    photographs: list[tuple[datetime, list[tuple[int, str | None]]]] = field(default_factory=list)

    def begins(self, day: int, edition: str, at: datetime) -> None:
        """An edition begins on a day; whatever stood there ends."""
        self._mark(day, edition, at)

    def issued(self, day: int, edition: str, at: datetime) -> None:
        """A decision puts an edition in force from a day on, without an end."""
        self.marks = [mark for mark in self.marks if mark[0] < day]
        self._mark(day, edition, at)

    def ends(self, day: int, at: datetime) -> None:
        """A line of a history says that on this day nothing was in force any more."""
        self._mark(day, None, at)

    def cancelled(self, day: int, at: datetime) -> None:
        """A decision ends everything from a day on, what was still to come too."""
        self.marks = [mark for mark in self.marks if mark[0] < day]
        self._mark(day, None, at)

    def answer(self, day: int, known_at: datetime) -> str | None:
        """Say which edition was in force on a day, from the last photograph taken until then."""
        seen = [marks for at, marks in self.photographs if at <= known_at]
        told = [edition for marked, edition in (seen[-1] if seen else []) if marked <= day]
        return told[-1] if told else None

    def _mark(self, day: int, edition: str | None, at: datetime) -> None:
        before = [mark for mark in self.marks if mark[0] <= day]
        self.marks = [*before, (day, edition), *[mark for mark in self.marks if mark[0] > day]]
        self.photographs.append((at, list(self.marks)))


# A line of a history (an edition, an end) corrects the past; a decision acts, backwards too.
ACTS = st.lists(
    st.tuples(st.sampled_from(["line", "line", "end", "issue", "issue", "withdraw"]), st.integers(0, 40)),
    min_size=1,
    max_size=6,
)


PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # Each example is an office at work: shrinking takes long.


class Office:
    """The office of the examples: one document an example, and acts an hour apart on a stopped clock."""

    def __init__(self, site: Site, cast: Cast) -> None:
        self.site, self.cast = site, cast
        self.numbers, self.hours = count(1), count(1)

    def go_through(self, acts: list[tuple[str, int]]) -> None:
        """Do the acts through the verbs and in the model, then ask both about every pair of dates."""
        model, times, name = Model(), [datetime(2021, 1, 1, tzinfo=UTC)], f"D{next(self.numbers):05}"
        document = self._document(name)
        for act, day in acts:
            at = datetime(2021, 1, 1, tzinfo=UTC) + timedelta(hours=next(self.hours))
            edition = f"{name}-{next(self.numbers)}"
            with clock.at(at):
                done = self._do(act, day, document, name, edition)
            if done:
                tell = {"end": model.ends, "withdraw": model.cancelled}.get(act)
                begin = model.issued if act == "issue" else model.begins
                tell(day, at) if tell else begin(day, edition, at)
                times.append(at)
        self._compare(model, document, times)

    def _compare(self, model: Model, document: int, times: list[datetime]) -> None:
        asked = [moment + away for moment in times for away in (timedelta(0), -timedelta(minutes=1))]
        with self.site.database.reading() as session:
            for known_at in asked:
                for day in ASKED:
                    found = intervals.in_force(session, instant(day), known_at, document_id=document)
                    assert [row.title for row in found] == [row for row in [model.answer(day, known_at)] if row]
            for day in ASKED:
                now = intervals.in_force(session, instant(day), document_id=document)
                assert [row.title for row in now] == [row for row in [model.answer(day, times[-1])] if row]

    def _document(self, name: str) -> int:
        with clock.at(datetime(2020, 12, 31, tzinfo=UTC)), self.site.database.writing() as session:
            by = self.cast.reader(session, "controller")
            line = self._line(name, 0, "created", name, session)
            line.kinds = ["renamed"]
            type, unit = documents.find_type(session, "QT"), units.find(session, "TP")
            return histories.take(session, "mẫu", [line], by=by, type=type, unit=unit)[0].id

    def _do(self, act: str, day: int, document: int, name: str, edition: str) -> bool:
        try:
            with self.site.database.writing() as session:
                if act in ("line", "end"):
                    return self._correct(session, act, day, name, edition)
                self._decide(session, act, day, document, edition)
            return True
        except Refused:
            return False

    def _correct(self, session, act: str, day: int, name: str, edition: str) -> bool:  # type: ignore[no-untyped-def]
        by = self.cast.reader(session, "controller")
        line = self._line(name, day, "withdrawn" if act == "end" else "revised", edition, session)
        type, unit = documents.find_type(session, "QT"), units.find(session, "TP")
        _, refused = histories.take(session, "mẫu", [line], by=by, type=type, unit=unit)
        return not refused

    def _line(self, name: str, day: int, kind: str, edition: str, session) -> Told:  # type: ignore[no-untyped-def]
        number = next(self.numbers)
        given = {"doc": name, "n": number}
        content = keep(self.site, session, "một nội dung cho tất cả")
        return Told(name, [kind], instant(day), "A", "s", edition, "p", number, given, content, "a.txt")

    def _decide(self, session, act: str, day: int, document: int, edition: str) -> None:  # type: ignore[no-untyped-def]
        cast = self.cast
        row = session.get_one(Document, document)
        if act == "issue":
            draft = revisions.draft(
                session,
                row,
                by=cast.reader(session, "author"),
                edition=next(self.numbers),
                title=edition,
                content=keep(self.site, session, "một nội dung cho tất cả"),
                file_name="a.txt",
                changes=[revisions.Change("1", "a", "b")],
            )
            revisions.submit(session, draft, by=cast.reader(session, "author"))
            for name in ("reviewer", "format-reviewer"):
                revisions.endorse(session, draft, by=cast.reader(session, name), signing=cast.signing(session, name))
            revisions.approve(
                session, draft, by=cast.reader(session, "approver"), signing=cast.signing(session, "approver")
            )
            lines = [decisions.Line("issue", revision=draft)]
        else:
            lines = [decisions.Line("withdraw", document=row, reason="Thủ tục đã bãi bỏ.")]
        on = DAY_ONE + timedelta(days=day)
        decision = decisions.draft(
            session,
            by=cast.reader(session, "controller"),
            title="Q",
            effective_from=on,
            number=f"{next(self.numbers)}/QĐ",
            signed_on=on,
            lines=lines,
        )
        decisions.check(session, decision, by=cast.reader(session, "controller"))
        decisions.sign(
            session, decision, by=cast.reader(session, "approver"), signing=cast.signing(session, "approver")
        )
        decisions.execute(session, decision, by=cast.reader(session, "controller"))


def instant(day: int) -> datetime:
    """Return 00:00 of a day in the office's zone, without asking docctl."""
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=day) - OFFICE_DAY


def interleavings(number: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the decorator that draws so many interleavings of decisions and corrections."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        drawn = settings(
            max_examples=number, deadline=None, suppress_health_check=checks, phases=PHASES, derandomize=number < 100
        )
        return drawn(given(acts=ACTS)(test))

    return decorate


@pytest.fixture
def busy(site: Site, cast: Cast) -> Office:
    """An office in which every example of a test acts on a document of its own."""
    return Office(site, cast)


@interleavings(12)
def test_a_few_interleavings_of_decisions_and_corrections_answer_as_the_model(
    busy: Office, acts: list[tuple[str, int]]
) -> None:
    busy.go_through(acts)


@pytest.mark.large
@pytest.mark.timeout(900)
@interleavings(500)
def test_500_interleavings_of_decisions_and_corrections_answer_as_the_model(
    busy: Office, acts: list[tuple[str, int]]
) -> None:
    busy.go_through(acts)


def test_the_model_sees_an_answer_that_later_knowledge_has_rewritten() -> None:
    model, early = Model(), datetime(2021, 1, 1, tzinfo=UTC)
    model.begins(10, "một", early)
    model.begins(5, "sửa lại", early + timedelta(hours=1))
    assert (model.answer(7, early), model.answer(7, early + timedelta(hours=2))) == (None, "sửa lại")
