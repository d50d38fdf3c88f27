"""An office in which everything has happened once: every table that docctl keeps has at least one row, made by the verbs."""

import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from docctl import (
    audit,
    clock,
    contents,
    decisions,
    documents,
    external,
    internal_audits,
    jobs,
    notices,
    people,
    posting,
    procedures,
    recall,
    renditions,
    reorganising,
    reports,
    requests,
    reviews,
    revisions,
    tokens,
    units,
    watch,
)
from docctl.decisions import Decision
from docctl.distribution import copies, lists
from docctl.documents import Document
from docctl.external import Change as LawChange
from docctl.external import Entry as Law
from docctl.files.kinds import Kind
from docctl.importing.history import Plan, import_history
from docctl.internal_audits import InternalAudit, Nonconformity, auditing, findings
from docctl.procedures import Entry as Procedure
from docctl.procedures import Event
from docctl.requests import Words
from docctl.retention import disposal, schedule
from docctl.revisions import Change, Revision
from docctl.site import Site
from tests.conftest import Cast, decide, keep
from tests.nouns.test_internal_audits import answered, opened, raised, walked
from tests.test_verify import Lived, live, take_to_approval, written


def furnish(site: Site, cast: Cast, storage: Path) -> Lived:
    """Live a whole life in the office and then everything else; returns what the whole life made."""
    lived = live(site, cast, storage)
    _letters_and_tokens(site, cast)
    _law(site, cast)
    withdrawn = _copies(site, cast)
    _decision_in_full(site, cast, lived.decision)
    _requests(site, cast, lived.document)
    _history(site, storage.parent)
    _internal_audit(site, cast)
    _units(site, cast)
    _disposal(site, cast, withdrawn)
    jobs.wake(site)
    with site.database.reading() as session:
        file = session.get_one(Revision, lived.issued).file_sha256 or ""
    renditions.ask(site.database, site.store, file, Kind.TXT)
    jobs.render_waiting(site)
    return lived


def _letters_and_tokens(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        by = cast.reader(session, "staff")
        notices.choose(session, by=by, email="staff@office.example", wanted=["digest"])
        tokens.create(session, by.account, "một cửa", by=by.account)


def _law(site: Site, cast: Cast) -> None:
    _, citing = written(site, cast, "Quy trình hộ tịch", "QT-TP-20")
    with site.database.writing() as session:
        revision = session.get_one(Revision, citing)
        content = keep(site, session, "Căn cứ Nghị định số 123/2015/NĐ-CP ngày 15/11/2015 của Chính phủ.")
        by = cast.reader(session, "author")
        revisions.edit(session, revision, by=by, seen=revision.lock, content=content, file_name="hộ tịch.txt")
    take_to_approval(site, cast, citing)
    decide(site, cast, issue=[citing], on=clock.today() - timedelta(days=100))
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        document = session.get_one(Revision, citing).document
        law = external.add(session, Law(number="123/2015/NĐ-CP", title="Hộ tịch", kind="Nghị định"), by=by)
        begins = clock.today() - timedelta(days=20)
        assert watch.amend(session, law, LawChange("104/2022/NĐ-CP", begins), by=by)
        watch.judge(session, document, "60/2014/QH13", "confirmed", by=by)
        procedure = procedures.add(session, Procedure(code="1.000001", title="Khai sinh", field="Hộ tịch"), by=by)
        procedures.link(session, procedure, document, by=by)
        procedures.decide(session, procedure, Event("repealed", "1217/QĐ-UBND", begins), by=by)
        reports.type_figure(session, 2022, "Hồ sơ đúng hạn", "950/1000 = 95 %", by=by, source="Hệ thống một cửa")
        reports.claim(session, 2022, reports.TOTAL, 9650, by=by)
        reviews.record(session, document, by=by, outcome="keep", reason="Còn phù hợp.")
        schedule.hold(session, document, by=by, reason="Đang khiếu nại.")


def _copies(site: Site, cast: Cast) -> int:
    """Issue a document with paper copies and readers, hand the copies out, withdraw it, and take one copy back."""
    with site.database.writing() as session:
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="own_unit", medium="paper", copies=2, reads=True)
    document, revision = written(site, cast, "Quy trình có bản giấy", "QT-TP-21")
    take_to_approval(site, cast, revision)
    decide(site, cast, issue=[revision], on=clock.today() - timedelta(days=12))
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        for copy in copies.to_deliver(session, by=by):
            copies.act(session, copy, "deliver", by=by)
            copies.act(session, copy, "receive", by=by)
    decide(site, cast, withdraw=[document], on=clock.today() - timedelta(days=3))
    with site.database.writing() as session:
        (found,) = recall.all_recalls(session)
        by = cast.reader(session, "controller")
        for line in recall.lines_of(session, found):
            recall.take_back(session, found, line.copy.mark, by=by, condition="Nguyên vẹn")
        recall.edit(session, found, by=by, number="01/BB-TH", held_on=clock.today(), participants="Văn thư")
    return revision


