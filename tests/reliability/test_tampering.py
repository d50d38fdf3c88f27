"""Whatever is done to the record behind everybody's back is found; what cannot be found without an anchor is said to be open."""

import io
import json
import random
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest

from docctl import checkpoints, contents, documents, evidence, exporting, recall, reports
from docctl.checkpoints import Checkpoint
from docctl.decisions import Decision
from docctl.exporting import decisions as decision_papers
from docctl.exporting import minutes, report
from docctl.retention import disposal
from docctl.site import Site, open_site
from docctl.verify import Report, covers, verify
from tests.conftest import Cast, settings
from tests.reliability import tamperer
from tests.reliability.serving import docctl
from tests.reliability.whole_office import empty_tables, furnish
from tests.test_verify import Lived

pytestmark = [pytest.mark.large, pytest.mark.timeout(900)]

FLIPS, FILES, CUTS = 2_000, 200, 50
SEED = 20221026

# What the trail alone does not show, since it says nothing of it: these take an anchor at the head.
BY_ANCHOR = {
    # Numbers that rows of a list have in their table, by which nothing is looked up.
    *("change_row.id", "request_row.id", "decision_line.id", "disposal_line.id", "external_change.id"),
    *("procedure_event.id", "checklist_answer.id"),
    # The counters by which an old page is told from a new one.
    *(f"{noun}.lock" for noun in ("revision", "decision", "change_request", "recall", "disposal", "legal_assessment")),
    *(
        f"{noun}.lock"
        for noun in (
            "controlled_copy",
            "read_task",
            "external_document",
            "procedure",
            "internal_audit",
            "nonconformity",
        )
    ),
}


class Kept:
    """A storage folder with what is needed to alter it and put it back: the database's bytes and the checkpoints."""

    def __init__(self, storage: Path) -> None:
        self.storage = storage
        self.database = storage / "docctl.db"
        self.site = open_site(settings(storage))
        self.points = checkpoints.read(checkpoints.folder(self.site.settings))
        self.site.database.dispose()
        self.whole = self.database.read_bytes()

    def again(self) -> None:
        """Put the database back as it was."""
        self.site.database.dispose()
        tamperer.lay(self.whole, self.database)

    def report(self, *, anchored: bool = True, points: list[Checkpoint] | None = None) -> Report:
        """Verify, with the checkpoints or without."""
        self.site.database.dispose()
        return verify(self.site, points=[points or self.points] if anchored else None)


def status(report: Report) -> int:
    """Return the exit status that a report stands for."""
    return 1 if report.problems else 3 if report.tail.entries else 0


@pytest.fixture(scope="module")
def office_made(office: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Lived]:
    """An office in which everything has happened, its checkpoints up to the head, and the database of the day before."""
    storage = tmp_path_factory.mktemp("whole") / "storage"
    shutil.copytree(office, storage)
    site = open_site(settings(storage))
    yesterday = storage.parent / "yesterday.db"
    try:
        lived = furnish(site, Cast(site), storage)
        checkpoints.make(site)
        tamperer.copy(storage / "docctl.db", yesterday)
        _one_more_day(site)
        checkpoints.make(site)
    finally:
        site.close()
    return storage, yesterday, lived


def _one_more_day(site: Site) -> None:
    with site.database.writing() as session:
        by = Cast(site).reader(session, "controller")
        documents.set_confidential(session, documents.find(session, "QT-TP-20"), by=by, confidential=True)


