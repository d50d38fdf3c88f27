"""Decisions in full: five kinds of line, spreadsheets, who may sign in which form, and what follows the execution."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from docctl import audit, authority, clock, decisions, people, revisions
from docctl.authority import Delegation
from docctl.decisions import Decision, Line, Unread
from docctl.documents import Document
from docctl.exporting import decisions as papers
from docctl.revisions import Revision
from docctl.rules import NoRole, Refused
from docctl.site import Site
from docctl.verify import verify
from tests.conftest import Cast, Made, decide, keep
from tests.nouns.test_decisions import drafted, errors, issuing, withdrawing

Make = Callable[..., Made]
HEAD = ["STT", "Mã hiệu", "Việc", "Lý do", "Thay bằng"]


@pytest.fixture
def executed(site: Site, cast: Cast, make_revision: Make) -> int:
    return decide(site, cast, issue=[make_revision("approved").id], on=clock.today())


def delegated(site: Site, cast: Cast, deputy: str, **given: Any) -> None:
    today = clock.today()
    usual = {"valid_from": today - timedelta(days=30), "valid_to": today + timedelta(days=30), "form": "KT."}
    with site.database.writing() as session:
        authority.delegate(
            session,
            by=cast.reader(session, "controller"),
            giver=people.find(session, "approver"),
            deputy=people.find(session, deputy),
            document_number="12/QĐ",
            document_date=today - timedelta(days=30),
            **(usual | given),
        )


def sign(site: Site, cast: Cast, decision_id: int, who: str) -> Decision:
    with site.database.writing() as session:
        row = session.get_one(Decision, decision_id)
        decisions.sign(session, row, by=cast.reader(session, who), signing=cast.signing(session, who))
        return row


def test_the_kind_of_every_line_follows_from_what_the_document_had(site: Site, cast: Cast, make_revision: Make) -> None:
    new, gone, kept = (
        make_revision("approved"),
        make_revision("in_force", title="B"),
        make_revision("in_force", title="C"),
    )
    amended = make_revision("approved", document_id=make_revision("in_force", title="D").document_id)
    whole = make_revision("in_force", title="E")
    with site.database.writing() as session:
        row = session.get_one(Document, whole.document_id)
        again = revisions.draft(session, row, by=cast.reader(session, "author"), edition=2, content=keep(site, session, "x"),
                                changes=[revisions.Change("1", "", "mới")])  # fmt: skip
        again_id = again.id
    from tests.conftest import STEPS, take

    for step in STEPS["approved"]:
        take(site, cast, again_id, step)
    with site.database.writing() as session:
        lines = issuing(session, new, amended, Made(again_id, whole.document_id, ""))
        lines += [*withdrawing(session, gone), Line("keep", document=session.get_one(Document, kept.document_id))]
        decision = drafted(session, cast, lines)
        wanted = {1: "new", 2: "amend", 3: "reissue", 4: "withdraw", 5: "keep"}
        assert decisions.kinds(session, decision) == wanted
        found = decisions.check(session, decision, by=cast.reader(session, "controller"))
        assert (found.errors, found.issued, found.withdrawn, found.kept) == ([], 3, 1, 1)
        decision_id = decision.id
    sign(site, cast, decision_id, "approver")
    with site.database.writing() as session:
        decision = session.get_one(Decision, decision_id)
        decisions.execute(session, decision, by=cast.reader(session, "controller"))
        assert decisions.kinds(session, decision) == wanted
        assert session.get_one(Revision, kept.id).status() == "in_force"
        annex = papers.paper(session, decision, "annex-1", by=cast.reader(session, "controller"), locale="en")
        assert [block.caption for block in annex.blocks] == [
            "New (1)", "Amended, replaced (1)", "Issued again (1)", "Withdrawn (1)", "Kept (1)",
        ]  # fmt: skip
        assert annex.head == audit.head(session)
    assert verify(site).problems == []


def test_what_is_not_in_force_cannot_be_kept(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("withdrawn")
    with site.database.writing() as session:
        decision = drafted(session, cast, [Line("keep", document=session.get_one(Document, made.document_id))])
        assert "cannot be kept" in errors(decisions.dry_run(session, decision))[0][1]


def test_a_sheet_names_every_row_that_cannot_be_read_and_adds_nothing(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    fresh, gone, old = (
        make_revision("approved"),
        make_revision("in_force", title="B"),
        make_revision("withdrawn", title="C"),
    )
    rows = [
        ["DANH MỤC KÈM THEO QUYẾT ĐỊNH"],
        HEAD,
        ["1", fresh.code, "mới"],
        ["2", gone.code, "Hủy bỏ", "Bãi bỏ.", fresh.code],
        ["3", "KHÔNG-CÓ", "mới"],
        ["4", fresh.code, "sửa đổi"],
        ["5", old.code, "mới"],
        ["6", gone.code, "xóa sổ"],
        [],
    ]
    with site.database.writing() as session:
        with pytest.raises(Unread) as unread:
            decisions.read_sheet(session, rows)
        found = [(row.line, row.code) for row in unread.value.problems["sheet"]]
        assert found == [(5, "KHÔNG-CÓ"), (6, fresh.code), (7, old.code), (8, gone.code)]
        lines = decisions.read_sheet(session, rows[:4])
    assert [(line.action, line.reason) for line in lines] == [("issue", ""), ("withdraw", "Bãi bỏ.")]
    assert lines[1].replaced_by is not None
    assert lines[1].replaced_by.id == fresh.document_id


def test_a_sheet_without_a_column_of_codes_says_what_its_head_needs(site: Site) -> None:
    with site.database.reading() as session, pytest.raises(Refused, match="Không thấy cột mã") as refused:
        decisions.read_sheet(session, [["STT", "Tên"], ["1", "Quy trình"]])
    assert refused.value.field == "sheet"


@pytest.mark.parametrize(
    ("form", "block"), [("", ["KT. CHỨC DANH APPROVER", "CHỨC DANH AUTHOR"]), ("KT.", None), ("TUQ.", "")]
)
def test_a_deputy_signs_in_the_form_of_the_delegation_only(
    site: Site, cast: Cast, make_revision: Make, form: str, block: list[str] | str | None
) -> None:
    delegated(site, cast, "author")
    made = make_revision("approved", by="neighbour", unit="NV")
    with site.database.writing() as session:
        decision = drafted(session, cast, issuing(session, made), signer_form=form)
        decisions.check(session, decision, by=cast.reader(session, "controller"))
        decision_id = decision.id
    if block == "":
        with pytest.raises(Refused, match="chỉ có thể ký: KT") as refused:
            sign(site, cast, decision_id, "author")
        assert refused.value.field == "signer_form"
        return
    signed = sign(site, cast, decision_id, "author")
    assert signed.signing_block.splitlines() == ["KT. CHỨC DANH APPROVER", "CHỨC DANH AUTHOR"]
    assert verify(site).problems == []


def test_an_approver_signs_for_the_office_and_its_block_is_frozen(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        decision = drafted(session, cast, issuing(session, made), signer_form="TM.")
        decisions.check(session, decision, by=cast.reader(session, "controller"))
        decision_id = decision.id
    signed = sign(site, cast, decision_id, "approver")
    assert signed.signing_block.splitlines() == ["TM. ỦY BAN NHÂN DÂN MẪU", "CHỨC DANH APPROVER"]
    with pytest.raises(IntegrityError), site.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE decision SET signing_block = 'X'")


def test_a_deputy_whose_delegation_ended_yesterday_cannot_sign_today_and_is_told_so(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    yesterday = clock.today() - timedelta(days=1)
    delegated(site, cast, "author", valid_to=yesterday)
    decision_id = decide(
        site, cast, issue=[make_revision("approved", by="neighbour", unit="NV").id], on=clock.today(), until="check"
    )
    with pytest.raises(Refused) as refused:
        sign(site, cast, decision_id, "author")
    assert f"its last day was {yesterday:%d/%m/%Y}" in refused.value.sentence.en
    with site.database.reading() as session:
        row, by = session.get_one(Decision, decision_id), cast.reader(session, "author")
        act = next(act for act in decisions.acts(session, row, by=by) if act.trigger == "sign")
        assert act.mine
        assert act.refusal == refused.value.sentence


def test_a_deputy_cannot_delegate(site: Site, cast: Cast) -> None:
    delegated(site, cast, "author")
    with pytest.raises(Refused, match="không được ủy quyền lại"), site.database.writing() as session:
        authority.delegate(
            session,
            by=cast.reader(session, "author"),
            giver=people.find(session, "author"),
            deputy=people.find(session, "staff"),
            form="TUQ.",
            document_number="1",
            document_date=clock.today(),
            valid_from=clock.today(),
            valid_to=clock.today(),
        )
    with site.database.reading() as session:
        assert session.query(Delegation).count() == 1


def test_executing_begins_what_is_owed_and_each_is_closed_once_with_its_evidence(
    site: Site, cast: Cast, executed: int
) -> None:
    with site.database.writing() as session:
        controller, decision = cast.reader(session, "controller"), session.get_one(Decision, executed)
        owed = decisions.obligations(session, decision)
        assert sorted(row.kind for row in owed) == [
            "announce_scope",
            "notify_department",
            "post_at_office",
            "post_on_web",
        ]
        assert [row.id for row in decisions.open_obligations(session, by=controller)] == [row.id for row in owed]
        for given, field in (
            ({"evidence": " "}, "evidence"),
            ({"done_on": clock.today() + timedelta(days=1)}, "done_on"),
        ):
            usual: dict[str, Any] = {"done_on": clock.today(), "evidence": "CV 5"}
            with pytest.raises(Refused) as refused:
                decisions.close_obligation(session, owed[0], by=controller, **(usual | given))
            assert refused.value.field == field
        decisions.close_obligation(session, owed[0], by=controller, done_on=clock.today(), evidence="Công văn 15/UBND")
        with pytest.raises(Refused, match="đã được ghi là xong"):
            decisions.close_obligation(session, owed[0], by=controller, done_on=clock.today(), evidence="Khác")
        with pytest.raises(NoRole):
            decisions.close_obligation(
                session, owed[1], by=cast.reader(session, "author"), done_on=clock.today(), evidence="x"
            )
    with pytest.raises(IntegrityError), site.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE obligation SET evidence = 'khác' WHERE done_on IS NOT NULL")
    assert verify(site).problems == []


def test_an_amendment_alone_does_not_change_the_scope(site: Site, cast: Cast, make_revision: Make) -> None:
    amended = make_revision("approved", document_id=make_revision("in_force").document_id)
    decision_id = decide(site, cast, issue=[amended.id], on=clock.today())
    with site.database.reading() as session:
        owed = decisions.obligations(session, session.get_one(Decision, decision_id))
        assert "announce_scope" not in [row.kind for row in owed]


def test_a_scan_is_attached_once_and_never_changes(site: Site, cast: Cast, executed: int) -> None:
    with site.database.writing() as session:
        controller, decision = cast.reader(session, "controller"), session.get_one(Decision, executed)
        content = keep(site, session, "bản quét")
        decisions.attach_scan(session, decision, by=controller, content=content, file_name="2804.pdf")
        with pytest.raises(Refused, match="không thay được"):
            decisions.attach_scan(session, decision, by=controller, content=content, file_name="khác.pdf")
    for sql in ("UPDATE decision_scan SET file_name = 'x'", "DELETE FROM decision_scan"):
        with pytest.raises(IntegrityError), site.database.writing() as session:
            session.connection().exec_driver_sql(sql)
    assert verify(site).problems == []


def test_a_correction_mends_the_form_and_not_the_content(
    site: Site, cast: Cast, executed: int, everything: Callable[[], dict[str, str]]
) -> None:
    before = everything()
    given: dict[str, Any] = {"number": "9/ĐC", "signed_on": date(2026, 1, 5), "place": "Điều 3"}
    with site.database.writing() as session:
        controller, decision = cast.reader(session, "controller"), session.get_one(Decision, executed)
        code = decision.lines[0].document.code
        for wrong, corrected in ((code, "QT-99"), (f"{decision.effective_from:%d/%m/%Y}", "01/01/2030")):
            with pytest.raises(Refused, match="đổi nội dung"):
                decisions.correct(session, decision, by=controller, wrong=wrong, corrected=corrected, **given)
        given |= {"wrong": "thi hánh", "corrected": "thi hành"}
        for signing in (None, cast.signing(session, "approver")):
            with pytest.raises(Refused, match="cần ký"):
                decisions.correct(session, decision, by=controller, signing=signing, **given)
        signing = cast.signing(session, "controller")
        made = decisions.correct(session, decision, by=controller, signing=signing, **given)
        assert made.signature is not None
        assert (made.signature.meaning, made.signature.content_hash) == ("corrected", made.content_hash())
        assert "thi hánh" in papers.paper(session, decision, "decision", by=controller, locale="vi").opening[-1]
    changed = {name for name, digest in everything().items() if before.get(name) != digest}
    assert changed == {"correction", "signature", "audit_entry"}
    assert verify(site).problems == []
    unsigned = "INSERT INTO correction SELECT 99, decision_id, number, signed_on, place, wrong, corrected, made_by_id, "
    with pytest.raises(IntegrityError, match="bears the signature"), site.database.writing() as session:
        session.connection().exec_driver_sql(unsigned + "made_at, NULL FROM correction")
    with site.database.writing() as session:
        for sql in ("DROP TRIGGER correction_never_changes", "UPDATE correction SET corrected = 'thi hành ngay'"):
            session.connection().exec_driver_sql(sql)
    found = {(row.what, row.record) for row in verify(site).problems}
    assert {("approval", "correction 1"), ("state", "correction 1")} <= found


def test_a_notice_of_one_paragraph_names_the_codes_and_the_link(site: Site, executed: int) -> None:
    with site.database.reading() as session:
        decision = session.get_one(Decision, executed)
        lines = decisions.lines_of(session, decision)
        said = papers.notice(decision, lines, address="https://docctl.example/decisions/1", locale="vi")
    assert "\n" not in said
    assert said.endswith("https://docctl.example/decisions/1")
    assert re.search(r"ban hành 1 tài liệu \(QT-TP-01\)", said)


def test_the_dry_run_says_which_forms_stay_and_whom_to_notify(site: Site, cast: Cast, make_revision: Make) -> None:
    gone = make_revision("in_force", code="QT-HT-05")
    with site.database.writing() as session:
        from docctl import documents, units

        form = documents.add(session, by=cast.reader(session, "controller"), title="Tờ khai", code="BM-QT-HT-05-01",
                             type=documents.find_type(session, "BM"), unit=units.find(session, "TP"))  # fmt: skip
        revisions.import_in_force(
            session, form, by=cast.reader(session, "controller"), edition=1, amendment=0, title=form.title,
            content=keep(site, session, "tờ khai"), file_name="t.txt", source="t", decision="1/QĐ",
            effective_from=clock.midnight(date(2020, 1, 1)),
        )  # fmt: skip
        found = decisions.dry_run(session, drafted(session, cast, withdrawing(session, gone)))
    assert [item.en for row in found.consequences for item in row.items] == [
        "BM-QT-HT-05-01 Tờ khai (of QT-HT-05)",
        "Justice division: 1 documents, 2 people",
    ]
