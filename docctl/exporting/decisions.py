"""A decision on paper: its text with the signing block, annex 1 by kind, annex 2 what is recalled, annex 3 who gets it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from docctl import audit, clock, decisions, distribution, people, recall, units
from docctl.decisions import KINDS, Decision, DecisionLine
from docctl.distribution import copies
from docctl.distribution.lists import MEDIA, Plan
from docctl.exporting.paper import Block, Paper, Row, Signer
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.rules import Sentence
from docctl.text import clean_name

PAPERS: dict[str, Sentence] = {
    "decision": Sentence("Quyết định", "Decision"),
    "annex-1": Sentence("Phụ lục 1: danh mục ban hành, hủy bỏ, giữ nguyên", "Annex 1: issued, withdrawn, kept"),
    "annex-2": Sentence("Phụ lục 2: thu hồi", "Annex 2: recall"),
    "annex-3": Sentence("Phụ lục 3: phân phối", "Annex 3: distribution"),
}
MOST_IN_NOTICE = 5
_CODE = "F10"
_UNNUMBERED = Sentence("chưa có số", "no number yet")


def paper(session: Session, decision: Decision, name: str, *, by: Reader, locale: str) -> Paper:
    """Return the decision or one of its annexes as plain values; raises KeyError for another name."""
    return {"decision": _decision, "annex-1": _annex_1, "annex-2": _annex_2, "annex-3": _annex_3}[name](
        session, decision, by, locale
    )


def file_name(decision: Decision, name: str) -> str:
    """Return a file's name for a paper, without its ending: number and paper, with nothing that a path could mean."""
    number = clean_name(decision.number or f"#{decision.id}").replace("/", "-").replace("\\", "-")
    return f"{number} {name}"


def notice(decision: Decision, lines: Sequence[DecisionLine], *, address: str, locale: str) -> str:
    """Return one paragraph that announces an executed decision, with the link to it, ready to paste."""
    issued = [line.document.code for line in lines if line.action == decisions.ISSUE]
    withdrawn = [line.document.code for line in lines if line.action == decisions.WITHDRAW]
    assert decision.effective_from is not None  # It is executed.
    said = Sentence(
        "Quyết định {number} ({title}) có hiệu lực từ {begins}: ban hành {issued} tài liệu{some}, hủy bỏ {withdrawn} tài liệu{others}. "
        "Từ ngày đó chỉ dùng bản còn hiệu lực; bản giấy cũ trả về người kiểm soát tài liệu. Xem toàn bộ danh mục: {address}",
        "Decision {number} ({title}) takes effect on {begins}: {issued} documents issued{some}, {withdrawn} withdrawn{others}. "
        "From that day on use the editions in force only, and give old paper copies back to the document controller. Full list: {address}",
    )
    return said.fill(
        number=decision.number,
        title=decision.title,
        begins=f"{decision.effective_from:%d/%m/%Y}",
        issued=len(issued),
        some=_some(issued),
        withdrawn=len(withdrawn),
        others=_some(withdrawn),
        address=address,
    ).get(locale)


def _decision(session: Session, decision: Decision, by: Reader, locale: str) -> Paper:
    lines = decisions.lines_of(session, decision)
    count = {action: sum(line.action == action for line in lines) for action in ("issue", "withdraw", "keep")}
    day = f"{decision.effective_from:%d/%m/%Y}" if decision.effective_from else "……/……/………"
    articles = [
        _first(count),
        Sentence(
            "Điều 2. Quyết định này có hiệu lực từ ngày {day}. Bản cũ được thu hồi theo Phụ lục 2; bản mới được phân phối theo Phụ lục 3.",
            "Article 2. This decision takes effect on {day}. Old copies are recalled by annex 2; new ones are distributed by annex 3.",
        ).fill(day=day),
        Sentence(
            "Điều 3. Thủ trưởng các đơn vị có tên trong các phụ lục chịu trách nhiệm thi hành Quyết định này.",
            "Article 3. The heads of the units named in the annexes carry out this decision.",
        ),
    ]
    articles += [
        Sentence(
            "Đính chính {number} ngày {day}, tại {place}: “{wrong}” đọc là “{corrected}”.",
            "Correction {number} of {day}, at {place}: “{wrong}” reads “{corrected}”.",
        ).fill(
            number=row.number,
            day=f"{row.signed_on:%d/%m/%Y}",
            place=row.place,
            wrong=row.wrong,
            corrected=row.corrected,
        )
        for row in decisions.corrections(session, decision)
    ]
    block = decision.signing_block.splitlines() or ([decision.signer_form] if decision.signer_form else [])
    capacity = "\n".join(block) or Sentence("NGƯỜI KÝ", "SIGNER").get(locale)
    return _paper(
        session,
        decision,
        Sentence("Quyết định", "Decision").get(locale),
        locale,
        subtitle=decision.title,
        opening=[article.get(locale) for article in articles],
        signers=[Signer(capacity, decision.signer.full_name if decision.signer else "")],
        landscape=False,
        motto=True,
    )


