"""Many people press the same button in the same moment: one wins, the others are told, and the trail has one entry."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from docctl import clock, decisions, lifecycle, revisions
from docctl.audit import AuditEntry
from docctl.decisions import Decision
from docctl.revisions import Revision
from docctl.site import Site
from tests.conftest import PASSWORD, Cast, Made
from tests.reliability.serving import Answer, Client, Server, at_once, verified

pytestmark = [pytest.mark.race, pytest.mark.timeout(1200)]

ROUNDS = 100
CROWD = 50

Serve = Callable[..., Server]
SignIn = Callable[[Server, str], Client]


def statuses(answers: list[Answer]) -> dict[int, int]:
    """Count the answers by status; every one of them came, since a reset connection raises."""
    return dict(Counter(answer.status for answer in answers))


def moves(site: Site, noun: str, record_id: int, trigger: str) -> list[int | None]:
    """Return who fired a trigger on a record, an id for each entry of the trail that says so."""
    with site.database.reading() as session:
        query = select(AuditEntry).where(
            AuditEntry.noun == noun, AuditEntry.record_id == record_id, AuditEntry.action == f"{noun}.moved"
        )
        return [entry.actor_id for entry in session.scalars(query) if entry.values["trigger"] == trigger]


def lock_of(site: Site, table: type[Revision] | type[Decision], record_id: int) -> int:
    """Return the lock that a page shows at this moment."""
    with site.database.reading() as session:
        return session.get_one(table, record_id).lock


def test_fifty_approvers_of_one_revision_a_hundred_times_give_one_approval_each_time(
    site: Site,
    make_revision: Callable[..., Made],
    many: Callable[[str, int], list[str]],
    serve: Serve,
    sign_in: SignIn,
) -> None:
    waiting = [make_revision("in_approval", title=f"Quy trình số {n}") for n in range(1, ROUNDS + 1)]
    names = many("approver", CROWD)
    server = serve(threads=CROWD)
    crowd = [sign_in(server, name) for name in names]
    slowest = 0.0
    for number, made in enumerate(waiting):
        form = {"trigger": "approve", "password": PASSWORD, "lock": str(lock_of(site, Revision, made.id))}
        answers = at_once(crowd, f"/revisions/{made.id}/transitions", [form] * CROWD)
        assert statuses(answers) == {303: 1, 409: CROWD - 1}, f"round {number}: {statuses(answers)} {server.said()}"
        slowest = max(slowest, *(answer.seconds for answer in answers))
        with site.database.reading() as session:
            signed = lifecycle.signatures(session, session.get_one(Revision, made.id))
            approved = [row.account_id for row in signed if row.meaning == "approved"]
            assert session.get_one(Revision, made.id).state == "approved"
        assert len(approved) == 1
        assert moves(site, "revision", made.id, "approve") == approved
    print(f"\n{ROUNDS} rounds of {CROWD} approvers: 1 × 303 and {CROWD - 1} × 409 each; slowest answer {slowest:.2f} s")
    assert verified(site.settings.storage)["problems"] == []


def test_one_approver_who_presses_fifty_times_approves_once(
    site: Site, make_revision: Callable[..., Made], serve: Serve, sign_in: SignIn
) -> None:
    server = serve()
    tabs = [sign_in(server, "approver") for _ in range(CROWD)]
    for _ in range(5):
        made = make_revision("in_approval")
        form = {"trigger": "approve", "password": PASSWORD, "lock": str(lock_of(site, Revision, made.id))}
        answers = at_once(tabs, f"/revisions/{made.id}/transitions", [form] * CROWD)
        assert statuses(answers) == {303: 1, 409: CROWD - 1}, server.said()
        assert len(moves(site, "revision", made.id, "approve")) == 1


def test_fifty_submits_from_pages_of_the_same_age_submit_once_and_tell_the_others(
    site: Site, make_revision: Callable[..., Made], serve: Serve, sign_in: SignIn
) -> None:
    server = serve()
    tabs = [sign_in(server, "author") for _ in range(CROWD)]
    for _ in range(5):
        made = make_revision("draft")
        form = {"trigger": "submit", "lock": str(lock_of(site, Revision, made.id))}
        answers = at_once(tabs, f"/revisions/{made.id}/transitions", [form] * CROWD)
        assert statuses(answers) == {303: 1, 409: CROWD - 1}, server.said()
        assert len(moves(site, "revision", made.id, "submit")) == 1
        told = [answer.text for answer in answers if answer.status == 409]
        assert all("changed this record" in text for text in told)


def test_fifty_edits_from_pages_of_the_same_age_keep_one_and_tell_the_others(
    site: Site, make_revision: Callable[..., Made], serve: Serve, sign_in: SignIn
) -> None:
    server = serve()
    tabs = [sign_in(server, "author") for _ in range(CROWD)]
    made = make_revision("draft")
    for _ in range(5):
        lock = lock_of(site, Revision, made.id)
        forms = [edited(number, lock) for number in range(CROWD)]
        answers = at_once(tabs, f"/revisions/{made.id}", forms)
        assert statuses(answers) == {303: 1, 409: CROWD - 1}, server.said()
        winner = next(number for number, answer in enumerate(answers) if answer.status == 303)
        with site.database.reading() as session:
            revision = session.get_one(Revision, made.id)
            assert revision.change_summary == f"Tóm tắt {winner}"
            assert revision.lock == lock + 1


def edited(number: int, lock: int) -> dict[str, object]:
    """Return an edit form as its page sends it, with a summary of one's own."""
    return {
        "title": "Quy trình đăng ký khai sinh",
        "edition": "1",
        "amendment": "0",
        "change_summary": f"Tóm tắt {number}",
        "changes-0-section": "5.2",
        "changes-0-old": "05 ngày làm việc",
        "changes-0-new": "03 ngày làm việc",
        "changes-0-basis": "Luật Hộ tịch",
        "lock": str(lock),
    }


