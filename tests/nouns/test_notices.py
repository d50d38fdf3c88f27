"""Whoever must act next is told: in the page at once, and by mail, at least once, under a Message-ID that never changes."""

import dataclasses
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from docctl import announcing, clock, config, documents, jobs, leaving, mailing, notices, people, recall, revisions
from docctl.config import ConfigError
from docctl.distribution import copies, lists, reading
from docctl.notices import DIGEST, REMINDER, WAITS, Mail, News, Notice
from docctl.revisions import Revision
from docctl.rules import Refused
from docctl.site import Site
from docctl.verify import verify
from tests.conftest import Cast, Made, decide, take
from tests.postbox import Postbox

Make = Callable[..., Made]


def told(site: Site, name: str) -> list[tuple[str, str]]:
    with site.database.reading() as session:
        account = people.find(session, name)
        found = session.scalars(select(Notice).where(Notice.account_id == account.id).order_by(Notice.id))
        return [(row.kind, row.text_en) for row in found]


def unread(site: Site, cast: Cast, name: str) -> int:
    with site.database.reading() as session:
        return notices.unread_count(session, by=cast.reader(session, name))


def letters(site: Site) -> list[Mail]:
    with site.database.reading() as session:
        return list(session.scalars(select(Mail).order_by(Mail.id)))


