"""Every page at three widths, in both languages and both colours: nothing sticks out, nothing is said to the console."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pikepdf
import pytest
from axe_playwright_python.sync_playwright import Axe

from docctl import clock, contents, decisions, jobs, renditions, revisions
from docctl.documents import Document
from docctl.exporting import registers
from docctl.files.kinds import Kind
from docctl.revisions import Revision
from docctl.site import Site
from tests.browser.conftest import Window
from tests.conftest import LIVES, Cast, Made
from tests.files import signing
from tests.nouns.test_internal_audits import raised, under_way

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

WIDTHS = (360, 768, 1440)
STICKS_OUT = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > page.clientWidth + 1 && !one.closest(".scroll, .visually-hidden, svg"))
    .slice(0, 3).map((one) => `${one.tagName}.${one.className} ${Math.round(one.getBoundingClientRect().right)}px`)
    .concat([`${page.scrollWidth} > ${page.clientWidth}`]);
}"""


@pytest.fixture
def pages(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> dict[str, list[str]]:
    """The pages that each of the cast has, over revisions in every state and decisions in most."""
    long = "Quy trình tiếp nhận và giải quyết hồ sơ đăng ký lại khai sinh có yếu tố nước ngoài tại Ủy ban nhân dân"
    made = {state: make_revision(state, title=f"{long}, số {number}") for number, state in enumerate(LIVES, start=1)}
    again = make_revision("draft", document_id=made["in_force"].document_id)
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        wrong = decisions.draft(
            session,
            by=controller,
            title="Về việc ban hành tài liệu còn thiếu",
            effective_from=clock.today() + timedelta(days=5),
            lines=[
                decisions.Line("issue", revision=session.get_one(Revision, made["approved"].id)),
                decisions.Line("withdraw", document=session.get_one(Document, made["in_force"].document_id)),
            ],
        ).id
        executed = next(row.id for row in decisions.all_decisions(session, by=controller) if row.state == "executed")
        papers = [
            f"/s/{session.get_one(Revision, made[state].id).status_token}"
            for state in ("in_force", "scheduled", "superseded", "withdrawn")
        ]
    signed = signed_draft(site, cast, make_revision("draft", title="Quy trình có tệp ký số"))
    audited = raised(site, cast, under_way(site, cast, made["in_force"].code, made["withdrawn"].code))
    in_force = f"/documents/{made['in_force'].document_id}"
    draft = made["draft"].id
    return {
        "": ["/sign-in", *papers],
        "author": [
            "/",
            "/documents",
            "/documents/new",
            f"/revisions/{draft}",
            f"/revisions/{draft}/edit",
            in_force,
            f"/revisions/{signed}/read",
            f"/revisions/{signed}/signatures",
        ],
        "reviewer": [
            "/",
            f"/revisions/{made['in_review'].id}",
            "/notices",
            "/account/notices",
            f"/nonconformities/{audited}",
        ],
        "approver": ["/", f"/revisions/{made['in_approval'].id}", f"/decisions/{wrong}"],
        "controller": [
            "/",
            "/documents?state=every",
            *(f"/revisions/{row.id}" for row in made.values()),
            "/decisions",
            "/decisions/new",
            f"/decisions/{wrong}",
            f"/decisions/{executed}",
            f"/decisions/{executed}/annex",
            f"/documents/{made['superseded'].document_id}",
            "/search?q=quy+trinh&scope=all",
            "/registers",
            *(f"/registers/{name}" for name in registers.REGISTERS),
        ],
        "staff": ["/", "/documents", "/search?q=khai+sinh", "/search?q=khong+co+gi+ca", in_force, "/account/password"],
        "auditor": [
            "/",
            "/trail",
            f"{in_force}/trail",
            f"/revisions/{again.id}",
            "/style",
            f"/revisions/{again.id}/read",
            f"{in_force}/chain",
            f"/decisions/{executed}/chain",
            "/internal-audits",
            "/internal-audits/1",
            "/internal-audits/1/samples/1",
            f"/nonconformities/{audited}",
        ],
        "admin": ["/", "/accounts", "/accounts/1/closure", "/units", "/units/2", "/no-such-page"],
    }


def signed_draft(site: Site, cast: Cast, made: Made) -> int:
    """Give a draft a signed PDF as its file, with its pages and signatures looked into; returns its id."""
    pdf, bare = pikepdf.new(), io.BytesIO()
    pdf.add_blank_page()
    pdf.save(bare)
    with ThreadPoolExecutor(1) as aside:  # Signing runs a loop of its own, beside that of the browser.
        signed = aside.submit(signing.sign, bare.getvalue(), signing.person()).result()
    stored = site.store.put(io.BytesIO(signed), limit_bytes=1 << 20)
    with site.database.writing() as session:
        content = contents.keep(session, sha256=stored.sha256, size=stored.size, kind="pdf")
        revision, author = session.get_one(Revision, made.id), cast.reader(session, "author")
        revisions.edit(session, revision, by=author, seen=revision.lock, content=content, file_name="Bản ký số.pdf")
    renditions.ask(site.database, site.store, stored.sha256, Kind.PDF)
    jobs.render_waiting(site)
    return made.id


def defects(window: Window, axe: Axe) -> list[str]:
    """Return everything that is wrong with the page in the window, once it stands still."""
    # Where a test turns the colours while a page is open, a button is half way between both for 120 ms.
    window.page.wait_for_function("() => document.getAnimations().every(motion => motion.playState !== 'running')")
    found = [f"sticks out: {what}" for what in window.page.evaluate(STICKS_OUT)]
    result: dict[str, Any] = axe.run(window.page).response
    for violation in result["violations"]:
        for node in violation["nodes"][:2]:
            found.append(f"axe {violation['id']}: {node['html'][:160]}")
    found += window.complaints
    window.complaints.clear()
    return found


@pytest.mark.parametrize(("locale", "dark"), [("vi-VN", False), ("vi-VN", True), ("en-GB", False), ("en-GB", True)])
def test_no_page_sticks_out_or_breaks_a_rule_of_accessibility(
    pages: dict[str, list[str]], open_window: Callable[..., Window], locale: str, dark: bool
) -> None:
    axe, found, looked = Axe(), [], 0
    for name, paths in pages.items():
        window = open_window(name, locale=locale, dark=dark)
        for path in paths:
            wanted = 404 if path == "/no-such-page" else 200
            for width in WIDTHS:
                window.page.set_viewport_size({"width": width, "height": 900})
                answer = window.go(path)
                looked += 1
                if answer.status != wanted:
                    found.append(f"{name} {path}: {answer.status}")
                    break
                lang = window.page.locator("html").get_attribute("lang")
                if lang != locale[:2]:
                    found.append(f"{name} {path}: in {lang}")
                found += [f"{name or 'visitor'} {path} at {width}: {what}" for what in defects(window, axe)]
        window.page.context.close()
    print(f"\n{locale} {'dark' if dark else 'light'}: {looked} looks, {len(found)} defects")
    assert found == [], "\n".join(found)


def test_print_leaves_the_navigation_out_and_keeps_the_document(
    pages: dict[str, list[str]], open_window: Callable[..., Window]
) -> None:
    window = open_window("controller")
    for path in pages["controller"]:
        window.go(path)
        window.page.emulate_media(media="print")
        for part in (".masthead", ".site-nav", ".find", ".acts", ".skip", ".footer", ".filters"):
            for one in window.page.locator(part).all():
                assert not one.is_visible(), f"{path}: {part} is printed"
        assert window.page.locator(".print-header").is_visible(), path
        assert window.page.locator("main h1").is_visible() or window.page.locator(".print-header").inner_text(), path
        window.page.emulate_media(media="screen")
