"""In force on a day, in the office's own time zone, and as it was known on another day."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from docctl import clock, documents, revisions, units
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.site import Site
from tests.conftest import Cast, Made, decide, keep, take

Make = Callable[..., Made]
FIRST, SECOND, GONE = date(2024, 2, 29), date(2024, 12, 31), date(2025, 7, 1)


@pytest.fixture
def zone() -> Iterator[None]:
    """Give the office's time zone back, whichever a test chose."""
    yield
    clock.use_zone("Asia/Ho_Chi_Minh")


def approved(site: Site, cast: Cast, document_id: int) -> int:
    with site.database.writing() as session:
        document = session.get_one(Document, document_id)
        row = revisions.draft(
            session,
            document,
            by=cast.reader(session, "author"),
            content=keep(site, session, f"Lần {revisions.next_edition(session, document)}"),
            file_name="a.txt",
            changes=[revisions.Change("1", "a", "b")],
        ).id
    for trigger in ("submit", "endorse", "endorse", "approve"):
        take(site, cast, row, trigger)
    return row


@pytest.fixture
def life(site: Site, cast: Cast, make_document: Callable[..., int]) -> tuple[int, int, int]:
    """A document with two editions that was withdrawn: its id and those of its revisions."""
    document = make_document("Đăng ký khai sinh")
    with clock.at(datetime(2024, 2, 1, tzinfo=UTC)):
        first = approved(site, cast, document)
        decide(site, cast, issue=[first], on=FIRST)
    with clock.at(datetime(2024, 12, 1, tzinfo=UTC)):
        second = approved(site, cast, document)
        decide(site, cast, issue=[second], on=SECOND)
    with clock.at(datetime(2025, 6, 1, tzinfo=UTC)):
        decide(site, cast, withdraw=[document], on=GONE)
    return document, first, second


def standing(site: Site, at: datetime, known_at: datetime | None = None) -> list[int]:
    with site.database.reading() as session:
        return [row.revision.id for row in revisions.standing(session, on=at, known_at=known_at)]


def test_the_right_edition_stands_the_day_before_the_day_of_and_the_day_after_each_date(
    site: Site, life: tuple[int, int, int]
) -> None:
    _, first, second = life
    wanted = {FIRST: ([], [first]), SECOND: ([first], [second]), GONE: ([second], [])}
    for day, (before, after) in wanted.items():
        assert standing(site, clock.midnight(day - timedelta(days=1))) == before
        assert standing(site, clock.midnight(day) - timedelta(microseconds=1)) == before
        assert standing(site, clock.midnight(day)) == after
        assert standing(site, clock.midnight(day + timedelta(days=1))) == after


def test_a_day_begins_at_midnight_of_the_office_and_not_of_greenwich(site: Site, life: tuple[int, int, int]) -> None:
    _, first, second = life
    assert standing(site, datetime(2024, 12, 30, 16, 59, 59, tzinfo=UTC)) == [first]
    assert standing(site, datetime(2024, 12, 30, 17, 0, tzinfo=UTC)) == [second]


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("zone_name", "begins"),
    [
        ("Asia/Ho_Chi_Minh", datetime(2022, 10, 25, 17, tzinfo=UTC)),
        ("Europe/Paris", datetime(2022, 10, 25, 22, tzinfo=UTC)),
        ("America/New_York", datetime(2022, 10, 26, 4, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2022, 10, 25, 10, tzinfo=UTC)),
    ],
)
def test_the_zone_is_the_offices_setting(
    site: Site, cast: Cast, make_revision: Make, zone_name: str, begins: datetime
) -> None:
    made = make_revision("approved")
    clock.use_zone(zone_name)
    decide(site, cast, issue=[made.id], on=date(2022, 10, 26))
    assert standing(site, begins) == [made.id]
    assert standing(site, begins - timedelta(seconds=1)) == []


