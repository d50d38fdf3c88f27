"""Versions of a workflow: a record finishes under the one it began with, and a changed file without a new version stops the start."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from docctl import audit, lifecycle, revisions
from docctl.config import Settings
from docctl.documents import Document
from docctl.lifecycle import WorkflowVersion
from docctl.revisions import Revision
from docctl.rules import Refused
from docctl.site import Site, open_site
from docctl.verify import verify
from docctl.workflow import WorkflowError
from tests.conftest import Cast, Made, settings, take

SHIPPED = Path(__file__).parents[2] / "workflows"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A site's own folder of workflow files, looked up before the shipped one."""
    folder = tmp_path / "workflows"
    shutil.copytree(SHIPPED, folder)
    return folder


def edited(folder: Path, old: str, new: str) -> None:
    file = folder / "revision.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def with_own(site: Site, folder: Path) -> Settings:
    return replace(settings(site.settings.storage), workflows=folder)


def test_a_file_changed_under_its_old_version_stops_the_start_and_says_what_to_do(site: Site, own: Path) -> None:
    edited(own, 'rules = ["not_the_author", "not_an_endorser",', 'rules = ["not_an_endorser",')
    for _ in range(2):
        with pytest.raises(WorkflowError) as stopped:
            open_site(with_own(site, own))
        said = stopped.value.text("en")
        assert "revision.toml" in said
        assert "version" in said
        assert stopped.value.text("vi") != said
    with site.database.reading() as session:
        assert session.query(WorkflowVersion).filter_by(name="revision").count() == 1


def test_even_a_changed_label_or_comment_needs_a_new_version(site: Site, own: Path) -> None:
    edited(own, "# Order matters", "# The order matters")
    with pytest.raises(WorkflowError):
        open_site(with_own(site, own))


def test_with_a_raised_version_what_began_before_finishes_under_its_own_rules(
    site: Site, cast: Cast, own: Path, make_revision: Callable[..., Made]
) -> None:
    before = make_revision("in_review", title="Bắt đầu theo bản 1")
    # The second version asks for the content seat only.
    text = (own / "revision.toml").read_text(encoding="utf-8")
    format_seat = next(line for line in text.splitlines(keepends=True) if 'name = "format"' in line)
    edited(own, format_seat, "")
    edited(own, "version = 2", "version = 3")
    opened = open_site(with_own(site, own))
    try:
        after = make_revision("in_review", title="Bắt đầu theo bản 2")
        for made in (before, after):
            take(opened, cast, made.id, "endorse")
        with opened.database.reading() as session:
            one, two = session.get_one(Revision, before.id), session.get_one(Revision, after.id)
            assert (one.workflow_version, one.state) == (2, "in_review")
            assert (two.workflow_version, two.state) == (3, "in_approval")
            assert lifecycle.workflow_of(session, one).version == 2
            registered = [entry for entry in audit.entries(session) if entry.action == "workflow.registered"]
            assert registered[-1].values["version"] == 3
        take(opened, cast, before.id, "endorse")
        for made in (before, after):
            take(opened, cast, made.id, "approve")
        assert verify(opened).problems == [], "each is judged by the seats of its own version"
    finally:
        opened.close()


def test_a_version_is_registered_once_however_often_the_site_is_opened(site: Site) -> None:
    for _ in range(3):
        open_site(settings(site.settings.storage)).close()
    with site.database.reading() as session:
        names = [row.name for row in session.query(WorkflowVersion)]
        assert sorted(names) == sorted(set(names))
        assert sum(entry.action == "workflow.registered" for entry in audit.entries(session)) == len(names)


def test_a_form_needs_one_endorsement_and_a_procedure_two(
    site: Site, cast: Cast, make_document: Callable[..., int], make_revision: Callable[..., Made]
) -> None:
    form = make_revision("in_review", document_id=make_document("Biểu mẫu", type="BM"))
    procedure = make_revision("in_review", title="Quy trình")
    for made, state in ((form, "in_approval"), (procedure, "in_review")):
        take(site, cast, made.id, "endorse")
        with site.database.reading() as session:
            row = session.get_one(Revision, made.id)
            assert (row.state, row.document.type.code) == (state, "BM" if made is form else "QT")


def test_a_type_whose_workflow_is_gone_begins_nothing_and_says_so(
    site: Site, cast: Cast, make_document: Callable[..., int]
) -> None:
    document = make_document("Quy trình")
    with site.database.writing() as session:
        row = session.get_one(Document, document)
        row.type.workflow = "gone"
        session.flush()
        with pytest.raises(Refused, match="gone"):
            revisions.draft(session, row, by=cast.reader(session, "author"))