def _first(count: dict[str, int]) -> Sentence:
    """Return the article that says what is done, and nothing of what is not done at all."""
    acts = {
        "issue": Sentence("ban hành {n} tài liệu", "{n} documents are issued"),
        "withdraw": Sentence("hủy bỏ {n} tài liệu", "{n} documents are withdrawn"),
        "keep": Sentence("giữ nguyên {n} tài liệu", "{n} documents are kept"),
    }
    done = [words.fill(n=count[action]) for action, words in acts.items() if count[action]] or [acts["issue"].fill(n=0)]
    vi = ", ".join(words.vi for words in done)
    return Sentence("Điều 1. {vi} theo Phụ lục 1 kèm theo.", "Article 1. {en}, as listed in annex 1.").fill(
        vi=vi[:1].upper() + vi[1:], en=", ".join(words.en for words in done)
    )


def _annex_1(session: Session, decision: Decision, by: Reader, locale: str) -> Paper:
    known, replaced = decisions.kinds(session, decision), decisions.replaced(session, decision)
    lines = decisions.lines_of(session, decision)
    blocks = []
    for kind, name in KINDS.items():
        rows = [line for line in lines if known[line.position] == kind]
        if rows:
            listed = [_line(number, line, replaced, locale) for number, line in enumerate(rows, start=1)]
            blocks.append(Block(f"{name.get(locale)} ({len(rows)})", _heads(locale), listed))
    return _paper(session, decision, PAPERS["annex-1"].get(locale), locale, blocks=blocks)


def _annex_2(session: Session, decision: Decision, by: Reader, locale: str) -> Paper:
    replaced = decisions.replaced(session, decision)
    gone = [line for line in decisions.lines_of(session, decision) if line.action != "keep"]
    out = _to_recall(session, decision, [row.id for row in replaced.values()], locale)
    rows: list[Row] = []
    for line in gone:
        if earlier := replaced.get(line.document_id):
            rows.append(
                [
                    len(rows) + 1,
                    line.document.code,
                    earlier.title,
                    earlier.edition_text,
                    line.document.unit.name(locale),
                    _numbered(out.get(earlier.id, []), locale),
                    (_REPLACED if line.revision else _WITHDRAWN).get(locale),
                ]
            )
    heads = [_NUMBER, _CODE_HEAD, _TITLE, _EDITION, _UNIT, _COPIES_OUT, _WHY]
    said = Sentence(
        "Lần ban hành cũ phải thu hồi ({n}), trong đó {copies} bản kiểm soát",
        "Old editions to be recalled ({n}), with {copies} controlled copies",
    )
    block = Block(
        said.fill(n=len(rows), copies=sum(map(len, out.values()))).get(locale),
        [head.get(locale) for head in heads],
        rows,
    )
    return _paper(session, decision, PAPERS["annex-2"].get(locale), locale, blocks=[block])


def _annex_3(session: Session, decision: Decision, by: Reader, locale: str) -> Paper:
    issued = [line for line in decisions.lines_of(session, decision) if line.action == "issue" and line.revision]
    made = _to_issue(session, issued, locale)
    rows: list[Row] = [
        [
            number,
            line.document.code,
            line.revision.title if line.revision else "",
            line.revision.edition_text if line.revision else "",
            line.document.unit.name(locale),
            _numbered(made[line.document_id].copies, locale),
            made[line.document_id].readers or None,
            (line.revision.change_summary.splitlines() or [""])[0] if line.revision else "",
        ]
        for number, line in enumerate(issued, start=1)
    ]
    heads = [_NUMBER, _CODE_HEAD, _TITLE, _EDITION, _UNIT, _COPIES_TO, _READERS, _CHANGE]
    said = Sentence(
        "Tài liệu phân phối ({n}), trong đó {copies} bản kiểm soát",
        "Documents distributed ({n}), with {copies} controlled copies",
    )
    block = Block(
        said.fill(n=len(rows), copies=sum(len(row.copies) for row in made.values())).get(locale),
        [head.get(locale) for head in heads],
        rows,
    )
    return _paper(session, decision, PAPERS["annex-3"].get(locale), locale, blocks=[block])


@dataclass(frozen=True)
class _Copy:
    """A numbered copy as an annex names it: its number, its medium, and who holds it or will."""

    number: str
    medium: str
    holder: str


@dataclass(frozen=True)
class _Handed:
    """What a line of a decision distributes: its copies, and how many people read it."""

    copies: Sequence[_Copy]
    readers: int


def _to_recall(session: Session, decision: Decision, ending: Sequence[int], locale: str) -> dict[int, list[_Copy]]:
    """Return by revision the copies that a decision asks back: those of its recall, or before that those still out."""
    opened = recall.of_decision(session, decision.id)
    asked = (
        [line.copy for line in recall.lines_of(session, opened)] if opened else copies.held_of(session, list(ending))
    )
    found: dict[int, list[_Copy]] = {}
    for copy in asked if opened or decisions.is_open(decision) else ():
        found.setdefault(copy.revision_id, []).append(_Copy(copy.number_text, copy.medium, copy.holder.get(locale)))
    return found


