"""Reading on the pages: one's own list, the opening that is recorded by itself, and the confirmation."""

from collections.abc import Callable

import pytest

from docctl import documents, units
from docctl.distribution import lists
from docctl.site import Site
from tests.conftest import Cast, Made
from tests.web.conftest import Browser


@pytest.fixture
def listed(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="role", role="staff")
        lists.add(session, by=by, type=kind, target="own_unit", medium="paper", copies=2)


def test_a_reader_finds_it_on_the_home_page_opens_it_and_confirms(
    sign_in: Callable[..., Browser], listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    staff = sign_in("staff")
    assert made.code in staff.read("/")
    assert "Not read yet" in staff.read("/reading")
    page = staff.read(f"/revisions/{made.id}")
    assert "I have read and understood it" in page, "opening it was recorded, so it can be confirmed"
    task = next(n for n in (1, 2, 3) if f"/read-tasks/{n}/transitions" in page)
    answer = staff.send(f"/read-tasks/{task}/transitions", trigger="understand", lock="2")
    assert answer.status_code == 303
    assert answer.location == f"/revisions/{made.id}"
    assert "Read and understood" in staff.read(f"/revisions/{made.id}")
    assert "You have read everything" in staff.read("/reading")


def test_downloading_the_file_counts_as_opening_it(
    sign_in: Callable[..., Browser], listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    staff = sign_in("staff")
    staff.get(f"/revisions/{made.id}/original")
    assert "Opened" in staff.read("/reading")


def test_a_confirmation_without_opening_is_refused_with_the_sentence_why(
    sign_in: Callable[..., Browser], site: Site, listed: None, make_revision: Callable[..., Made]
) -> None:
    make_revision("in_force")
    staff = sign_in("staff")
    staff.read("/reading")
    answers = [staff.send(f"/read-tasks/{n}/transitions", trigger="understand", lock="1") for n in (1, 2, 3)]
    assert sorted(answer.status_code for answer in answers) == [404, 404, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert "is not possible in the state" in refused.text
    opened = [staff.send(f"/read-tasks/{n}/transitions", trigger="open", lock="1").status_code for n in (1, 2, 3)]
    assert set(opened) == {404}, "nothing but opening the document opens it"


def test_a_unit_confirms_the_receipt_of_its_copies(
    sign_in: Callable[..., Browser], listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    controller, author = sign_in("controller"), sign_in("author")
    page = controller.read(f"/revisions/{made.id}/distribution")
    assert "Hand out all 2 prepared copies" in page
    assert controller.send(f"/revisions/{made.id}/copies/delivery").status_code == 303
    assert "copies to receive" in author.read("/")
    assert "001/002" in author.read("/reading")
    assert author.send("/copies/1/transitions?next=/reading", trigger="receive", lock="2").location == "/reading"
    assert "recorded." in author.read("/reading")
    assert "001/002" not in author.read("/reading")


def test_the_controller_writes_lists_and_what_is_wrong_is_said_beside_the_field(
    sign_in: Callable[..., Browser], site: Site
) -> None:
    controller = sign_in("controller")
    controller.read("/distribution")
    with site.database.reading() as session:
        kind, unit = documents.find_type(session, "HD").id, units.find(session, "TP").id
    path = f"/distribution/types/{kind}/entries"
    refused = controller.send(path, whom="role:staff", medium="paper", copies="3", reads="y")
    assert refused.status_code == 409
    assert "A numbered copy needs a holder" in refused.text
    assert controller.send(path, whom=f"unit:{unit}", medium="paper", copies="3", reads="y").status_code == 303
    page = controller.read("/distribution")
    assert "Justice division" in page
    assert controller.send("/distribution/entries/1/removal").status_code == 303
    assert sign_in("author").get("/distribution").status_code == 403
    auditor = sign_in("auditor")
    assert "Add a line" not in auditor.read("/distribution")
    assert auditor.send(path, whom="everybody", medium="electronic", copies="0", reads="y").status_code == 403


def test_a_documents_own_list_is_written_on_its_page(
    sign_in: Callable[..., Browser], listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    controller = sign_in("controller")
    assert "The list of its type" in controller.read(f"/documents/{made.document_id}/distribution")
    path = f"/documents/{made.document_id}/distribution"
    assert controller.send(path, whom="everybody", medium="electronic", copies="0", reads="y").status_code == 303
    assert "has its own list" in controller.read(path)
    more = controller.send(f"/revisions/{made.id}/copies", whom="own_unit", medium="paper", copies="2")
    assert more.status_code == 303
    assert "003/004" in controller.read(f"/revisions/{made.id}/distribution")
    assert (
        controller.send(f"/revisions/{made.id}/copies", whom="own_unit", medium="paper", copies="hai").status_code
        == 409
    )


def test_whoever_follows_a_unit_sees_who_has_not_confirmed_what(
    sign_in: Callable[..., Browser], site: Site, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    with site.database.reading() as session:
        unit = units.find(session, "TP").id
    page = sign_in("auditor").read(f"/distribution/units/{unit}")
    assert made.code in page
    assert "Title of author" in page
