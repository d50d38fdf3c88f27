"""Internal audits on the pages: from the plan to the signed report, and a slip from the finding to its closing."""

import io
from collections.abc import Callable

from docx import Document as Docx

from docctl import audit
from docctl.internal_audits import InternalAudit, checklist
from docctl.site import Site
from tests.conftest import PASSWORD, Made
from tests.web.conftest import Browser

PLAN = {"title": "Audit of autumn", "scope": "Both divisions", "first_day": "26/10/2026", "last_day": "27/10/2026"}
FINDING = {"grade": "minor", "unit": "TP", "point": "8.6", "statement": "An old copy lies on the desk."}
REPORT = {"cause": "No handover", "correction": "Taken back", "remedy": "Handover list", "proof": "Minutes 4"}


def lock_of(page: str) -> str:
    return page.split('name="lock"')[1].split('value="')[1].split('"')[0]


def answers(**wrong: str) -> dict[str, str]:
    points = [point.code for point in checklist.versions()[checklist.newest()]]
    given = {f"verdict-{code}": "conforms" for code in points}
    return given | {f"verdict-{code}": "nonconforming" for code in wrong} | {f"note-{c}": n for c, n in wrong.items()}


def walked_audit(auditor: Browser, made: Made) -> None:
    auditor.read("/internal-audits/new")
    assert auditor.send("/internal-audits", **PLAN).status_code == 303
    assert auditor.send("/internal-audits/1/samples", codes=made.code).status_code == 303
    assert auditor.send("/internal-audits/1/transitions", trigger="begin", lock="1").status_code == 303


def test_an_audit_goes_from_its_plan_to_a_signed_report(
    sign_in: Callable[..., Browser], site: Site, make_revision: Callable[..., Made]
) -> None:
    make_revision("in_force", title="Quy trình khác")
    made = make_revision("in_force")
    auditor = sign_in("auditor")
    assert "No audit was opened yet" in auditor.read("/internal-audits")
    walked_audit(auditor, made)
    drawn = auditor.send("/internal-audits/1/draws", size="1", seed="17")
    assert drawn.status_code == 303
    page = auditor.read("/internal-audits/1")
    assert "drawn again, the same samples come out" in page
    assert "<code>17</code>" in page
    for sample in (1, 2):
        walk = auditor.read(f"/internal-audits/1/samples/{sample}")
        assert ("the chain of evidence" in walk and f"/documents/{made.document_id}" in walk) or sample == 2
        empty = auditor.send(f"/internal-audits/1/samples/{sample}", **answers(**{"8.6": ""}))
        assert empty.status_code == 409
        assert "write down what does not conform" in empty.text
        right = auditor.send(f"/internal-audits/1/samples/{sample}", **answers(**{"8.6": "An old copy."}))
        assert right.status_code == 303
    unfinished = auditor.send("/internal-audits/1/transitions", trigger="report", password=PASSWORD, lock=lock_of(page))
    assert unfinished.status_code == 409
    assert "the conclusion" in unfinished.text
    words = {**PLAN, "conclusion": "The system is kept.", "lock": lock_of(page)}
    assert auditor.send("/internal-audits/1", **words).status_code == 303
    with site.database.reading() as session:
        before = audit.head(session)
    lock = lock_of(auditor.read("/internal-audits/1"))
    signed = auditor.send("/internal-audits/1/transitions", trigger="report", password=PASSWORD, lock=lock)
    assert signed.status_code == 303
    assert before.hash in auditor.read("/internal-audits/1")
    word = Docx(io.BytesIO(auditor.get("/internal-audits/1/report.docx").data))
    assert before.hash in word.sections[0].footer.paragraphs[0].text
    cells = {cell.text for table in word.tables for row in table.rows for cell in row.cells}
    assert {made.code, "17", "the same"} <= cells
    assert auditor.get("/internal-audits/1/report.pdf").data.startswith(b"%PDF-")
    assert auditor.get("/internal-audits/1/report.txt").status_code == 404


