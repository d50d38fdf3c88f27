"""Nobody's pending act is ever dropped: an account closes only when everything open has gone to somebody who can act."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from docctl import audit, authority, clock, decisions, documents, leaving, people, requests, revisions, units
from docctl.audit import Action
from docctl.cli import main
from docctl.database import Base
from docctl.distribution import lists
from docctl.documents import Document
from docctl.people import Account
from docctl.revisions import Revision
from docctl.rules import Refused
from docctl.site import Site
from docctl.verify import verify
from tests.conftest import Cast, Made, take
from tests.nouns.test_requests import ROW, asked
from tests.nouns.test_requests import take as judge

Make = Callable[..., Made]

# Every column that names an account: as what is open in somebody's hands (the condition says which rows are), ...
OPEN_HANDS = {
    "revision.author_id": "state = 'draft'",
    "decision.drafted_by_id": "state = 'draft'",
    "change_request.requester_id": "state = 'draft'",
    "change_request.drafter_id": "state = 'draft'",
    "delegation.from_account_id": "ended_on IS NULL AND valid_to >= :today",
    "delegation.to_account_id": "ended_on IS NULL AND valid_to >= :today",
    "sign_in.account_id": "ended_at IS NULL",
    "controlled_copy.account_id": "state IN ('prepared', 'delivered', 'received', 'return_requested')",
    "read_task.account_id": "state IN ('waiting', 'opened')",
    "distribution_entry.account_id": "removed_at IS NULL",
}
# ... or as the one who did something once, which stays; roles stay too, and a closed account can use none.
HISTORY = {
    "api_token.account_id",  # Worth nothing once the account is closed.
    "first_answer.account_id",
    "mail.account_id",  # Not sent to a closed account; the successor is told anew.
    "mail_refused.account_id",
    "news.actor_id",
    "notice.account_id",
    "recent_search.account_id",  # One's own, and of no use to anybody else.
    "saved_search.account_id",
    "account.successor_id",
    "citation_verdict.given_by_id",
    "claim.claimed_by_id",
    "correction.made_by_id",
    "review.reviewer_id",
    "typed_figure.typed_by_id",
    "decision_scan.attached_by_id",
    "obligation.closed_by_id",
    "posting.posted_by_id",
    "controlled_copy.delivered_by_id",
    "controlled_copy.received_by_id",
    "controlled_copy.settled_by_id",
    "disposal.drafted_by_id",  # Any document controller carries a draft of minutes on.
    "internal_audit.opened_by_id",  # Any auditor carries an audit on.
    "audit_draw.drawn_by_id",
    "audit_sample.walked_by_id",
    "nonconformity.raised_by_id",
    "nonconformity.answered_by_id",  # Any other auditor verifies; a slip sent back is the unit head's.
    "nonconformity.closed_by_id",
    "nonconformity_evidence.added_by_id",
    "retention_hold.placed_by_id",
    "distribution.made_by_id",
    "decision.signer_id",
    "delegation.made_by_id",
    "document.created_by_id",
    "role_grant.account_id",
    "signature.account_id",
}


def naming_an_account() -> set[str]:
    assert main.commands, "the command line imports every noun, and so knows every table"
    return {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "account" for key in column.foreign_keys)
    }


def in_hands(site: Site, name: str) -> dict[str, int]:
    """Count, by SQL alone, every row that is open in somebody's hands."""
    found = {}
    with site.database.reading() as session:
        given = {"id": session.execute(text("SELECT id FROM account WHERE name = :n"), {"n": name}).scalar_one()}
        given["today"] = clock.today().isoformat()
        for place, condition in OPEN_HANDS.items():
            table, column = place.split(".")
            query = f"SELECT count(*) FROM {table} WHERE {column} = :id AND ({condition})"
            if count := session.execute(text(query), given).scalar_one():
                found[place] = count
    return found


def close(site: Site, name: str, heir: str, **given: Any) -> dict[str, int]:
    with site.database.writing() as session:
        admin = people.find(session, "admin")
        return leaving.close(session, people.find(session, name), people.find(session, heir), by=admin, **given)


