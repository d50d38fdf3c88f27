"""Units are renamed, merged and split: everything open goes on in the successors, and old names stay on old records."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from docctl import authority, clock, documents, people, procedures, reorganising, units
from docctl.cli import main
from docctl.database import Base
from docctl.distribution import lists
from docctl.documents import Document
from docctl.requests import ChangeRequest
from docctl.rules import NoRole, Refused
from docctl.site import Site
from docctl.units import Unit
from docctl.verify import verify
from tests.conftest import Cast, Made, decide, take
from tests.nouns.test_requests import ROW, asked
from tests.nouns.test_requests import take as judge

Make = Callable[..., Made]

# Every column that names a unit: what goes on in the successor (the condition says which rows), ...
GOES_ON = {
    "document.unit_id": "1 = 1",
    "change_request.unit_id": "state = 'draft'",
    "role_grant.unit_id": "1 = 1",
    "account.unit_id": "1 = 1",
    "unit.parent_id": "valid_to IS NULL",
    "delegation.unit_id": "ended_on IS NULL",
    "controlled_copy.unit_id": "state IN ('prepared', 'delivered', 'received', 'return_requested')",
    "distribution_entry.unit_id": "removed_at IS NULL",
    "procedure.unit_id": "1 = 1",
}
# ... and what says where something was once.
HISTORY = {
    "change_request.requester_unit_id",
    "nonconformity.unit_id",  # Whose finding it was; the head of the successor reaches it still.
    "unit.successor_id",
    "unit_succession.successor_id",
    "unit_succession.unit_id",
}


def naming_a_unit() -> set[str]:
    assert main.commands, "the command line imports every noun, and so knows every table"
    return {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "unit" for key in column.foreign_keys)
    }


def hangs_on(site: Site, code: str) -> dict[str, int]:
    """Count, by SQL alone, every row that goes on somewhere and still names a unit."""
    found = {}
    with site.database.reading() as session:
        number = session.execute(text("SELECT id FROM unit WHERE code = :c"), {"c": code}).scalar_one()
        for place, condition in GOES_ON.items():
            table, column = place.split(".")
            query = f"SELECT count(*) FROM {table} WHERE {column} = :id AND ({condition})"
            if count := session.execute(text(query), {"id": number}).scalar_one():
                found[place] = count
    return found


def merge(site: Site, cast: Cast, *codes: str, into: str, by: str = "admin") -> dict[str, int]:
    with site.database.writing() as session:
        found = [units.find(session, code) for code in codes]
        return reorganising.merge(session, found, units.find(session, into), by=cast.reader(session, by)).counts


def add(site: Site, cast: Cast, code: str, name: str, parent: str = "") -> None:
    with site.database.writing() as session:
        above = units.find(session, parent) if parent else None
        reorganising.add(session, by=cast.reader(session, "admin"), code=code, name_vi=name, parent=above)


def test_every_column_that_names_a_unit_is_known_as_going_on_or_as_history() -> None:
    assert naming_a_unit() == GOES_ON.keys() | HISTORY


def test_nothing_that_goes_on_is_left_behind_in_a_unit_that_was_merged(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = [make_revision(state, title=f"Quy trình {state}") for state in ("draft", "in_review", "in_force")]
    add(site, cast, "TP-HT", "Tổ Hộ tịch", parent="TP")
    with site.database.writing() as session:
        controller, unit = cast.reader(session, "controller"), units.find(session, "TP")
        document_type = documents.find_type(session, "QT")
        lists.add(session, by=controller, target="unit", type=document_type, unit=unit, medium="paper", copies=3)
        procedures.add(session, procedures.Entry(code="1.011442", title="Khai sinh", unit=unit), by=controller)
    make_revision("in_force", title="Quy trình phân phối")
    with site.database.writing() as session:
        asked(session, cast, document=session.get_one(Document, made[2].document_id))
        authority.delegate(
            session,
            by=cast.reader(session, "controller"),
            giver=people.find(session, "approver"),
            deputy=people.find(session, "staff"),
            form="KT.",
            document_number="7/QĐ-UBND",
            document_date=clock.today(),
            valid_from=clock.today(),
            valid_to=clock.today() + timedelta(days=9),
            unit=units.find(session, "TP"),
        )
    before = hangs_on(site, "TP")
    assert before.keys() == GOES_ON.keys()
    moved = merge(site, cast, "TP", into="NV")
    assert hangs_on(site, "TP") == {}
    assert moved == {
        "documents": 4,
        "requests": 1,
        "roles": 2,
        "accounts": 2,
        "units": 1,
        "copies": 3,
        "listings": 1,
        "procedures": 1,
        "delegations": 1,
    }
    with site.database.reading() as session:
        ended = units.find(session, "TP")
        assert ended.valid_to == clock.today()
        assert [row.code for row in reorganising.successors(session, ended)] == ["NV"]
    assert verify(site).problems == []


def test_what_was_on_its_way_goes_on_in_the_successor_by_the_same_people(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("draft")
    merge(site, cast, "TP", into="NV")
    for trigger in ("submit", "endorse", "endorse", "approve"):
        take(site, cast, made.id, trigger)
    decide(site, cast, issue=[made.id], on=clock.today())
    assert verify(site).problems == []


def test_a_request_that_was_signed_keeps_the_old_unit_and_can_be_finished(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        request = asked(session, cast, document=session.get_one(Document, made.document_id), changes=[ROW])
        judge(session, cast, request, "submit", "staff")
        number = request.id
    merge(site, cast, "TP", into="NV")
    with site.database.writing() as session:
        request = session.get_one(ChangeRequest, number)
        assert request.unit.code == "TP"
        for trigger, who in (("opine", "reviewer"), ("opine", "format-reviewer"), ("accept", "approver")):
            judge(session, cast, request, trigger, who)
        assert request.revision is not None
        assert request.revision.document.unit.code == "NV"
    assert verify(site).problems == []


def test_codes_that_clash_after_a_merger_are_shown_to_a_person_and_never_dropped(
    site: Site, cast: Cast, make_document: Callable[..., int]
) -> None:
    first, second = make_document(code="QT 01"), make_document(by="neighbour", code="QT 01", title="Quy trình khác")
    merge(site, cast, "TP", into="NV")
    with site.database.reading() as session:
        clash = {row.id: row.code_clash for row in session.query(Document)}
        assert clash == {first: True, second: False}
    assert verify(site).problems == []


def test_a_role_held_in_both_units_is_held_once_and_as_long_as_the_longer(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        author = people.find(session, "author")
        people.grant(session, author, "author", unit=units.find(session, "NV"), valid_to=clock.today())
    merge(site, cast, "TP", into="NV")
    with site.database.reading() as session:
        held = [(row.role, row.unit_id, row.valid_to) for row in people.find(session, "author").grants if row.unit_id]
        live = [row for row in held if row[1] == units.find(session, "NV").id]
        assert live == [("author", units.find(session, "NV").id, None)]


def test_a_unit_is_split_by_field_and_its_roles_hold_in_each_part(
    site: Site, cast: Cast, make_document: Callable[..., int]
) -> None:
    civil = make_document("Khai sinh", field="Hộ tịch")
    notary = make_document("Chứng thực", field="Chứng thực")
    bare = make_document("Chung")
    add(site, cast, "HT", "Phòng Hộ tịch")
    add(site, cast, "CT", "Phòng Chứng thực")
    with site.database.writing() as session:
        parts = [units.find(session, code) for code in ("HT", "CT")]
        reorganising.split(
            session,
            units.find(session, "TP"),
            parts,
            by=cast.reader(session, "admin"),
            fields={"Chứng thực": parts[1]},
        )
    with site.database.reading() as session:
        where = {row.id: row.unit.code for row in session.query(Document)}
        assert where == {civil: "HT", notary: "CT", bare: "HT"}
        author = cast.reader(session, "author")
        assert all("author" in author.roles_in(units.find(session, code).id) for code in ("HT", "CT"))
        assert people.find(session, "author").unit.code == "HT"
        assert [row.code for row in reorganising.successors(session, units.find(session, "TP"))] == ["HT", "CT"]
    assert hangs_on(site, "TP") == {}
    assert verify(site).problems == []


def test_old_names_stay_on_old_records(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("in_force", on=clock.today())
    then = clock.now()
    with site.database.writing() as session:
        reorganising.rename(
            session, units.find(session, "TP"), by=cast.reader(session, "admin"), name_vi="Phòng Tư pháp và Hộ tịch"
        )
    between = clock.now()
    merge(site, cast, "TP", into="NV")
    with site.database.reading() as session:
        document = session.get_one(Document, made.document_id)
        told = [reorganising.unit_then(session, document, at, "vi") for at in (then, between, clock.now())]
    assert told == ["Phòng Tư pháp", "Phòng Tư pháp và Hộ tịch", "Phòng Nội vụ"]
    assert verify(site).problems == []


@pytest.mark.parametrize(
    ("ending", "into", "says"),
    [
        (["UBND"], "NV", "neither merged nor split"),
        (["TP"], "TP", "must not be TP itself"),
        (["TP"], "TP-HT", "must not be TP itself or lie below it"),
        (["CU"], "NV", "ended on"),
        (["NV"], "CU", "ended on"),
        ([], "NV", "Choose the units"),
    ],
)
def test_a_merger_that_makes_no_sense_is_refused(
    site: Site, cast: Cast, ending: list[str], into: str, says: str
) -> None:
    add(site, cast, "TP-HT", "Tổ Hộ tịch", parent="TP")
    add(site, cast, "CU", "Phòng cũ")
    merge(site, cast, "CU", into="TP")
    with pytest.raises(Refused) as refused:
        merge(site, cast, *ending, into=into)
    assert says in refused.value.sentence.en


def test_nobody_but_an_administrator_changes_units(site: Site, cast: Cast) -> None:
    for name in ("controller", "approver", "author"):
        with pytest.raises(NoRole):
            merge(site, cast, "TP", into="NV", by=name)


def test_an_ended_unit_takes_no_new_document(site: Site, cast: Cast) -> None:
    merge(site, cast, "TP", into="NV")
    with site.database.writing() as session, pytest.raises(Refused):
        documents.add(
            session,
            by=cast.reader(session, "author"),
            title="Quy trình mới",
            type=documents.find_type(session, "QT"),
            unit=units.find(session, "TP"),
        )


def test_the_database_keeps_ended_units_as_they_are(site: Site, cast: Cast) -> None:
    merge(site, cast, "TP", into="NV")
    for statement in (
        "DELETE FROM unit WHERE code = 'TP'",
        "UPDATE unit SET valid_to = NULL WHERE code = 'TP'",
        "UPDATE unit SET name_vi = 'Khác' WHERE code = 'TP'",
        "UPDATE unit SET code = 'XX' WHERE code = 'NV'",
        "DELETE FROM unit_succession",
    ):
        with pytest.raises(IntegrityError), site.database.writing() as session:
            session.execute(text(statement))


def test_verify_finds_a_unit_that_was_changed_behind_the_trail(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        unit = units.find(session, "TP")
        reorganising.rename(session, unit, by=cast.reader(session, "admin"), name_vi="Phòng Tư pháp mới")
        unit.name_vi = "Tên lạ"
        session.get_one(Unit, units.find(session, "NV").id).valid_to = clock.today()
    found = [(row.record, row.detail.split(":")[0]) for row in verify(site).problems]
    assert found == [("unit TP", "name_vi"), ("unit NV", "valid_to")]
