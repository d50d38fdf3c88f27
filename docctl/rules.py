"""The rules that workflow files name: pure functions over `Facts`, each with the sentence a refused person reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in both languages of the product."""

    vi: str
    en: str

    def fill(self, **values: object) -> Sentence:
        """Return the sentence with its `{placeholders}` filled; a `Sentence` among the values is taken per language."""
        return Sentence(
            self.vi.format(**{k: v.vi if isinstance(v, Sentence) else v for k, v in values.items()}),
            self.en.format(**{k: v.en if isinstance(v, Sentence) else v for k, v in values.items()}),
        )

    def get(self, locale: str) -> str:
        """Return the text for a locale such as `vi`, `vi_VN` or `en`; any other language reads English."""
        return self.vi if locale.startswith("vi") else self.en


def joined(sentences: Iterable[Sentence], by: str = ", ") -> Sentence:
    """Return several sentences as one, per language."""
    found = list(sentences)
    return Sentence(by.join(each.vi for each in found), by.join(each.en for each in found))


def lacks(says: Sentence, needed: Iterable[tuple[Sentence, object]]) -> Sentence | None:
    """Return the sentence with `{what}` filled by the names of what is empty of all that is needed, None when nothing is."""
    lacking = [name for name, there in needed if not there]
    return says.fill(what=joined(lacking)) if lacking else None


class Refused(Exception):
    """An act that may not be done; carries the sentence for the person and the field at fault, if any."""

    def __init__(self, sentence: Sentence, field: str | None = None) -> None:
        super().__init__(sentence.vi)
        self.sentence = sentence
        self.field = field


class NoRole(Refused):
    """Refused because the actor holds none of the roles of the act (the web answers 403 instead of 409)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a rule may look at: the actor, and the record as it stands, gathered by the noun before the move."""

    actor: int | None = None  # Account id; None is nobody in particular and never equals an author.
    roles: frozenset[str] = frozenset()  # The actor's roles for the unit of the record.
    author: int | None = None
    endorsers: frozenset[int] = frozenset()  # Who has endorsed in this round.
    open_seats: frozenset[str] = frozenset()  # Seats of this round that nobody has signed yet.
    has_file: bool = False
    change_rows: int = 0
    unsettled: bool = False  # The file holds tracked changes or comments that nobody accepted or refused.
    content_hash: str | None = None  # Now.
    frozen_hash: str | None = None  # At submit.
    authority: Sentence | None = None  # None when the actor may sign on that day, else the sentence why not.
    executing: bool = False  # A decision is being executed in this transaction.
    in_decision: bool = False  # The record is a line of a signed or executed decision.
    code_clash: bool = False
    lines: int = 0
    errors: int = 0  # Of the decision's dry run.
    numbered: bool = False
    dated: bool = False
    signer: int | None = None  # The account named as signer of the decision.
    checked_hash_equal: bool = False  # The lines are those of the last check.
    reader: bool = False  # The read task is the actor's own.
    holder: bool = False  # The actor holds the copy, or belongs to the unit that holds it.
    in_force: bool = False  # The revision is in force now.
    electronic: bool = False  # The copy is a file, not paper.
    ledger: Sentence | None = (
        None  # None when issued = returned + destroyed + archived + lost, else the sentence why not.
    )
    kept: Sentence | None = None  # None when every line may be disposed of, else the sentence of what may not.
    minutes: Sentence | None = (
        None  # None when the minutes say all that they must, else the sentence of what is missing.
    )
    reason: str = ""
    worked_in: bool = False  # A later edition works the changed law in, or the document is withdrawn.
    missing: Sentence | None = None  # What the record still lacks before it can be submitted; None when nothing.


@dataclass(frozen=True, slots=True)
class Rule:
    """A named condition of a trigger; `name` is what workflow files write."""

    name: str
    test: Callable[[Facts], bool]
    sentence: Sentence
    said: Callable[[Facts], Sentence | None] | None = None

    def refusal(self, facts: Facts) -> Sentence | None:
        """Return None when the rule holds, else the sentence why not, filled with the facts."""
        if self.test(facts):
            return None
        own = self.said(facts) if self.said else None
        return own or self.sentence.fill(**{f.name: getattr(facts, f.name) for f in fields(facts)})


RULES: dict[str, Rule] = {}

ROLES: dict[str, Sentence] = {
    "author": Sentence("Người soạn thảo", "Author"),
    "reviewer": Sentence("Trưởng đơn vị (xem xét nội dung)", "Unit head (content review)"),
    "format_reviewer": Sentence("Thư ký ISO (xem xét hình thức)", "ISO secretary (format review)"),
    "approver": Sentence("Người phê duyệt", "Approver"),
    "controller": Sentence("Người kiểm soát tài liệu", "Document controller"),
    "staff": Sentence("Cán bộ", "Staff"),
    "auditor": Sentence("Đánh giá viên", "Auditor"),
    "admin": Sentence("Quản trị hệ thống", "Administrator"),
}

