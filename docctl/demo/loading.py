"""Replays the sample office's years through the verbs, each stage in one transaction, so that a killed run is completed."""

import io
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property, partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, checkpoints, clock, contents, decisions, documents, lifecycle, people, revisions, units, watch
from docctl.audit import Action
from docctl.decisions import Decision, Line
from docctl.demo import auditing, distributing, law, organisation
from docctl.demo.organisation import OpenPaper, Paper, SampleDecision
from docctl.demo.writing import text_of, write_docx
from docctl.documents import Document
from docctl.people import Account, Reader, Reauthenticated
from docctl.revisions import Change, Revision
from docctl.rules import Refused, Sentence
from docctl.search import following
from docctl.site import Site
from docctl.text import code_key
from docctl.units import Unit
from docctl.watch import LegalAssessment

BEGAN = datetime.fromisoformat("2020-01-06T08:00:00+07:00")  # The office's first day with its quality system.
MORNING, AFTERNOON, HALF_DAY = time(8, 0), time(13, 30), 210  # A half day of work has 210 minutes.
STEP = 37  # Minutes between two acts of a day, folded into its 420: acts spread over the day, the same at every run.

SCHEDULED = ("3015", "Sửa đổi quy trình cấp lại giấy phép xây dựng")
CHECKED = ("3022", "Ban hành mới quy trình đã được phê duyệt")
UNFINISHED = "Ban hành mới và hủy bỏ tài liệu theo kết quả soát xét"

LAW_BEGAN = date(2022, 12, 1)
NO_EFFECT = "Thành phần hồ sơ của quy trình không yêu cầu sổ hộ khẩu, sổ tạm trú giấy nên không phải sửa."
TO_CHANGE = "Bỏ yêu cầu xuất trình sổ hộ khẩu, sổ tạm trú giấy trong thành phần hồ sơ."
SENT_BACK = "Mục 5.2 chưa ghi căn cứ của từng thành phần hồ sơ. Đề nghị bổ sung rồi trình lại."
FOREIGN = Sentence(
    "Kho lưu trữ này đã có tài liệu của một cơ quan khác. Hãy đặt DOCCTL_STORAGE tới một thư mục trống rồi chạy lại.",
    "This storage holds another office's documents. Point DOCCTL_STORAGE to an empty folder and run again.",
)


@dataclass(frozen=True)
class Loaded:
    """What stands after loading; `password` is the sample accounts' one, None when nothing was left to load."""

    in_force: int
    accounts: list[str]
    password: str | None
    stages: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """Return the same as JSON takes it."""
        return asdict(self)


@dataclass(frozen=True)
class Stage:
    """A part of the office's history that is loaded in one transaction, known as loaded by its decision's number."""

    title: str
    day: date
    number: str
    replay: Callable[["Replay"], None]
    loaded: Callable[[Session], bool] | None = None  # Where no decision tells: whether it is there.


def load(site: Site, progress: Callable[[str], None] = lambda line: None) -> Loaded:
    """Load what is missing of the sample organisation; where nothing is missing, nothing changes.

    Raises Refused in a storage that holds another office's documents.
    """
    with site.database.reading() as session:
        _refuse_foreign(session)
        missing = _missing(session)
    password = None
    if missing:
        password = site.settings.demo_password or secrets.token_urlsafe(9)
        progress("Units, document types and accounts")
        with clock.at(BEGAN), site.database.writing() as session:
            _set_up(session, password)
            distributing.set_up(session)
    for stage in missing:
        if stage is missing[-1]:
            # The index comes before the last stage: once that is there, a killed run leaves nothing to complete.
            progress("Search index")
            following.follow(site.database, site.engine)
        with site.database.writing() as session:
            replay = Replay(site, session, password or "", partial(_counted, progress, stage.title))
            stage.replay(replay)
            replay.run()
    if missing:
        following.follow(site.database, site.engine)
        checkpoints.follow(site)
    with site.database.reading() as session:
        return Loaded(
            in_force=len(revisions.in_force(session)),
            accounts=[person.name for person in organisation.PEOPLE],
            password=password,
            stages=[stage.title for stage in missing],
        )


