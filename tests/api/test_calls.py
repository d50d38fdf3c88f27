"""What holds for every call: tokens, repeats, stale writers, pages of lists, problems, and the description."""

import io
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from docctl import jobs, people, tokens
from tests.api.conftest import OPERATIONS, Program


def test_without_a_live_token_nothing_is_answered(application, program, site):
    client = application.test_client()
    for headers in ({}, {"Authorization": "Bearer docctl_none"}, {"Authorization": "Basic eA=="}):
        answer = client.get("/api/v1/documents", headers=headers)
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    caller = program("staff")
    caller.get("/documents")
    with site.database.writing() as session:
        for row in tokens.all_tokens(session):
            tokens.end(session, row.id, by=people.reader(session, row.account))
    assert caller.call("GET", "/documents").status_code == 401


def test_a_session_cookie_is_no_token(application):
    answer = application.test_client().post("/api/v1/documents", json={"title": "Tên"})
    assert answer.status_code == 401


def test_a_closed_account_takes_its_tokens_along(program, site):
    caller = program("author")
    with site.database.writing() as session:
        people.disable(session, people.find(session, "author"))
    assert caller.call("GET", "/documents").status_code == 401


def test_a_token_that_only_reads_changes_nothing(program):
    answer = program("author", read_only=True).call("POST", "/documents", {"title": "Tên", "unit": "TP"})
    assert answer.status_code == 403
    assert program("author").get("/documents")["items"] == []


def test_a_token_has_the_roles_of_its_person_and_no_more(program, make_revision):
    assert program("admin").call("POST", "/documents", {"title": "Tên", "unit": "TP"}).status_code == 403
    hidden = make_revision("in_review")
    assert program("staff").call("GET", f"/revisions/{hidden.id}").status_code == 404
    assert program("staff").call("GET", "/audit").status_code == 403
    assert program("staff").call("GET", "/search?q=a&scope=all").status_code == 403


def test_a_repeat_with_its_key_gets_the_first_answer_and_does_nothing(program):
    author = program("author")
    first = author.call("POST", "/documents", {"title": "Tên", "unit": "TP"}, Idempotency_Key="k1")
    again = author.call("POST", "/documents", {"title": "Tên", "unit": "TP"}, Idempotency_Key="k1")
    assert (again.status_code, again.json) == (first.status_code, first.json)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(author.get("/documents")["items"]) == 1
    other = author.call("POST", "/documents", {"title": "Tên khác", "unit": "TP"}, Idempotency_Key="k1")
    assert other.status_code == 422
    assert (
        program("neighbour")
        .call("POST", "/documents", {"title": "Tên", "unit": "NV"}, Idempotency_Key="k1")
        .status_code
        == 201
    )


def test_a_refused_call_may_be_repeated_with_the_same_key_once_it_was_mended(program, make_document):
    path = f"/documents/{make_document()}/revisions"
    author = program("author")
    assert author.call("POST", path, {"title": "x" * 3000}, Idempotency_Key="k2").status_code == 409
    assert author.call("POST", path, {"title": "x" * 3000}, Idempotency_Key="k2").status_code == 409
    assert author.call("POST", path, {"title": "Tên"}, Idempotency_Key="k2").status_code == 201


def test_a_stale_writer_gets_412_and_changes_nothing(program, make_revision):
    path = f"/revisions/{make_revision('draft').id}"
    author = program("author")
    seen = author.call("GET", path).headers["ETag"]
    changed = author.call("PATCH", path, {"title": "Tên một"}, If_Match=seen)
    assert changed.status_code == 200
    assert author.call("PATCH", path, {"title": "Tên hai"}, If_Match=seen).status_code == 412
    assert author.get(path)["title"] == "Tên một"
    assert author.call("PATCH", path, {"title": "Tên hai"}, If_Match=changed.headers["ETag"]).status_code == 200


