"""What the sample organisation distributed and recalled, counted once more in SQL, beside the verbs."""

from collections import Counter

from sqlalchemy import text

from docctl import distribution, recall
from docctl.distribution import copies, reading
from docctl.exporting import minutes
from docctl.revisions import Revision
from docctl.site import Site
from tests.sample import CPU_SECONDS

# Everything of a decision came with its execution: the instants of tasks, copies, recall and execution are one.
TOGETHER = """
SELECT count(*) FROM decision JOIN revision ON revision.decision_id = decision.id
JOIN distribution ON distribution.revision_id = revision.id
WHERE decision.number = '2804/QĐ-UBND' AND distribution.made_at = decision.executed_at
"""
WANTED_COPIES = """
SELECT count(*) FROM decision_line JOIN decision ON decision.id = decision_line.decision_id
JOIN document ON document.id = decision_line.document_id JOIN document_type ON document_type.id = document.type_id
WHERE decision.number = '2804/QĐ-UBND' AND decision_line.action = 'issue' AND document_type.code IN ('QT', 'ST')
"""
MADE_COPIES = """
SELECT count(*) FROM controlled_copy JOIN revision ON revision.id = controlled_copy.revision_id
JOIN decision ON decision.id = revision.decision_id WHERE decision.number = '2804/QĐ-UBND'
"""
# Of a procedure, instruction or manual: whoever has a role other than the administrator's in its unit, and the staff.
WANTED_TASKS = """
SELECT count(*) FROM decision_line JOIN decision ON decision.id = decision_line.decision_id
JOIN document ON document.id = decision_line.document_id JOIN document_type ON document_type.id = document.type_id
JOIN account JOIN role_grant ON role_grant.account_id = account.id
WHERE decision.number = '2804/QĐ-UBND' AND decision_line.action = 'issue' AND document_type.code IN ('QT', 'ST', 'HD')
AND role_grant.role <> 'admin' AND (account.unit_id = document.unit_id OR role_grant.role = 'staff'
OR document.unit_id = (SELECT id FROM unit WHERE parent_id IS NULL))
"""
MADE_TASKS = """
SELECT count(*) FROM read_task JOIN revision ON revision.id = read_task.revision_id
JOIN decision ON decision.id = revision.decision_id WHERE decision.number = '2804/QĐ-UBND'
"""
RECALLED = """
SELECT count(*) FROM controlled_copy JOIN revision ON revision.id = controlled_copy.revision_id
WHERE revision.effective_to = (SELECT revision.effective_from FROM revision JOIN decision ON decision.id = revision.decision_id
WHERE decision.number = '2804/QĐ-UBND' LIMIT 1)
"""


def number(site: Site, query: str) -> int:
    with site.database.reading() as session:
        return int(session.scalar(text(query)) or 0)


def test_decision_2804_asked_everybody_and_made_every_copy_in_the_same_transaction(sample_site: Site) -> None:
    assert number(sample_site, MADE_COPIES) == number(sample_site, WANTED_COPIES) > 50
    assert number(sample_site, MADE_TASKS) == number(sample_site, WANTED_TASKS) > 50
    with_lists = "SELECT count(*) FROM distribution JOIN revision ON revision.id = revision_id JOIN decision ON "
    with_lists += "decision.id = revision.decision_id WHERE decision.number = '2804/QĐ-UBND'"
    assert number(sample_site, TOGETHER) == number(sample_site, with_lists) > 50


def test_its_dry_run_and_its_execution_each_take_less_than_5_seconds(sample_site: Site) -> None:
    lines = "SELECT action, count(*) FROM decision_line JOIN decision ON decision.id = decision_id "
    lines += "WHERE number = '2804/QĐ-UBND' GROUP BY action"
    with sample_site.database.reading() as session:
        assert dict(session.execute(text(lines)).tuples().all()) == {"issue": 101, "withdraw": 80}
    took = {act: CPU_SECONDS["2804/QĐ-UBND", act] for act in ("check", "execute")}
    print("\n2804/QĐ-UBND, 101 + 80 lines: " + ", ".join(f"{act} {seconds:.2f} s" for act, seconds in took.items()))
    # Processor time, which other work of the machine hardly stretches; about twenty and seven times what it takes.
    assert max(took.values()) < 5


def test_its_recall_asked_back_every_copy_of_what_it_ended_and_its_minutes_have_a_row_for_each(
    sample_site: Site,
) -> None:
    with sample_site.database.reading() as session:
        found = next(row for row in recall.all_recalls(session) if "2804" in row.basis)
        assert len(recall.lines_of(session, found)) == number(sample_site, RECALLED) > 50
        rows = [row for block in minutes.of_recall(session, found, locale="vi").blocks for row in block.rows]
        assert len(rows) == found.issued
        assert sum(int(row[8]) for row in rows) == found.lost == 3
        assert sum(line.late and line.copy.state != "lost" for line in recall.lines_of(session, found)) == 5
        assert found.issued == (found.destroyed or 0) + (found.lost or 0)


def test_every_ledger_and_every_list_of_readers_is_right_to_the_row(sample_site: Site) -> None:
    with sample_site.database.reading() as session:
        raw = session.execute(text("SELECT revision_id, state FROM controlled_copy")).all()
        states: dict[int, Counter[str]] = {}
        for revision_id, state in raw:
            states.setdefault(revision_id, Counter())[state] += 1
        asked = Counter(session.scalars(text("SELECT revision_id FROM read_task")).all())
        rows = distribution.recent(session, limit=1000)
        assert len(rows) == number(sample_site, "SELECT count(*) FROM distribution")
        for row in rows:
            revision = session.get_one(Revision, row.revision_id)
            count = distribution.ledger(session, revision)
            there = states.get(row.revision_id, Counter())
            assert count.issued == row.issued == sum(there.values()) == len(copies.copies_of(session, revision))
            assert count.held == sum(there[state] for state in distribution.HELD)
            assert (count.lost, count.destroyed) == (there["lost"], there["destroyed"])
            assert row.asked == asked[row.revision_id] == len(reading.tasks_of(session, revision))


def test_what_ended_unread_is_a_negative_receipt(sample_site: Site) -> None:
    unread = "SELECT count(*) FROM read_task JOIN revision ON revision.id = read_task.revision_id "
    unread += "WHERE read_task.state IN ('waiting', 'opened') AND revision.effective_to < '2026'"
    with sample_site.database.reading() as session:
        tasks = session.query(reading.ReadTask).all()
        assert sum(task.status() == reading.SUPERSEDED for task in tasks) == number(sample_site, unread) > 0
