"""The pages of the yearly report and of periodic reviews."""

import io
from collections.abc import Callable
from datetime import date

from docx import Document as Docx

from docctl import clock


def test_the_report_flags_what_contradicts_and_comes_as_a_word_document(make_revision: Callable, sign_in: Callable):
    make_revision("in_force", on=date(2021, 1, 4))
    controller = sign_in("controller")
    page = controller.read("/reports/2022")
    assert "No contradiction was found" in page
    answer = controller.send("/reports/2022/figures", name="TTHC", value="264/314 = 82,7 %", source="Báo cáo năm 2022")
    assert answer.status_code == 303
    assert controller.send("/reports/2022/points", **{"points-total": "96,5", "points-1": "5"}).status_code == 303
    page = controller.read("/reports/2022")
    assert "264/314 is 84,1 %, not 82,7 %" in page
    assert "The total says 96,5 points, but the rows add up to 5" in page
    document = Docx(io.BytesIO(controller.get("/reports/2022?format=docx").data))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "1 documents were in force" in text
    assert "264/314 is 84,1 %" in text
    assert sign_in("controller", "vi").get("/reports/2022?format=docx").status_code == 200


def test_what_was_typed_is_kept_when_it_is_refused_and_staff_only_read(sign_in: Callable):
    controller = sign_in("controller")
    controller.read("/reports/2022")
    answer = controller.send("/reports/2022/figures", name="Khiếu nại", value="3", source=" ")
    assert answer.status_code == 409
    assert "Khiếu nại" in answer.text
    answer = controller.send("/reports/2022/points", **{"points-7.2d": "hai"})
    assert answer.status_code == 409
    assert 'value="hai"' in answer.text
    staff = sign_in("staff")
    assert "Keep the figure" not in staff.read("/reports/2022")
    assert staff.send("/reports/2022/figures", name="a", value="1", source="b").status_code == 403
    assert staff.get(f"/reports/{clock.today().year + 1}").status_code == 404
    assert staff.get("/reports").headers["Location"].endswith(str(clock.today().year - 1))


def test_an_overdue_review_is_seen_at_home_on_the_document_and_is_done(make_revision: Callable, sign_in: Callable):
    made = make_revision("in_force", on=date(2021, 1, 4))
    reviewer = sign_in("reviewer")
    assert "overdue for its periodic review" in reviewer.read("/")
    assert made.code in reviewer.read("/reviews")
    page = reviewer.read(f"/documents/{made.document_id}/reviews")
    assert "is overdue" in page
    wrong = reviewer.send(f"/documents/{made.document_id}/reviews", outcome="keep", reason=" ")
    assert wrong.status_code == 409
    right = reviewer.send(f"/documents/{made.document_id}/reviews", outcome="keep", reason="Còn phù hợp.")
    assert right.status_code == 303
    assert "Còn phù hợp." in reviewer.read(f"/documents/{made.document_id}/reviews")
    assert "overdue for its periodic review" not in reviewer.read("/")
    assert reviewer.get("/reviews?which=all&format=xlsx").status_code == 200
    staff = sign_in("staff")
    staff.read(f"/documents/{made.document_id}/reviews")
    assert staff.send(f"/documents/{made.document_id}/reviews", outcome="keep", reason="x").status_code == 403