def test_a_slip_is_answered_by_its_unit_and_closed_by_the_auditor(
    sign_in: Callable[..., Browser], make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    auditor, head = sign_in("auditor"), sign_in("reviewer")
    walked_audit(auditor, made)
    sample = "/internal-audits/1/samples/1"
    empty = auditor.send(f"{sample}/findings", **{**FINDING, "statement": " "})
    assert empty.status_code == 409
    assert "Write down what does not conform" in empty.text
    assert auditor.send(f"{sample}/findings", **FINDING).status_code == 303
    evidence = "/nonconformities/1/evidence/finding"
    wrong = auditor.send(evidence, reference="nothing like it")
    assert wrong.status_code == 409
    assert "nothing like it" in wrong.text
    assert auditor.send(evidence, reference=made.code, note="On the desk").status_code == 303
    assert "slip 01/" in head.read("/")
    page = head.read("/nonconformities/1")
    assert f"/revisions/{made.id}" in page
    assert "Write" not in page.split("<h1")[1].split("</h1>")[0]
    early = head.send("/nonconformities/1/transitions", trigger="answer", password=PASSWORD, lock=lock_of(page))
    assert early.status_code == 409
    assert "the cause" in early.text
    assert head.send("/nonconformities/1", lock=lock_of(page), **REPORT).status_code == 303
    photo = (io.BytesIO("Biên bản bàn giao".encode()), "Biên bản.txt")
    assert head.send("/nonconformities/1/evidence/proof", file=photo).status_code == 303
    page = head.read("/nonconformities/1")
    assert head.get("/nonconformities/1/evidence/2").data == "Biên bản bàn giao".encode()
    signed = head.send("/nonconformities/1/transitions", trigger="answer", password=PASSWORD, lock=lock_of(page))
    assert signed.status_code == 303
    page = auditor.read("/nonconformities/1")
    closing = {"trigger": "close", "password": PASSWORD, "lock": lock_of(page)}
    assert auditor.send("/nonconformities/1/transitions", **closing).status_code == 409
    assert auditor.send("/nonconformities/1/transitions", **closing, reason="Seen at the desk").status_code == 303
    assert "Seen at the desk" in head.read("/nonconformities/1")
    assert auditor.send(evidence, reference=made.code).status_code == 409
    word = Docx(io.BytesIO(head.get("/nonconformities/1/slip.docx").data))
    assert any("No handover" in paragraph.text for paragraph in word.paragraphs)
    assert head.get("/nonconformities/1/slip.pdf").data.startswith(b"%PDF-")


def test_an_audit_and_its_slips_are_there_for_those_whom_they_concern(
    sign_in: Callable[..., Browser], make_revision: Callable[..., Made]
) -> None:
    auditor = sign_in("auditor")
    walked_audit(auditor, make_revision("in_force"))
    assert auditor.send("/internal-audits/1/samples/1/findings", **FINDING).status_code == 303
    controller, head, staff = sign_in("controller"), sign_in("reviewer"), sign_in("staff")
    assert controller.get("/internal-audits/1").status_code == 200
    assert controller.get("/internal-audits/new").status_code == 403
    assert controller.send("/internal-audits/1/draws", size="1").status_code == 403
    assert head.get("/internal-audits").status_code == 200
    assert head.get("/internal-audits/1").status_code == 404
    assert staff.get("/internal-audits").status_code == 403
    for path in ("/internal-audits/1", "/internal-audits/1/samples/1", "/nonconformities/1"):
        assert staff.get(path).status_code == 404
    assert auditor.get("/internal-audits/1/samples/9").status_code == 404


def test_what_was_typed_is_kept_when_a_plan_is_refused(sign_in: Callable[..., Browser], site: Site) -> None:
    auditor = sign_in("auditor")
    auditor.read("/internal-audits/new")
    refused = auditor.send("/internal-audits", **{**PLAN, "last_day": "25/10/2026"})
    assert refused.status_code == 409
    assert "The last day is before the first" in refused.text
    assert "Both divisions" in refused.text
    refused = auditor.send("/internal-audits", **{**PLAN, "first_day": "31/02/2026"})
    assert refused.status_code == 409
    assert "There is no day" in refused.text
    with site.database.reading() as session:
        assert session.query(InternalAudit).count() == 0
