"""Signed heads of the trail by mail, for the auditors to keep where the server does not write: an anchor for `verify`."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import checkpoints, clock, people
from docctl.announcing import DIGEST_HOUR, host, letter, locale_of
from docctl.audit import Action, AuditEntry
from docctl.checkpoints import Checkpoint
from docctl.config import Settings
from docctl.notices import HEAD, HEADS_GO_TO, Enclosure, Mail, refused_kinds, write
from docctl.people import Account
from docctl.rules import Sentence
from docctl.site import Site

# Many decisions of one hour are vouched for by one head.
BETWEEN_DECISIONS = timedelta(hours=1)
SUBJECT = Sentence(
    "Mốc kiểm soát nhật ký {day}, mục {sequence}: đề nghị lưu giữ",
    "Checkpoint of the trail, {day}, entry {sequence}: please keep it",
)
WHAT = Sentence(
    "Tệp đính kèm {name} là mốc kiểm soát của nhật ký docctl, có chữ ký số của hệ thống. Mốc cho biết lúc {moment} nhật ký có "
    "đến mục {sequence} và từng mục khi đó ghi gì. Ai giữ tệp này thì về sau chỉ ra được nhật ký có bị sửa, cắt bớt hay viết lại "
    "hay không, kể cả khi người làm việc đó có toàn quyền trên máy chủ.",
    "The attached file {name} is a checkpoint of docctl's trail, signed by the system. It says that at {moment} the trail "
    "reached entry {sequence}, and what every entry said then. Who keeps this file can later show whether the trail was "
    "altered, cut short or written anew, even by somebody with every right on the server.",
)
TO_DO = Sentence("Việc cần làm bây giờ:", "What to do now:")
SAVE = Sentence(
    "1. Lưu tệp đính kèm, giữ nguyên nội dung, vào nơi máy chủ docctl không ghi tới được: USB, máy tính khác. Hoặc để nguyên thư "
    "này trong hộp thư, nếu hộp thư không do người quản trị máy chủ docctl trông coi.",
    "1. Save the attachment, unaltered, where the docctl server cannot write: a USB stick, another computer. Or leave this "
    "letter in your mailbox, if those who run the docctl server do not look after it.",
)
KEEP = Sentence(
    "2. Giữ các mốc cũ trong cùng một thư mục; không phải xóa mốc nào.",
    "2. Keep older checkpoints in the same folder; none has to be deleted.",
)
TO_CHECK = Sentence(
    "Khi cần kiểm tra, mang tệp (hoặc cả thư mục) đến máy chủ, hay máy khác có docctl và bản sao lưu đã phục hồi, rồi chạy:",
    "When you want to check, take the file (or the whole folder) to the server, or to another computer with docctl and a restored backup, and run:",
)
RESULTS = Sentence(
    "Lệnh kết thúc với 0: không có gì bị sửa; 1: có sai lệch, từng chỗ được nêu tên; 2: không kiểm tra được; 3: đến mục "
    "{sequence} vẫn nguyên vẹn, những mục ghi sau đó cần một mốc mới hơn (kết quả thường gặp).",
    "It ends with 0: nothing was altered; 1: something differs, and each place is named; 2: it could not be checked; 3: up to "
    "entry {sequence} all is whole, and what was written since needs a newer checkpoint (the usual result).",
)
BY_EYE = Sentence("Để đối chiếu bằng mắt, hoặc in ra giấy:", "To compare by eye, or on paper:")
ENTRY = Sentence("- mục {sequence}, đợt {epoch}, lúc {moment}", "- entry {sequence}, epoch {epoch}, at {moment}")
HASH = Sentence("- mã băm {hash}", "- hash {hash}")
KEY = Sentence("- khóa {key}", "- key {key}")


def send_heads(site: Site) -> int:
    """Write the newest signed head to every auditor who wants it and has not got it yet; returns how many letters.

    After seven in the morning, when the day's letters are read: one a day, unless nothing was signed since the last
    one. It covers everything up to the night. And at once after an executed decision, at most one an hour.
    """
    newest = checkpoints.last(site.settings)
    if newest is None:
        return 0
    with site.database.reading() as session:
        due = [row.id for row in _keepers(session) if _occasion(session, row, newest)]
    written = 0
    for account_id in due:
        with site.database.writing() as session:
            account = session.get_one(Account, account_id)
            # Looked at again under the write lock: another process may have been quicker.
            if occasion := _occasion(session, account, newest):
                written += _write(session, account, newest, occasion, site.settings)
    return written


def send_now(site: Site, point: Checkpoint) -> int:
    """Write a head that was just made to every auditor who wants heads; returns how many letters."""
    with site.database.writing() as session:
        occasion = f"asked {point.digest()}"
        return sum(_write(session, row, point, occasion, site.settings) for row in _keepers(session))


def _keepers(session: Session) -> list[Account]:
    return [
        row for row in people.holding(session, HEADS_GO_TO) if row.email and HEAD not in refused_kinds(session, row)
    ]


def _occasion(session: Session, account: Account, newest: Checkpoint) -> str:
    """Return what the newest head is to be sent for, empty when it is not; the same words never lead to a second letter."""
    mine = select(Mail).where(Mail.account_id == account.id, Mail.kind == HEAD)
    last = session.scalars(mine.order_by(Mail.id.desc()).limit(1)).first()
    if last is not None and last.enclosed == _file(newest):
        return ""
    now = clock.local(clock.now())
    today = f"day {now.date()}"
    if now.hour >= DIGEST_HOUR and not session.scalars(mine.where(Mail.occasion == today)).first():
        return today
    if last is None or clock.now() - last.queued_at < BETWEEN_DECISIONS:
        return ""
    executed = _executed(session, since=checkpoints.parsed(last.enclosed or "").sequence, until=newest.sequence)
    return f"decision at entry {executed}" if executed else ""


def _executed(session: Session, *, since: int, until: int) -> int:
    """Return the entry of the last decision that was executed between two heads, 0 when none was."""
    moved = (
        select(AuditEntry)
        .where(AuditEntry.action == Action.DECISION_MOVED, AuditEntry.sequence > since, AuditEntry.sequence <= until)
        .order_by(AuditEntry.sequence.desc())
    )
    return next((row.sequence for row in session.scalars(moved) if row.values.get("trigger") == "execute"), 0)


def _write(session: Session, account: Account, point: Checkpoint, occasion: str, settings: Settings) -> bool:
    locale, at = locale_of(account, settings), clock.local(datetime.fromisoformat(point.at))
    name = f"docctl-checkpoint-{at:%Y-%m-%d}-{point.sequence}.json"
    facts = vars(point) | {"name": name, "moment": f"{at:%H:%M %d/%m/%Y}"}
    command = f"    docctl verify --anchor {name}"
    lines = (WHAT, "", TO_DO, SAVE, KEEP, "", TO_CHECK, "", command, "", RESULTS, "", BY_EYE, ENTRY, HASH, KEY)
    said = [line if isinstance(line, str) else line.fill(**facts).get(locale) for line in lines]
    queued = write(
        session,
        account,
        kind=HEAD,
        subject=SUBJECT.fill(day=f"{at:%d/%m/%Y}", sequence=point.sequence).get(locale),
        body=letter(said, "/trail", locale, settings),
        host=host(settings),
        enclosure=Enclosure(name, _file(point), occasion),
    )
    return queued is not None


def _file(point: Checkpoint) -> str:
    return point.line() + "\n"