def checked_decision(site: Site, cast: Cast, made: Made, number: str) -> int:
    """Draft a decision that issues one revision, and check it."""
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        decision = decisions.draft(
            session,
            by=controller,
            title=f"Về việc ban hành {made.code}",
            effective_from=clock.today() - timedelta(days=1),
            number=number,
            signed_on=clock.today() - timedelta(days=1),
            lines=[decisions.Line("issue", revision=session.get_one(Revision, made.id))],
        )
        assert not decisions.check(session, decision, by=controller).errors
        return decision.id


def test_of_two_decisions_with_one_number_signed_in_the_same_moment_one_keeps_the_number(
    site: Site, cast: Cast, make_revision: Callable[..., Made], serve: Serve, sign_in: SignIn
) -> None:
    server = serve()
    tabs = [sign_in(server, "approver") for _ in range(2)]
    for number in range(1, 21):
        pair = [checked_decision(site, cast, make_revision("approved"), f"{number}/QĐ-UBND") for _ in range(2)]
        paths = [f"/decisions/{decision_id}/transitions" for decision_id in pair]
        forms = [
            {"trigger": "sign", "password": PASSWORD, "lock": str(lock_of(site, Decision, decision_id))}
            for decision_id in pair
        ]
        answers = at_once(tabs, paths, forms)
        assert statuses(answers) == {303: 1, 409: 1}, server.said()
        with site.database.reading() as session:
            states = sorted(session.get_one(Decision, decision_id).state for decision_id in pair)
        assert states == ["checked", "signed"]


def test_a_decision_executed_from_many_pages_at_once_is_executed_once(
    site: Site, cast: Cast, make_revision: Callable[..., Made], serve: Serve, sign_in: SignIn
) -> None:
    server = serve()
    tabs = [sign_in(server, "controller") for _ in range(8)]
    for number in range(1, 11):
        made = make_revision("approved")
        decision_id = checked_decision(site, cast, made, f"{number}/QĐ-UBND")
        with site.database.writing() as session:
            decision = session.get_one(Decision, decision_id)
            signing = cast.signing(session, "approver")
            decisions.sign(session, decision, by=cast.reader(session, "approver"), signing=signing)
        form = {"trigger": "execute", "lock": str(lock_of(site, Decision, decision_id))}
        answers = at_once(tabs, f"/decisions/{decision_id}/transitions", [form] * len(tabs))
        assert statuses(answers) == {303: 1, 409: len(tabs) - 1}, server.said()
        assert len(moves(site, "decision", decision_id, "execute")) == 1
        assert len(moves(site, "revision", made.id, "issue")) == 1
    assert verified(site.settings.storage)["problems"] == []


