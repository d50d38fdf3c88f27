"""Procedure-like Vietnamese documents, as many as wanted and the same each time: dense syllables, 500 to 1,500 words."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

HEADINGS = (
    "1. MỤC ĐÍCH",
    "2. PHẠM VI ÁP DỤNG",
    "3. TÀI LIỆU VIỆN DẪN",
    "4. ĐỊNH NGHĨA VÀ CHỮ VIẾT TẮT",
    "5. NỘI DUNG QUY TRÌNH",
    "6. BIỂU MẪU",
    "7. HỒ SƠ LƯU",
)
SENTENCES = (
    "Quy trình này quy định trình tự, thủ tục và trách nhiệm của {who} khi giải quyết hồ sơ {what}.",
    "{Who} tiếp nhận hồ sơ {what}, kiểm tra thành phần hồ sơ và ghi vào sổ theo dõi trong {n} ngày làm việc.",
    "Trường hợp hồ sơ chưa đầy đủ, {who} hướng dẫn tổ chức, cá nhân bổ sung bằng văn bản theo mẫu {form}.",
    "Căn cứ Quyết định số {number}/QĐ-UBND ngày {date} về việc công bố thủ tục {what} thuộc thẩm quyền.",
    "{Who} thẩm định nội dung {what}, lập phiếu trình và chuyển {other} xem xét, quyết định.",
    "Kết quả {what} được trả tại bộ phận tiếp nhận và trả kết quả, địa chỉ {place}.",
    "Thời hạn giải quyết là {n} ngày kể từ ngày nhận đủ hồ sơ hợp lệ; trường hợp cần xác minh thì kéo dài thêm {n} ngày.",
    "Lệ phí {what} thực hiện theo quy định của cấp có thẩm quyền; miễn cho người có công và hộ nghèo ở {place}.",
    "Mọi thay đổi của quy trình {what} phải được {other} phê duyệt trước khi ban hành và thông báo đến {who}.",
    "Hồ sơ {what} được lưu tại {who} trong thời hạn {n} năm, sau đó chuyển lưu trữ cơ quan theo quy định hiện hành.",
    "Người dân nộp bản chính hoặc bản sao có chứng thực giấy tờ về {what}, kèm tờ khai theo biểu mẫu {form}.",
    "{Who} phối hợp với {other} kiểm tra thực tế tại {place} khi cần thiết và lập biên bản có chữ ký các bên.",
    "Việc đánh giá sự hài lòng của tổ chức và cá nhân được thực hiện sau khi trả kết quả {what}.",
    "Các bước công việc không phù hợp phải được ghi nhận, tìm nguyên nhân và khắc phục trong {n} ngày.",
    "Cán bộ được giao {what} chịu trách nhiệm về tính chính xác, đầy đủ của số liệu báo cáo hằng quý.",
)
WHO = (
    "bộ phận một cửa",
    "chuyên viên phụ trách",
    "trưởng phòng chuyên môn",
    "văn thư cơ quan",
    "thư ký ban ISO",
    "lãnh đạo ủy ban",
    "cơ quan thuế",
    "công chức tư pháp hộ tịch",
    "phòng nội vụ",
    "phòng tài chính kế hoạch",
    "đoàn kiểm tra liên ngành",
)
VERBS = (
    "đăng ký",
    "cấp mới",
    "cấp lại",
    "điều chỉnh",
    "gia hạn",
    "thu hồi",
    "xác nhận",
    "công nhận",
    "chuyển đổi",
    "thẩm định",
)
OBJECTS = (
    "khai sinh",
    "kết hôn",
    "khai tử",
    "giấy phép xây dựng",
    "hộ kinh doanh",
    "quyền sử dụng đất",
    "trợ cấp xã hội",
    "an toàn thực phẩm",
    "bảo hiểm y tế",
    "nuôi con nuôi",
    "di tích lịch sử",
    "nguồn nước mặt",
    "tàu cá nội địa",
    "lao động nước ngoài",
    "cơ sở giáo dục mầm non",
    "hợp tác xã nông nghiệp",
    "biển báo giao thông",
    "chứng thực chữ ký",
    "quy hoạch chi tiết",
    "kế hoạch bảo vệ môi trường",
)
OFFICES = ("TP", "NV", "XD", "KT", "YT", "GD")
ONSETS = [
    "b",
    "c",
    "ch",
    "d",
    "đ",
    "g",
    "gi",
    "h",
    "kh",
    "l",
    "m",
    "n",
    "ng",
    "nh",
    "ph",
    "qu",
    "s",
    "t",
    "th",
    "tr",
    "v",
    "x",
]
RIMES = [
    "an",
    "ang",
    "anh",
    "ao",
    "ap",
    "at",
    "ay",
    "ân",
    "âm",
    "âu",
    "bình",
    "ươi",
    "ương",
    "ong",
    "ôn",
    "ơn",
    "inh",
    "iêm",
    "iên",
    "uân",
    "uyên",
    "úc",
    "ích",
    "ạch",
    "ượt",
    "ống",
    "ềm",
    "ủy",
]


@dataclass(frozen=True)
class Made:
    """One document."""

    id: int
    code: str
    title: str
    body: str


def documents(count: int, seed: int = 2022) -> Iterator[Made]:
    """Yield as many documents; the first ones are the same however many are asked for."""
    chance = random.Random(seed)
    names = sorted({onset + rime for onset in ONSETS for rime in RIMES})
    chance.shuffle(names)
    # A few names are common and most are rare, as words are.
    shares = list(accumulate(1 / (rank + 3) for rank in range(len(names))))
    for id in range(1, count + 1):
        what = f"{chance.choice(VERBS)} {chance.choice(OBJECTS)}"
        place = " ".join(chance.choices(names, cum_weights=shares, k=2))
        words = chance.randint(500, 1500)
        lines: list[str] = []
        written = 0
        while written < words:
            if len(lines) % 9 == 0:
                lines.append(HEADINGS[len(lines) // 9 % len(HEADINGS)])
            line = _sentence(chance, what, names, shares)
            written += line.count(" ") + 1
            lines.append(line)
        yield Made(id, _code(id), f"Quy trình {what} tại {place}", "\n".join(lines))


def _sentence(chance: random.Random, what: str, names: list[str], shares: list[float]) -> str:
    topic = what if chance.random() < 0.5 else f"{chance.choice(VERBS)} {chance.choice(OBJECTS)}"
    who = chance.choice(WHO)
    return chance.choice(SENTENCES).format(
        who=who,
        Who=who.capitalize(),
        other=chance.choice(WHO),
        what=topic,
        n=chance.randint(2, 30),
        number=chance.randint(1, 3000),
        date=f"{chance.randint(1, 28):02d}/{chance.randint(1, 12):02d}/{chance.randint(2015, 2024)}",
        form=f"BM.{chance.randint(1, 20):02d}",
        place=" ".join(chance.choices(names, cum_weights=shares, k=2)),
    )


def _code(id: int) -> str:
    return f"QT {id % 97 + 1:02d}/{OFFICES[id % len(OFFICES)]}.{id}"
