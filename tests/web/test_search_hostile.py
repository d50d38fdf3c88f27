"""Five thousand random and hostile questions through the pages of the search: no error, and none that takes long."""

import random
import time

import pytest

from docctl import jobs
from docctl.search import finding
from tests.conftest import LIVES

ALPHABET = ' "-*:()[]^~\\/%_đĐệẫ\u0301\u200b\u202e\x00eaeiouw123.,@mãcode:unit:type:“”<>&;'
ADDRESSES = (("/search", "all"), ("/search", "in-force"), ("/search/suggestions", "all"), ("/search/suggestions", ""))


def hostile(shared_data, many: int) -> list[str]:
    listed = shared_data / "lists" / "blns.txt"
    if not listed.exists():
        pytest.skip("the list of naughty strings is not beside the project (shared/data/lists/blns.txt)")
    naughty = listed.read_text(encoding="utf-8", errors="replace").splitlines()
    chance = random.Random(3)
    words = [
        "quy",
        "trình",
        "hồ",
        "sơ",
        "khai",
        "sinh",
        "thủ tục hành chính",
        "TTHC",
        "QT-TP-01",
        "khai*",
        "q*",
        '"hồ sơ',
    ]
    made = []
    while len(naughty) + len(made) < many:
        made.append("".join(chance.choices(ALPHABET, k=chance.randint(1, 400))))
        made.append(" ".join(chance.choices(words, k=chance.randint(1, 60))))
    return [*naughty, *made][:many]


def asked(sign_in, site, make_revision, questions: list[str]) -> tuple[float, str]:
    """Ask everything as an auditor and return the longest processor time with the question; no answer is an error."""
    for n, state in enumerate(LIVES):
        make_revision(state, title=f"Quy trình khai sinh số {n}", text="Hồ sơ theo thủ tục hành chính. " * 200)
    jobs.wake(site)
    browser, slowest, broken = sign_in("auditor"), (0.0, ""), []
    for n, words in enumerate(questions):
        address, scope = ADDRESSES[n % len(ADDRESSES)]
        spent = 2.0
        for _ in range(3):  # A busy machine makes one of thousands look slow; a slow question is slow each time.
            finding._memories.clear()
            began = time.process_time()
            answer = browser.get(address, query_string={"q": words, "scope": scope})
            spent = min(spent, time.process_time() - began)
            if spent < 1.0:
                break
        slowest = max(slowest, (spent, f"{address} {words!r}"))
        if answer.status_code not in (200, 409):
            broken.append(f"{answer.status} {address} {words!r}")
    jobs.wake(site)  # What was asked is written down, whatever it was.
    assert broken == []
    print(f"{len(questions)} questions, the slowest took {slowest[0]:.3f} s of CPU: {slowest[1][:160]}")
    return slowest


def test_hostile_questions_are_answered_in_less_than_a_second(sign_in, site, make_revision, shared_data):
    assert asked(sign_in, site, make_revision, hostile(shared_data, 5000)[::60])[0] < 1.0


@pytest.mark.large
@pytest.mark.timeout(1800)
def test_five_thousand_hostile_questions_are_answered_in_less_than_a_second_each(
    sign_in, site, make_revision, shared_data
):
    assert asked(sign_in, site, make_revision, hostile(shared_data, 5000))[0] < 1.0
