"""The trail of a document, and of everything."""

import json
import re
from datetime import timedelta
from html import escape

from docctl import audit, clock, revisions
from docctl.audit import Action
from docctl.documents import Document
from docctl.web import telling


def test_an_auditor_reads_the_whole_life_of_a_document_from_the_top_down(sign_in, site, make_revision):
    made = make_revision("withdrawn")
    page = sign_in("auditor").read(f"/documents/{made.document_id}/trail")
    steps = ("document added", "revision drafted", "Submit", "Endorse", "Approve", "Execute", "Withdraw")
    found = [page.index(f"<strong>{step}") for step in steps]
    assert found == sorted(found)
    assert "Chức danh approver" in page
    assert "Thủ tục đã bãi bỏ." in page
    with site.database.reading() as session:
        assert audit.head(session).hash in page


def test_every_act_has_words_in_both_languages(app):
    with app.test_request_context(headers={"Accept-Language": "vi"}):
        vietnamese = telling.actions()
    with app.test_request_context(headers={"Accept-Language": "en"}):
        english = telling.actions()
    assert set(vietnamese) == set(english) == set(Action)
    assert [act for act in Action if vietnamese[act] == english[act]] == []


def test_staff_do_not_learn_from_the_trail_what_happened_to_a_draft(sign_in, site, cast, make_revision):
    made = make_revision("in_force", title="Quy trình công khai")
    with site.database.writing() as session:
        document = session.get_one(Document, made.document_id)
        revisions.draft(session, document, by=cast.reader(session, "author"), title="Tên bí mật của dự thảo")
    staff = sign_in("staff").read(f"/documents/{made.document_id}/trail")
    assert "Quy trình công khai" in staff
    assert "Tên bí mật" not in staff
    assert "Tên bí mật" in sign_in("author").read(f"/documents/{made.document_id}/trail")


def test_the_trail_of_a_document_that_is_not_ones_to_see_is_not_there(sign_in, make_revision):
    made = make_revision("draft")
    for name in ("staff", "neighbour"):
        assert sign_in(name).get(f"/documents/{made.document_id}/trail").status_code == 404, name
    assert sign_in("auditor").get("/documents/999999/trail").status_code == 404


def test_auditor_controller_and_administrator_read_everything_and_nobody_else(sign_in):
    for name in ("auditor", "controller", "admin"):
        assert sign_in(name).get("/trail").status_code == 200, name
    for name in ("author", "approver", "staff"):
        answer = sign_in(name).get("/trail")
        assert answer.status_code == 403, name
        assert "Only auditors, document controllers and administrators" in answer.text


def test_the_trail_is_asked_by_person_act_and_day_in_the_address(sign_in, site, make_revision):
    make_revision("in_force")
    auditor = sign_in("auditor")
    everything = sequences(auditor.read("/trail"))
    assert everything == sorted(everything, reverse=True)
    with site.database.reading() as session:
        drafted = [row for row in audit.entries(session) if row.action == Action.REVISION_DRAFTED]
    assert sequences(auditor.read(f"/trail?what={Action.REVISION_DRAFTED}")) == [row.sequence for row in drafted]
    assert set(sequences(auditor.read(f"/trail?who={drafted[0].actor_id}"))) < set(everything)
    today, tomorrow = clock.today(), clock.today() + timedelta(days=1)
    assert sequences(auditor.read(f"/trail?since={today:%d/%m/%Y}&until={today:%d/%m/%Y}"))
    assert "No entry answers these questions." in auditor.read(f"/trail?since={tomorrow:%d/%m/%Y}")


def test_a_day_that_does_not_exist_is_answered_with_a_sentence(sign_in):
    answer = sign_in("auditor").get("/trail?since=32/01/2026&what=revision.moved")
    assert answer.status_code == 409
    assert escape("There is no day “32/01/2026”") in answer.text
    assert '<option selected value="revision.moved">' in answer.text  # What was asked besides stays.


def test_long_trails_come_in_pages_from_the_newest(sign_in, make_revision):
    for number in range(5):
        make_revision("in_force", title=f"Quy trình {number}")
    auditor = sign_in("auditor")
    first = auditor.read("/trail")
    assert len(sequences(first)) == 50
    onward = re.search(r'rel="next" href="([^"]+)"', first)[1]
    assert min(sequences(first)) > max(sequences(auditor.read(onward)))
    assert auditor.get("/trail?page=99999&_external=1&_scheme=x").status_code == 200


def test_refused_attempts_stand_in_the_trail_with_the_sentence(sign_in):
    sign_in("staff").get("/trail")
    page = sign_in("auditor").read(f"/trail?what={Action.ACT_REFUSED}")
    assert "act refused" in page
    assert "Only auditors, document controllers and administrators" in page


def sequences(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="entry-(\d+)"', page)]


def test_the_trail_of_one_document_is_asked_for_by_its_code(sign_in, make_revision):
    made, other = make_revision("draft"), make_revision("draft", title="Khác")
    page = sign_in("auditor").read(f"/trail?document={made.code}")
    assert f"/documents/{made.document_id}" in page
    assert f"/documents/{other.document_id}" not in page


def test_the_export_has_every_entry_asked_for_and_can_be_hashed_again(site, sign_in, make_revision):
    make_revision("in_force")
    answer = sign_in("auditor").get("/trail?format=jsonl")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    names = ["sequence", "at", "actor_id", "actor", "actor_title", "action", "noun", "record_id", "document_id"]
    for row in rows:
        assert audit.hash_of([row[name] for name in (*names, "detail", "prev_hash")]) == row["hash"]


def test_an_auditors_own_reads_are_in_the_trail_and_a_controllers_are_not(site, sign_in):
    sign_in("controller").read("/trail")
    sign_in("auditor").read("/trail?what=account.signed_in")
    sign_in("auditor").get("/trail?format=jsonl")
    with site.database.reading() as session:
        actions = {"trail.read", "trail.exported"}
        logged = [entry for entry in audit.entries(session) if entry.action in actions]
    assert [(entry.action, entry.actor) for entry in logged] == [
        ("trail.read", "Chức danh auditor"),
        ("trail.exported", "Chức danh auditor"),
    ]
    assert logged[0].values["asked"] == {"what": "account.signed_in"}