def test_a_scheduled_revision_takes_effect_without_anybody_doing_anything(site: Site, make_revision: Make) -> None:
    made = make_revision("scheduled")
    begins = clock.midnight(clock.today() + timedelta(days=30))
    with site.database.reading() as session:
        row = session.get_one(Revision, made.id)
        assert row.status() == "scheduled"
        with clock.at(begins - timedelta(seconds=1)):
            assert (row.status(), revisions.in_force(session)) == ("scheduled", [])
        with clock.at(begins):
            assert (row.status(), revisions.in_force(session)) == ("in_force", [row])


def test_while_the_next_edition_is_scheduled_the_present_one_stays_in_force(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    first = make_revision("in_force")
    second = make_revision("approved", document_id=first.document_id, text="Lần hai")
    day = clock.today() + timedelta(days=7)
    decide(site, cast, issue=[second.id], on=day)
    assert standing(site, clock.now()) == [first.id]
    assert standing(site, clock.midnight(day)) == [second.id]


def test_what_was_recorded_later_does_not_change_what_was_known_earlier(site: Site, life: tuple[int, int, int]) -> None:
    _, first, second = life
    in_august = clock.midnight(date(2025, 8, 1))
    known = {
        datetime(2024, 1, 1, tzinfo=UTC): [],
        datetime(2024, 3, 1, tzinfo=UTC): [first],
        datetime(2025, 1, 1, tzinfo=UTC): [second],
        datetime(2025, 6, 2, tzinfo=UTC): [],
    }
    for known_at, wanted in known.items():
        assert standing(site, in_august, known_at) == wanted, known_at


def test_a_retroactive_decision_shows_only_to_who_asks_with_later_knowledge(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("approved")
    day = clock.today() - timedelta(days=20)
    before = clock.now()
    decide(site, cast, issue=[made.id], on=day)
    assert standing(site, clock.midnight(day), known_at=before) == []
    assert standing(site, clock.midnight(day), known_at=clock.now()) == [made.id]


def test_the_answer_as_known_now_equals_the_answer_from_the_rows(site: Site, make_revision: Make) -> None:
    for number, state in enumerate(("in_force", "superseded", "withdrawn", "scheduled", "approved")):
        make_revision(state, title=f"Quy trình {number}")
    for away in (-40, -30, -29, -15, -10, 0, 29, 30, 31):
        at = clock.midnight(clock.today() + timedelta(days=away))
        assert standing(site, at) == standing(site, at, known_at=clock.now()), away


def test_one_document_is_asked_about_alone(site: Site, make_revision: Make) -> None:
    one, _ = make_revision("in_force"), make_revision("in_force", title="Khác")
    with site.database.reading() as session:
        document = session.get_one(Document, one.document_id)
        assert [row.id for row in revisions.in_force(session, document=document)] == [one.id]
        assert [row.revision.id for row in revisions.standing(session, on=clock.now(), document=document)] == [one.id]


def test_an_imported_edition_stands_since_its_date_under_the_decision_that_it_names(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        document = documents.add(
            session, by=by, title="Có sẵn", type=documents.find_type(session, "QT"), unit=units.find(session, "TP")
        )
        revisions.import_in_force(
            session,
            document,
            by=by,
            edition=3,
            amendment=0,
            title=document.title,
            content=keep(site, session, "cũ"),
            file_name="cu.doc",
            source="cu.doc",
            effective_from=clock.midnight(date(2020, 9, 8)),
            decision="2115/QĐ-UBND",
        )
    assert standing(site, clock.midnight(date(2020, 9, 7))) == []
    with site.database.reading() as session:
        (found,) = revisions.standing(session, on=clock.midnight(date(2020, 9, 8)))
        assert (found.decision, found.revision.origin) == ("2115/QĐ-UBND", "import")


def test_a_third_edition_ends_the_second_and_leaves_the_first_as_it_ended(
    site: Site, cast: Cast, make_document: Callable[..., int]
) -> None:
    document = make_document("Đăng ký khai sinh")
    days = [clock.today() - timedelta(days=away) for away in (30, 20, 10)]
    rows = []
    for day in days:
        rows.append(approved(site, cast, document))
        decide(site, cast, issue=[rows[-1]], on=day)
    assert [standing(site, clock.midnight(day)) for day in days] == [[row] for row in rows]
    assert standing(site, clock.midnight(days[1]) - timedelta(seconds=1)) == [rows[0]]
