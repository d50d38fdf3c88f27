"""Whole histories come in as they were: identity, dates and files are kept, oddities are flagged, nothing is dressed up."""

import csv
import hashlib
import io
import json
import tarfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from docctl import clock, contents, histories, revisions
from docctl.audit import Action, AuditEntry
from docctl.documents import Document
from docctl.histories import HistoryEvent
from docctl.importing.history import Plan, Result, import_history
from docctl.revisions import Revision
from docctl.search import finding, following
from docctl.site import Site
from docctl.verify import verify
from tests.conftest import Cast, Made, decide


class History:
    """A folder with a history and its files, to which lines are added one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[dict[str, Any]] = []
        (folder / "files").mkdir(parents=True)

    def add(self, kind: str, at: str, *, rev: int, text: str = "", doc: str = "D0001", **given: Any) -> None:
        line = {"doc": doc, "name": "sổ tay", "kind": kind, "effective_utc": at, "author": "Người soạn A"}
        line |= {"subject": f"Sửa lần {rev}", "path": "qms/so-tay.md", "rev": rev}
        if text:
            name = f"files/{doc}-{rev}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.md"
            (self.folder / name).write_text(text, encoding="utf-8")
            line |= {"file": name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "size": len(text.encode())}
        self.lines.append(line | given)

    def write(self) -> Path:
        path = self.folder / "history.jsonl"
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines), encoding="utf-8")
        return path

    def take(self, site: Site, **given: Any) -> Result:
        return import_history(site, self.write(), self.folder, Plan("mẫu", **given), locale="en")


@pytest.fixture
def history(tmp_path: Path) -> History:
    """An empty history."""
    return History(tmp_path / "history")


def standing(site: Site, at: str, known_at: str = "") -> list[str]:
    """Return the texts of what is in force at an instant."""
    with site.database.reading() as session:
        on = datetime.fromisoformat(at)
        known = datetime.fromisoformat(known_at) if known_at else None
        found = revisions.standing(session, on=on, known_at=known)
        return [site.store.path(row.revision.file_sha256 or "").read_text(encoding="utf-8") for row in found]


def test_a_document_stays_the_same_through_a_rename_a_withdrawal_and_a_reinstatement(
    site: Site, history: History
) -> None:
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    history.add("renamed", "2021-02-01T02:00:00Z", rev=1, name="sổ tay mới", path="qms/so-tay-moi.md")
    history.add("renamed+revised", "2021-03-01T02:00:00Z", rev=2, text="hai", name="sổ tay chất lượng")
    history.add("withdrawn", "2021-04-01T02:00:00Z", rev=2, name="sổ tay chất lượng")
    history.add("reinstated", "2021-05-01T02:00:00Z", rev=2, name="sổ tay chất lượng")
    history.add("revised", "2021-06-01T02:00:00Z", rev=3, text="ba", name="sổ tay chất lượng")
    found = history.take(site)
    assert (found.created, found.revised, found.renamed, found.withdrawn, found.reinstated) == (1, 2, 1, 1, 1)
    assert found.totals == {"documents": 1, "revisions": 4, "renames": 2, "withdrawals": 1}
    wanted = {"2020-12-31": [], "2021-01-02": ["một"], "2021-03-02": ["hai"], "2021-04-02": [], "2021-05-02": ["hai"]}
    for day, texts in {**wanted, "2021-06-02": ["ba"]}.items():
        assert standing(site, f"{day}T00:00:00Z") == texts, day
    with site.database.reading() as session:
        (document,) = session.scalars(select(Document))
        assert (document.code, document.title, document.field) == ("D0001", "sổ tay chất lượng", "mẫu")
        assert [row.name for row in histories.of_document(session, document)][:2] == ["sổ tay", "sổ tay mới"]
    assert verify(site).problems == []


def test_editions_of_one_day_each_have_their_own_instant(site: Site, history: History) -> None:
    for hour, text in ((2, "sáng"), (5, "trưa"), (9, "chiều")):
        history.add("created" if hour == 2 else "revised", f"2021-01-01T{hour:02}:00:00Z", rev=hour, text=text)
    assert history.take(site).needs_a_person == []
    for at, text in (("02:00:00", "sáng"), ("04:59:59", "sáng"), ("05:00:00", "trưa"), ("09:00:00", "chiều")):
        assert standing(site, f"2021-01-01T{at}Z") == [text]


def test_dates_out_of_order_are_flagged_and_not_dropped(site: Site, history: History) -> None:
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    history.add("revised", "2021-06-01T02:00:00Z", rev=2, text="hai")
    history.add("revised", "2021-03-01T02:00:00Z", rev=3, text="ba")
    history.add("revised", "2021-06-01T02:00:00Z", rev=4, text="bốn")
    found = history.take(site)
    assert [row["source"] for row in found.needs_a_person] == [
        "D0001 revised 2021-03-01T02:00:00Z",
        "D0001 revised 2021-06-01T02:00:00Z",
    ]
    assert "before that of the line above" in found.needs_a_person[0]["reason"]
    assert found.created + found.revised + len(found.needs_a_person) == found.read == 4
    assert (standing(site, "2021-04-01T00:00:00Z"), standing(site, "2021-07-01T00:00:00Z")) == (["ba"], ["bốn"])
    assert verify(site).problems == []


def test_oddities_are_said_and_kept(site: Site, history: History) -> None:
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    history.add("withdrawn", "2021-02-01T02:00:00Z", rev=1)
    history.add("withdrawn", "2021-03-01T02:00:00Z", rev=1)
    history.add("revised", "2021-04-01T02:00:00Z", rev=2, text="hai")
    reasons = [row["reason"] for row in history.take(site).needs_a_person]
    assert ["nothing was in force" in reasons[0], "no line reinstates it" in reasons[1]] == [True, True]
    assert standing(site, "2021-05-01T00:00:00Z") == ["hai"]


def test_a_second_run_imports_nothing_and_a_longer_history_goes_on(site: Site, history: History) -> None:
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    history.take(site)
    head = verify(site).head
    again = history.take(site)
    assert (again.unchanged, again.created, again.stored, verify(site).head) == (1, 0, [], head)
    history.add("revised", "2021-03-01T02:00:00Z", rev=2, text="hai")
    history.add("withdrawn", "2021-04-01T02:00:00Z", rev=2)
    more = history.take(site)
    assert (more.unchanged, more.revised, more.withdrawn) == (1, 1, 1)
    assert standing(site, "2021-02-01T00:00:00Z") == ["một"]
    assert standing(site, "2021-05-01T00:00:00Z") == []
    history.add("withdrawn", "2021-02-15T02:00:00Z", rev=1)
    assert len(history.take(site).needs_a_person) == 1
    assert standing(site, "2021-02-20T00:00:00Z") == []
    assert verify(site).problems == []


def test_what_was_imported_later_does_not_change_what_was_known_before(site: Site, history: History) -> None:
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    with clock.at(datetime(2023, 1, 1, tzinfo=UTC)):
        history.take(site)
    history.add("withdrawn", "2021-02-01T02:00:00Z", rev=1)
    with clock.at(datetime(2023, 6, 1, tzinfo=UTC)):
        history.take(site)
    assert standing(site, "2021-03-01T00:00:00Z", "2023-03-01T00:00:00Z") == ["một"]
    assert (
        standing(site, "2021-03-01T00:00:00Z", "2023-07-01T00:00:00Z") == standing(site, "2021-03-01T00:00:00Z") == []
    )


def test_history_is_marked_as_imported_and_never_as_approved_here(site: Site, history: History) -> None:
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    history.take(site)
    with site.database.reading() as session:
        (row,) = session.scalars(select(Revision))
        assert (row.origin, row.decision_id, row.source.startswith("mẫu: ")) == ("import", None, True)
        told = histories.of_revision(session, row)
        assert told is not None
        assert (told.author, told.subject) == ("Người soạn A", "Sửa lần 1")


def test_a_file_that_is_missing_or_altered_is_named_and_comes_in_with_the_next_run(
    site: Site, history: History
) -> None:
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    history.add("revised", "2021-02-01T02:00:00Z", rev=2, text="hai")
    history.add("revised", "2021-03-01T02:00:00Z", rev=3, text="ba")
    path = history.folder / history.lines[1]["file"]
    path.write_text("hai, nhưng khác", encoding="utf-8")
    found = history.take(site)
    assert ["SHA-256" in row["reason"] for row in found.failed] == [True]
    path.write_text("hai", encoding="utf-8")
    later = history.take(site)
    assert (later.unchanged, len(later.needs_a_person), later.failed) == (2, 1, [])
    assert standing(site, "2021-02-15T00:00:00Z") == ["hai"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"effective_utc": "tháng ba"}, "effective_utc"),
        ({"kind": "burnt"}, "kind"),
        ({"author": ""}, "author"),
        ({"rev": "x"}, "rev"),
        ({"file": "../../etc/passwd"}, "not in --files"),
    ],
)
def test_a_line_that_cannot_be_read_says_what_to_mend_and_stops_no_other(
    site: Site, history: History, wrong: dict[str, Any], says: str
) -> None:
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="hai", doc="D0002")
    history.lines[-1] |= wrong
    found = history.take(site)
    assert (found.created, len(found.failed)) == (1, 1)
    assert says in found.failed[0]["reason"]


def test_a_dry_run_says_the_same_and_changes_nothing(site: Site, history: History) -> None:
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    before = verify(site).head
    assert history.take(site, dry_run=True).created == 1
    assert (verify(site).head, standing(site, "2022-01-01T00:00:00Z")) == (before, [])
    assert history.take(site).created == 1


def test_what_went_on_here_is_not_overruled_by_a_line(site: Site, cast: Cast, history: History) -> None:
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    history.take(site)
    with site.database.reading() as session:
        document = session.scalars(select(Document.id)).one()
    decide(site, cast, withdraw=[document], on=date(2022, 1, 1))
    history.add("revised", "2022-02-01T02:00:00Z", rev=2, text="hai")
    found = history.take(site)
    assert [row["code"] for row in found.conflicts] == ["D0001"]
    assert standing(site, "2022-03-01T00:00:00Z") == []


def test_no_other_program_withdraws_what_no_line_withdraws(site: Site, history: History, make_revision: Any) -> None:
    made: Made = make_revision("in_force")
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="một")
    history.take(site)
    with site.database.reading() as session:
        imported = session.scalars(select(Revision.id).where(Revision.origin == "import")).one()
    for row in (made.id, imported):
        with pytest.raises(IntegrityError, match="withdrawn only by a line"), site.database.writing() as session:
            session.connection().exec_driver_sql(
                "UPDATE revision SET state = 'withdrawn', effective_to = '2030-01-01T00:00:00.000000Z' WHERE id = ?",
                (row,),
            )
    with pytest.raises(IntegrityError, match="never changed"), site.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE history_event SET author = 'Người khác'")


def with_the_same_file(site: Site, cast: Cast, made: Made, text: str, *, ocr: str = "") -> str:
    """Give a draft the file that a line of a history brings too: it waits for its words, or they were read."""
    stored = site.store.put(io.BytesIO(text.encode()), limit_bytes=1 << 20)
    with site.database.writing() as session:
        content = contents.keep(session, sha256=stored.sha256, size=stored.size, kind="md")
        if ocr:
            contents.has_text(session, stored.sha256, text=ocr, method="ocr", scans=[1], ocr=contents.SCANS_READ)
        row, author = session.get_one(Revision, made.id), cast.reader(session, "author")
        revisions.edit(session, row, by=author, seen=row.lock, content=content, file_name="sổ tay.md")
    return stored.sha256


def test_whoever_waits_for_the_words_of_the_same_file_gets_them_too(
    site: Site, cast: Cast, make_revision: Callable[..., Made], history: History
) -> None:
    made = make_revision("draft", title="Dự thảo")
    with_the_same_file(site, cast, made, "Quy định về hoả táng")
    following.follow(site.database, site.engine)
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="Quy định về hoả táng")
    history.take(site)
    following.follow(site.database, site.engine)
    with site.database.reading() as session:
        found = finding.find(session, site.engine, "hỏa táng", reader=cast.reader(session, "author"), scope="all")
        assert {hit.document for hit in found.hits} >= {made.document_id}
        told = session.scalars(select(AuditEntry).where(AuditEntry.action == Action.TEXT_EXTRACTED)).all()
        assert [entry.document_id for entry in told] == [made.document_id]


def test_words_that_were_read_from_pictures_are_not_lost_to_an_import(
    site: Site, cast: Cast, make_revision: Callable[..., Made], history: History
) -> None:
    sha256 = with_the_same_file(site, cast, make_revision("draft"), "ảnh", ocr="Chữ đọc từ ảnh")
    history.add("created", "2021-01-01T02:00:00Z", rev=1, text="ảnh")
    history.take(site)
    with site.database.reading() as session:
        row = contents.text_of(session, sha256)
        assert row is not None
        assert (row.text, row.method, row.ocr) == ("Chữ đọc từ ảnh", "ocr", contents.SCANS_READ)


REAL = {"radiotherapyai": (150, 347, 218, 62), "openregulatory": (106, 346, 5, 13)}


@pytest.fixture
def real(site: Site, shared_data: Path, request: pytest.FixtureRequest) -> tuple[Path, Result]:
    """A real history, imported; it takes no longer than a minute."""
    folder = shared_data / "revisions" / request.param
    began = time.monotonic()
    found = import_history(site, folder / "history.jsonl", folder / "files.tar.gz", Plan(request.param))
    assert time.monotonic() - began < 60
    return folder, found


@pytest.mark.large
@pytest.mark.parametrize("real", REAL, indirect=True)
def test_real_histories_come_in_whole(site: Site, real: tuple[Path, Result]) -> None:
    folder, found = real
    assert tuple(found.totals.values()) == REAL[folder.name]
    assert (found.failed, found.conflicts, found.needs_a_person) == ([], [], [])
    wanted = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    with site.database.reading() as session:
        told = {
            (event.doc, event.kind, event.effective_at, event.author, event.subject, event.name, event.path, event.rev)
            + ((event.revision.file_sha256, event.revision.effective_from) if event.revision else (None, None))
            for event in session.scalars(select(HistoryEvent))
        }
    assert told == {
        (row["doc"], row["kind"], at, row["author"], row["subject"], row["name"], row["path"], row["rev"])
        + ((row["sha256"], at) if "file" in row else (None, None))
        for row in wanted
        for at in [datetime.fromisoformat(row["effective_utc"])]
    }
    with tarfile.open(folder / "files.tar.gz") as archive:
        for row in wanted:
            if "file" in row:
                member = archive.extractfile(row["file"])
                assert member is not None
                assert site.store.path(row["sha256"]).read_bytes() == member.read()
    again = import_history(site, folder / "history.jsonl", folder / "files.tar.gz", Plan(folder.name))
    assert (again.unchanged, again.stored) == (len(wanted), [])
    assert verify(site).problems == []


@pytest.mark.large
@pytest.mark.parametrize("real", REAL, indirect=True)
def test_every_expected_row_of_what_was_in_force_is_right(site: Site, real: tuple[Path, Result]) -> None:
    folder, _ = real
    with (folder / "inforce_expected.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 200
    answers = defaultdict(list)
    with site.database.reading() as session:
        known = {row.doc: session.get_one(Document, row.document_id) for row in session.scalars(select(HistoryEvent))}
        for row in rows:
            on = clock.parse(row["date_utc"])
            for known_at in (None, clock.now()):
                found = revisions.standing(session, on=on, known_at=known_at, document=known[row["doc"]])
                hashes = [entry.revision.file_sha256 for entry in found] or ["NONE"]
                answers[hashes == [row["expected_sha256"]]].append(row)
    assert {right: len(given) for right, given in answers.items()} == {True: 400}