def test_a_list_is_given_in_pages_that_join_without_gap(program, make_document):
    for number in range(5):
        make_document(f"Quy trình {number}")
    author, cursor, seen = program("author"), "", []
    while cursor is not None:
        got = author.get(f"/documents?limit=2&cursor={cursor}")
        seen += [row["document"] for row in got["items"]]
        cursor = got["next"]
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/documents", {"title": 7}, 422),
        ("POST", "/documents", {"unit": "TP"}, 422),
        ("POST", "/documents", ["no object"], 422),
        ("POST", "/documents", {"title": "Tên", "type": "XYZ"}, 409),
        ("POST", "/decisions", {"title": "Tên", "lines": "none"}, 422),
        ("POST", "/decisions", {"title": "Tên", "lines": [{"action": "burn"}]}, 422),
        ("POST", "/decisions", {"title": "Tên", "lines": [{"action": "issue", "revision": 99}]}, 422),
        ("POST", "/decisions", {"title": "Tên", "effective_from": "2022-13-45"}, 422),
        ("GET", "/in-force?on=yesterday", None, 422),
        ("GET", "/documents?state=lost", None, 422),
        ("GET", "/documents/999", None, 404),
        ("GET", f"/documents/{10**20}", None, 404),
        ("POST", f"/decisions/{10**20}/check", None, 404),
        ("GET", f"/audit?after={10**20}&document={10**20}&cursor=²", None, 200),
        ("GET", "/in-force?on=0001-01-01", None, 422),
        ("GET", "/no/such/call", None, 404),
        ("PUT", "/documents", {"title": "Tên"}, 404),
    ],
)
def test_what_cannot_be_read_is_answered_with_what_to_do(program, method, path, body, status):
    assert program("controller").call(method, path, body).status_code == status


def test_a_file_of_the_wrong_kind_is_refused_and_nothing_is_kept(program, make_document, site):
    path = f"/documents/{make_document()}/revisions"
    answer = program("author").call("POST", path, {"file": (io.BytesIO(b"MZ\x90"), "Quy trình.exe")})
    assert answer.status_code == 409
    assert not list(site.store.names())


def test_the_description_is_valid_and_names_every_call(application, program):
    described = application.test_client().get("/api/v1/openapi.json").get_json()
    OpenAPIV31SpecValidator(described).validate()
    named = {(method.upper(), path) for path, calls in described["paths"].items() for method in calls}
    assert named == {(given.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", given.path)) for given in OPERATIONS}
    rules = {str(rule) for rule in application.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    assert {f"/api/v1{given.path}" for given in OPERATIONS} <= rules


def test_the_page_of_the_description_fetches_nothing_from_elsewhere(application):
    page = application.test_client().get("/api/v1/docs")
    assert page.status_code == 200
    assert "/decisions/{decision_id}/transitions" in page.text
    assert not re.search(r'(?:src|href)="https?:', page.text)


def test_a_token_is_kept_as_a_hash_only(program, site):
    caller = program("author")
    assert isinstance(caller, Program)
    raw = (site.settings.storage / "docctl.db").read_bytes() + (site.settings.storage / "docctl.db-wal").read_bytes()
    assert caller.token.encode() not in raw


def test_a_search_keeps_to_the_history_of_one_document_as_far_as_the_token_sees_it(program, site, make_revision):
    old = make_revision("superseded", title="Quy trình đăng ký khai sinh")
    make_revision("superseded", title="Quy trình đăng ký khai tử")
    jobs.wake(site)
    asked = f"/search?q=quy trinh dang ky&document={old.document_id}"
    found = program("auditor").get(f"{asked}&scope=all")
    assert {hit["document"] for hit in found["hits"]} == {old.document_id}
    assert sorted(hit["state"] for hit in found["hits"]) == ["in_force", "superseded"]
    assert [hit["state"] for hit in program("staff").get(asked)["hits"]] == ["in_force"]
    assert program("staff").get("/search?q=quy trinh&document=999")["total"] == 0
    refused = program("staff").call("GET", "/search?q=quy trinh&document=QT")
    assert refused.status_code == program("staff").call("GET", "/search?q=a&scope=mine").status_code
