"""Evidence is taken with one button by auditors and controllers, and the trail says so."""

import io
import zipfile


def test_an_auditor_takes_the_evidence_of_a_document(sign_in, make_revision):
    made = make_revision("in_force")
    auditor = sign_in("auditor")
    assert "Take the evidence" in auditor.read(f"/documents/{made.document_id}")
    answer = auditor.send(f"/documents/{made.document_id}/evidence")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert "check.py" in zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert "evidence taken" in auditor.read("/trail")


def test_an_auditor_takes_the_evidence_of_a_decision(sign_in, make_revision):
    make_revision("in_force")
    auditor = sign_in("auditor")
    auditor.read("/decisions/1")
    assert "Take the evidence" in auditor.read("/decisions/1")
    assert auditor.send("/decisions/1/evidence").status_code == 200


def test_staff_may_not(sign_in, make_revision):
    made = make_revision("in_force")
    staff = sign_in("staff")
    assert "Take the evidence" not in staff.read(f"/documents/{made.document_id}")
    assert staff.send(f"/documents/{made.document_id}/evidence").status_code == 403


def test_what_is_not_there_is_not_found(sign_in):
    auditor = sign_in("auditor")
    assert auditor.send("/documents/999/evidence").status_code == 404
    assert auditor.get("/documents/999/evidence").status_code == 405
