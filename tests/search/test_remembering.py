"""What search remembers is what the database says, whatever was done since; and what says nothing new costs nothing."""

import io
import random
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import event
from sqlalchemy.orm import Session

from docctl import audit, clock, contents, documents, jobs, people, posting, reorganising, revisions, tokens, units
from docctl.audit import Action, Head
from docctl.documents import Document
from docctl.files.extract import Extracted
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.search import finding, following, remembering
from docctl.search.remembering import HEEDED, Kept, Trail
from docctl.search.sight import Facts, Sight, sight_of
from docctl.search.spelling import Lexicon
from docctl.search.texts import Texts
from docctl.site import Site
from tests.conftest import LIVES, Cast, Made, decide, keep, take

Make = Callable[..., Made]

WHO = ("author", "reviewer", "controller", "staff", None)
ACTS = 120


class Remembering:
    """Looks at everything on behalf of everybody, once with what was remembered and once with nothing."""

    def __init__(self, site: Site, cast: Cast) -> None:
        self.site, self.cast = site, cast
        self.trail = Trail()
        self.sights: Kept[Sight] = Kept(64)
        self.texts = Texts(self.trail)
        self.kept_up = 0

    def compare(self) -> None:
        with self.site.database.reading() as session:
            mark = self.trail.mark(session, audit.head(session))
            assert mark == Trail().mark(session, audit.head(session))
            yesterday = clock.now() - timedelta(days=1)
            for who in WHO:
                reader = self.cast.reader(session, who) if who else None
                for asked in ({"everything": False}, {"everything": True}, {"everything": False, "on": yesterday}):
                    self._compare(session, mark, reader, **asked)
            self._compare(session, mark, None, everything=False, posted=True)
            ids = session.query(Revision.id).all()
            known = self.texts.read(session, mark, [id for (id,) in ids])
            assert known == Texts(Trail()).read(session, mark, [id for (id,) in ids])

    def _compare(
        self, session: Session, mark, reader: Reader | None, *, everything: bool, on=None, posted=False
    ) -> None:
        asked = {"everything": everything, "on": on and clock.midnight(on.date()), "posted": posted, "mark": mark}
        known = sight_of(session, reader, kept=self.sights, trail=self.trail, **asked)
        fresh = sight_of(session, reader, kept=Kept(1), trail=Trail(), **asked)
        self.kept_up += bool(known.sorted_by)  # What was looked up before went along.
        assert known.facts == fresh.facts
        assert known.ids == fresh.ids == known.facts.keys()
        for name in Facts._fields:
            for value in {facts[Facts._fields.index(name)] for facts in fresh.facts.values()} | {"nowhere"}:
                assert known.having(name, [value]) == fresh.having(name, [value]), (name, value)
        assert said(known.lexicon(session)) == said(fresh.lexicon(session))
        assert known.until is None or fresh.until is None or known.until <= fresh.until


def said(lexicon: Lexicon) -> tuple:
    shortened = {short: sorted(words) for short, words in lexicon.shortened.items() if words}
    return lexicon.written, lexicon.pairs, lexicon.pairs_written, shortened


