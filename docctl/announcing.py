"""Who is told what: after a commit, whoever must act next and whoever waited for the result; once a day, a digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from docctl import authority, clock, internal_audits, lifecycle, people, reviews, tasks, watch
from docctl.config import Settings
from docctl.database import Database
from docctl.decisions import Decision
from docctl.internal_audits import Nonconformity
from docctl.notices import DIGEST, RESULT, WAITS, Mail, News, Notice, write
from docctl.people import Account, Reader
from docctl.requests import ChangeRequest
from docctl.revisions import Revision
from docctl.rules import Sentence
from docctl.tasks import Subject

# Older news is history: an import or a restored backup must not flood anybody.
FRESH = timedelta(days=14)
DIGEST_HOUR = 7
AT_ONCE = 50
WAITING = Sentence("{act}: {what}", "{act}: {what}")
BECAME = Sentence("{what}: {state}", "{what}: {state}")
SUBJECTS: dict[str, Any] = {
    "revision": Revision,
    "decision": Decision,
    "change_request": ChangeRequest,
    "nonconformity": Nonconformity,
}
# The states in which whoever began a record wants to hear of it.
RESULTS = {
    "revision": ("approved", "issued", "withdrawn"),
    "decision": ("signed", "executed"),
    "change_request": ("accepted", "returned", "done"),
    "nonconformity": ("closed", "cancelled"),
}
DAILY = Sentence("docctl ngày {day}: {n} việc chờ bạn", "docctl on {day}: {n} things wait for you")
WAIT_FOR_YOU = Sentence("Đang chờ bạn ({n}):", "Waiting for you ({n}):")
NEW_RESULTS = Sentence("Kết quả mới ({n}):", "New results ({n}):")
LAWS = Sentence("Văn bản sắp hết hạn cập nhật ({n}):", "Changed laws to be worked in soon ({n}):")
LAW = Sentence(
    "{code}: {law} thay đổi theo {cause}, còn {days} ngày, hạn {deadline}",
    "{code}: {law} changed by {cause}, {days} days left, due on {deadline}",
)
SLIPS = Sentence("Phiếu không phù hợp sắp đến hạn hoặc quá hạn ({n}):", "Corrective reports due soon or overdue ({n}):")
SLIP = Sentence("{what}: hạn {due}, còn {days} ngày", "{what}: due on {due}, {days} days left")
LATE_SLIP = Sentence("{what}: hạn {due}, quá hạn {days} ngày", "{what}: due on {due}, {days} days late")
OVERDUE = Sentence("{n} tài liệu quá hạn soát xét định kỳ", "{n} documents are overdue for their periodic review")
MORE = Sentence("… và {n} việc khác", "… and {n} more")
FOOT = Sentence(
    "Thư do docctl gửi tự động. Chọn loại thư muốn nhận tại trang “Thư và thông báo” của bạn{url}.",
    "Sent by docctl. Choose which letters you want on your page “Mail and notices”{url}.",
)


@dataclass(frozen=True)
class Told:
    """What one person is told of one record."""

    account_id: int
    kind: str
    words: Sentence


def tell(database: Database, settings: Settings) -> int:
    """Tell everything that was committed and not told yet; returns how many notices came of it."""
    with database.reading() as session:
        waiting = session.scalars(select(News).where(News.told_at.is_(None)).order_by(News.id)).all()
        newest = {(row.noun, row.record_id): row for row in waiting}
        # Found out before the write lock is taken: whether a large decision waits for somebody takes a dry run.
        found = {row.id: _found(session, row) for row in newest.values() if row.at > clock.now() - FRESH}
    if not waiting:
        return 0
    made = 0
    with database.writing() as session:
        undone = News.id.in_([row.id for row in waiting]), News.told_at.is_(None)
        for row in session.scalars(select(News).where(*undone).order_by(News.id)).all():
            if row.id in found:
                _no_longer_waits(session, row)
                made += _keep(session, row, found[row.id], settings)
        session.execute(update(News).where(*undone).values(told_at=clock.now()))
    return made


def digest(database: Database, settings: Settings) -> int:
    """Write today's digest to everybody who has something in it, once a day after seven; returns how many."""
    now = clock.local(clock.now())
    if now.hour < DIGEST_HOUR:
        return 0
    with database.reading() as session:
        done = set(session.scalars(select(Mail.account_id).where(Mail.day == now.date())))
        due = [
            row.id for row in people.all_accounts(session) if row.email and not row.disabled_at and row.id not in done
        ]
    written = 0
    for account_id in due:
        with database.writing() as session:
            account = session.get_one(Account, account_id)
            if body := _digest(session, account, settings):
                count, words = body
                subject = DAILY.fill(day=f"{now:%d/%m/%Y}", n=count).get(locale_of(account, settings))
                queued = write(
                    session, account, kind=DIGEST, subject=subject, body=words, host=host(settings), day=now.date()
                )
                written += queued is not None
    return written


