"""Auditors get the newest signed head by mail, once a day and after an executed decision, to keep where the server does not write."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from docctl import anchoring, audit, checkpoints, clock, jobs, notices, people
from docctl.checkpoints import Checkpoint
from docctl.notices import HEAD, Mail
from docctl.site import Site
from docctl.verify import verify
from tests.conftest import Cast, decide
from tests.postbox import Postbox


@pytest.fixture
def audited(mailed: Site) -> Site:
    """The site with a mail server and an auditor who has an address, like everybody who reviews and approves."""
    with mailed.database.writing() as session:
        people.find(session, "auditor").email = "auditor@office.example"
    return mailed


def worked(site: Site) -> Checkpoint:
    """Let somebody do something, and sign the head of it."""
    with site.database.writing() as session:
        audit.record(session, audit.Action.SIGNED_IN, by=None, noun="account")
    return checkpoints.make(site)


def heads(site: Site) -> list[Mail]:
    with site.database.reading() as session:
        return list(session.scalars(select(Mail).where(Mail.kind == HEAD).order_by(Mail.id)))


def hours(number: float, *, days: int = 0) -> datetime:
    return clock.midnight(clock.today() + timedelta(days=days)) + timedelta(hours=number)


def saved(letter: Any, folder: Path) -> Path:
    """Save what is attached to a letter as a mail program does: its bytes, under its name."""
    (part,) = letter.iter_attachments()
    assert part.get_content_type() == "application/json"
    path = folder / part.get_filename()
    path.write_bytes(part.get_content())
    return path


def test_the_morning_letter_brings_the_newest_head_as_a_file_that_is_an_anchor_as_it_is(
    audited: Site, postbox: Postbox, tmp_path: Path
) -> None:
    worked(audited)
    newest = worked(audited)
    with clock.at(hours(6.9)):
        jobs.post(audited)
        assert postbox.to == [], "not before seven"
    with clock.at(hours(7)):
        jobs.post(audited)
    assert postbox.to == ["auditor@office.example"]
    (letter,) = postbox.letters
    path = saved(letter, tmp_path)
    assert (
        path.name
        == f"docctl-checkpoint-{clock.local(datetime.fromisoformat(newest.at)):%Y-%m-%d}-{newest.sequence}.json"
    )
    assert path.read_bytes() == newest.line().encode() + b"\n", "not a byte was lost on the way"
    said = letter.get_body().get_content()
    for words in (
        f"docctl verify --anchor {path.name}",
        "where the docctl server cannot write",
        newest.hash,
        newest.key,
    ):
        assert words in said
    report = verify(audited, points=checkpoints.rows(path))
    assert (report.problems, report.tail.entries) == ([], 0), (
        "the letter itself changes nothing that a head vouches for"
    )


def test_one_letter_a_day_however_much_is_signed_and_none_when_nothing_was(audited: Site) -> None:
    counted = []
    for day, hour, works in ((0, 8, 1), (0, 9, 1), (0, 20, 1), (1, 6, 1), (1, 7, 1), (1, 23, 0), (2, 8, 0), (3, 8, 1)):
        with clock.at(hours(hour, days=day)):
            if works:
                worked(audited)
            jobs.post(audited)
            jobs.post(audited)
        counted.append(len(heads(audited)))
    assert counted == [1, 1, 1, 1, 2, 2, 2, 3]


def test_an_executed_decision_is_vouched_for_at_once_and_many_of_one_hour_by_one_letter(
    audited: Site, cast: Cast, make_revision: Callable[..., Any]
) -> None:
    with clock.at(hours(8)):
        worked(audited)
        jobs.post(audited)
    counted = []
    for number, minutes in enumerate((70, 80, 90, 131)):
        with clock.at(hours(8) + timedelta(minutes=minutes)):
            made = make_revision("approved", title=f"Quy trình {number}")
            if number < 3:
                decide(audited, cast, issue=[made.id], on=clock.today())
            jobs.seal(audited)
            jobs.post(audited)
        counted.append(len(heads(audited)))
    assert counted == [2, 2, 2, 3], "the second and the third decision share a letter, when the hour is over"
    with audited.database.reading() as session:
        last = anchoring._executed(session, since=0, until=audit.head(session).sequence)
    assert checkpoints.parsed(heads(audited)[-1].enclosed or "").sequence >= last
    with clock.at(hours(13)):
        worked(audited)
        jobs.post(audited)
    assert len(heads(audited)) == 3, "other work waits for the morning"


def test_only_an_auditor_gets_heads_and_only_one_who_wants_them(audited: Site, cast: Cast) -> None:
    with audited.database.reading() as session:
        for name in ("auditor", "controller", "admin", "staff"):
            assert (HEAD in notices.offered(cast.reader(session, name))) == (name == "auditor"), name
    with audited.database.writing() as session:
        wanted = notices.MAILED.keys() - {HEAD}
        notices.choose(session, by=cast.reader(session, "auditor"), email="auditor@office.example", wanted=wanted)
        # Whoever was not asked has refused nothing, should he or she become an auditor one day.
        notices.choose(session, by=cast.reader(session, "controller"), email="c@office.example", wanted=[])
        assert HEAD not in notices.refused_kinds(session, people.find(session, "controller"))
    worked(audited)
    with clock.at(hours(8)):
        jobs.post(audited)
    assert heads(audited) == []
    with audited.database.writing() as session:
        people.grant(session, people.find(session, "controller"), "auditor")
    with clock.at(hours(9)):
        jobs.post(audited)
    with audited.database.reading() as session:
        assert [row.account_id for row in heads(audited)] == [people.find(session, "controller").id]
    assert verify(audited).problems == []


def test_without_a_mail_server_no_letter_is_made_and_one_that_was_made_waits_for_the_server(
    audited: Site, postbox: Postbox
) -> None:
    none = dataclasses.replace(audited, settings=dataclasses.replace(audited.settings, smtp_url=""))
    worked(none)
    with clock.at(hours(8)):
        jobs.post(none)
        assert heads(none) == []
        postbox.down()
        jobs.post(audited)
        assert [(row.sent_at, row.tries) for row in heads(audited)] == [(None, 1)]
    postbox.up()
    with clock.at(hours(8.1)):
        jobs.post(audited)
    assert [letter["Message-ID"] for letter in postbox.letters] == [row.message_id for row in heads(audited)]


def test_two_processes_make_no_letter_twice(audited: Site) -> None:
    newest = worked(audited)
    with clock.at(hours(8)):
        anchoring.send_heads(audited)
        (first,) = heads(audited)
        worked(audited)
        # As a process does that looked before the other one wrote, on a database that lets both write.
        with audited.database.session_for_writing() as session:
            account = people.find(session, "auditor")
            with pytest.raises(IntegrityError):
                anchoring._write(session, account, newest, str(first.occasion), audited.settings)
    assert len(heads(audited)) == 1


def test_the_letter_is_in_the_readers_language(audited: Site, postbox: Postbox) -> None:
    with audited.database.writing() as session:
        people.find(session, "auditor").locale = "vi"
    newest = worked(audited)
    with clock.at(hours(8)):
        jobs.post(audited)
    (letter,) = postbox.letters
    assert letter["Subject"].startswith("Mốc kiểm soát nhật ký ")
    assert "nơi máy chủ docctl không ghi tới được" in letter.get_body().get_content()
    assert f"mục {newest.sequence}, đợt 1" in letter.get_body().get_content()


def test_heads_kept_one_a_day_in_a_folder_are_anchors_together(audited: Site, tmp_path: Path) -> None:
    points = [worked(audited) for _ in range(5)]
    for point in points[::2]:
        (tmp_path / f"{point.sequence}.json").write_text(point.line() + "\n")
    report = verify(audited, points=checkpoints.rows(tmp_path))
    assert (report.problems, report.tail.entries) == ([], 0)
