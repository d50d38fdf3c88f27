"""Every register by its name: what the pages list, and what `docctl export` takes."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from docctl.exporting import asking, holdings, keeping, law, master_list
from docctl.exporting.paper import Paper
from docctl.people import Reader
from docctl.register import Asked
from docctl.rules import Refused, Sentence


@dataclass(frozen=True)
class Register:
    """A register: the code of its form, what it is called and what it is for, and what puts it together."""

    name: str
    code: str
    title: Sentence
    about: Sentence
    build: Callable[..., Paper]

    def paper(self, session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
        """Return the register as the reader may see it."""
        return self.build(session, asked, by=by, locale=locale)


REGISTERS = {
    row.name: row
    for row in (
        Register(
            "master-list",
            "F2",
            master_list.TITLE,
            Sentence(
                "Tài liệu còn hiệu lực và hết hiệu lực vào một ngày, theo quyết định nào, ai duyệt.",
                "What is in force on a day and what no longer is, by which decision, approved by whom.",
            ),
            master_list.build,
        ),
        Register(
            "change-requests",
            "F1",
            asking.TITLE,
            Sentence(
                "Mọi phiếu yêu cầu: đề nghị gì, ai cho ý kiến, quyết định nào giải quyết.",
                "Every change request: what it asks for, who said what, which decision took it up.",
            ),
            asking.build,
        ),
        Register(
            "external-list",
            "F3",
            law.EXTERNAL,
            Sentence(
                "Luật, nghị định, tiêu chuẩn mà quy trình dựa vào, và tình trạng của từng văn bản.",
                "The laws, decrees and standards that procedures rest on, and the state of each.",
            ),
            law.external_list,
        ),
        Register(
            "distribution",
            "F4",
            holdings.DISTRIBUTION,
            Sentence(
                "Ai giữ bản nào, ai được giao đọc, ký nhận, mở và hiểu lúc nào, bản cũ đã thu chưa.",
                "Who holds which copy and who is asked to read; received, opened and understood when; whether the old copy is back.",
            ),
            holdings.distribution,
        ),
        Register(
            "recalls",
            "F6",
            holdings.RECALLS,
            Sentence(
                "Từng bản phải thu hồi theo từng quyết định: đã trả, còn thiếu, mất, ngày trả và hạn trả.",
                "Each copy that a decision asked back: returned, missing or lost, on which day and by when.",
            ),
            holdings.recalls,
        ),
        Register(
            "disposals",
            "F7",
            keeping.DISPOSALS,
            Sentence(
                "Từng lần ban hành đã hoặc sắp tiêu hủy: theo biên bản nào, vì sao, ai làm, ai giám sát.",
                "Each edition that was or will be disposed of: by which minutes, why, by whom, before which witness.",
            ),
            keeping.disposals,
        ),
        Register(
            "retention",
            "F12",
            keeping.TITLE,
            Sentence(
                "Mọi lần ban hành đã hết hiệu lực, thời hạn lưu, lưu đến ngày nào và tình trạng.",
                "Every edition that ended, for how long and until when it is kept, and where it stands.",
            ),
            keeping.build,
        ),
        Register(
            "reviews",
            "F11",
            law.REVIEWS,
            Sentence(
                "Hạn soát xét của từng tài liệu còn hiệu lực và kết quả lần soát xét gần nhất.",
                "When each document in force is due for review, and what the last review found.",
            ),
            law.reviews_list,
        ),
        Register(
            "legal-watch",
            "F13",
            law.WATCH,
            Sentence(
                "Văn bản thay đổi, tài liệu bị tác động, hạn ba tháng và kết quả.",
                "Changed laws, the documents they concern, the three-month deadline and the outcome.",
            ),
            law.legal_watch,
        ),
        Register(
            "coverage",
            "F14",
            law.COVERAGE,
            Sentence(
                "Danh mục thủ tục hành chính, quy trình của từng thủ tục và tỷ lệ theo lĩnh vực.",
                "The administrative procedures, the documents that cover each, and the share by field.",
            ),
            law.coverage,
        ),
    )
}


def find(name: str) -> Register:
    """Return a register by its name; raises Refused with the names there are."""
    found = REGISTERS.get(name.strip().lower())
    if found is None:
        raise Refused(
            Sentence(
                "Không có sổ “{name}”. Các sổ đang có: {known}.", "There is no register {name}. There are: {known}."
            ).fill(name=name, known=", ".join(REGISTERS)),
            field="name",
        )
    return found