def test_whoever_must_act_next_is_told_and_nobody_else(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("draft")
    jobs.post(site)
    take(site, cast, made.id, "submit")
    jobs.post(site)
    what = f"{made.code} 01/00 Quy trình đăng ký khai sinh"
    assert told(site, "reviewer") == [("waits", f"Endorse: {what}")]
    assert told(site, "format-reviewer") == [("waits", f"Endorse: {what}")]
    for name in ("author", "approver", "controller", "staff", "auditor", "admin", "neighbour"):
        assert told(site, name) == [], name


def test_what_no_longer_waits_is_no_longer_new_and_the_author_hears_the_result(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_review")
    jobs.post(site)
    assert unread(site, cast, "format-reviewer") == 1
    take(site, cast, made.id, "endorse")
    take(site, cast, made.id, "endorse")
    jobs.post(site)
    assert (unread(site, cast, "reviewer"), unread(site, cast, "format-reviewer"), unread(site, cast, "approver")) == (
        0,
        0,
        1,
    )
    take(site, cast, made.id, "approve")
    jobs.post(site)
    assert [kind for kind, _ in told(site, "author")] == ["result"]
    assert told(site, "author")[0][1].endswith(": Approved")


def test_the_row_to_tell_is_written_in_the_acts_own_transaction(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("draft")
    jobs.post(site)

    with site.database.session_for_writing() as session:  # Never committed, as when the process dies.
        revision = session.get_one(Revision, made.id)
        revisions.submit(session, revision, by=cast.reader(session, "author"))
        assert session.scalars(select(News).where(News.told_at.is_(None))).one().state == "in_review"
    with site.database.reading() as session:
        assert session.scalars(select(News).where(News.told_at.is_(None))).all() == []


def test_a_letter_goes_at_once_to_whom_something_waits_for(mailed: Site, postbox: Postbox, make_revision: Make) -> None:
    made = make_revision("in_review")
    with clock.at(clock.midnight(clock.today()) + timedelta(hours=5)):  # Before the hour of the digests.
        jobs.post(mailed)
    assert sorted(postbox.to) == ["format-reviewer@office.example", "reviewer@office.example"]
    letter = postbox.letters[0]
    assert letter["Subject"] == f"Endorse: {made.code} 01/00 Quy trình đăng ký khai sinh"
    assert f"http://docctl.example/revisions/{made.id}" in letter.get_content()
    assert "http://docctl.example/account/notices" in letter.get_content()
    assert letter["Auto-Submitted"] == "auto-generated"
    with clock.at(clock.midnight(clock.today()) + timedelta(hours=6)):
        jobs.post(mailed)
    assert len(postbox.letters) == 2, "what was sent is not sent again"


def test_letters_wait_while_the_server_is_down_and_go_out_when_it_is_up_again(
    mailed: Site, postbox: Postbox, make_revision: Make
) -> None:
    postbox.down()
    make_revision("in_review")
    early = clock.midnight(clock.today()) + timedelta(hours=1)
    with clock.at(early):
        jobs.post(mailed)
        waiting = letters(mailed)
        assert [(row.sent_at, row.tries) for row in waiting] == [(None, 1), (None, 1)]
        assert "refused" in waiting[0].last_error.lower()
        jobs.post(mailed)
        assert [row.tries for row in letters(mailed)] == [1, 1], "not before its time"
    postbox.up()
    with clock.at(early + timedelta(seconds=31)):
        jobs.post(mailed)
    assert [letter["Message-ID"] for letter in postbox.letters] == [row.message_id for row in waiting]
    assert all(row.sent_at for row in letters(mailed))


def test_a_letter_that_the_server_does_not_take_waits_alone_and_twice_as_long_each_time(
    mailed: Site, postbox: Postbox, make_revision: Make
) -> None:
    make_revision("in_review")
    now = clock.midnight(clock.today()) + timedelta(hours=1)
    postbox.answer = "451 come back later"
    for tries, wait in ((1, 30), (2, 60), (3, 120)):
        with clock.at(now):
            jobs.post(mailed)
            rows = letters(mailed)
        assert {row.tries for row in rows} == {tries}
        assert {(row.due_at - now).total_seconds() for row in rows} == {wait}
        now += timedelta(seconds=wait)
    assert mailing.next_try(40, now) == now + timedelta(hours=1)
    with clock.at(now + timedelta(days=5)):
        jobs.post(mailed)
    assert all(row.given_up_at for row in letters(mailed) if row.kind == WAITS)


KILLED = """
import dataclasses, os, signal, sys
from docctl import config, mailing, notices
from docctl.site import open_site
site = open_site(config.load())
real = mailing.smtplib.SMTP.send_message
def send_and_die(self, *given, **named):
    real(self, *given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
mailing.smtplib.SMTP.send_message = send_and_die
mailing.send_waiting(site.database, site.settings)
"""


def test_a_kill_between_sending_and_marking_sends_again_under_the_same_message_id(
    mailed: Site, postbox: Postbox, make_revision: Make
) -> None:
    make_revision("in_review")
    announcing.tell(mailed.database, mailed.settings)
    first = letters(mailed)[0]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DOCCTL_")}
    environ |= {"DOCCTL_STORAGE": str(mailed.settings.storage), "DOCCTL_SMTP_URL": mailed.settings.smtp_url}
    run = subprocess.run([sys.executable, "-c", KILLED], env=environ, timeout=60)
    assert run.returncode == -signal.SIGKILL
    assert [letter["Message-ID"] for letter in postbox.letters] == [first.message_id]
    assert letters(mailed)[0].sent_at is None
    mailing.send_waiting(mailed.database, mailed.settings)
    received = [letter["Message-ID"] for letter in postbox.letters]
    assert received.count(first.message_id) == 2
    assert len(set(received)) == 2
    assert all(row.sent_at for row in letters(mailed))


def test_the_digest_comes_once_a_day_to_those_who_have_something_in_it(
    mailed: Site, postbox: Postbox, make_revision: Make
) -> None:
    made = [make_revision("in_approval", title=f"Quy trình số {number}") for number in range(3)]
    announcing.tell(mailed.database, mailed.settings)
    morning = clock.midnight(clock.today()) + timedelta(days=1, hours=7)
    with clock.at(morning - timedelta(minutes=1)):
        assert announcing.digest(mailed.database, mailed.settings) == 0
    with clock.at(morning):
        jobs.post(mailed)
        jobs.post(mailed)
    daily = [letter for letter in postbox.letters if "things wait for you" in letter["Subject"]]
    assert [letter["To"] for letter in daily] == ["approver@office.example"]
    assert "Waiting for you (3):" in daily[0].get_content()
    for one in made:
        assert one.code in daily[0].get_content()
    with clock.at(morning + timedelta(days=1)):
        jobs.post(mailed)
    assert sum("things wait for you" in letter["Subject"] for letter in postbox.letters) == 2


def unread_for(site: Site, cast: Cast, make_revision: Make, *, days: int) -> Made:
    """Put a procedure in force that the controller was asked to read so many days ago."""
    with site.database.writing() as session:
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="person", person=people.find(session, "controller"))
    with clock.at(clock.midnight(clock.today() - timedelta(days=days))):
        return make_revision("in_force", on=clock.today())


def reminders(site: Site) -> list[Mail]:
    return [row for row in letters(site) if row.kind == REMINDER]


def test_whoever_has_not_confirmed_a_reading_is_reminded_once_at_each_of_its_days(
    mailed: Site, cast: Cast, postbox: Postbox, make_revision: Make
) -> None:
    made = unread_for(mailed, cast, make_revision, days=0)
    begins = clock.midnight(clock.today())
    counted = []
    for day in (6, 7, 8, 14, 20, 30, 60):
        for hour in (5, 8, 9):
            with clock.at(begins + timedelta(days=day, hours=hour)):
                jobs.post(mailed)
        counted.append((day, len(reminders(mailed))))
    assert counted == [(6, 0), (7, 1), (8, 1), (14, 2), (20, 2), (30, 3), (60, 3)]
    sent = [letter for letter in postbox.letters if "confirmed having read" in letter["Subject"]]
    assert [letter["To"] for letter in sent] == ["controller@office.example"] * 3
    assert f"{made.code} 01/00" in sent[0].get_content()
    assert "(7 days)" in sent[0].get_content()
    assert "http://docctl.example/reading" in sent[0].get_content()


def test_a_long_silence_is_one_letter_and_several_readings_are_one_letter(
    mailed: Site, cast: Cast, make_revision: Make
) -> None:
    unread_for(mailed, cast, make_revision, days=20)
    make_revision("in_force", title="Quy trình khác", on=clock.today() - timedelta(days=20))
    with clock.at(clock.midnight(clock.today()) + timedelta(days=8, hours=8)):
        jobs.post(mailed)
        jobs.post(mailed)
    (letter,) = reminders(mailed)
    assert letter.subject.startswith("You have not confirmed having read 2")


def test_nobody_is_reminded_of_what_is_confirmed_ended_or_not_wanted(
    mailed: Site, cast: Cast, make_revision: Make
) -> None:
    made = unread_for(mailed, cast, make_revision, days=0)
    later = clock.midnight(clock.today()) + timedelta(days=8, hours=8)
    with mailed.database.writing() as session:
        me = cast.reader(session, "controller")
        notices.choose(session, by=me, email="controller@office.example", wanted=[WAITS, DIGEST])
    with clock.at(later):
        jobs.post(mailed)
    assert reminders(mailed) == []
    with mailed.database.writing() as session:
        me = cast.reader(session, "controller")
        notices.choose(session, by=me, email="controller@office.example", wanted=notices.MAILED)
        reading.opened(session, session.get_one(Revision, made.id), by=me)
        (task,) = reading.pending(session, by=me)
        reading.act(session, task, "understand", by=me)
    with clock.at(later + timedelta(days=8)):
        jobs.post(mailed)
    assert reminders(mailed) == []


def asked_back(site: Site, cast: Cast, make_revision: Make, **holder: Any) -> Made:
    """Withdraw a procedure of which a unit or a person holds a copy on paper: it has to be back in fifteen days."""
    with site.database.writing() as session:
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        given = {"target": "own_unit", **holder}
        if "person" in given:
            given["person"] = people.find(session, given["person"])
        lists.add(session, by=by, type=kind, medium="paper", copies=1, reads=False, **given)
    made = make_revision("in_force")
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        for copy in copies.to_deliver(session, by=by):
            copies.act(session, copy, "deliver", by=by)
            copies.act(session, copy, "receive", by=by)
    decide(site, cast, withdraw=[made.document_id], on=clock.today())
    return made


def days_later(site: Site, *days: int) -> list[tuple[int, int]]:
    """Let days pass, each with two rounds of letters in the morning; return how many reminders there were after each."""
    begins, counted = clock.midnight(clock.today()), []
    for day in days:
        for hour in (5, 8, 9):
            with clock.at(begins + timedelta(days=day, hours=hour)):
                jobs.post(site)
        counted.append((day, len(reminders(site))))
    return counted


def test_the_head_of_a_unit_is_reminded_of_its_copies_once_before_their_day_and_once_after(
    mailed: Site, cast: Cast, postbox: Postbox, make_revision: Make
) -> None:
    made = asked_back(mailed, cast, make_revision)
    assert days_later(mailed, 11, 12, 13, 15, 16, 17, 60) == [
        (11, 0),
        (12, 1),
        (13, 1),
        (15, 1),
        (16, 2),
        (17, 2),
        (60, 2),
    ]
    before, after = (letter for letter in postbox.letters if "copies" in letter["Subject"].casefold())
    assert {before["To"], after["To"]} == {"reviewer@office.example"}
    assert before["Subject"] == "Controlled copies to give back: 1"
    assert after["Subject"] == "Controlled copies overdue: 1"
    due = clock.today() + timedelta(days=15)
    line = f"- {made.code} 01/00 Quy trình đăng ký khai sinh, copy 001/001, Justice division: by {due:%d/%m/%Y}"
    assert line in before.get_content().splitlines()
    assert f"{line} (days late: 1)" in after.get_content().splitlines()


def test_a_person_who_holds_a_copy_is_reminded_and_not_the_head_of_a_unit(
    mailed: Site, cast: Cast, make_revision: Make
) -> None:
    asked_back(mailed, cast, make_revision, target="person", person="author")
    days_later(mailed, 16)
    with mailed.database.reading() as session:
        assert [row.account_id for row in reminders(mailed)] == [people.find(session, "author").id]


def test_nobody_is_reminded_of_a_copy_that_came_back(mailed: Site, cast: Cast, make_revision: Make) -> None:
    asked_back(mailed, cast, make_revision)
    with mailed.database.writing() as session:
        by, (found,) = cast.reader(session, "controller"), recall.all_recalls(session)
        for line in recall.lines_of(session, found):
            recall.settle(session, found, line.copy, by=by)
    assert days_later(mailed, 12, 16, 60) == [(12, 0), (16, 0), (60, 0)]


class Lock:
    """A certificate of its own for the loopback address, and a server that asks for a name and a password."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate, secret = folder / "server.pem", folder / "server.key"
        self.certificate.write_bytes(made.sign(key, SHA256()).public_bytes(Encoding.PEM))
        secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, secret)
        self.asked: list[tuple[bytes, bytes]] = []

    def let_in(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        self.asked.append((given.login, given.password))
        # A line that is closed from the first byte on is no upgrade of an open one, and is not told apart here.
        assert session.ssl is not None or server.tls_context is None, "a password never goes over the open line"
        return AuthResult(success=given.login == b"office" and given.password == b"mat khau@1")


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_letters_go_over_tls_with_a_password_and_never_to_a_server_that_nobody_vouches_for(
    mailed: Site, make_revision: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    lock, box = Lock(tmp_path), Postbox()
    how: dict[str, Any] = {"authenticator": lock.let_in}
    if scheme == "smtps":
        box.controller = Controller(
            box, hostname="localhost", port=box.port, ssl_context=lock.context, auth_require_tls=False, **how
        )
    else:
        box.controller = Controller(
            box, hostname="localhost", port=box.port, tls_context=lock.context, require_starttls=True, **how
        )
    monkeypatch.setenv("SSL_CERT_FILE", str(lock.certificate))
    box.controller.start()
    try:
        url = f"{scheme}://office:mat%20khau%401@localhost:{box.port}?from=iso@office.example"
        site = dataclasses.replace(mailed, settings=dataclasses.replace(mailed.settings, smtp_url=url))
        make_revision("in_review")
        now = clock.midnight(clock.today()) + timedelta(hours=5)
        monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
        with clock.at(now):
            jobs.post(site)
        assert box.letters == []
        assert "CERTIFICATE_VERIFY_FAILED" in letters(site)[0].last_error
        monkeypatch.setenv("SSL_CERT_FILE", str(lock.certificate))
        with clock.at(now + timedelta(seconds=31)):
            jobs.post(site)
    finally:
        box.down()
    assert set(lock.asked) == {(b"office", b"mat khau@1")}
    assert sorted(box.to) == ["format-reviewer@office.example", "reviewer@office.example"]
    assert "iso@office.example" in box.letters[0]["From"]
    assert all(row.sent_at for row in letters(site))


@pytest.mark.parametrize("kind", [WAITS, DIGEST])
def test_nobody_gets_letters_of_a_kind_that_he_does_not_want(
    mailed: Site, cast: Cast, postbox: Postbox, make_revision: Make, kind: str
) -> None:
    with mailed.database.writing() as session:
        for name in ("reviewer", "format-reviewer"):
            wanted = [other for other in notices.MAILED if other != kind]
            notices.choose(session, by=cast.reader(session, name), email=f"{name}@office.example", wanted=wanted)
    make_revision("in_review")
    with clock.at(clock.midnight(clock.today()) + timedelta(days=1, hours=8)):
        jobs.post(mailed)
    assert {row.kind for row in letters(mailed)} == {WAITS, DIGEST} - {kind}
    assert unread(mailed, cast, "reviewer") == 1, "the notice in the page comes all the same"


def test_without_an_address_or_a_mail_server_there_are_notices_and_no_letters(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    make_revision("in_review")
    jobs.post(site)
    assert unread(site, cast, "reviewer") == 1
    assert letters(site) == []


def test_old_news_floods_nobody(site: Site, cast: Cast, make_revision: Make) -> None:
    with clock.at(clock.now() - timedelta(days=30)):
        make_revision("in_review")
    jobs.post(site)
    assert unread(site, cast, "reviewer") == 0


def test_the_successor_is_told_of_what_was_handed_over(site: Site, cast: Cast, make_revision: Make) -> None:
    make_revision("draft")
    jobs.post(site)
    with site.database.writing() as session:
        leaving.close(
            session, people.find(session, "author"), people.find(session, "neighbour"), by=None, pass_roles=True
        )
    jobs.post(site)
    assert [text.split(":")[0] for _, text in told(site, "neighbour")] == ["Submit for review"]


def test_the_choice_of_letters_is_in_the_trail_and_a_wrong_address_is_refused(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        notices.choose(session, by=cast.reader(session, "staff"), email=" staff@office.example ", wanted=["waits"])
        assert people.find(session, "staff").email == "staff@office.example"
        assert notices.refused_kinds(session, people.find(session, "staff")) == {"digest", "found", "reminder"}
        for wrong in ("staff", "staff@", "a@b", "a b@c.vn", "a@c.vn\nBcc: x@y.z", "x" * 250 + "@c.vn"):
            with pytest.raises(Refused) as refused:
                notices.choose(session, by=cast.reader(session, "staff"), email=wrong, wanted=[])
            assert refused.value.field == "email"
    assert verify(site).problems == []


def test_a_mail_server_that_cannot_be_used_is_refused_at_the_start() -> None:
    for url in ("http://mail.example", "smtp://", "mail.example:25"):
        with pytest.raises(ConfigError):
            config.load({"DOCCTL_SMTP_URL": url})
    for url in ("smtp://mail.example", "smtps://user:pass@mail.example", "smtp+starttls://mail.example:587"):
        assert config.load({"DOCCTL_SMTP_URL": url}).smtp_url == url
