"""The auditor's day in the browser: from three papers on desks to their records, an audit, and evidence that checks itself."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pypdfium2
import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe

from docctl import clock, jobs, renditions
from docctl.files.kinds import Kind
from docctl.internal_audits import checklist
from docctl.revisions import Revision
from docctl.site import Site
from tests.browser.conftest import Window
from tests.browser.test_pages_look_right import WIDTHS, defects
from tests.conftest import PASSWORD, Made

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PAPERS = {"in_force": "IN FORCE", "superseded": "SUPERSEDED", "withdrawn": "WITHDRAWN"}


@pytest.fixture
def papers(site: Site, make_revision: Callable[..., Made]) -> dict[str, Made]:
    """Three editions whose PDFs hang on walls: one holds, one was superseded, one was withdrawn."""
    made = {
        state: make_revision(state, title=f"Quy trình số {number}", text=f"Nội dung {number}.")
        for number, state in enumerate(PAPERS, start=1)
    }
    with site.database.reading() as session:
        hashes = [session.get_one(Revision, row.id).file_sha256 or "" for row in made.values()]
    for sha256 in hashes:
        renditions.ask(site.database, site.store, sha256, Kind.TXT)
    jobs.render_waiting(site)
    return made


def scanned(sheet: bytes) -> str:
    """Return what the code on the picture of the first sheet says, as the camera of a telephone reads it."""
    (code,) = zxingcpp.read_barcodes(pypdfium2.PdfDocument(sheet)[0].render(scale=3).to_pil())
    return str(code.text)


def checked(pack: Path, folder: Path) -> str:
    """Run the checker that a pack brings with it, on bare Python; returns what it says."""
    with zipfile.ZipFile(pack) as archive:
        checker = Path(archive.extract("check.py", folder))
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(checker), str(pack)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def opened_audit(window: Window, papers: dict[str, Made]) -> None:
    """Open an audit, choose the three papers, and begin."""
    window.go("/internal-audits")
    window.page.get_by_role("link", name="Open an audit").first.click()
    page, day = window.page, clock.today().strftime("%d/%m/%Y")
    for name, typed in {"title": "Desks", "scope": "Justice", "first_day": day, "last_day": day}.items():
        page.locator(f"[name={name}]").fill(typed)
    with page.expect_navigation():
        page.get_by_role("button", name="Open the audit").click()
    page.locator("#choose summary").click()
    page.locator("[name=codes]").fill("\n".join(made.code for made in papers.values()))
    with page.expect_navigation():
        page.get_by_role("button", name="Take them as samples").click()
    window.press("begin")


def follow(window: Window, name: str) -> str:
    """Click a link of the page and return the words of where it leads."""
    with window.page.expect_navigation():
        window.page.locator("main").get_by_role("link", name=name, exact=True).first.click()
    return window.main()


def test_from_three_papers_on_desks_to_evidence_that_checks_itself(
    papers: dict[str, Made], open_window: Callable[..., Window], tmp_path: Path
) -> None:
    auditor, phone = open_window("auditor"), open_window(width=360)
    opened_audit(auditor, papers)
    audit = auditor.page.url
    for number, (state, made) in enumerate(papers.items(), start=1):
        sheet = auditor.page.context.request.get(f"{auditor.url}/revisions/{made.id}/rendition").body()
        read = urlsplit(scanned(sheet))
        assert read.path.startswith("/s/")
        phone.go(read.path)
        assert PAPERS[state] in phone.main()
        assert made.code in phone.main()

        auditor.page.goto(audit)
        assert f"Quy trình số {number}" in follow(auditor, f"Quy trình số {number}")
        sample = auditor.page.url
        assert made.code in follow(auditor, "Document")
        auditor.page.goto(sample)
        chain = auditor.page.locator("dd a[href*='/chain']")
        with auditor.page.expect_navigation():
            chain.click()
        assert all(step in auditor.main() for step in ("Draft", "Approval", "Decision executed", "In force"))
        stands = (clock.today() - timedelta(days=20)).isoformat()
        auditor.go(f"/in-force?on={stands}")
        assert made.code in auditor.main(), "twenty days ago all three held"
        auditor.go("/in-force")
        auditor.page.goto(sample)
        assert "revision drafted" in follow(auditor, "Audit trail")
        auditor.page.goto(sample)
        with auditor.page.expect_download() as waiting:
            auditor.page.get_by_role("button", name="Take the evidence (.zip)").click()
        pack = tmp_path / f"{state}.zip"
        waiting.value.save_as(pack)
        assert "Everything agrees." in checked(pack, tmp_path / state)
    assert [*auditor.complaints, *phone.complaints] == []


def test_a_sample_is_walked_and_its_finding_corrected_verified_and_reported(
    papers: dict[str, Made], open_window: Callable[..., Window], tmp_path: Path
) -> None:
    auditor, head, axe, found = open_window("auditor"), open_window("reviewer"), Axe(), []
    auditor.go("/internal-audits/new")
    found += looked_at(auditor, axe)
    opened_audit(auditor, papers)
    page, audit = auditor.page, auditor.page.url
    for number in (1, 2, 3):
        auditor.page.goto(f"{audit.split('#')[0]}/samples/{number}")
        for point in checklist.versions()[checklist.newest()]:
            page.locator(f'[name="verdict-{point.code}"][value=conforms]').check()
        if number == 2:
            page.locator('[name="verdict-8.6"][value=nonconforming]').check()
            with page.expect_navigation():
                page.get_by_role("button", name="Save the answers").click()
            assert page.locator('[name="note-8.6"]').get_attribute("aria-invalid") == "true"
            page.locator('[name="note-8.6"]').fill("The superseded print hangs on the wall.")
        with page.expect_navigation():
            page.get_by_role("button", name="Save the answers").click()
        assert "0 of 19 points are open" in auditor.state()
    auditor.page.goto(f"{audit.split('#')[0]}/samples/2")
    page.locator("#raise summary").click()
    assert page.locator("[name=statement]").input_value() == "The superseded print hangs on the wall."
    found += looked_at(auditor, axe)
    with page.expect_navigation():
        page.get_by_role("button", name="Raise the finding").click()
    slip = urlsplit(page.url).path
    page.locator("#finding summary").click()
    page.locator("#finding-reference").fill(papers["superseded"].code)
    with page.expect_navigation():
        page.locator("#finding").get_by_role("button", name="Link it").click()

    head.go("/")
    assert "Write the corrective report" in head.main()
    head.go(slip)
    for name in ("cause", "correction", "remedy", "proof"):
        head.page.locator(f"[name={name}]").fill(f"What the unit says of its {name}.")
    with head.page.expect_navigation():
        head.page.get_by_role("button", name="Save the corrective report").click()
    found += looked_at(head, axe)
    head.press("answer", password=PASSWORD)
    head.go("/internal-audits")
    found += looked_at(head, axe)

    auditor.go(slip)
    auditor.press("close", password=PASSWORD, reason="The print on the wall was scanned: in force.")
    assert "Closed" in auditor.main()
    page.goto(audit)
    page.locator("#details summary").click()
    page.locator("[name=conclusion]").fill("Documented information is kept under control.")
    with page.expect_navigation():
        page.locator("#details").get_by_role("button", name="Save").click()
    auditor.press("report", password=PASSWORD)
    found += looked_at(auditor, axe)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Report as .pdf").click()
    report = tmp_path / "report.pdf"
    waiting.value.save_as(report)
    words = "\n".join(sheet.get_textpage().get_text_bounded() for sheet in pypdfium2.PdfDocument(report))
    head_of_the_trail = page.locator("dd code.hash").inner_text()
    assert head_of_the_trail in words.replace("\r\n", "")
    assert papers["superseded"].code in words
    page.emulate_media(media="print")
    assert not page.locator(".site-nav").is_visible()
    assert page.locator("#findings table").is_visible()
    assert found == [], "\n".join(found)


def looked_at(window: Window, axe: Axe) -> list[str]:
    """Return the defects of the page in the window at every width, in both colours."""
    found = []
    for scheme in ("light", "dark"):
        window.page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            window.page.set_viewport_size({"width": width, "height": 900})
            found += [f"{window.page.url} at {width}, {scheme}: {what}" for what in defects(window, axe)]
    window.page.emulate_media(color_scheme="light")
    window.page.set_viewport_size({"width": 1440, "height": 900})
    return found
