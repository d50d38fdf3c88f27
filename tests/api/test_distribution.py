"""Distribution and recall by calls alone: what is to be read is opened, then confirmed; copies go out and come back."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from docctl import clock, documents, people
from docctl.distribution import lists
from docctl.site import Site
from tests.api.conftest import Program
from tests.conftest import PASSWORD, Cast, Made, decide

Start = Callable[..., Program]


@pytest.fixture
def made(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> Made:
    """A procedure in force that the staff reads, with three copies on paper in its unit and a file with the neighbour."""
    with site.database.writing() as session:
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="own_unit", medium="paper", copies=3, reads=False)
        lists.add(session, by=by, type=kind, target="role", role="staff", medium="electronic", reads=True)
        person = people.find(session, "neighbour")
        lists.add(session, by=by, type=kind, target="person", person=person, copies=1, reads=False)
    return make_revision("in_force")


def test_a_reader_opens_what_he_is_asked_to_read_and_then_confirms_it(program: Start, made: Made) -> None:
    staff = program("staff")
    (task,) = staff.get("/read-tasks?state=waiting")["items"]
    path = f"/read-tasks/{task['task']}/acknowledgement"
    assert "Open the document first" in staff.post(path, status=409)["title"]
    program("staff", read_only=True).get(f"/revisions/{made.id}/text")
    assert staff.get(f"/read-tasks/{task['task']}")["state"] == "waiting", "a token that only reads opens nothing"
    assert staff.call("GET", f"/revisions/{made.id}/original").status_code == 200
    opened = staff.call("GET", f"/read-tasks/{task['task']}")
    assert opened.json["state"] == "opened"
    assert staff.call("POST", path, If_Match='"99"').status_code == 412
    first = staff.call("POST", path, If_Match=opened.headers["ETag"], Idempotency_Key="read")
    again = staff.call("POST", path, If_Match=opened.headers["ETag"], Idempotency_Key="read")
    assert first.json["state"] == "understood"
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert staff.get("/read-tasks?state=waiting")["items"] == []


def test_nobody_confirms_or_sees_the_reading_of_another(program: Start, made: Made) -> None:
    (task,) = program("auditor").get(f"/read-tasks?revision={made.id}")["items"]
    assert task["person"] == "staff"
    assert program("auditor").get("/read-tasks")["items"] == []
    assert program("neighbour").call("GET", f"/read-tasks/{task['task']}").status_code == 404
    assert program("controller").call("POST", f"/read-tasks/{task['task']}/acknowledgement").status_code == 409
    exempted = program("controller").post(f"/read-tasks/{task['task']}/exemption", {"reason": "Nghỉ phép."}, 200)
    assert (exempted["state"], exempted["exempt_reason"]) == ("exempt", "Nghỉ phép.")


def test_what_was_distributed_is_listed_with_its_ledger_for_those_who_keep_and_audit(
    program: Start, made: Made
) -> None:
    (row,) = program("auditor").get("/distributions")["items"]
    assert (row["revision"], row["asked"], row["issued"]) == (made.id, 1, 4)
    assert row["ledger"] == {
        **{"issued": 4, "held": 4, "returned": 0, "destroyed": 0, "archived": 0, "lost": 0},
        "balances": True,
    }
    assert program("staff").call("GET", "/distributions").status_code == 403


def test_copies_are_listed_to_their_holders_and_handed_out_one_by_one(program: Start, made: Made) -> None:
    controller, author = program("controller"), program("author")
    listed = controller.get(f"/copies?revision={made.id}&limit=3")
    assert [row["number"] for row in listed["items"]] == ["001/004", "002/004", "003/004"]
    assert [row["number"] for row in controller.get(f"/copies?limit=3&cursor={listed['next']}")["items"]] == ["004/004"]
    assert [row["medium"] for row in author.get("/copies")["items"]] == ["paper"] * 3
    assert [row["medium"] for row in program("neighbour").get("/copies")["items"]] == ["electronic"]
    assert program("staff").get("/copies")["items"] == []
    path = f"/copies/{listed['items'][0]['copy']}"
    assert controller.act(path, "deliver")["state"] == "delivered"
    assert {row["trigger"] for row in author.get(f"{path}/transitions")["items"] if row["allowed"]} == {"receive"}
    assert author.act(path, "receive")["state"] == "received"
    assert program("staff").call("GET", path).status_code == 404
    assert controller.get("/copies?state=received")["items"][0]["mark"] == listed["items"][0]["mark"]


def test_a_recall_is_closed_by_calls_once_every_copy_is_accounted_for(
    site: Site, cast: Cast, program: Start, made: Made
) -> None:
    controller, auditor = program("controller"), program("auditor")
    for row in controller.get("/copies")["items"]:
        controller.act(f"/copies/{row['copy']}", "deliver")
    nothing = decide(site, cast, withdraw=[made.document_id], on=clock.today(), until="check")
    assert controller.call("POST", "/recalls", {"decision": nothing}).status_code == 409
    decision = decide(site, cast, withdraw=[made.document_id], on=clock.today())
    (found,) = auditor.get("/recalls")["items"]
    path = f"/recalls/{found['recall']}"
    asked = controller.get(path)["copies"]
    assert [row["state"] for row in asked] == ["return_requested"] * 4
    # Two by what their QR codes say, all or none; the file by its holder; the last one is lost.
    assert controller.call("POST", f"{path}/returns", {"copies": [asked[0]["mark"], "C999"]}).status_code == 409
    assert controller.get(path)["ledger"]["held"] == 4
    scanned = [f"https://docctl.example/s/abc:{asked[0]['mark']}", f"{asked[1]['code']}|1/0|2"]
    back = controller.post(f"{path}/returns", {"copies": scanned, "condition": "Nguyên vẹn"}, 200)
    assert back["ledger"]["returned"] == 2
    assert program("neighbour").act(f"/copies/{asked[3]['copy']}", "confirm_destroyed")["state"] == "destroyed"
    minutes = {"decision": decision, "number": "01/BB-TH", "date": f"{clock.today()}", "participants": "Văn thư"}
    assert controller.post("/recalls", minutes)["number"] == "01/BB-TH"
    refused = controller.act(path, "reconcile", refused=409, password=PASSWORD)
    assert "1 copies are neither returned nor declared lost" in refused["title"]
    lost = {"copy": asked[2]["mark"], "reason": "Thất lạc khi chuyển trụ sở."}
    assert controller.post(f"{path}/losses", lost, 200)["ledger"]["lost"] == 1
    assert controller.post(f"{path}/disposal", {"trigger": "destroy"}, 200)["ledger"]["destroyed"] == 3
    assert controller.act(path, "reconcile", password=PASSWORD)["state"] == "reconciled"
    assert auditor.act(path, "witness", password=PASSWORD)["state"] == "closed"
    assert program("staff").call("GET", "/recalls").status_code == 403
    assert program("staff").call("GET", path).status_code == 404


def test_what_ended_unread_is_listed_as_superseded(site: Site, cast: Cast, program: Start, made: Made) -> None:
    decide(site, cast, withdraw=[made.document_id], on=clock.today() - timedelta(days=1))
    (task,) = program("staff").get("/read-tasks?state=superseded")["items"]
    assert task["state"] == "superseded"
    assert program("staff").call("GET", "/read-tasks?state=unread").status_code == 422
    assert program("staff").call("POST", f"/read-tasks/{task['task']}/acknowledgement").status_code == 409