def host(settings: Settings) -> str:
    """Return the host that Message-IDs and the sender's address are of."""
    return urlsplit(settings.base_url).hostname or "docctl.invalid"


def _found(session: Session, row: News) -> list[Told]:
    """Find out whom a record concerns in its new state; nobody when it has moved on since."""
    table = SUBJECTS.get(row.noun)
    subject: Any = session.get(table, row.record_id) if table else None
    if subject is None or subject.state != row.state:
        return []
    told = []
    next_roles = _next_roles(session, subject)
    for account in people.all_accounts(session):
        if account.disabled_at is not None or account.id == row.actor_id:
            continue
        by = authority.reader(session, account)
        owner = account.id == _owner(subject)
        if (owner or by.has(*next_roles)) and (act := tasks.waits_for(session, subject, by=by)):
            told.append(Told(account.id, WAITS, WAITING.fill(act=act, what=_what(subject))))
        elif owner and subject.state in RESULTS[row.noun]:
            state = lifecycle.label(session, subject)
            told.append(Told(account.id, RESULT, BECAME.fill(what=_what(subject), state=state)))
    return told


def _next_roles(session: Session, subject: Subject) -> set[str]:
    step = lifecycle.workflow_of(session, subject).onward(subject.state)
    return {*step.roles, *(seat.role for seat in step.seats)} if step else set()


def _keep(session: Session, row: News, told: Sequence[Told], settings: Settings) -> int:
    for one in told:
        session.add(_notice(row, one))
        account = session.get_one(Account, one.account_id)
        if one.kind == WAITS:
            locale = locale_of(account, settings)
            said = one.words.get(locale)
            body = letter([said], _path(row), locale, settings)
            write(session, account, kind=WAITS, subject=said, body=body, host=host(settings))
    session.flush()
    return len(told)


def _no_longer_waits(session: Session, row: News) -> None:
    """A record that moved on waits for nobody any more as it did: those notices are done with."""
    session.execute(
        update(Notice)
        .where(
            Notice.noun == row.noun,
            Notice.record_id == row.record_id,
            Notice.kind == WAITS,
            Notice.read_at.is_(None),
        )
        .values(read_at=clock.now())
    )


def _notice(row: News, told: Told) -> Notice:
    return Notice(
        account_id=told.account_id,
        kind=told.kind,
        noun=row.noun,
        record_id=row.record_id,
        text_vi=told.words.vi,
        text_en=told.words.en,
        at=clock.now(),
    )


