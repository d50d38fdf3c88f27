"""The query mix of the measurements: what people type, in five kinds."""

import random

from benchmarks.corpus import documents

PHRASES = (
    "bộ phận tiếp nhận",
    "thời hạn giải quyết",
    "ngày làm việc",
    "công chức tư pháp",
    "quyền sử dụng đất",
    "trường hợp cần xác minh",
    "lưu trữ cơ quan",
    "kiểm tra thực tế",
)
FOUR = (
    "dang ky khai sinh ho",
    "thoi han giai quyet",
    "cap lai giay phep",
    "quy trinh tham dinh dat",
    "tro cap xa hoi",
    "bao cao so lieu",
    "le phi ho ngheo",
    "van ban bo sung mau",
)
TWO = ("quy trinh", "ho so", "khai sinh", "giay phep", "van thu", "tham dinh", "bien ban", "luu tru")


def mix(size: int) -> dict[str, list[str]]:
    """Return eight queries of each kind for a corpus of some size."""
    chance = random.Random(size)
    made = list(documents(min(size, 300)))
    rare = [f"{chance.randint(1, 3000)}/QĐ-UBND" for _ in range(8)]
    return {
        "rare term": [word.split("/")[0] for word in rare],
        "4 folded terms": list(FOUR),
        "phrase": [f'"{phrase}"' for phrase in PHRASES],
        "filter + count": list(TWO),
        "code": [chance.choice(made).code for _ in range(8)],
    }