def delegate(site: Site, cast: Cast, giver: str, deputy: str) -> int:
    today = clock.today()
    with site.database.writing() as session:
        made = authority.delegate(
            session,
            by=cast.reader(session, "controller"),
            giver=people.find(session, giver),
            deputy=people.find(session, deputy),
            form="KT.",
            document_number="12/QĐ-UBND",
            document_date=today,
            valid_from=today,
            valid_to=today + timedelta(days=90),
        )
        return made.id


def listed(site: Site, cast: Cast, make_revision: Make) -> int:
    """Issue a revision that the author alone reads, and holds two numbered copies of."""
    with site.database.writing() as session:
        lists.add(
            session,
            by=cast.reader(session, "controller"),
            target="person",
            type=documents.find_type(session, "QT"),
            person=people.find(session, "author"),
            medium="paper",
            copies=2,
        )
    return make_revision("in_force", title="Quy trình phân phối").id


def test_every_column_that_names_an_account_is_known_as_open_hands_or_as_history() -> None:
    assert naming_an_account() == OPEN_HANDS.keys() | HISTORY


def test_nothing_that_is_open_stays_in_the_hands_of_somebody_who_left(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    for number in range(3):
        make_revision("draft", title=f"Dự thảo {number}")
    with site.database.writing() as session:
        people.grant(session, people.find(session, "author"), "controller")
        people.grant(session, people.find(session, "author"), "approver")
        people.open_session(session, people.find(session, "author"))
        by = cast.reader(session, "author")
        decisions.draft(session, by=by, title="Về việc ban hành")
        asked(session, cast, by="author", title="Quy trình mới", kind="new")
    listed(site, cast, make_revision)
    delegate(site, cast, "author", "staff")
    delegate(site, cast, "approver", "author")
    assert in_hands(site, "author") == {
        "revision.author_id": 3,
        "decision.drafted_by_id": 1,
        "change_request.requester_id": 1,
        "change_request.drafter_id": 1,
        "delegation.from_account_id": 1,
        "delegation.to_account_id": 1,
        "sign_in.account_id": 1,
        "controlled_copy.account_id": 2,
        "read_task.account_id": 1,
        "distribution_entry.account_id": 1,
    }
    assert close(site, "author", "neighbour", pass_roles=True) == {
        "drafts": 3,
        "requests": 1,
        "decisions": 1,
        "copies": 2,
        "readings": 1,
        "listings": 1,
        "delegations": 2,
    }
    assert in_hands(site, "author") == {}
    assert in_hands(site, "neighbour") == {
        "revision.author_id": 3,
        "decision.drafted_by_id": 1,
        "change_request.requester_id": 1,
        "change_request.drafter_id": 1,
        "controlled_copy.account_id": 2,
        "read_task.account_id": 1,
        "distribution_entry.account_id": 1,
    }
    assert verify(site).problems == []


def test_the_successor_can_go_on_with_what_was_handed_over(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("draft")
    close(site, "author", "neighbour", pass_roles=True)
    take(site, cast, made.id, "submit", by="neighbour")


def test_what_is_sent_back_after_its_author_left_goes_to_the_successor(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_review")
    close(site, "author", "neighbour", pass_roles=True)
    with site.database.writing() as session:
        revision = session.get_one(Revision, made.id)
        assert revision.author.name == "author", "what is under review stays its author's work"
        revisions.send_back(session, revision, by=cast.reader(session, "reviewer"), reason="Thiếu căn cứ.")
        assert revision.author.name == "neighbour"
        assert revisions.editing_refusal(revision, by=cast.reader(session, "neighbour")) is None
        assert audit.of_record(session, "revision", made.id)[-1].action == Action.REVISION_EDITED
    take(site, cast, made.id, "submit", by="neighbour")
    assert verify(site).problems == []


def test_a_request_goes_on_when_its_requester_and_its_author_leave(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        document = session.get_one(Document, made.document_id)
        request = asked(session, cast, by="author", document=document, changes=[ROW])
        judge(session, cast, request, "submit", "author")
        number = request.id
    close(site, "author", "neighbour", pass_roles=True)
    with site.database.writing() as session:
        request = session.get_one(requests.ChangeRequest, number)
        requests.act(session, request, "send_back", by=cast.reader(session, "reviewer"), reason="Thiếu.")
        assert (request.requester.name, request.drafter and request.drafter.name) == ("neighbour", "neighbour")
        for trigger, who in (("submit", "neighbour"), ("opine", "reviewer"), ("opine", "format-reviewer")):
            judge(session, cast, request, trigger, who)
    close(site, "neighbour", "staff", pass_roles=True)
    with site.database.writing() as session:
        request = session.get_one(requests.ChangeRequest, number)
        judge(session, cast, request, "accept", "approver")
        assert request.revision is not None
        assert request.revision.author.name == "staff"
    assert verify(site).problems == []


def test_a_successor_who_left_too_passes_on_to_his_own(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("in_review")
    close(site, "author", "neighbour", pass_roles=True)
    close(site, "neighbour", "staff", pass_roles=True)
    with site.database.writing() as session:
        revision = session.get_one(Revision, made.id)
        revisions.send_back(session, revision, by=cast.reader(session, "reviewer"), reason="Thiếu căn cứ.")
        assert revision.author.name == "staff"


def test_somebody_whom_open_work_waits_for_cannot_leave_it_to_nobody(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_approval")
    with pytest.raises(Refused) as refused:
        close(site, "approver", "controller")
    assert "1 things would wait for nobody" in refused.value.sentence.en
    assert "waits for a Approver" in refused.value.sentence.en
    with site.database.writing() as session:
        people.grant(session, people.find(session, "auditor"), "approver", unit=units.find(session, "TP"))
    close(site, "approver", "controller")
    with site.database.writing() as session:
        revision = session.get_one(Revision, made.id)
        revisions.approve(
            session, revision, by=cast.reader(session, "auditor"), signing=cast.signing(session, "auditor")
        )


def test_a_reviewer_in_whose_place_only_the_author_could_sign_is_missed(site: Site, make_revision: Make) -> None:
    make_revision("in_review")
    with site.database.writing() as session:
        people.grant(session, people.find(session, "author"), "reviewer", unit=units.find(session, "TP"))
    with pytest.raises(Refused):
        close(site, "reviewer", "staff")
    close(site, "reviewer", "staff", pass_roles=True)


def test_the_role_of_an_administrator_is_never_inherited(site: Site) -> None:
    with site.database.writing() as session:
        people.grant(session, people.find(session, "controller"), "admin")
    close(site, "admin", "staff", pass_roles=True)
    with site.database.reading() as session:
        assert not people.reader(session, people.find(session, "staff")).has("admin")


def test_the_last_administrator_stays(site: Site) -> None:
    with pytest.raises(Refused) as refused:
        close(site, "admin", "staff")
    assert "last administrator" in refused.value.sentence.en


@pytest.mark.parametrize("heir", ["author", "closed"])
def test_a_successor_is_somebody_else_who_is_there(site: Site, heir: str) -> None:
    with site.database.writing() as session:
        if heir == "closed":
            people.disable(session, people.find(session, "staff"))
        person = session.query(Account).filter_by(name="staff" if heir == "closed" else heir).one()
        with pytest.raises(Refused) as refused:
            leaving.close(session, people.find(session, "author"), person, by=None)
    assert refused.value.field == "successor"


def test_a_refused_closure_leaves_everything_as_it_was(site: Site, make_revision: Make) -> None:
    make_revision("draft")
    before = in_hands(site, "author")
    with pytest.raises(Refused):
        close(site, "author", "neighbour")
    assert in_hands(site, "author") == before
    with site.database.reading() as session:
        assert people.find(session, "author").disabled_at is None


def test_verify_finds_an_account_closed_behind_the_trail(site: Site) -> None:
    with site.database.writing() as session:
        people.disable(session, people.find(session, "staff"))
    assert [row.detail for row in verify(site).problems] == ["it is closed, and the trail does not tell of it"]


def test_the_database_keeps_closed_accounts_as_they_are(site: Site) -> None:
    from sqlalchemy.exc import IntegrityError

    close(site, "staff", "author")
    for statement in (
        "DELETE FROM account WHERE name = 'staff'",
        "UPDATE account SET disabled_at = NULL WHERE name = 'staff'",
        "UPDATE account SET successor_id = NULL WHERE name = 'staff'",
        "UPDATE account SET successor_id = id WHERE name = 'author'",
    ):
        with pytest.raises(IntegrityError), site.database.writing() as session:
            session.execute(text(statement))