def _digest(session: Session, account: Account, settings: Settings) -> tuple[int, str] | None:
    by, locale = authority.reader(session, account), locale_of(account, settings)
    waiting = tasks.waiting_for_me(session, by=by)
    lately = select(Notice).where(
        Notice.account_id == account.id,
        Notice.kind == RESULT,
        Notice.read_at.is_(None),
        Notice.at > clock.now() - timedelta(days=1),
    )
    results = session.scalars(lately.order_by(Notice.id)).all()
    laws = [row.get(locale) for row in _laws(session, by)]
    slips = [row.get(locale) for row in _slips(session, by)]
    if not waiting and not results and not laws:
        return None
    lines = [WAIT_FOR_YOU.fill(n=len(waiting)).get(locale)] if waiting else []
    lines += [f"- {task.act.get(locale) if task.act else ''}: {_what(task.subject)}" for task in waiting[:AT_ONCE]]
    lines += _more(len(waiting), locale)
    lines += ["", NEW_RESULTS.fill(n=len(results)).get(locale)] if results else []
    lines += [f"- {row.words.get(locale)}" for row in results[:AT_ONCE]]
    lines += _more(len(results), locale)
    lines += ["", LAWS.fill(n=len(laws)).get(locale), *(f"- {row}" for row in laws[:AT_ONCE])] if laws else []
    lines += _more(len(laws), locale)
    lines += ["", SLIPS.fill(n=len(slips)).get(locale), *(f"- {row}" for row in slips[:AT_ONCE])] if slips else []
    lines += _more(len(slips), locale)
    if overdue := len(reviews.overdue(session, by=by)):
        lines += ["", OVERDUE.fill(n=overdue).get(locale)]
    return len(waiting) + len(laws), letter(lines, "/", locale, settings)


def _laws(session: Session, by: Reader) -> list[Sentence]:
    """Return the changed laws whose deadline is 60, 30 or 7 days away today and that this person may judge."""
    return [
        LAW.fill(
            code=row.assessment.code,
            law=row.assessment.law.number,
            cause=row.assessment.cause_number,
            days=row.days,
            deadline=row.assessment.deadline.strftime("%d/%m/%Y"),
        )
        for row in watch.board.to_remind(session)
        if {"controller", "reviewer"} & by.roles_in(row.assessment.unit_id)
    ]


def _slips(session: Session, by: Reader) -> list[Sentence]:
    """Return the corrective reports of this person's units that are due soon, or late."""
    return [
        (LATE_SLIP if row.days_left < 0 else SLIP).fill(
            what=_what(row), due=row.due_on.strftime("%d/%m/%Y"), days=abs(row.days_left)
        )
        for row in internal_audits.findings.to_remind(session, by=by)
    ]


def _more(count: int, locale: str) -> list[str]:
    return [MORE.fill(n=count - AT_ONCE).get(locale)] if count > AT_ONCE else []


def letter(lines: Sequence[str], path: str, locale: str, settings: Settings) -> str:
    """Return the body of a letter: its lines, the address of a page, and how to want no more of them."""
    link = [f"{settings.base_url}{path}", ""] if settings.base_url else []
    page = f": {settings.base_url}/account/notices" if settings.base_url else ""
    return "\n".join([*lines, "", *link, "-- ", FOOT.fill(url=page).get(locale)]) + "\n"


def _what(subject: Subject) -> str:
    if isinstance(subject, Revision):
        return f"{subject.document.code} {subject.edition_text} {subject.title}"
    if isinstance(subject, ChangeRequest):
        return f"{subject.number_text} {subject.subject}"
    if isinstance(subject, Nonconformity):
        return f"{subject.number_text} {subject.statement[:120]}"
    return f"{subject.number} {subject.title}".strip()


def _owner(subject: Subject) -> int:
    if isinstance(subject, Revision):
        return subject.author_id
    if isinstance(subject, Nonconformity):
        return subject.answered_by_id or subject.raised_by_id
    return subject.requester_id if isinstance(subject, ChangeRequest) else subject.drafted_by_id


def _path(row: News) -> str:
    pages = {"revision": "/revisions", "decision": "/decisions", "nonconformity": "/nonconformities"}
    return pages.get(row.noun, "/requests") + f"/{row.record_id}"


def locale_of(account: Account, settings: Settings) -> str:
    """Return the language in which somebody is written to."""
    return account.locale or settings.locale
