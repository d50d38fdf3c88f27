"""The pages of decisions in full: a spreadsheet, a search, papers, the scan, what is owed, and who may sign."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import xlsxwriter
from flask import Flask

from docctl import api, authority, clock, decisions, people, procedures, tokens
from docctl.decisions import Decision
from docctl.documents import Document
from docctl.procedures import Entry
from docctl.site import Site
from tests.conftest import PASSWORD, Cast, Made, decide
from tests.web.conftest import Browser

Make = Callable[..., Made]
SignIn = Callable[..., Browser]


def sheet(*rows: list[str]) -> io.BytesIO:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        page = book.add_worksheet()
        for number, row in enumerate([["Mã", "Việc", "Lý do"], *rows]):
            page.write_row(number, 0, row)
    file.seek(0)
    return file


def send(browser: Browser, decision_id: int, place: str, **form: Any) -> Any:
    page = browser.read(f"/decisions/{decision_id}")
    lock = re.search(r'name="lock" value="(\d+)"', page)
    return browser.send(f"/decisions/{decision_id}/{place}", **({"lock": lock[1]} if lock else {}), **form)


@pytest.fixture
def draft(site: Site, cast: Cast) -> int:
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        given = {"number": "9/QĐ", "signed_on": clock.today(), "effective_from": clock.today()}
        return decisions.draft(session, by=controller, title="Ban hành", **given).id  # type: ignore[arg-type]


@pytest.fixture
def executed(site: Site, cast: Cast, make_revision: Make) -> int:
    return decide(site, cast, issue=[make_revision("approved").id], on=clock.today())


def lines(site: Site, decision_id: int) -> list[tuple[str, int]]:
    with site.database.reading() as session:
        return [(row.action, row.document_id) for row in session.get_one(Decision, decision_id).lines]


def test_a_spreadsheet_with_a_bad_row_adds_nothing_and_names_it_and_the_mended_one_adds_all(
    site: Site, sign_in: SignIn, make_revision: Make, draft: int
) -> None:
    new, old = make_revision("approved"), make_revision("in_force", title="B")
    controller = sign_in("controller")
    answer = send(controller, draft, "lines/sheet", sheet=(sheet([new.code, "mới"], ["SAI-1", "hủy"]), "a.xlsx"))
    assert answer.status_code == 409
    assert "Line 3 (SAI-1)" in answer.text
    assert lines(site, draft) == []
    answer = send(controller, draft, "lines/sheet", sheet=(sheet([new.code, "mới"], [old.code, "hủy", "Bỏ"]), "a.xlsx"))
    assert answer.status_code == 303
    assert lines(site, draft) == [("issue", new.document_id), ("withdraw", old.document_id)]


@pytest.mark.parametrize("file", [(io.BytesIO(b"x,y"), "a.csv"), (io.BytesIO(b"PK\x03\x04 broken"), "a.xlsx")])
def test_what_is_no_spreadsheet_is_refused_with_a_sentence(sign_in: SignIn, draft: int, file: Any) -> None:
    answer = send(sign_in("controller"), draft, "lines/sheet", sheet=file)
    assert answer.status_code == 409
    assert 'id="sheet-error"' in answer.text


def test_lines_are_made_from_a_search_and_from_accepted_requests(
    site: Site, cast: Cast, sign_in: SignIn, make_revision: Make, draft: int
) -> None:
    kept, asked = make_revision("in_force", title="Quy trình giữ lại"), make_revision("in_force", title="Quy trình bỏ")
    from tests.nouns.test_requests import accepted
    from tests.nouns.test_requests import asked as ask

    with site.database.writing() as session:
        from docctl.documents import Document

        request_id = accepted(
            session, cast, ask(session, cast, "withdraw", document=session.get_one(Document, asked.document_id))
        ).id
    controller = sign_in("controller")
    page = controller.read(f"/decisions/{draft}?find=giu+lai")
    assert f'name="found-{kept.document_id}"' in page
    assert f'name="found-{asked.document_id}"' not in page
    answer = send(controller, draft, "lines", **{f"found-{kept.document_id}": "keep", "request": str(request_id)})
    assert answer.status_code == 303, answer.text
    assert sorted(lines(site, draft)) == [("keep", kept.document_id), ("withdraw", asked.document_id)]


def test_an_error_links_to_the_page_where_it_is_mended(
    site: Site, cast: Cast, sign_in: SignIn, make_revision: Make, draft: int
) -> None:
    made = make_revision("approved")
    controller = sign_in("controller")
    send(controller, draft, "lines", issue=made.code)
    with site.database.writing() as session:
        from docctl import revisions

        row = session.get_one(revisions.Revision, made.id)
        revisions.reopen(session, row, by=cast.reader(session, "approver"), reason="Sửa lại.")
    assert f'<a href="/revisions/{made.id}">Mend it</a>' in controller.read(f"/decisions/{draft}")


@pytest.mark.parametrize("name", ["decision", "annex-1", "annex-2", "annex-3"])
@pytest.mark.parametrize(("format", "magic"), [("docx", b"PK"), ("pdf", b"%PDF")])
def test_the_papers_of_a_decision_are_given_as_files(
    sign_in: SignIn, executed: int, name: str, format: str, magic: bytes
) -> None:
    answer = sign_in("controller").get(f"/decisions/{executed}/paper/{name}.{format}")
    assert answer.status_code == 200
    assert answer.data.startswith(magic)


def test_what_is_owed_is_on_the_home_page_until_it_is_closed_with_evidence(sign_in: SignIn, executed: int) -> None:
    controller = sign_in("controller")
    assert "Post at the office" in controller.read("/")
    page = controller.read(f"/decisions/{executed}")
    found = re.search(r'/obligations/(\d+)"', page)
    assert found
    answer = controller.send(f"/decisions/{executed}/obligations/{found[1]}", done_on="", evidence="Bảng tin tầng 1")
    assert answer.status_code == 409
    assert "Bảng tin tầng 1" in answer.text
    today = f"{clock.today():%d/%m/%Y}"
    answer = controller.send(
        f"/decisions/{executed}/obligations/{found[1]}",
        done_on=today,
        evidence="Bảng tin tầng 1",
        file=(io.BytesIO(b"Bien ban niem yet"), "niem-yet.txt"),
    )
    assert answer.status_code == 303
    assert "1 of 4 done" in controller.read(f"/decisions/{executed}")
    proof = controller.get(f"/decisions/{executed}/obligations/{found[1]}/evidence")
    assert proof.data == b"Bien ban niem yet"


def test_the_scan_comes_back_byte_for_byte_and_is_attached_once(sign_in: SignIn, executed: int) -> None:
    controller = sign_in("controller")
    controller.read(f"/decisions/{executed}")
    first = controller.send(f"/decisions/{executed}/scan", file=(io.BytesIO(b"scan one"), "2804.txt"))
    assert first.status_code == 303
    assert controller.get(f"/decisions/{executed}/scan").data == b"scan one"
    again = controller.send(f"/decisions/{executed}/scan", file=(io.BytesIO(b"scan two"), "x.txt"))
    assert again.status_code == 409
    assert sign_in("author").send(f"/decisions/{executed}/scan", file=(io.BytesIO(b"z"), "x.txt")).status_code == 403


def test_a_correction_of_content_is_refused_and_one_of_form_is_shown(sign_in: SignIn, executed: int) -> None:
    controller = sign_in("controller")
    controller.read(f"/decisions/{executed}")
    given = {"number": "3/ĐC", "signed_on": "05/01/2026", "place": "Điều 1", "corrected": "thi hành"}
    unsigned = controller.send(f"/decisions/{executed}/corrections", wrong="thi hánh", **given)
    assert unsigned.status_code == 409
    assert "enter your password again" in unsigned.text
    given["password"] = PASSWORD
    answer = controller.send(f"/decisions/{executed}/corrections", wrong="QT-TP-01", **given)
    assert answer.status_code == 409
    assert "Make a later decision" in answer.text
    assert controller.send(f"/decisions/{executed}/corrections", wrong="thi hánh", **given).status_code == 303
    assert "<del>thi hánh</del>" in controller.read(f"/decisions/{executed}")
    assert "/decisions/" in controller.read(f"/decisions/{executed}").split("<textarea", 1)[1]


def test_a_deputy_whose_delegation_ended_yesterday_reads_why_beside_the_button(
    site: Site, cast: Cast, sign_in: SignIn, make_revision: Make
) -> None:
    yesterday = clock.today() - timedelta(days=1)
    with site.database.writing() as session:
        authority.delegate(
            session,
            by=cast.reader(session, "controller"),
            giver=people.find(session, "approver"),
            deputy=people.find(session, "author"),
            form="KT.",
            document_number="12/QĐ",
            document_date=yesterday,
            valid_from=yesterday,
            valid_to=yesterday,
        )
        people.grant(session, people.find(session, "author"), "controller")
    decision_id = decide(site, cast, issue=[make_revision("approved").id], on=clock.today(), until="check")
    author = sign_in("author")
    sentence = f"its last day was {yesterday:%d/%m/%Y}"
    assert sentence in author.read(f"/decisions/{decision_id}")
    answer = send(author, decision_id, "transitions", trigger="sign", password=PASSWORD)
    assert answer.status_code == 403
    assert sentence in answer.text


def test_whose_delegation_ended_is_answered_like_everybody_else_without_the_role(
    site: Site, cast: Cast, app: Flask, sign_in: SignIn, make_revision: Make
) -> None:
    api.install(app)
    yesterday = clock.today() - timedelta(days=1)
    decision_id = decide(site, cast, issue=[make_revision("approved").id], on=clock.today(), until="check")
    given = {"form": "TUQ.", "document_date": yesterday, "valid_from": yesterday, "valid_to": yesterday}
    tokens_of = {}
    with site.database.writing() as session:
        seen = session.get_one(Decision, decision_id).lock
        for name in ("auditor", "staff"):
            giver, deputy = people.find(session, "approver"), people.find(session, name)
            by = cast.reader(session, "controller")
            authority.delegate(session, by=by, giver=giver, deputy=deputy, document_number=f"1/{name}", **given)
        for name in ("auditor", "staff", "format-reviewer", "author"):
            account = people.find(session, name)
            tokens_of[name] = tokens.create(session, account, "program", read_only=False, by=account)

    def answers(name: str) -> list[tuple[int, str]]:
        """Sign on the page and by a program; say how it was answered, and in which words."""
        given = {"trigger": "sign", "password": PASSWORD, "lock": str(seen)}
        page = sign_in(name).send(f"/decisions/{decision_id}/transitions", **given)
        program = app.test_client().post(
            f"/api/v1/decisions/{decision_id}/transitions",
            json={"trigger": "sign", "password": PASSWORD},
            headers={"Authorization": f"Bearer {tokens_of[name]}", "Idempotency-Key": name},
        )
        return [
            (page.status_code, unescape(page.text).split("<h1", 1)[1]),
            (program.status_code, str(program.get_json()["title"])),
        ]

    # Who sees the decision in another role is told that the role is missing; the deputy, since when.
    ended, never = answers("auditor"), answers("format-reviewer")
    assert [status for status, _ in ended] == [status for status, _ in never] == [403, 403]
    assert all(f"its last day was {yesterday:%d/%m/%Y}" in said for _, said in ended)
    # Who does not see it learns nothing of it, whether or not he or she could sign until yesterday.
    assert answers("staff") == answers("author")
    assert [status for status, _ in answers("staff")] == [404, 404]


def test_the_page_of_delegations_records_one_and_refuses_to_pass_it_on(sign_in: SignIn) -> None:
    controller = sign_in("controller")
    controller.read("/delegations")
    today = f"{clock.today():%d/%m/%Y}"
    given = {"document_number": "12/QĐ", "document_date": today, "valid_from": today, "valid_to": today}
    assert controller.send("/delegations", giver="approver", to="author", form="KT.", **given).status_code == 303
    assert "12/QĐ" in controller.read("/delegations")
    answer = controller.send("/delegations", giver="author", to="staff", form="TUQ.", **given)
    assert answer.status_code == 409
    assert "is never passed on" in answer.text
    assert sign_in("staff").get("/delegations").status_code == 403


def test_the_page_asks_to_confirm_a_procedure_that_a_withdrawal_leaves_without_a_document(
    sign_in: SignIn, site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        row = procedures.add(session, Entry(code="1.000055", title="Đăng ký khai tử"), by=controller)
        procedures.link(session, row, session.get_one(Document, made.document_id), by=controller)
    decision_id = decide(site, cast, withdraw=[made.document_id], on=clock.today(), until="draft")
    browser = sign_in("controller")
    page = browser.read(f"/decisions/{decision_id}")
    assert 'name="confirmed" value="1.000055"' in page
    assert "1.000055 “Đăng ký khai tử”" in page
    answer = send(browser, decision_id, "transitions", trigger="check")
    assert answer.status_code == 409
    assert "1.000055" in re.search(r'id="act-check-confirmed-error".*', answer.text)[0]  # type: ignore[index]
    assert send(browser, decision_id, "transitions", trigger="check", confirmed="1.000055").status_code == 303
    page = browser.read(f"/decisions/{decision_id}")
    assert "1.000055" in page
    with site.database.reading() as session:
        assert session.get_one(Decision, decision_id).state == "checked"