class Replay:
    """The acts of one stage: planned in any order, then done one after the other with the clock stopped at each."""

    def __init__(self, site: Site, session: Session, password: str, progress: Callable[[int, int], None]) -> None:
        self.site, self.session, self.password, self.progress = site, session, password, progress
        self.acts: list[tuple[datetime, Callable[[], object]]] = []
        self.now = clock.now()
        self.readers: dict[str, Reader] = {}
        self.proofs: dict[str, Reauthenticated] = {}

    @cached_property
    def units(self) -> dict[str, Unit]:
        """The units by code."""
        return {unit.code: unit for unit in units.all_units(self.session)}

    def person(self, name: str) -> Reader:
        """Return one of the sample accounts with its roles."""
        if name not in self.readers:
            self.readers[name] = people.reader(self.session, people.find(self.session, name))
        return self.readers[name]

    def proof(self, name: str) -> Reauthenticated:
        """Let a sample account enter its password; once a stage, which is far within the minutes that a proof lasts."""
        if name not in self.proofs:
            self.proofs[name] = people.reauthenticate(self.session, self.person(name).account, self.password)
        return self.proofs[name]

    def plan(self, at: datetime, act: Callable[[], object]) -> None:
        """Note an act for an instant; what would lie in the future is done now."""
        self.acts.append((min(at, self.now), act))

    def run(self) -> None:
        """Do every act in the order of time."""
        self.acts.sort(key=lambda planned: planned[0])
        for number, (at, act) in enumerate(self.acts, start=1):
            with clock.at(at):
                act()
            self.progress(number, len(self.acts))


class Work:
    """The way of one paper: planned step by step on working days, from its draft up to where it stands."""

    def __init__(self, replay: Replay, paper: Paper, begins: date, slot: int) -> None:
        self.replay, self.paper, self.begins, self.slot = replay, paper, begins, slot
        kind = documents.find_type(replay.session, paper.type)
        endorse = lifecycle.newest(replay.session, kind.workflow).triggers["endorse"]
        holders = {person.role: person.name for person in organisation.PEOPLE}
        self.kind, self.endorsers = kind, [holders[seat.role] for seat in endorse.seats]
        self.revision: Revision | None = None
        self.plan(0, self.draft)

    def plan(self, days: int, act: Callable[[], object]) -> None:
        """Plan an act so many working days after the paper's beginning."""
        self.replay.plan(office_time(working_day(self.begins, days), self.slot + days), act)

    def up_to(self, state: str, reason: str = "") -> None:
        """Plan the acts that lead to a state; in review means that one of the reviewers has endorsed."""
        steps: list[tuple[str, str]] = [("submit", "author"), *(("endorse", name) for name in self.endorsers)]
        steps.append(("approve", "approver"))
        done = {"draft": 0, "in_review": 2, "in_approval": len(steps) - 1, "approved": len(steps)}
        if state == "discarded":
            self.plan(2, lambda: self.act("discard", "author", reason))
        for day, (trigger, name) in enumerate(steps[: done.get(state, 0)], start=2):
            self.plan(day, partial(self.act, trigger, name))

    def sent_back(self, reason: str) -> None:
        """Plan a first round that the last reviewer sends back."""
        self.plan(2, lambda: self.act("submit", "author"))
        for day, name in enumerate(self.endorsers[:-1], start=3):
            self.plan(day, partial(self.act, "endorse", name))
        self.plan(5, lambda: self.act("send_back", self.endorsers[-1], reason))

    def draft(self) -> None:
        """Begin the revision, of a new document where there is none with the code."""
        replay, paper = self.replay, self.paper
        self.revision = revisions.draft(
            replay.session,
            _document(replay.session, paper.code) or self.document(),
            by=replay.person("author"),
            edition=paper.edition,
            amendment=paper.amendment,
            title=paper.title,
            change_summary="; ".join(f"{change.section}: {change.new}" for change in paper.changes),
            content=_content(replay, paper),
            file_name=f"{paper.code} {paper.title.replace('/', '-')}.docx",
            changes=[Change(each.section, each.old, each.new, each.basis) for each in paper.changes],
            cover_date=paper.issued,
        )

    def document(self) -> Document:
        """Add the paper's document."""
        return documents.add(
            self.replay.session,
            by=self.replay.person("author"),
            title=self.paper.title,
            type=self.kind,
            unit=self.replay.units[self.paper.unit],
            field=self.paper.field,
            code=self.paper.code,
        )

    def act(self, trigger: str, name: str, reason: str = "") -> None:
        """Let somebody act on the revision, signing where the act signs."""
        revisions.act(
            self.replay.session,
            self.standing,
            trigger,
            by=self.replay.person(name),
            reason=reason,
            signing=self.replay.proof(name) if trigger in ("endorse", "approve") else None,
        )

    @property
    def standing(self) -> Revision:
        """The revision; its draft is always the first act."""
        if self.revision is None:
            raise LookupError(f"{self.paper.code} is not drafted yet")
        return self.revision

    def line(self) -> Line:
        """Return the line of a decision that issues the paper."""
        return Line(decisions.ISSUE, revision=self.standing)