def acts(site: Site, cast: Cast, make: Make, chance: random.Random) -> dict[str, Callable[[], object]]:
    """Return acts of every kind that changes what is found, and some that do not."""
    made: list[Made] = []

    def writing(work: Callable[[Session], object]) -> object:
        with site.database.writing() as session:
            return work(session)

    def revision() -> None:
        number = len(made)
        by = chance.choice(("author", "neighbour"))
        made.append(
            make(chance.choice(LIVES), title=f"Quy trình số {number} hồ sơ hộ tịch", text=f"Nội dung {number}.", by=by)
        )

    def edit(session: Session) -> None:
        drafts = session.query(Revision).filter_by(state="draft").all()
        if drafts:
            row = chance.choice(drafts)
            by = next(who for who in ("author", "neighbour") if cast.reader(session, who).id == row.author_id)
            text = f"Văn bản {chance.random()}"
            revisions.edit(
                session, row, by=cast.reader(session, by), seen=row.lock, title=f"Tên {chance.random()}",
                content=keep(site, session, text), file_name="Quy trình.txt",
            )  # fmt: skip

    def confidential(session: Session) -> None:
        row = session.get_one(Document, chance.choice(made).document_id)
        documents.set_confidential(
            session, row, by=cast.reader(session, "controller"), confidential=not row.confidential
        )

    def code(session: Session) -> None:
        row = session.get_one(Document, chance.choice(made).document_id)
        by = cast.reader(session, "controller")
        documents.settle_code(
            session, row, by=by, code=f"QT {chance.randint(1000, 9999)}", field=f"Đất {chance.randint(1, 3)}"
        )

    def withdraw() -> None:
        with site.database.reading() as session:
            standing = [row.document_id for row in revisions.in_force(session)]
        if standing:
            decide(
                site, cast, withdraw=[chance.choice(standing)], on=clock.today() - timedelta(days=chance.randint(0, 1))
            )

    def posted(session: Session) -> None:
        kind = documents.find_type(session, chance.choice(("QT", "HD")))
        posting.set_type(session, kind, by=cast.reader(session, "controller"), posting=chance.choice(posting.POSTINGS))

    def unit(session: Session) -> None:
        row = units.find(session, chance.choice(("TP", "NV")))
        reorganising.rename(session, row, by=cast.reader(session, "admin"), name_vi=f"Phòng {chance.random()}")

    def request_of_a_token(session: Session) -> None:
        author = people.find(session, "author")
        tokens.create(session, author, f"sổ tay {chance.random()}", by=author)

    def signed_in(session: Session) -> None:
        audit.record(session, Action.SIGNED_IN, by=people.find(session, "staff"), noun="account")

    def scan(session: Session) -> None:
        stored = site.store.put(io.BytesIO(chance.randbytes(20)), limit_bytes=1 << 10)
        content = contents.keep(session, sha256=stored.sha256, size=stored.size, kind="txt")
        drafts = session.query(Revision).filter_by(state="draft", author_id=cast.reader(session, "author").id).all()
        for row in drafts[:1]:
            revisions.edit(
                session, row, by=cast.reader(session, "author"), seen=row.lock, content=content, file_name="a.txt"
            )

    def text_read() -> None:
        with site.database.reading() as session:
            waiting = contents.waiting(session)
        for row in waiting[:1]:
            jobs.keep_text(site, row.sha256, Extracted(f"Văn bản đọc được {chance.random()}", "plain"))

    revision()
    return {
        "revision": revision,
        "revision again": revision,
        "edit": lambda: writing(edit),
        "confidential": lambda: writing(confidential),
        "code": lambda: writing(code),
        "withdraw": withdraw,
        "posted": lambda: writing(posted),
        "scan": lambda: writing(scan),
        "text read": text_read,
        "sign in": lambda: writing(signed_in),
        "token": lambda: writing(request_of_a_token),
        "unit": lambda: writing(unit),
    }


def test_after_any_acts_and_days_everybody_finds_what_a_fresh_reading_finds(site, cast, make_revision):
    chance = random.Random(11)
    remembering_ = Remembering(site, cast)
    now = clock.now()
    done = acts(site, cast, make_revision, chance)
    for _ in range(ACTS):
        now += timedelta(hours=chance.choice((0, 0, 0, 1, 30)))
        with clock.at(now):
            done[chance.choice(sorted(done))]()
            remembering_.compare()
    with clock.at(now):
        with site.database.writing() as session:
            by, into = cast.reader(session, "admin"), units.find(session, "TP")
            assert reorganising.merge(session, [units.find(session, "NV")], into, by=by).documents
        remembering_.compare()
    assert remembering_.kept_up > ACTS, "Otherwise everything was read anew, and nothing was shown."