def test_readers_never_get_an_error_nor_wait_a_second_while_others_write(
    site: Site, cast: Cast, make_revision: Callable[..., Made], serve: Serve, sign_in: SignIn
) -> None:
    shown = make_revision("in_force")
    drafts = [make_revision("draft", title=f"Quy trình số {n}") for n in range(1, 31)]
    server = serve()
    writers = [sign_in(server, "author") for _ in range(4)]
    readers = [sign_in(server, "staff") for _ in range(2)]
    pages = ["/", "/documents", f"/documents/{shown.document_id}", f"/revisions/{shown.id}", "/search?q=khai+sinh"]
    seen: list[tuple[str, Answer]] = []
    ended = threading.Event()

    def read(reader: Client) -> None:
        until = time.monotonic() + 120
        while not ended.is_set() and time.monotonic() < until:
            seen.extend((page, reader.get(page)) for page in pages)

    threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        for made in drafts:
            form = {"trigger": "submit", "lock": str(lock_of(site, Revision, made.id))}
            answers = at_once(writers, f"/revisions/{made.id}/transitions", [form] * len(writers))
            assert statuses(answers) == {303: 1, 409: len(writers) - 1}, server.said()
    finally:
        ended.set()
        for thread in threads:
            thread.join(60)
    wrong = [(page, answer.status) for page, answer in seen if answer.status != 200]
    slowest = max(seen, key=lambda row: row[1].seconds)
    print(
        f"\n{len(seen)} reads beside {len(drafts)} contested writes; slowest {slowest[1].seconds:.3f} s ({slowest[0]})"
    )
    assert wrong == []
    assert len(seen) > 20
    assert slowest[1].seconds < 1.0


def test_readers_do_not_wait_while_a_decision_of_181_lines_is_executed(
    site: Site, cast: Cast, make_revision: Callable[..., Made], serve: Serve, sign_in: SignIn
) -> None:
    lines = [make_revision("approved", title=f"Quy trình số {n}") for n in range(1, 182)]
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        decision = decisions.draft(
            session,
            by=controller,
            title="Về việc ban hành 181 tài liệu",
            effective_from=clock.today(),
            number="181/QĐ-UBND",
            signed_on=clock.today(),
            lines=[decisions.Line("issue", revision=session.get_one(Revision, made.id)) for made in lines],
        )
        decisions.check(session, decision, by=controller)
        decisions.sign(
            session, decision, by=cast.reader(session, "approver"), signing=cast.signing(session, "approver")
        )
        decision_id, lock = decision.id, decision.lock
    server = serve()
    staff, controllers = sign_in(server, "staff"), sign_in(server, "controller")
    controllers.begin(f"/decisions/{decision_id}/transitions", {"trigger": "execute", "lock": str(lock)})
    staff.read("/documents")
    answers: list[Answer] = []
    began = time.monotonic()
    executing = threading.Thread(target=lambda: (controllers.finish(), answers.append(controllers.answer(began))))
    executing.start()
    reads: list[Answer] = []
    while executing.is_alive() and time.monotonic() < began + 120:
        reads.append(staff.get("/documents"))
    executing.join(60)
    slowest = max(answer.seconds for answer in reads)
    print(f"\n181 lines executed in {answers[0].seconds:.2f} s; {len(reads)} reads meanwhile, slowest {slowest:.3f} s")
    assert answers[0].status == 303, answers[0].text[-3000:]
    assert {answer.status for answer in reads} == {200}
    assert slowest < 1.0
    with site.database.reading() as session:
        assert len(revisions.in_force(session)) == 181
    assert verified(site.settings.storage)["problems"] == []