# What a signature says; a trigger that signs names one of these.
MEANINGS: dict[str, Sentence] = {
    "endorsed": Sentence("Đã xem xét, đồng ý", "Reviewed and endorsed"),
    "approved": Sentence("Phê duyệt", "Approved"),
    "signed": Sentence("Ký ban hành", "Signed for issue"),
    "corrected": Sentence("Đính chính", "Corrected the form"),
    "recorded": Sentence("Người lập biên bản", "Recorded the minutes"),
    "witnessed": Sentence("Người chứng kiến", "Witnessed the minutes"),
    "requested": Sentence("Đề nghị", "Requested"),
    "opined": Sentence("Đã cho ý kiến", "Gave an opinion"),
    "accepted": Sentence("Chấp nhận yêu cầu", "Accepted the request"),
    "returned": Sentence("Trả lại yêu cầu", "Returned the request"),
    "assessed": Sentence("Đã đánh giá, không bị tác động", "Assessed, no effect"),
    "reported": Sentence("Ký báo cáo đánh giá", "Signed the audit report"),
    "answered": Sentence("Ký báo cáo khắc phục", "Signed the corrective report"),
    "verified": Sentence("Đã xác nhận kết quả khắc phục", "Verified the correction"),
}


def rule(
    vi: str, en: str, said: Callable[[Facts], Sentence | None] | None = None
) -> Callable[[Callable[[Facts], bool]], Callable[[Facts], bool]]:
    """Register a function as a rule with its refusal; `said` picks a sentence that the facts bring themselves."""

    def register(test: Callable[[Facts], bool]) -> Callable[[Facts], bool]:
        RULES[test.__name__] = Rule(test.__name__, test, Sentence(vi, en), said)
        return test

    return register


@rule(
    "Chỉ người soạn thảo phiên bản này mới được làm việc này.",
    "Only the author of this revision may do this.",
)
def the_author(facts: Facts) -> bool:
    """The actor wrote this revision (or was handed it)."""
    return facts.actor is not None and facts.actor == facts.author


@rule(
    "Chỉ người soạn thảo phiên bản này hoặc người kiểm soát tài liệu mới được làm việc này.",
    "Only the author of this revision or the document controller may do this.",
)
def the_author_or_controller(facts: Facts) -> bool:
    """An author acts on what he wrote; the controller keeps house for everyone."""
    return the_author(facts) or "controller" in facts.roles


@rule("Người soạn thảo không được tự phê duyệt.", "The author may not approve his or her own revision.")
def not_the_author(facts: Facts) -> bool:
    """The approver did not write the revision."""
    return facts.actor is not None and facts.actor != facts.author


@rule("Người soạn thảo không được tự xem xét.", "The author may not review his or her own revision.")
def reviewer_not_the_author(facts: Facts) -> bool:
    """The reviewer did not write the revision."""
    return facts.actor is not None and facts.actor != facts.author


@rule(
    "Bạn đã ký xem xét trong lượt này; mỗi người chỉ ký một lần trong một lượt.",
    "You have already endorsed in this round; each person signs once in a round.",
)
def one_seat_each(facts: Facts) -> bool:
    """One person fills at most one seat of a round."""
    return facts.actor not in facts.endorsers


@rule(
    "Người đã ký xem xét trong lượt này không được phê duyệt.",
    "A person who endorsed in this round may not approve.",
)
def not_an_endorser(facts: Facts) -> bool:
    """The approver is not a reviewer of the round."""
    return facts.actor not in facts.endorsers


@rule(
    "Bạn không có thẩm quyền ký vào ngày này.",
    "You have no authority to sign on this day.",
    said=lambda facts: facts.authority,
)
def has_authority(facts: Facts) -> bool:
    """The actor's authority (own or delegated) is valid on that day."""
    return facts.authority is None


@rule(
    "Nội dung không còn đúng như lúc trình; hãy trả lại để người soạn thảo trình lại.",
    "The content is no longer what was submitted; send it back so that the author submits it again.",
)
def content_unchanged(facts: Facts) -> bool:
    """What is signed or issued is, byte for byte, what was submitted."""
    return facts.frozen_hash is not None and facts.content_hash == facts.frozen_hash


@rule(
    "Phiên bản chưa có tệp nội dung; hãy tải tệp lên trước khi trình.",
    "The revision has no file yet; upload one before submitting.",
)
def has_file(facts: Facts) -> bool:
    """There is a file to review."""
    return facts.has_file