def test_a_sign_in_leaves_everything_remembered(site, cast, make_revision):
    make_revision("in_force", title="Quy trình cấp phép tàu cá")
    following.follow(site.database, site.engine)
    statements(site, cast, "tau ca")
    before, found = asked(site, cast), statements(site, cast, "tau ca")
    for action in sorted(set(Action) - HEEDED):
        with site.database.writing() as session:
            audit.record(session, action, by=people.find(session, "staff"), noun="account", document_id=1)
    assert asked(site, cast) is before
    assert statements(site, cast, "tau ca") == found, "Nothing is read again but the hits."


def test_a_server_that_was_warmed_up_answers_the_first_search_as_it_does_the_next(site, cast, make_revision):
    make_revision("in_force", title="Quy trình cấp phép tàu cá")
    following.follow(site.database, site.engine)
    with site.database.reading() as session:
        finding.warm(session, site.engine)
    before = asked(site, cast)
    first = statements(site, cast, "tau ca")
    assert asked(site, cast) is before
    assert before.words is not None
    assert first - statements(site, cast, "tau ca") <= 2, "What the hit says, and nothing of what is in force."


def test_work_on_drafts_leaves_what_staff_find_the_very_same_set(site, cast, make_revision):
    make_revision("in_force")
    before = asked(site, cast)
    made = make_revision("draft", title="Quy trình mới")
    take(site, cast, made.id, "submit")
    after = asked(site, cast)
    assert after is not before
    assert after.ids is before.ids, "By the set an engine knows its filter again."


def test_what_was_used_last_is_kept_and_the_weight_bounded():
    kept: Kept[str] = Kept(10, len)
    for key, value in (("a", "aaaa"), ("b", "bbbb"), ("a", "aaa")):
        kept.put(key, value)
    assert kept.get("b") == "bbbb"
    kept.put("c", "cccc")
    assert (kept.get("a"), kept.get("b"), kept.get("c"), kept.weight) == (None, "bbbb", "cccc", 8)
    kept.put("d", "d" * 100)
    assert (kept.get("c"), kept.get("d"), kept.weight) == (None, "d" * 100, 100)
    kept.put("d", "d")
    assert kept.weight == 1


def test_more_documents_than_can_be_kept_up_are_read_anew(site, cast, make_revision, monkeypatch):
    monkeypatch.setattr(remembering, "MOST_TOUCHED", 1)
    trail = Trail()
    with site.database.reading() as session:
        since = trail.mark(session, audit.head(session))
    one, two = make_revision("draft"), make_revision("draft", title="Quy trình khác")
    with site.database.reading() as session:
        until = trail.mark(session, audit.head(session))
        assert trail.touched(session, since, until) is None
        monkeypatch.setattr(remembering, "MOST_TOUCHED", 2)
        assert trail.touched(session, since, until) == {one.document_id, two.document_id}


def test_another_database_in_its_place_is_read_anew(site, cast, make_revision):
    trail = Trail()
    with site.database.reading() as session:
        head = audit.head(session)
        strange = Head(head.sequence - 1, "f" * 64)
        assert trail.touched(session, strange, head) is None
        assert trail.touched(session, head, strange) is None


def asked(site: Site, cast: Cast) -> Sight:
    with site.database.reading() as session:
        reader = cast.reader(session, "staff")
        return finding.seen(session, site.engine, reader=reader, scope="in-force", on=None)


def statements(site: Site, cast: Cast, words: str) -> int:
    """Search, and return how many statements that took."""
    said: list[str] = []
    with site.database.reading() as session:
        reader = cast.reader(session, "staff")
        event.listen(site.database.engine, "before_cursor_execute", note := lambda *given: said.append(given[2]))
        try:
            assert finding.find(session, site.engine, words, reader=reader).total == 1
        finally:
            event.remove(site.database.engine, "before_cursor_execute", note)
    return len(said)
