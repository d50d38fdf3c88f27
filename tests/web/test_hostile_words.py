"""Whatever somebody types, a page shows it as text and never breaks."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from docctl import clock, decisions, jobs
from docctl.documents import Document

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE decision; --",
    "{{ 7*7 }}",
    "%(n)s %s {n} {0}",
    "\x00\x01\u202e\ufeff",
    "𝓺𝓾𝔂 \ud83d trình".encode("utf-8", "replace").decode(),
    "a" * 5000,
    "../../etc/passwd",
    '*a* -- "" -x code:',
)


def naughty(shared: Path | None) -> list[str]:
    listed = shared / "lists" / "blns.txt" if shared else None
    if listed is None or not listed.exists():
        return list(HOSTILE)
    lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
    return [*HOSTILE, *(line for line in lines if line.strip() and not line.startswith("#"))]


@pytest.fixture
def words() -> list[str]:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    return naughty(folder if folder.is_dir() else None)


def together(words: list[str]) -> list[str]:
    """Put many words into few questions, each short enough to be asked in full."""
    questions = [""]
    for word in words:
        questions[-1:] = [f"{questions[-1]} {word}"] if len(questions[-1]) + len(word) < 480 else [questions[-1], word]
    return questions


class Markup(HTMLParser):
    """Reads a page as a browser does and notes whatever could act: tags that load or run, handlers, script addresses."""

    ACTIVE = frozenset(
        {"script", "img", "iframe", "object", "embed", "body", "base", "meta", "style", "audio", "video"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.ACTIVE:
            self.found.append(tag)
        for name, value in attrs:
            runs = (value or "").strip().lower().startswith("javascript:") and name in ("href", "src", "action")
            if name.startswith("on") or name == "style" or runs:
                self.found.append(f"{tag} {name}={value}")


def escaped(page: str) -> bool:
    """Say whether nothing of what was typed stands in the content of a page as markup."""
    read = Markup()
    read.feed(page[page.index("<main") :] if "<main" in page else page)
    return read.found == []


def test_hostile_words_are_searched_for_like_any_others(sign_in, site, make_revision, words):
    make_revision("in_force")
    jobs.wake(site)
    staff = sign_in("staff")
    for word in (*HOSTILE, *together(words)):
        answer = staff.get("/search", query_string={"q": word})
        assert answer.status_code == 200, word
        assert escaped(answer.text), word
    for name in ("on", "unit", "type", "scope", "page"):
        for word in HOSTILE:
            answer = staff.get("/search", query_string={"q": "khai sinh", name: word})
            assert answer.status_code in (200, 403, 409), (name, word)
            assert escaped(answer.text), (name, word)


def test_hostile_titles_and_reasons_of_a_decision_are_shown_as_text(sign_in, site, cast, make_revision, words):
    gone = make_revision("in_force", code="QT-1")
    controller = sign_in("controller")
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        decision = decisions.draft(session, by=by, title="Đợt", effective_from=clock.today())
        document = session.get_one(Document, gone.document_id)
        lines = [decisions.Line("withdraw", document=document, reason=word) for word in words]
        decisions.add_lines(session, decision, lines, by=by)
        decision_id = decision.id
    for path in (f"/decisions/{decision_id}", f"/decisions/{decision_id}/annex"):
        answer = controller.get(path)
        assert answer.status_code == 200
        assert escaped(answer.text)
    controller.read("/decisions/new")
    for word in HOSTILE:
        answer = controller.send("/decisions", title=word, number=word, signed_on=word, effective_from=word)
        assert answer.status_code in (303, 409), word
        assert escaped(answer.text), word
    assert escaped(controller.get("/decisions").text)


def test_hostile_lists_of_codes_come_back_as_text_with_their_lines(sign_in, site, cast, words):
    with site.database.writing() as session:
        decision_id = decisions.draft(session, by=cast.reader(session, "controller"), title="Đợt").id
    controller = sign_in("controller")
    controller.read(f"/decisions/{decision_id}")
    answer = controller.send(
        f"/decisions/{decision_id}/lines", issue="\n".join(words), withdraw="\n".join(words), lock="1"
    )
    assert answer.status_code == 409
    assert "could not be read" in answer.text
    assert escaped(answer.text)


def test_hostile_questions_to_the_trail_are_answered(sign_in):
    auditor = sign_in("auditor")
    for name in ("who", "what", "since", "until", "page"):
        for word in HOSTILE:
            answer = auditor.get("/trail", query_string={name: word})
            assert answer.status_code in (200, 409), (name, word)
            assert escaped(answer.text), (name, word)


def test_an_address_with_a_number_beyond_every_table_leads_nowhere(app, sign_in):
    controller = sign_in("controller")
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and "<int:" in rule.rule]
    assert len(rules) > 30
    for rule in rules:
        address = re.sub(r"<int:[^>]+>", str(10**20), re.sub(r"<(?!int:)[^>]+>", "x", rule.rule))
        assert controller.get(address).status_code in (401, 404, 405), address  # 401: the API asks for its token first.