@rule(
    "Bảng theo dõi thay đổi chưa có dòng nào; hãy ghi ít nhất một dòng (mục, nội dung cũ → mới, căn cứ).",
    "The change table is empty; write at least one row (section, old → new, basis).",
)
def has_change_row(facts: Facts) -> bool:
    """The change table says what changed and on what basis."""
    return facts.change_rows > 0


@rule(
    "Tệp còn sửa đổi theo dõi (track changes) hoặc ghi chú; hãy chọn chấp nhận hoặc bác bỏ trước khi trình.",
    "The file holds tracked changes or comments; accept or refuse them before submitting.",
)
def changes_settled(facts: Facts) -> bool:
    """Nobody reviews a file that reads one way with its tracked changes and another way without."""
    return not facts.unsettled


@rule(
    "Mã tài liệu đang trùng với tài liệu khác; hãy xử lý trùng mã trước.",
    "Another document has the same code; settle the clash first.",
)
def code_is_its_own(facts: Facts) -> bool:
    """No other document of the series has this code; for offices that forbid repeated codes (real codes do repeat)."""
    return not facts.code_clash


@rule(
    "Phiên bản đã nằm trong một quyết định đã ký hoặc đã thực hiện nên không mở lại được.",
    "The revision is in a decision that is signed or executed, so it cannot be reopened.",
)
def not_in_a_decision(facts: Facts) -> bool:
    """No signed or executed decision names this revision."""
    return not facts.in_decision


@rule(
    "Việc này chỉ xảy ra khi thực hiện một quyết định ban hành.",
    "This happens only when a decision is executed.",
)
def only_by_decision(facts: Facts) -> bool:
    """A decision is being executed, in this very transaction."""
    return facts.executing


@rule("Quyết định chưa có dòng nào; hãy thêm tài liệu ban hành hoặc hủy bỏ.", "The decision has no lines; add some.")
def has_lines(facts: Facts) -> bool:
    """A decision issues or withdraws something."""
    return facts.lines > 0


@rule(
    "Kết quả kiểm tra còn {errors} lỗi; hãy sửa các dòng được nêu rồi kiểm tra lại.",
    "The dry run found {errors} error(s); mend the lines it names and check again.",
)
def no_errors(facts: Facts) -> bool:
    """The dry run found nothing that would fail."""
    return facts.errors == 0


@rule(
    "Các dòng của quyết định đã thay đổi sau lần kiểm tra; hãy kiểm tra lại.",
    "The lines changed after the check; check the decision again.",
)
def lines_unchanged(facts: Facts) -> bool:
    """What is signed and executed is what was checked."""
    return facts.checked_hash_equal


@rule("Quyết định chưa có số.", "The decision has no number yet.")
def has_number(facts: Facts) -> bool:
    """The decision bears its number (unique in its year; the database sees to that)."""
    return facts.numbered


@rule("Quyết định chưa có ngày ban hành.", "The decision has no date yet.")
def has_date(facts: Facts) -> bool:
    """The decision bears its date."""
    return facts.dated


@rule(
    "Quyết định đã ghi người ký khác; chỉ người đó được ký.",
    "The decision names another signer; only that person may sign it.",
)
def the_signer(facts: Facts) -> bool:
    """Whoever the decision names signs it; when it names nobody, the person who signs becomes its signer."""
    return facts.signer is None or facts.signer == facts.actor


@rule(
    "Chưa có lần ban hành nào sau văn bản được dẫn chiếu, và tài liệu chưa bị hủy bỏ. Hãy ban hành lần sửa đổi trước.",
    "No edition later than the citing one is in force, and the document is not withdrawn. Issue the edition first.",
)
def worked_in(facts: Facts) -> bool:
    """The changed law is worked into a later edition, or nothing is left to work it into."""
    return facts.worked_in


@rule("Quyết định chưa có người ký.", "The decision has no signer.")
def has_signer(facts: Facts) -> bool:
    """A decision is never executed without a signer."""
    return facts.signer is not None


@rule("Việc đọc này được giao cho người khác.", "This reading was asked of somebody else.")
def the_reader(facts: Facts) -> bool:
    """Nobody confirms having read in another person's name."""
    return facts.reader


@rule(
    "Phiên bản này không có hiệu lực lúc này nên không ghi nhận việc đọc.",
    "This revision is not in force now, so reading it is not recorded.",
)
def in_force_now(facts: Facts) -> bool:
    """What is not in force yet, or no longer, is not read as the rule of the office."""
    return facts.in_force


@rule(
    "Chỉ nơi giữ bản này hoặc người kiểm soát tài liệu mới được làm việc này.",
    "Only whoever holds this copy, or the document controller, may do this.",
)
def the_holder_or_controller(facts: Facts) -> bool:
    """The holder answers for the copy; the controller writes down what was signed on paper."""
    return facts.holder or "controller" in facts.roles


