"""A thousand searches on the public pages, against an oracle that reads the database by itself: nothing of what is not public."""

import random
import re
import unicodedata
from collections.abc import Callable
from contextlib import closing
from html import unescape
from pathlib import Path

import pysqlite3
import pytest
from sqlalchemy import and_, select

from docctl import audit, clock, documents, jobs, posting, revisions
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.search import finding, following, open_engine
from docctl.site import Site
from tests.conftest import Cast, Made
from tests.web.conftest import Browser

ACTS = ("đăng ký", "cấp lại", "xác nhận", "thay đổi", "chứng thực", "thu hồi", "gia hạn", "công nhận")
THINGS = ("khai sinh", "kết hôn", "giấy phép", "hộ khẩu", "tạm trú", "trích lục", "hợp đồng", "di chúc")
WHERE = ("cấp xã", "cấp huyện", "có yếu tố nước ngoài", "lưu động", "trực tuyến")
# Words that stand in one document each, made of syllables that no Vietnamese word has.
_ODD = ("zofka", "wexli", "jurpo", "fizde", "kwabu", "zelmo", "wopfi", "jaxto")

# Who may be found: in force now by its dates, of a type whose content is posted, not restricted. Titles alone: the listed types.
ORACLE = """
SELECT document.id, document_type.posting, revision.title, document.code, coalesce(content_text.text, '')
FROM revision JOIN document ON document.id = revision.document_id
JOIN document_type ON document_type.id = document.type_id
LEFT JOIN content_text ON content_text.sha256 = revision.file_sha256
WHERE revision.effective_from <= :now AND (revision.effective_to IS NULL OR revision.effective_to > :now)
AND document.confidential = 0 AND document_type.posting <> 'nothing'
"""
EVERYTHING = """
SELECT document.id, '', revision.title, document.code, coalesce(content_text.text, '')
FROM revision JOIN document ON document.id = revision.document_id
LEFT JOIN content_text ON content_text.sha256 = revision.file_sha256
"""


def plain(words: str) -> list[str]:
    """Return the words without accents, by the plainest means."""
    bare = unicodedata.normalize("NFD", words.casefold().replace("đ", "d"))
    return re.findall(r"[a-z0-9]+", "".join(c for c in bare if not unicodedata.combining(c)))