@pytest.fixture(scope="module")
def whole(office_made: tuple[Path, Path, Lived], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """One copy of the office for the tests of this file."""
    storage = tmp_path_factory.mktemp("tampered") / "storage"
    shutil.copytree(office_made[0], storage)
    kept = Kept(storage)
    yield kept
    kept.site.close()


@pytest.fixture
def kept(whole: Kept) -> Kept:
    """The office with its database as it was."""
    whole.again()
    return whole


@pytest.fixture
def lived(office_made: tuple[Path, Path, Lived]) -> Lived:
    """The ids of what is tampered with."""
    return office_made[2]


def test_every_covered_table_has_rows_and_the_office_is_clean(kept: Kept) -> None:
    report = kept.report()
    assert report.problems == []
    assert status(report) == 0
    said = covers()
    assert said["by_checkpoint_only"] == []
    with kept.site.database.reading() as session:
        assert empty_tables(session, said["replayed"] + said["checked"]) == []
        every = set(
            session.connection().exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
        )
    outside = {name for name in said["not"] if "." not in name}
    assert set(said["replayed"] + said["checked"]) | outside | {"alembic_version"} == every


def test_every_column_of_every_covered_table_changed_in_turn_is_found(kept: Kept) -> None:
    said = covers()
    counted, missed = Counter[str](), []
    by_trail: set[str] = set()
    for table in said["replayed"] + said["checked"]:
        for column, kind in tamperer.columns(kept.database, table):
            if f"{table}.{column}" in said["not"]:
                counted["not covered, as verify says"] += 1
                continue
            kept.again()
            how = tamperer.alter(kept.database, table, column, kind)
            if status(kept.report(anchored=False)) == 1:
                by_trail.add(f"{table}.{column}")
                counted["found without an anchor"] += 1
            elif status(kept.report()) == 1:
                counted["found with an anchor"] += 1
                if f"{table}.{column}" not in BY_ANCHOR:
                    missed.append(f"{table}.{column} {how} only with an anchor")
            else:
                missed.append(f"{table}.{column} {how}")
    print(f"\n{sum(counted.values())} columns of {len(said['replayed'] + said['checked'])} tables: {dict(counted)}")
    assert missed == [], missed
    assert by_trail & BY_ANCHOR == set(), "the trail shows more than this file says"


def test_each_of_2000_flipped_bits_is_found_or_changed_nothing_that_the_record_says(kept: Kept) -> None:
    dice, outcomes, missed = random.Random(SEED), Counter[str](), []
    left_out: dict[str, set[str] | None] = {}
    for name in covers()["not"]:
        table, _, column = name.partition(".")
        if column:
            left_out.setdefault(table, set()).add(column)  # type: ignore[union-attr]
        else:
            left_out[table] = None
    before = tamperer.contents(kept.database, left_out)
    assert before
    for _ in range(FLIPS):
        kept.again()
        bit = dice.randrange(8 * len(kept.whole))
        tamperer.flip(kept.database, bit)
        if tamperer.contents(kept.database, left_out) == before:
            outcomes["nothing that the record says was changed"] += 1
        elif status(kept.report()) == 1:
            outcomes["found"] += 1
        else:
            missed.append(bit)
    print(f"\n{FLIPS} flipped bits of {len(kept.whole):,} bytes: {dict(outcomes)}")
    assert missed == []
    assert outcomes["found"] > FLIPS / 50


def test_one_flipped_bit_in_each_of_200_files_names_each_of_them(
    office_made: tuple[Path, Path, Lived], tmp_path: Path
) -> None:
    storage = tmp_path / "storage"
    shutil.copytree(office_made[0], storage)
    site, dice = open_site(settings(storage)), random.Random(SEED)
    try:
        with site.database.writing() as session:
            for number in range(FILES):
                stored = site.store.put(io.BytesIO(f"tệp {number} ".encode() * 50), limit_bytes=1 << 20)
                contents.keep(session, sha256=stored.sha256, size=stored.size, kind="txt")
        names = sorted(site.store.names())
        assert verify(site).problems == []
        for sha256 in names[:FILES]:
            path = site.store.path(sha256)
            tamperer.flip(path, dice.randrange(8 * path.stat().st_size))
        named = {problem.record for problem in verify(site).problems}
        assert named == {f"content {sha256}" for sha256 in names[:FILES]}
    finally:
        site.close()


@pytest.mark.parametrize("hashed_again", [False, True])
def test_a_tail_cut_by_1_to_50_is_found_with_an_anchor(kept: Kept, hashed_again: bool) -> None:
    without = Counter[int]()
    for entries in range(1, CUTS + 1):
        kept.again()
        tamperer.cut_tail(kept.database, entries)
        if hashed_again:
            tamperer.hash_again(kept.database)
        report = kept.report()
        assert any("tail was cut" in problem.detail for problem in report.problems), entries
        without[status(kept.report(anchored=False))] += 1
    print(f"\nTails cut by 1 to {CUTS}: all found with an anchor; exit status without one {dict(without)}")
    assert without[0] == 0


@pytest.mark.parametrize("close_ranks", [False, True])
def test_an_entry_taken_out_of_the_middle_is_found(kept: Kept, close_ranks: bool) -> None:
    middle = int(tamperer.asked(kept.database, "SELECT max(sequence) / 2 FROM audit_entry")[0][0])
    tamperer.take_out(kept.database, middle)
    if close_ranks:
        tamperer.hash_again(kept.database, close_ranks=True)
    report = kept.report()
    what = "rewritten" if close_ranks else "entries are missing"
    assert any(what in problem.detail for problem in report.problems)


@pytest.mark.parametrize(
    ("table", "key"),
    [("audit_entry", "sequence"), ("revision", "id"), ("document", "id"), ("signature", "id"), ("account", "id"), ("role_grant", "id")],
)  # fmt: skip
def test_rows_that_changed_places_are_found(kept: Kept, table: str, key: str) -> None:
    one, other = (
        int(row[0]) for row in tamperer.asked(kept.database, f'SELECT DISTINCT "{key}" FROM "{table}" LIMIT 2')[:2]
    )
    tamperer.swap(kept.database, table, key, one, other)
    assert status(kept.report(anchored=False)) == 1


def test_everything_hashed_again_by_somebody_with_every_right_is_found_with_an_anchor_only(kept: Kept) -> None:
    tamperer.rewrite(kept.database, "external_document", "title", 1, "Luật khác")
    kept.site.engine.clear()  # The index remembers the hash it followed; whoever does this deletes the index too.
    without = kept.report(anchored=False)
    assert without.problems == [], "nothing in the database contradicts anything"
    assert status(without) == 3
    total, since = tamperer.asked(kept.database, "SELECT count(*), min(at) FROM audit_entry WHERE sequence > 0")[0]
    assert (without.tail.entries, without.tail.since) == (total, _first(kept))
    assert any("rewritten" in problem.detail for problem in kept.report().problems)
    # The newest checkpoint alone is enough, and so is the head that somebody printed and signed before the act.
    assert status(kept.report(points=kept.points[-1:])) == 1
    assert since


def _first(kept: Kept) -> str:
    return str(tamperer.asked(kept.database, "SELECT at FROM audit_entry WHERE sequence = 1")[0][0])


def test_a_trigger_that_was_dropped_and_put_back_while_data_was_altered_is_found_by_the_data(
    kept: Kept, lived: Lived
) -> None:
    with tamperer.opened(kept.database) as connection:  # Every trigger is dropped here, and put back at the end.
        connection.execute("UPDATE revision SET title = 'Tên khác' WHERE id = ?", (lived.issued,))
    report = kept.report(anchored=False)
    assert {problem.record for problem in report.problems} == {f"revision {lived.issued}"}
    kept.again()
    with tamperer.opened(kept.database) as connection:
        connection.execute("SELECT 1")
    assert status(kept.report()) == 0, "putting back what was there is no change"


def test_yesterdays_database_in_place_of_todays_is_found_with_an_anchor_and_said_to_be_open_without(
    kept: Kept, office_made: tuple[Path, Path, Lived]
) -> None:
    kept.site.database.dispose()
    tamperer.replace(office_made[1], kept.database)
    without = kept.report(anchored=False)
    index_only = {problem.what for problem in without.problems}
    assert index_only <= {"index"}, "a whole database of yesterday contradicts nothing but what lies beside it"
    assert any("an older database was put in its place" in problem.detail for problem in kept.report().problems)


@pytest.mark.parametrize("how", ["another head", "another key", "cut line"])
def test_a_forged_checkpoint_is_found(kept: Kept, tmp_path: Path, how: str) -> None:
    line = kept.points[-1].line()
    path = tmp_path / "kept.jsonl"
    if how == "another key":
        path.write_text(tamperer.forged(line, hash="0" * 64) + "\n")
    elif how == "another head":
        path.write_text(json.dumps(json.loads(line) | {"hash": "0" * 64}) + "\n")
    else:
        path.write_text(line[:-40] + "\n")
    answer = docctl(kept.storage, "verify", "--json", "--anchor", str(path))
    assert answer.returncode == (2 if how == "cut line" else 1)
    if how != "cut line":
        (problem,) = json.loads(answer.stdout)["problems"]
        assert ("forged" if how == "another key" else "altered") in problem["detail"]


def test_a_signature_row_moved_to_another_revision_is_found(kept: Kept, lived: Lived) -> None:
    with tamperer.opened(kept.database) as connection:
        found = connection.execute("SELECT max(id) FROM signature WHERE revision_id = ?", (lived.issued,)).fetchone()[0]
        connection.execute("UPDATE signature SET revision_id = ? WHERE id = ?", (lived.draft, found))
    assert {f"signature {found}", f"revision {lived.issued}"} <= {
        problem.record for problem in kept.report(anchored=False).problems
    }


def test_the_command_exits_0_1_2_and_3(kept: Kept, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor.jsonl"
    anchor.write_text("".join(point.line() + "\n" for point in kept.points))
    older = tmp_path / "older.jsonl"
    older.write_text(kept.points[-2].line() + "\n")

    def run(*more: str) -> tuple[int, str]:
        answer = docctl(kept.storage, "verify", *more)
        assert "Traceback" not in answer.stderr
        return answer.returncode, answer.stdout + answer.stderr

    kept.site.database.dispose()
    assert run("--anchor", str(anchor))[0] == 0
    code, words = run("--anchor", str(older))
    assert code == 3
    assert f"{kept.points[-1].sequence - kept.points[-2].sequence} mục" in words
    total = kept.points[-1].sequence
    code, words = run()
    assert (code, f"{total} mục nhật ký từ {_first(kept)}" in words) == (3, True)
    assert run("--quick", "--anchor", str(anchor))[0] == 0
    assert run("--subset", "2/7", "--anchor", str(anchor))[0] == 0
    assert run("--subset", "8/7")[0] == 2
    (tmp_path / "other.jsonl").write_text("{}\n")
    assert run("--anchor", str(tmp_path / "other.jsonl"))[0] == 2
    with tamperer.opened(kept.database) as connection:
        connection.execute("UPDATE role_grant SET role = 'admin' WHERE id = 1")
    code, words = run("--anchor", str(anchor))
    assert code == 1
    assert "role_grant 1" in words


@pytest.mark.parametrize("table", ["account", "workflow_version", "alembic_version"])
def test_a_database_that_does_not_open_as_it_should_is_an_answer_and_no_accident(kept: Kept, table: str) -> None:
    broken = {
        "account": "UPDATE account SET name = CAST(x'ff41' AS TEXT) WHERE id = 1",
        "workflow_version": "UPDATE workflow_version SET sha256 = 'ab' || substr(sha256, 3) WHERE name = 'revision'",
        "alembic_version": "UPDATE alembic_version SET version_num = '9999'",
    }
    with tamperer.opened(kept.database) as connection:
        connection.execute(broken[table])
    answer = docctl(kept.storage, "verify", "--json")
    assert answer.returncode == (2 if table == "alembic_version" else 1)
    assert "Traceback" not in answer.stderr


def test_the_head_stands_on_every_minutes_annex_report_and_evidence_pack(
    office_made: tuple[Path, Path, Lived], tmp_path: Path
) -> None:
    storage = tmp_path / "storage"
    shutil.copytree(office_made[0], storage)
    site = open_site(settings(storage))
    try:
        with site.database.reading() as session:
            by = Cast(site).reader(session, "controller")
            decision = session.get_one(Decision, office_made[2].decision)
            papers = {
                name: decision_papers.paper(session, decision, name, by=by, locale="vi")
                for name in ("decision", "annex-1", "annex-2", "annex-3")
            }
            papers["recall"] = minutes.of_recall(session, recall.all_recalls(session)[0], locale="vi")
            papers["disposal"] = minutes.of_disposal(session, disposal.all_disposals(session)[0], locale="vi")
            papers["report"] = report.build(session, reports.of_year(session, 2022), locale="vi")
            subject = evidence.of_decision(session, decision)
        known = dict(tamperer.asked(storage / "docctl.db", "SELECT sequence, hash FROM audit_entry"))
        for name, paper in papers.items():
            assert paper.head is not None, name
            assert known[paper.head.sequence] == paper.head.hash, name
            assert paper.head.hash in _words_of_pdf(exporting.write(paper, "pdf")), name
            assert paper.head.hash in _words_of_docx(exporting.write(paper, "docx")), name
        made = evidence.save(site, subject, tmp_path / "pack.zip", by=None)
        with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
            assert made["head"]["hash"] in pack.read("index.html").decode()
            kept = [json.loads(line) for line in pack.read("checkpoints.jsonl").decode().splitlines()]
        assert (kept[-1]["sequence"], kept[-1]["hash"]) == (made["head"]["sequence"], made["head"]["hash"])
    finally:
        site.close()


def _words_of_pdf(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    try:
        return re.sub(r"\s", "", "".join(page.get_textpage().get_text_range() for page in document))
    finally:
        document.close()


def _words_of_docx(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = [package.read(name).decode() for name in package.namelist() if name.endswith(".xml")]
    return re.sub(r"<[^>]*>|\s", "", "".join(part for part in parts))
