"""From a new decree to a closed legal watch, and from the figures of a year to a report that LibreOffice opens."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe

from docctl import clock, external, jobs, procedures
from docctl.documents import Document
from docctl.external import Entry
from docctl.site import Site
from tests.browser.conftest import Window
from tests.browser.test_pages_look_right import defects
from tests.conftest import PASSWORD, Cast, Made, decide

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

YEAR = clock.today().year


@pytest.fixture
def citing(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> list[Made]:
    """Two procedures in force that cite the decree on civil status; each covers an administrative procedure, a third is bare."""
    made = [
        make_revision(
            "in_force",
            title=f"Quy trình đăng ký {what}",
            code=f"QT-0{number}",
            text="Căn cứ Nghị định số 123/2015/NĐ-CP ngày 15/11/2015 của Chính phủ.",
        )
        for number, what in enumerate(("khai sinh", "kết hôn"), start=1)
    ]
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        entry = Entry(
            number="123/2015/NĐ-CP",
            title="Quy định chi tiết Luật Hộ tịch",
            kind="Nghị định",
            effective_from=date(2016, 1, 1),
        )
        external.add(session, entry, by=by)
        for number, document in enumerate([*made, None], start=1):
            row = procedures.add(
                session, procedures.Entry(code=f"1.00000{number}", title=f"Thủ tục {number}", field="Hộ tịch"), by=by
            )
            if document is not None:
                procedures.link(session, row, session.get_one(Document, document.document_id), by=by)
    jobs.wake(site)
    return made


def test_a_new_decree_is_worked_into_the_documents_that_cite_the_old_one_until_the_watch_is_closed(
    site: Site, cast: Cast, citing: list[Made], make_revision: Callable[..., Made], open_window: Callable[..., Window]
) -> None:
    controller = open_window("controller")
    page = controller.page
    controller.go("/external-documents/new")
    began = clock.today() - timedelta(days=40)
    page.fill("[name=number]", "104/2022/NĐ-CP")
    page.fill("[name=kind]", "Nghị định")
    page.fill("[name=title]", "Sửa đổi việc nộp, xuất trình sổ hộ khẩu")
    page.fill("[name=effective_from]", began.strftime("%d/%m/%Y"))
    with page.expect_navigation():
        page.locator("main form button[type=submit]").click()
    assert "104/2022/NĐ-CP" in controller.main()

    controller.go("/external-documents?q=123/2015")
    with page.expect_navigation():
        page.locator("main tr", has_text="123/2015/NĐ-CP").locator("a").first.click()
    page.locator("#act-change summary").click()
    page.fill("#act-change [name=changed_by]", "104/2022/NĐ-CP")
    page.fill("#act-change [name=effective_from]", began.strftime("%d/%m/%Y"))
    with page.expect_navigation():
        page.locator("#act-change form button[type=submit]").click()
    assert "2 assessments are open" in controller.main()

    controller.go("/legal-watch")
    assert "QT-01" in controller.main()
    assert "QT-02" in controller.main()
    with page.expect_navigation():
        page.locator("main tr", has_text="QT-01").locator("a[href*=legal-watch]").first.click()
    first = page.url
    controller.press("require_change", reason="Bỏ thành phần hồ sơ là sổ hộ khẩu ở mục 5.2.")
    with page.expect_navigation():
        page.get_by_role("button", name="Open a change request, filled in").click()
    assert "104/2022/NĐ-CP" in controller.main()
    assert "sổ hộ khẩu ở mục 5.2" in page.content()

    reviewer = open_window("reviewer")
    reviewer.go("/legal-watch")
    with reviewer.page.expect_navigation():
        reviewer.page.locator("main tr", has_text="QT-02").locator("a[href*=legal-watch]").first.click()
    reviewer.press("find_no_effect", reason="Quy trình không đòi sổ hộ khẩu.", password=PASSWORD)
    assert "No effect" in reviewer.main()

    # The amended edition is written, approved and issued by the verbs: the browser test of a whole life presses its buttons.
    later = make_revision("approved", document_id=citing[0].document_id, text="Căn cứ Nghị định số 104/2022/NĐ-CP.")
    decide(site, cast, issue=[later.id], on=clock.today())
    page.goto(first)
    controller.press("finish")
    assert "ended" in controller.main()
    controller.go("/legal-watch?bucket=on_time")
    assert "QT-01" in controller.main()
    assert "QT-02" in controller.main()
    for bucket in ("due", "late"):
        controller.go(f"/legal-watch?bucket={bucket}")
        assert "No assessment stands here" in controller.main()
    assert controller.complaints == reviewer.complaints == []


def test_the_report_goes_from_figures_to_a_word_document_that_libreoffice_opens(
    citing: list[Made], open_window: Callable[..., Window], tmp_path: Path
) -> None:
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    controller = open_window("controller")
    page = controller.page
    controller.go("/procedures/coverage")
    assert "66" in controller.main()  # 2 of 3.
    controller.go(f"/reports/{YEAR}")
    assert "2/3 = 66,7 %" in controller.main()
    page.fill("[name=name]", "Thủ tục hành chính đã có quy trình")
    page.fill("[name=value]", "264/314 = 82,7 %")
    page.fill("[name=source]", "Báo cáo năm của cơ quan")
    with page.expect_navigation():
        page.get_by_role("button", name="Keep the figure").click()
    assert "84,1 %" in controller.main()
    page.fill('[name="points-7.1"]', "6")
    page.fill('[name="points-total"]', "96,5")
    with page.expect_navigation():
        page.get_by_role("button", name="Save the points").click()
    said = controller.main()
    assert "96,5" in said
    assert "add up to 6" in said
    assert "7.1" in said.split("Figures on")[0]  # All points are claimed, and a procedure has no document.
    with page.expect_download() as download:
        page.get_by_role("link", name="The report as a Word document").click()
    kept = tmp_path / "report.docx"
    download.value.save_as(kept)
    home = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    command = ["soffice", home, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(kept)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    document = pypdfium2.PdfDocument(tmp_path / "report.pdf")
    try:
        pages = len(document)
        words = " ".join("\n".join(sheet.get_textpage().get_text_range() for sheet in document).split())
        document[0].render(scale=1.2).to_pil().save(tmp_path / "report.png")
    finally:
        document.close()
    print(f"the report has {pages} pages; the first is {tmp_path / 'report.png'}")
    assert pages > 0
    assert f"năm {YEAR}".casefold() in words.casefold() or str(YEAR) in words
    assert "2/3" in words
    assert "264/314" in words
    assert controller.complaints == []


@pytest.mark.parametrize(("locale", "dark"), [("vi-VN", False), ("en-GB", True)])
def test_no_page_of_law_report_and_posting_breaks_a_rule_of_accessibility(
    site: Site, citing: list[Made], open_window: Callable[..., Window], locale: str, dark: bool
) -> None:
    axe, found = Axe(), []
    document = citing[0].document_id
    paths = {
        "controller": [
            *("/external-documents", "/external-documents/new", "/external-documents/1", "/external-documents/1/edit"),
            *("/legal-watch", "/legal-watch/citations", f"/documents/{document}/citations", "/posting"),
            *("/procedures", "/procedures/1", "/procedures/coverage", "/procedures/matches"),
            *(f"/reports/{YEAR}", "/reviews", f"/documents/{document}/reviews"),
        ],
        "": [
            *("/public/", "/public/?field=", "/public/search?q=dang+ky", "/public/search?q=zzzz", "/public/procedures"),
            *(f"/public/documents/{document}", "/public/documents/999"),
        ],
    }
    for name, listed in paths.items():
        window = open_window(name, locale=locale, dark=dark)
        for path in listed:
            for width in (360, 1440):
                window.page.set_viewport_size({"width": width, "height": 900})
                wanted = 404 if path.endswith("999") else 200
                assert window.go(path).status == wanted, path
                found += [f"{name or 'visitor'} {path} at {width}: {what}" for what in defects(window, axe)]
    assert found == [], "\n".join(found)