def working_day(day: date, after: int) -> date:
    """Return the working day, Monday to Friday, that is so many working days after a day (or that day's own)."""
    while day.weekday() > 4:
        day += timedelta(days=1)
    weeks, rest = divmod(day.weekday() + after, 5)
    return day + timedelta(days=7 * weeks + rest - day.weekday())


def office_time(day: date, slot: int) -> datetime:
    """Return an instant of a day's office hours, 08:00 to 11:30 and 13:30 to 17:00."""
    half, minutes = divmod(slot * STEP % (2 * HALF_DAY), HALF_DAY)
    hour = AFTERNOON if half else MORNING
    return clock.midnight(day) + timedelta(hours=hour.hour, minutes=hour.minute + minutes)


def _stages(today: date) -> list[Stage]:
    first, main, later = organisation.FIRST_DECISION, organisation.DECISION_2804, organisation.LATER_DECISION
    stages = [
        Stage("252 documents of 2020", first.date, _number(first.number), _replay_2020),
        Stage("Decision 2804 of 2022: 101 issued, 80 withdrawn", main.date, _number(main.number), _replay_2022),
        Stage("Laws, 319 administrative procedures and a changed decree", LAW_BEGAN, "", _replay_law, law.is_loaded),
        Stage("Later editions of 2023", later.date, _number(later.number), _replay_2023),
        Stage("Work on its way", later.date, _number(SCHEDULED[0]), _replay_open_work),
    ]
    # With a stopped clock, what has not happened yet is not told.
    return [stage for stage in stages if stage.day <= today]


def _missing(session: Session) -> list[Stage]:
    decided = set(session.scalars(select(Decision.number).where(Decision.state == "executed")))
    return [
        stage
        for stage in _stages(clock.today())
        if not (stage.loaded(session) if stage.loaded else stage.number in decided)
    ]


def _replay_2020(replay: Replay) -> None:
    works = _works(replay, organisation.first_set(), date(2020, 6, 1), a_day=6)
    _decide(replay, organisation.FIRST_DECISION, lambda: [work.line() for work in works])


def _replay_2022(replay: Replay) -> None:
    issued, withdrawn = organisation.decision_2804()
    works = _works(replay, issued, date(2022, 9, 5), a_day=4)

    def lines() -> list[Line]:
        find = partial(documents.find, replay.session)
        return [work.line() for work in works] + [
            Line(decisions.WITHDRAW, document=find(code), reason=reason, replaced_by=find(by) if by else None)
            for code, reason, by in withdrawn
        ]

    _decide(replay, organisation.DECISION_2804, lines)


