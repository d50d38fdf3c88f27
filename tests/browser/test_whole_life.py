"""One real procedure from its upload to its withdrawal, in the browser, each step by the person whose it is."""

import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import docx
import pytest

from docctl import clock
from tests.browser.conftest import Window
from tests.conftest import PASSWORD
from tests.reliability.serving import Server, docctl, verified

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

TITLE = "Đăng ký lại khai sinh"
REAL = "vn-iso-procedures/quy_trinh_cap_ho_tich_cap_xa/03. Đăng ký lại khai sinh.doc"


@pytest.fixture
def procedure(tmp_path: Path) -> Path:
    """A real procedure where the real documents are beside the project, else a paper made here."""
    real = Path(__file__).resolve().parents[3] / "shared" / "data" / REAL
    return real if real.is_file() else paper(tmp_path / "Đăng ký lại khai sinh.docx", "Lần ban hành thứ nhất.")


def paper(path: Path, words: str) -> Path:
    """Write a small real .docx."""
    document = docx.Document()
    document.add_heading(f"QUY TRÌNH {TITLE}")
    document.add_paragraph(words)
    file = io.BytesIO()
    document.save(file)
    path.write_bytes(file.getvalue())
    return path


def typed(day: date) -> str:
    """Write a day as people type it."""
    return day.strftime("%d/%m/%Y")


def fill_content(window: Window, file: Path, summary: str) -> None:
    """Choose the file and write the summary and a row of the change table."""
    page = window.page
    page.locator("input[type=file]").set_input_files(file)
    page.locator("[name=change_summary]").fill(summary)
    page.locator("[name=changes-0-section]").fill("5.2")
    page.locator("[name=changes-0-old]").fill("05 ngày làm việc")
    page.locator("[name=changes-0-new]").fill("03 ngày làm việc")
    page.locator("[name=changes-0-basis]").fill("Luật Hộ tịch")


def sign_and_approve(window: Window, revision: str) -> None:
    """Take a draft through submission, both endorsements and the approval, each as the right person."""
    for trigger, name, password in (
        ("submit", "author", ""),
        ("endorse", "reviewer", PASSWORD),
        ("endorse", "format-reviewer", PASSWORD),
        ("approve", "approver", PASSWORD),
    ):
        window.sign_in(name)
        window.go("/")
        window.page.locator(f'main a[href="{revision}"]').first.click()
        window.page.wait_for_url(f"**{revision}")
        window.press(trigger, password=password)
        assert not window.page.locator(".acts-refused button.btn-primary").count()
        window.sign_out()


def decide(window: Window, number: str, on: date, *, withdraw: str = "") -> str:
    """Draft a decision, add its lines, look at the dry run, sign and execute it; return its path."""
    page = window.page
    window.sign_in("controller")
    window.go("/decisions/new")
    page.locator("[name=title]").fill(f"Về việc ban hành, hủy bỏ tài liệu ({number})")
    page.locator("[name=number]").fill(number)
    page.locator("[name=signed_on]").fill(typed(on))
    page.locator("[name=effective_from]").fill(typed(on))
    if not withdraw and page.locator("[name=everything]").count():
        page.locator("[name=everything]").check()
    with page.expect_navigation():
        page.locator("main form button[type=submit]").click()
    decision = page.url.removeprefix(window.url).partition("#")[0]
    if withdraw:
        add = page.locator("details#add")
        if add.get_attribute("open") is None:
            add.locator("summary").click()
        add.locator("[name=withdraw]").fill(withdraw)
        with page.expect_navigation():
            add.locator("form:has([name=withdraw]) button[type=submit]").click()
    window.go(decision)
    window.press("check")
    window.sign_out()
    window.sign_in("approver")
    window.go(decision)
    window.press("sign", password=PASSWORD)
    window.sign_out()
    window.sign_in("controller")
    window.go(decision)
    window.press("execute")
    assert "executed" in window.state(), window.main()
    window.sign_out()
    return decision