@rule(
    "Bản điện tử không trả lại được; hãy xác nhận đã hủy.",
    "An electronic copy cannot be brought back; confirm that it is destroyed.",
)
def is_on_paper(facts: Facts) -> bool:
    """Only paper comes back."""
    return not facts.electronic


@rule(
    "Bản giấy phải được thu hồi trước rồi mới tiêu hủy.",
    "A copy on paper must come back before it is destroyed.",
)
def is_electronic(facts: Facts) -> bool:
    """Only a file is destroyed where it is held."""
    return facts.electronic


@rule("Chỉ người đề nghị mới được làm việc này.", "Only the requester may do this.")
def the_requester(facts: Facts) -> bool:
    """The actor made this request."""
    return facts.actor is not None and facts.actor == facts.author


@rule(
    "Chỉ người đề nghị hoặc người kiểm soát tài liệu mới được làm việc này.",
    "Only the requester or the document controller may do this.",
)
def the_requester_or_controller(facts: Facts) -> bool:
    """A requester acts on what he or she asked for; the controller keeps house for everyone."""
    return the_requester(facts) or "controller" in facts.roles


@rule(
    "Người đề nghị không được cho ý kiến hay quyết định về phiếu của chính mình.",
    "The requester may neither give an opinion nor decide on his or her own request.",
)
def not_the_requester(facts: Facts) -> bool:
    """Whoever judges a request did not make it."""
    return facts.actor is not None and facts.actor != facts.author


@rule(
    "Bạn đã cho ý kiến trong lượt này; mỗi người chỉ cho ý kiến một lần.",
    "You have already given your opinion in this round; each person gives one.",
)
def one_opinion_each(facts: Facts) -> bool:
    """One person gives at most one opinion in a round."""
    return facts.actor not in facts.endorsers


@rule(
    "Người đã cho ý kiến trong lượt này không được chấp nhận phiếu.",
    "A person who gave an opinion in this round may not accept the request.",
)
def gave_no_opinion(facts: Facts) -> bool:
    """Whoever accepts is not one of those who gave an opinion."""
    return facts.actor not in facts.endorsers


@rule(
    "Nội dung phiếu không còn đúng như lúc trình; hãy gửi lại để người đề nghị trình lại.",
    "The request is no longer what was submitted; send it back so that the requester submits it again.",
)
def request_unchanged(facts: Facts) -> bool:
    """What is judged is what the requester signed."""
    return facts.frozen_hash is not None and facts.content_hash == facts.frozen_hash


@rule("Phiếu chưa đủ nội dung.", "The request is not complete yet.", said=lambda facts: facts.missing)
def nothing_missing(facts: Facts) -> bool:
    """Everything that the form (F1) asks for its kind is filled in."""
    return facts.missing is None


@rule(
    "Sổ bản kiểm soát chưa cân.",
    "The ledger of copies does not balance.",
    said=lambda facts: facts.ledger,
)
def ledger_balances(facts: Facts) -> bool:
    """No copy is unaccounted for: issued = returned + destroyed + archived + lost."""
    return facts.ledger is None


@rule(
    "Biên bản chưa đủ nội dung.",
    "The minutes are not complete.",
    said=lambda facts: facts.minutes,
)
def minutes_are_complete(facts: Facts) -> bool:
    """Minutes name their number, date, basis and those present before anybody signs them."""
    return facts.minutes is None


@rule(
    "Biên bản cần hai người ký khác nhau; bạn đã ký.",
    "Minutes need two different people to sign; you have signed.",
)
def another_signer(facts: Facts) -> bool:
    """The witness is not whoever recorded the minutes."""
    return facts.actor not in facts.endorsers


@rule(
    "Có tài liệu chưa được tiêu hủy.",
    "Something may not be disposed of.",
    said=lambda facts: facts.kept,
)
def may_be_disposed_of(facts: Facts) -> bool:
    """Every line is past its retention, ended, and on nobody's hold."""
    return facts.kept is None


@rule("Cuộc đánh giá chưa đủ.", "The audit is not complete.", said=lambda facts: facts.missing)
def audit_is_ready(facts: Facts) -> bool:
    """An audit begins with a plan and samples, and is reported when every sample is walked and there is a conclusion."""
    return facts.missing is None


@rule("Báo cáo khắc phục chưa đủ.", "The corrective report is not complete.", said=lambda facts: facts.missing)
def answer_is_complete(facts: Facts) -> bool:
    """A corrective report says the cause, what was done, and what proves it."""
    return facts.missing is None


@rule(
    "Người đã ký báo cáo khắc phục không được tự xác nhận kết quả.",
    "Whoever signed the corrective report may not verify it.",
)
def not_the_answerer(facts: Facts) -> bool:
    """What a unit did is verified by somebody else than the person who answers for it."""
    return facts.actor is not None and facts.actor != facts.author