@pytest.fixture
def mixed_office(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> tuple[Site, list[str]]:
    """Forty documents of every state, type and confidentiality, whose titles share their words; each has a word of its own."""
    chance, odd = random.Random(2804), []
    states = ("in_force",) * 6 + ("draft", "in_review", "approved", "scheduled", "superseded", "withdrawn", "discarded")
    for number in range(40):
        state = states[number % len(states)]
        own = f"{_ODD[number % 8]}{chr(97 + number // 8)}{chr(97 + number % 7)}"
        odd.append(own)
        words = [chance.choice(each) for each in (ACTS, THINGS, WHERE)]
        title = f"{words[0].capitalize()} {words[1]} {words[2]} {own}"
        body = f"Hồ sơ {chance.choice(THINGS)} nộp tại bộ phận một cửa. Ký hiệu nội bộ {own}kho."
        made = make_revision(state, title=title, text=body, code=f"QT-{number:03d}")
        if number % 5 == 2:
            with site.database.writing() as session:
                document, by = session.get_one(Document, made.document_id), cast.reader(session, "controller")
                documents.set_confidential(session, document, by=by, confidential=True)
        elif number % 5 in (3, 4):
            kind = "HD" if number % 5 == 3 else "ST"  # Nothing is posted of the one, the titles alone of the other.
            with closing(pysqlite3.connect(str(site.settings.storage / "docctl.db"))) as direct, direct:
                type = direct.execute("SELECT id FROM document_type WHERE code = ?", [kind]).fetchone()
                direct.execute("UPDATE document SET type_id = ? WHERE id = ?", [*type, made.document_id])
    jobs.wake(site)
    return site, odd


def queries(odd: list[str], titles: list[str]) -> list[str]:
    """Return a thousand queries: words, parts of titles, odd words and codes, some misspelt or in quotation marks."""
    chance, found = random.Random(1000), []
    while len(found) < 1000:
        kind = chance.randrange(8)
        title = chance.choice(titles)
        words = title.split()
        if kind == 0:
            asked = chance.choice(odd)
        elif kind == 1:
            asked = chance.choice(odd) + "kho"
        elif kind == 2:
            asked = " ".join(chance.sample(words, 2))
        elif kind == 3:
            asked = f'"{" ".join(words[:2])}"'
        elif kind == 4:
            word = chance.choice(odd)
            asked = word[:-1] if chance.random() < 0.5 else word[:2] + word[3:]  # One letter is missing.
        elif kind == 5:
            asked = f"QT-{chance.randrange(45):03d}"
        elif kind == 6:
            asked = " ".join(plain(" ".join(words[: chance.randrange(1, 5)])))
        else:
            asked = f"{chance.choice(THINGS)} -{chance.choice(WHERE).split()[0]} {chance.choice(odd)[:4]}"
        found.append(asked)
    return found


@pytest.mark.large
def test_a_thousand_searches_show_no_hit_no_count_and_no_suggestion_of_what_is_not_public(
    mixed_office: tuple[Site, list[str]], stranger: Browser
) -> None:
    site, odd = mixed_office
    with site.database.reading() as session:
        now = session.connection().exec_driver_sql("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')").scalar_one()
    with closing(pysqlite3.connect(f"file:{site.settings.storage / 'docctl.db'}?mode=ro", uri=True)) as direct:
        shown = direct.execute(ORACLE, {"now": now}).fetchall()
        every = direct.execute(EVERYTHING).fetchall()
    public = {row[0]: row for row in shown}
    assert 5 < len(public) < 20 < len({row[0] for row in every})
    assert {row[1] for row in shown} == {"content", "listed"}
    readable = {row[0]: set(plain(f"{row[2]} {row[3]}" + (row[4] if row[1] == "content" else ""))) for row in shown}
    allowed = set().union(*readable.values())
    own = {*odd, *(f"{word}kho" for word in odd)}
    secret = own - allowed
    assert len(secret) > 20
    hits = nothing = suggested = 0
    for number, asked in enumerate(queries(odd, [row[2] for row in every])):
        # Each from an address of its own: the throttle is another test's.
        address = {"REMOTE_ADDR": f"10.0.{number // 250}.{number % 250}"}
        answer = stranger.get("/public/search", query_string={"q": asked}, environ_overrides=address)
        assert answer.status_code == 200, asked
        page = unescape(answer.text)
        main = page[page.index('id="main"') :]
        found = {int(id) for id in re.findall(r"/public/documents/(\d+)", main)}
        total = int(re.search(r"<b>(\d+)</b> found", main)[1])  # type: ignore[index]
        assert f"of {len(public)} posted" in main
        assert found <= public.keys(), asked
        assert total == len(found), asked  # All of them fit on one page, so a count beyond them would be of others.
        assert not secret & (set(plain(re.sub(r"<[^>]+>", " ", main))) - set(plain(asked))), asked
        if (word := "".join(plain(asked))) in own:
            # A word of its own stands in one document: it is found where that one may be read.
            assert {id for id, words in readable.items() if word in words} <= found, asked
        hits += bool(found)
        nothing += not found
        suggested += "Did you mean" in main or "This was searched for" in main
    print(
        f"1,000 searches: {hits} with hits, {nothing} without, {suggested} with a suggestion; {len(secret)} words kept"
    )
    assert hits > 100
    assert nothing > 100
    assert suggested > 20


@pytest.mark.large
def test_a_search_answers_as_if_what_is_not_public_were_not_in_the_index_at_all(
    mixed_office: tuple[Site, list[str]], tmp_path: Path
) -> None:
    site, odd = mixed_office
    bare = open_engine("whoosh", tmp_path / "bare")
    with site.database.reading() as session:
        readable = and_(posting.posted(posting.CONTENT), revisions.in_force_at(clock.now()))
        wanted = dict(session.execute(select(Revision.id, Revision.document_id).join(Document).where(readable)).all())
        entries = [row for row in following.indexed(session, set(wanted.values())) if row.revision_id in wanted]
        head, titles = audit.head(session), list(session.scalars(select(Revision.title)))
        bare.apply(entries, [], head.sequence, head.hash)
        assert len(entries) == len(wanted) > 5
        for asked in queries(odd, titles)[:300]:
            full = finding.find(session, site.engine, asked, reader=None, posted=True)
            only = finding.find(session, bare, asked, reader=None, posted=True)
            assert {hit.revision for hit in full.hits} == {hit.revision for hit in only.hits}, asked
            assert (full.total, full.spelled, full.suggestions) == (only.total, only.spelled, only.suggestions), asked