def _replay_law(replay: Replay) -> None:
    """Enter laws and procedures, then note the changed decree and sign no effect where no later edition will follow."""
    opened: list[LegalAssessment] = []

    def note() -> None:
        changed, change = law.changed(replay.session)
        opened.extend(watch.amend(replay.session, changed, change, by=replay.person("controller")))

    def assess() -> None:
        rewritten = {code_key(paper.code) for paper in organisation.second_editions()}
        for row in opened:
            change = code_key(row.code) in rewritten
            watch.act(
                replay.session,
                row,
                "require_change" if change else "find_no_effect",
                by=replay.person("reviewer"),
                reason=TO_CHANGE if change else NO_EFFECT,
                signing=None if change else replay.proof("reviewer"),
            )

    replay.plan(
        clock.midnight(LAW_BEGAN) + timedelta(hours=9), lambda: law.load(replay.session, replay.person("controller"))
    )
    replay.plan(clock.midnight(date(2023, 1, 5)) + timedelta(hours=10), note)
    replay.plan(clock.midnight(date(2023, 2, 15)) + timedelta(hours=10), assess)


def _replay_2023(replay: Replay) -> None:
    works = _works(replay, organisation.second_editions(), date(2023, 8, 14), a_day=1)
    _decide(replay, organisation.LATER_DECISION, lambda: [work.line() for work in works])


def _replay_open_work(replay: Replay) -> None:
    today = clock.local(replay.now).date()
    works: dict[str, list[Work]] = {}
    for slot, each in enumerate(organisation.open_work(today)):
        work = Work(replay, each.paper, working_day(today - timedelta(days=42), slot), slot)
        _plan_open(work, each, first=each.state not in works)
        works.setdefault(each.state, []).append(work)
    effective = organisation.scheduled_from(today)
    scheduled = SampleDecision(SCHEDULED[0], today, SCHEDULED[1])
    _decide(replay, scheduled, lambda: [work.line() for work in works["scheduled"]], effective=effective)
    yesterday = working_day(today - timedelta(days=4), 0)
    checked = SampleDecision(CHECKED[0], today, CHECKED[1])
    ready, waiting = works["approved"][:1], works["in_approval"][:1]
    replay.plan(
        office_time(yesterday, 3),
        lambda: decisions.check(
            replay.session,
            _drafted(replay, checked, [work.line() for work in ready], effective),
            by=replay.person("controller"),
        ),
    )
    auditing.plan(replay, today, replay.proof, organisation.decision_2804()[1][0][0])
    # What is wrong with it is for somebody to mend: one line is not approved yet, the other gives no reason.
    unfinished = SampleDecision("", today, UNFINISHED)
    given_up = list(organisation.in_force_after_2804())[-1]
    replay.plan(
        office_time(yesterday, 9),
        lambda: _drafted(
            replay,
            unfinished,
            [*(work.line() for work in waiting), _withdrawal(replay, given_up)],
            effective,
        ),
    )


def _plan_open(work: Work, given: OpenPaper, *, first: bool) -> None:
    """Plan a paper's way to its state; of the drafts one was sent back, of those in review one has no signature yet."""
    if given.state == "draft" and first:
        work.sent_back(SENT_BACK)
    elif given.state == "in_review" and first:
        work.plan(2, lambda: work.act("submit", "author"))
    else:
        work.up_to("approved" if given.state == "scheduled" else given.state, given.reason)


def _withdrawal(replay: Replay, code: str) -> Line:
    return Line(decisions.WITHDRAW, document=documents.find(replay.session, code))


