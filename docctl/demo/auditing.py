"""The sample office's internal audit: five of six samples walked, and findings that are closed, answered, open and late."""

from collections.abc import Callable
from datetime import date, timedelta

from docctl import internal_audits
from docctl.demo.distributing import Replaying, office_instant
from docctl.internal_audits import InternalAudit, Nonconformity, Sample, findings
from docctl.internal_audits import auditing as audits
from docctl.people import Reauthenticated

SEED, DRAWN, WITHDRAWN = "26102022", 5, 1
TITLE = "Đánh giá nội bộ việc kiểm soát thông tin dạng văn bản"
SCOPE = "Tài liệu còn hiệu lực của các phòng và việc thu hồi theo quyết định 2804/QĐ-UBND"
TEAM = "Đánh giá viên nội bộ\nThư ký Ban Chỉ đạo ISO"
PLAN = "Ngày thứ nhất: xem hồ sơ trên hệ thống\nNgày thứ hai: xem tại nơi làm việc, quét mã QR trên bản in"

# Of each finding: the sample, the point, the grade, the days until it is due, and what was seen.
FOUND = (
    (1, "8.8", "minor", 60, "Bản in treo tại bàn tiếp nhận là lần ban hành trước; quét mã QR ra HẾT HIỆU LỰC."),
    (2, "7.5.3.2a", "minor", 60, "Một bản kiểm soát giao cho phòng chưa có chữ ký nhận."),
    (3, "8.9", "observation", 45, "Bảng theo dõi thay đổi nên ghi rõ căn cứ của từng mục đã sửa."),
    (4, "8.7", "minor", 18, "Hồ sơ giải quyết theo quy trình chưa ghi thời hạn lưu trên bìa."),
)
CLOSED, ANSWERED = 0, 1
REPORTS = (
    {
        "cause": "Người nhận bàn giao bàn tiếp nhận chưa được phổ biến việc thay bản in.",
        "correction": "Đã gỡ bản cũ, treo bản đang có hiệu lực.",
        "remedy": "Đưa việc thay bản in vào danh mục việc phải làm sau mỗi quyết định ban hành.",
        "proof": "Bản đang có hiệu lực trên hệ thống; biên bản kiểm tra bàn tiếp nhận.",
    },
    {
        "cause": "Văn thư nhận thay nhưng không ký sổ.",
        "correction": "Đã ký nhận bổ sung.",
        "remedy": "Xác nhận nhận bản trên hệ thống ngay khi giao, không ghi sổ giấy.",
        "proof": "Danh sách phân phối của phiên bản.",
    },
)
SEEN = "Đã quét mã QR trên bản in tại bàn tiếp nhận: CÒN HIỆU LỰC, đúng lần ban hành."


class Story:
    """One audit, from its plan to where it stands."""

    def __init__(self, replay: Replaying, proof: Callable[[str], Reauthenticated], withdrawn: str) -> None:
        self.replay, self.proof, self.withdrawn = replay, proof, withdrawn
        self.audit_id = 0
        self.slips: list[int] = []

    @property
    def audit(self) -> InternalAudit:
        """The audit, once it is open."""
        return self.replay.session.get_one(InternalAudit, self.audit_id)

    def open(self, first: date) -> None:
        """Plan the audit and take its samples: some at random, one that was withdrawn."""
        session, auditor = self.replay.session, self.replay.person("auditor")
        made = internal_audits.open_audit(
            session,
            by=auditor,
            title=TITLE,
            scope=SCOPE,
            team=TEAM,
            plan=PLAN,
            first_day=first,
            last_day=first + timedelta(days=1),
        )
        self.audit_id = made.id
        internal_audits.draw(session, made, by=auditor, size=DRAWN, seed=SEED)
        internal_audits.choose(session, made, [self.withdrawn], by=auditor)
        audits.act(session, made, "begin", by=auditor)

    def walk(self) -> None:
        """Answer every point of all samples but the last, and raise what was found."""
        session, auditor = self.replay.session, self.replay.person("auditor")
        samples = audits.samples(session, self.audit)
        for sample in samples[:DRAWN]:
            answers = {row.point: ("conforms", "") for row in sample.answers}
            wrong = {point: seen for number, point, _grade, _due, seen in FOUND if number == sample.position}
            answers |= {point: ("nonconforming", seen) for point, seen in wrong.items()}
            internal_audits.walk(session, sample, answers, by=auditor)
        for number, point, grade, due, seen in FOUND:
            self._raise(samples[number - 1], point, grade, due, seen)

    def answer(self) -> None:
        """The unit answers two of the findings."""
        session, head = self.replay.session, self.replay.person("reviewer")
        for position, words in zip((CLOSED, ANSWERED), REPORTS, strict=True):
            slip = self._slip(position)
            findings.write(session, slip, by=head, seen=None, **words)
            if slip.sample is not None and slip.sample.revision is not None:
                findings.link(session, slip, by=head, side=internal_audits.PROOF, revision=slip.sample.revision)
            findings.act(session, slip, "answer", by=head, signing=self.proof("reviewer"))

    def close(self) -> None:
        """The auditor verifies one of them."""
        auditor = self.replay.person("auditor")
        findings.act(
            self.replay.session,
            self._slip(CLOSED),
            "close",
            by=auditor,
            reason=SEEN,
            signing=self.proof("auditor"),
        )

    def _raise(self, sample: Sample, point: str, grade: str, due: int, seen: str) -> None:
        session, auditor = self.replay.session, self.replay.person("auditor")
        slip = internal_audits.raise_finding(
            session,
            self.audit,
            by=auditor,
            unit=sample.document.unit,
            statement=seen,
            grade=grade,
            requirement=f"{point} {internal_audits.checklist.point(self.audit.checklist, point).words.vi}",
            due_on=self._due(due),
            sample=sample,
            point=point,
        )
        if sample.revision is not None:
            findings.link(session, slip, by=auditor, side=internal_audits.FINDING, revision=sample.revision)
        self.slips.append(slip.id)

    def _due(self, days: int) -> date:
        assert self.audit.first_day is not None  # It was opened with its days.
        return self.audit.first_day + timedelta(days=days)

    def _slip(self, position: int) -> Nonconformity:
        return self.replay.session.get_one(Nonconformity, self.slips[position])


def plan(replay: Replaying, today: date, proof: Callable[[str], Reauthenticated], withdrawn: str) -> None:
    """Plan an audit that began twenty days ago; one finding's report was due two days ago."""
    story, first = Story(replay, proof, withdrawn), today - timedelta(days=20)
    replay.plan(office_instant(first, 0, 8, 10), lambda: story.open(first))
    replay.plan(office_instant(first, 1, 15, 30), story.walk)
    replay.plan(office_instant(first, 8, 9, 15), story.answer)
    replay.plan(office_instant(first, 10, 14, 5), story.close)