def _decision_in_full(site: Site, cast: Cast, decision_id: int) -> None:
    with site.database.writing() as session:
        by, decision = cast.reader(session, "controller"), session.get_one(Decision, decision_id)
        scan = keep(site, session, "Điều 1. Ban hành")
        headings = [contents.Mark(0, 1, "Điều 1. Ban hành")]
        contents.has_text(session, scan.sha256, text="Điều 1. Ban hành", method="docx", headings=headings)
        decisions.attach_scan(session, decision, by=by, content=scan, file_name="quyet-dinh.txt")
        decisions.correct(
            session,
            decision,
            by=by,
            number="7/ĐC-UBND",
            signed_on=clock.today(),
            place="Điều 2",
            wrong="chức thực",
            corrected="chứng thực",
            signing=cast.signing(session, "controller"),
        )
        posting.set_type(session, documents.find_type(session, "QT"), by=by, posting="listed")
        posting.post(session, decision, by=by, signing=cast.signing(session, "controller"), address="/public/")
        owed = decisions.obligations(session, decision)[0]
        decisions.close_obligation(session, owed, by=by, done_on=clock.today(), evidence="Niêm yết tại bảng tin.")


def _requests(site: Site, cast: Cast, document_id: int) -> None:
    with site.database.writing() as session:
        document, drafter = session.get_one(Document, document_id), people.find(session, "author")
        changes = [Change("5.2", "03 ngày", "02 ngày"), Change("6", "", "Thêm bước")]
        words = Words(document=document, reason="Luật rút ngắn thời hạn.", drafter=drafter, changes=changes)
        made = requests.draft(session, by=cast.reader(session, "staff"), kind="amend", words=words)
        for trigger, who in (("submit", "staff"), ("opine", "reviewer")):
            by, proof = cast.reader(session, who), cast.signing(session, who)
            requests.act(session, made, trigger, by=by, signing=proof)


def _history(site: Site, folder: Path) -> None:
    (folder / "files").mkdir()
    (folder / "files" / "a.md").write_text("một", encoding="utf-8")
    common = {"doc": "D0001", "name": "sổ tay", "author": "Người soạn A", "path": "qms/so-tay.md", "rev": 1}
    lines = [
        {"kind": "created", "effective_utc": "2021-01-01T02:00:00Z", "subject": "Bản đầu", "file": "files/a.md"},
        {"kind": "withdrawn", "effective_utc": "2021-04-01T02:00:00Z", "subject": "Bỏ"},
    ]
    history = folder / "history.jsonl"
    history.write_text("".join(json.dumps(common | line) + "\n" for line in lines), encoding="utf-8")
    import_history(site, history, folder, Plan("mẫu"), locale="en")


def _internal_audit(site: Site, cast: Cast) -> None:
    """Audit two documents, one drawn and one chosen; raise a finding, answer it with its proof, and link evidence."""
    made = opened(site, cast)
    with site.database.writing() as session:
        found, by = session.get_one(InternalAudit, made), cast.reader(session, "auditor")
        internal_audits.draw(session, found, by=by, size=1, seed="26102022")
        auditing.act(session, found, "begin", by=by)
        for sample in auditing.samples(session, found):
            walked(session, cast, sample)
    slip = raised(site, cast, made)
    with site.database.writing() as session:
        row, by = session.get_one(Nonconformity, slip), cast.reader(session, "auditor")
        entry = audit.past(session, 0, limit=1)[0]
        findings.link(session, row, by=by, side="finding", entry=entry)
    answered(site, cast, slip)


def _units(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        by = cast.reader(session, "admin")
        ending, following = (
            reorganising.add(session, by=by, code=code, name_vi=f"Phòng {code}", parent=units.office(session))
            for code in ("P1", "P2")
        )
        reorganising.merge(session, [ending], following, by=by)


def _disposal(site: Site, cast: Cast, revision_id: int) -> None:
    """Dispose of what ended, six years on; the office then lives on at that day."""
    words = {"number": "01/BB-HĐTH", "basis": "Bảng thời hạn lưu", "council": "Chủ tịch", "method": "Xóa tệp"}
    words |= {"done_by": "Văn thư", "witness": "Đánh giá viên nội bộ"}
    then = clock.midnight(schedule.after_years(clock.today(), 6))
    with clock.at(then), site.database.writing() as session:
        by = cast.reader(session, "controller")
        made = disposal.draft(session, by=by, revision_ids=[revision_id])
        disposal.edit(session, made, by=by, held_on=clock.today(), **words)
        disposal.act(session, made, "agree", by=by, signing=cast.signing(session, "controller"))
        auditor = cast.reader(session, "auditor")
        disposal.act(session, made, "carry_out", by=auditor, signing=cast.signing(session, "auditor"))


def empty_tables(session: Session, tables: list[str]) -> list[str]:
    """Return which of the tables have no row."""
    connection = session.connection()
    return [name for name in tables if not connection.exec_driver_sql(f'SELECT 1 FROM "{name}" LIMIT 1').first()]