def _works(replay: Replay, papers: Iterable[Paper], begins: date, *, a_day: int) -> list[Work]:
    works = [
        Work(replay, paper, working_day(begins, position // a_day), position) for position, paper in enumerate(papers)
    ]
    for work in works:
        work.up_to("approved")
    return works


def _decide(
    replay: Replay, given: SampleDecision, lines: Callable[[], list[Line]], *, effective: date | None = None
) -> None:
    """Plan a decision: drafted and checked in the days before its date, signed and executed on its date."""
    made: list[Decision] = []

    def check() -> None:
        made.append(_drafted(replay, given, lines(), effective or given.date))
        decisions.check(replay.session, made[0], by=replay.person("controller"))

    def sign() -> None:
        decisions.sign(replay.session, made[0], by=replay.person("approver"), signing=replay.proof("approver"))

    replay.plan(clock.midnight(given.date - timedelta(days=1)) + timedelta(hours=14), check)
    replay.plan(clock.midnight(given.date) + timedelta(hours=8, minutes=20), sign)
    replay.plan(
        clock.midnight(given.date) + timedelta(hours=9, minutes=5),
        lambda: decisions.execute(replay.session, made[0], by=replay.person("controller")),
    )
    if effective is None:
        distributing.plan(
            replay, given.date, lambda: [line.revision for line in made[0].lines if line.revision is not None]
        )
    if given is organisation.DECISION_2804:
        distributing.plan_recall(replay, given.date, lambda: made[0], replay.proof)


def _drafted(replay: Replay, given: SampleDecision, lines: list[Line], effective: date) -> Decision:
    return decisions.draft(
        replay.session,
        by=replay.person("controller"),
        title=given.title,
        number=_number(given.number) if given.number else "",
        signed_on=given.date if given.number else None,
        effective_from=effective,
        signer_form="TM.",
        lines=lines,
    )


def _content(replay: Replay, paper: Paper) -> contents.Content:
    limit = replay.site.settings.max_upload_mb << 20
    stored = replay.site.store.put(io.BytesIO(write_docx(paper)), limit_bytes=limit)
    content = contents.keep(replay.session, sha256=stored.sha256, size=stored.size, kind="docx")
    contents.has_text(replay.session, stored.sha256, text=text_of(paper), method="docx")
    return content


def _document(session: Session, code: str) -> Document | None:
    return session.scalars(select(Document).where(Document.code_key == code_key(code))).first()


def _refuse_foreign(session: Session) -> None:
    office = organisation.unit(organisation.OFFICE).name_vi
    ours = any(unit.name_vi == office for unit in units.all_units(session))
    if not ours and session.scalars(select(Document.id).limit(1)).first():
        raise Refused(FOREIGN)


def _set_up(session: Session, password: str) -> None:
    """Add the units, types and accounts that are not there, and give every sample account the password."""
    known = {unit.code: unit for unit in units.all_units(session)}
    for sample in organisation.UNITS:
        if sample.code not in known:
            above = known.get(organisation.OFFICE) or next(iter(known.values()), None)
            known[sample.code] = _unit(session, sample, above)
    types = {kind.code for kind in documents.all_types(session)}
    for kind in organisation.TYPES:
        if kind.code not in types:
            made = documents.add_type(session, **asdict(kind))
            audit.record(session, Action.TYPE_ADDED, by=None, noun="document_type", record_id=made.id, **asdict(kind))
    accounts = {account.name: account for account in people.all_accounts(session)}
    for person in organisation.PEOPLE:
        if person.name in accounts:
            people.set_password(session, accounts[person.name], password)
        else:
            _account(session, person, known[person.unit], password)


def _unit(session: Session, sample: organisation.SampleUnit, above: Unit | None) -> Unit:
    made = units.add(
        session, code=sample.code, name_vi=sample.name_vi, name_en=sample.name_en, kind=sample.kind, parent=above
    )
    audit.record(session, Action.UNIT_ADDED, by=None, noun="unit", record_id=made.id, code=made.code, name=made.name_vi)
    return made


def _account(session: Session, person: organisation.SamplePerson, unit: Unit, password: str) -> Account:
    account = people.add(
        session,
        name=person.name,
        password=password,
        roles=[person.role],
        unit=unit,
        title_vi=person.title_vi,
        title_en=person.title_en,
    )
    audit.record(
        session,
        Action.ACCOUNT_ADDED,
        by=None,
        noun="account",
        record_id=account.id,
        name=account.name,
        roles=[person.role],
    )
    return account


def _number(number: str) -> str:
    return f"{number}/QĐ-{organisation.OFFICE}"


def _counted(progress: Callable[[str], None], title: str, done: int, planned: int) -> None:
    if done % 250 == 0 or done == planned:
        progress(f"{title}: {done}/{planned} acts")