def _to_issue(session: Session, lines: Sequence[DecisionLine], locale: str) -> dict[int, _Handed]:
    """Return by document what was distributed of what is issued, or before that what its list would distribute now."""
    directory = distribution.Directory(session)
    places = {unit.id: unit.name(locale) for unit in units.all_units(session)}
    people_ = {account.id: account.title(locale) for account in people.all_accounts(session)}
    found = {}
    for line in lines:
        assert line.revision is not None  # A line that issues has one.
        if handed := distribution.of_revision(session, line.revision):
            made = [
                _Copy(copy.number_text, copy.medium, copy.holder.get(locale))
                for copy in copies.copies_of(session, line.revision)
            ]
            found[line.document_id] = _Handed(made, handed.asked)
            continue
        plan = directory.plan(line.document) if line.revision.effective_from is None else Plan()
        total = len(plan.holdings)
        planned = [
            _Copy(
                f"{number:03d}/{total:03d}",
                holding.medium,
                places.get(holding.unit_id or 0) or people_.get(holding.account_id or 0, ""),
            )
            for number, holding in enumerate(plan.holdings, start=1)
        ]
        found[line.document_id] = _Handed(planned, len(plan.readers))
    return found


def _numbered(listed: Sequence[_Copy], locale: str) -> str:
    """Return copies in words, those of one holder together: `001/003, 002/003: Justice division (paper)`."""
    held: dict[tuple[str, str], list[str]] = {}
    for copy in listed:
        held.setdefault((copy.holder, copy.medium), []).append(copy.number)
    return "\n".join(
        f"{', '.join(numbers)}: {holder} ({MEDIA[medium].get(locale).casefold()})"
        for (holder, medium), numbers in held.items()
    )


def _paper(
    session: Session,
    decision: Decision,
    title: str,
    locale: str,
    *,
    subtitle: str = "",
    opening: Sequence[str] = (),
    blocks: Sequence[Block] = (),
    signers: Sequence[Signer] = (),
    landscape: bool = True,
    motto: bool = False,
) -> Paper:
    number = decision.number or _UNNUMBERED.get(locale)
    dated = (
        Sentence("số {number} ngày {day}", "no. {number} of {day}")
        if decision.signed_on
        else Sentence("{number}", "{number}")
    )
    named = dated.fill(number=number, day=f"{decision.signed_on:%d/%m/%Y}" if decision.signed_on else "").get(locale)
    return Paper(
        title=title if motto else f"{title} – {_OF.fill(named=named).get(locale)}",
        office=units.office(session).name(locale),
        code=_CODE,
        made_at=clock.now(),
        subtitle=f"{named}\n{subtitle}".strip() if motto else decision.title,
        opening=opening,
        blocks=blocks,
        signers=signers,
        head=audit.head(session),
        locale=locale,
        landscape=landscape,
        motto=motto,
    )


def _line(number: int, line: DecisionLine, replaced: dict[int, Revision], locale: str) -> Row:
    revision, earlier = line.revision, replaced.get(line.document_id)
    shown = revision or earlier
    said = [line.reason]
    if line.replaced_by:
        said.append(Sentence("Thay bằng {code}.", "Replaced by {code}.").fill(code=line.replaced_by.code).get(locale))
    return [
        number,
        line.document.code,
        (revision or line.document).title,
        shown.edition_text if shown else "",
        earlier.edition_text if revision and earlier else "",
        line.document.unit.name(locale),
        " ".join(part for part in said if part),
    ]


def _some(codes: list[str]) -> str:
    if not codes:
        return ""
    more = "…" if len(codes) > MOST_IN_NOTICE else ""
    return f" ({', '.join(codes[:MOST_IN_NOTICE])}{more})"


def _heads(locale: str) -> list[str]:
    return [head.get(locale) for head in (_NUMBER, _CODE_HEAD, _TITLE, _EDITION, _INSTEAD, _UNIT, _REASON)]


_OF = Sentence("Quyết định {named}", "Decision {named}")
_NUMBER = Sentence("STT", "No.")
_CODE_HEAD = Sentence("Mã", "Code")
_TITLE = Sentence("Tên tài liệu", "Title")
_EDITION = Sentence("Lần ban hành", "Edition")
_INSTEAD = Sentence("Thay cho", "In place of")
_UNIT = Sentence("Đơn vị", "Unit")
_REASON = Sentence("Lý do, tài liệu thay thế", "Reason and replacement")
_WHY = Sentence("Lý do thu hồi", "Why it is recalled")
_REPLACED = Sentence("Được thay thế", "Superseded")
_WITHDRAWN = Sentence("Bị hủy bỏ", "Withdrawn")
_COPIES_OUT = Sentence("Bản số, nơi giữ", "Copies and holders")
_COPIES_TO = Sentence("Bản số, nơi nhận", "Copies and receivers")
_READERS = Sentence("Số người đọc", "Readers")
_CHANGE = Sentence("Tóm tắt thay đổi", "Summary of the change")