def in_force(server: Server, code: str, day: date) -> list[tuple[str, str, str]]:
    """Ask the command line, the server being stopped, what of a document is in force on a day."""
    assert server.process is not None
    assert server.process.poll() is not None
    said = docctl(server.storage, "in-force", "--on", day.isoformat(), "--json")
    assert said.returncode == 0, said.stderr
    found: list[dict[str, Any]] = json.loads(said.stdout)["documents"]
    return [(row["edition"], row["decision"], row["sha256"][:8]) for row in found if row["code"] == code]


def editions(desk: Window, server: Server, code: str, on: date) -> list[list[str]]:
    """Return the editions in force the day before, the day of and the day after, with the server stopped between."""
    desk.page.goto("about:blank")  # Nothing is on its way when the server goes.
    server.stop()
    found = [[row[0] for row in in_force(server, code, on + timedelta(days=away))] for away in (-1, 0, 1)]
    server.start()
    return found


def test_a_real_procedure_is_written_signed_issued_found_superseded_and_withdrawn(
    desk: Window, server: Server, procedure: Path, tmp_path: Path
) -> None:
    page = desk.page
    first, second, last = (clock.today() - timedelta(days=away) for away in (20, 10, 1))

    desk.sign_in("author")
    desk.go("/documents/new")
    page.locator("[name=title]").fill(TITLE)
    page.locator("[name=type]").select_option("QT")
    page.locator("[name=unit]").select_option("TP")
    fill_content(desk, procedure, "Ban hành lần đầu.")
    with page.expect_navigation():
        page.locator("main form button[type=submit]").last.click()
    revision = page.url.removeprefix(desk.url)
    assert revision.startswith("/revisions/"), desk.main()
    code = next(word for word in desk.main().split() if word.startswith("QT-TP"))
    desk.sign_out()

    sign_and_approve(desk, revision)
    decide(desk, "1/QĐ-UBND", first)
    assert editions(desk, server, code, first) == [[], ["01"], ["01"]]

    # Staff: from home, three words without accents, Enter, the first hit, read.
    desk.sign_in("staff")
    desk.go("/")
    find(desk, "lai khai sinh")
    page.locator("main table.rows tbody a").first.click()
    page.wait_for_load_state()
    assert TITLE in desk.main()
    assert page.locator('a[href$="/original"]').count() == 1
    with page.expect_download() as download:
        page.locator('a[href$="/original"]').click()
    assert Path(download.value.path()).read_bytes() == procedure.read_bytes()
    desk.sign_out()

    desk.sign_in("author")
    desk.go("/documents?q=" + code)
    page.locator("main table.rows tbody a").first.click()
    page.wait_for_load_state()
    document = page.url.removeprefix(desk.url)
    with page.expect_navigation():
        page.locator('form[action$="/revisions"] button').click()
    fill_content(desk, paper(tmp_path / "Lần 2.docx", "Lần ban hành thứ hai."), "Rút ngắn thời hạn.")
    page.locator("[name=edition]").fill("2")
    page.locator("[name=amendment]").fill("0")
    with page.expect_navigation():
        page.locator("main form button[type=submit]").last.click()
    later = page.url.removeprefix(desk.url)
    assert later != revision
    desk.sign_out()
    sign_and_approve(desk, later)
    decide(desk, "2/QĐ-UBND", second)
    assert editions(desk, server, code, second) == [["01"], ["02"], ["02"]]

    decide(desk, "3/QĐ-UBND", last, withdraw=f"{code}; Thủ tục đã bãi bỏ")
    assert editions(desk, server, code, last) == [["02"], [], []]
    assert editions(desk, server, code, first) == [[], ["01"], ["01"]]

    desk.sign_in("staff")
    desk.go("/search?q=lai+khai+sinh")
    assert code not in desk.main()
    desk.sign_out()
    desk.sign_in("auditor")
    desk.go(f"{document}/trail")
    told = desk.main()
    assert "Thủ tục đã bãi bỏ" in told
    assert "2/QĐ-UBND" in told
    assert desk.complaints == []
    assert verified(server.storage)["problems"] == []


def find(window: Window, words: str) -> None:
    """Type words into the search of the header, press Enter, and wait until the index has followed."""
    for _ in range(20):
        window.page.locator("#find").fill(words)
        with window.page.expect_navigation():
            window.page.locator("#find").press("Enter")
        if window.page.locator("main table.rows").count():
            return
        window.page.wait_for_timeout(250)
