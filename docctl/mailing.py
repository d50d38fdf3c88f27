"""Sends the letters that wait: at least once, under a Message-ID that never changes, again and again while a server is down."""

import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import select

from docctl import clock, units
from docctl.announcing import host
from docctl.config import Settings
from docctl.database import Database
from docctl.notices import Mail
from docctl.people import Account

TIMEOUT_SECONDS = 15
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=4)
AT_ONCE = 100

log = logging.getLogger(__name__)


def send_waiting(database: Database, settings: Settings) -> int:
    """Send every letter that is due; returns how many a server took. Without a mail server they wait."""
    if not settings.smtp_url:
        return 0
    with database.reading() as session:
        query = select(Mail).where(Mail.sent_at.is_(None), Mail.given_up_at.is_(None), Mail.due_at <= clock.now())
        waiting = [row.id for row in session.scalars(query.order_by(Mail.id).limit(AT_ONCE))]
    if not waiting:
        return 0
    sent = 0
    try:
        with _server(settings) as server:
            for mail_id in waiting:
                sent += _send(database, settings, server, mail_id)
    except (OSError, smtplib.SMTPException) as error:
        # The server as a whole: everything that was not sent waits.
        for mail_id in waiting[sent:]:
            _put_off(database, mail_id, error)
    return sent


def _send(database: Database, settings: Settings, server: smtplib.SMTP, mail_id: int) -> bool:
    with database.reading() as session:
        row = session.get_one(Mail, mail_id)
        account = session.get_one(Account, row.account_id)
        if row.sent_at or row.given_up_at:
            return True  # Another process was faster.
        message = _message(row, account, units.office(session).name(account.locale or settings.locale), settings)
    if account.disabled_at is not None or not account.email:
        _give_up(database, mail_id, "the account is closed or has no address")
        return True
    try:
        server.send_message(message)
    except smtplib.SMTPResponseException as error:
        # This letter alone was refused; the connection goes on.
        _put_off(database, mail_id, error)
        return True
    except smtplib.SMTPRecipientsRefused as error:
        _put_off(database, mail_id, error)
        return True
    # A crash here sends the letter again, under the same Message-ID: at least once, and recognisable.
    with database.writing() as session:
        session.get_one(Mail, mail_id).sent_at = clock.now()
    return True


def _message(row: Mail, account: Account, office: str, settings: Settings) -> EmailMessage:
    message = EmailMessage()
    message["From"] = formataddr((office, _sender(settings)))
    message["To"] = account.email
    message["Subject"] = row.subject
    message["Date"] = format_datetime(clock.local(row.queued_at))
    message["Message-ID"] = row.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(row.body)
    if row.enclosed and row.enclosed_as:
        # As bytes it travels in base64: no mail server folds its one long line, and it is saved as it was written.
        message.add_attachment(row.enclosed.encode(), maintype="application", subtype="json", filename=row.enclosed_as)
    return message


@contextmanager
def _server(settings: Settings) -> Iterator[smtplib.SMTP]:
    url = urlsplit(settings.smtp_url)
    name, context = url.hostname or "localhost", ssl.create_default_context()
    server: smtplib.SMTP = (
        smtplib.SMTP_SSL(name, url.port or 465, timeout=TIMEOUT_SECONDS, context=context)
        if url.scheme == "smtps"
        else smtplib.SMTP(name, url.port or (587 if "starttls" in url.scheme else 25), timeout=TIMEOUT_SECONDS)
    )
    with server:
        if "starttls" in url.scheme:
            server.starttls(context=context)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield server


def _sender(settings: Settings) -> str:
    given = parse_qs(urlsplit(settings.smtp_url).query).get("from", [""])[0]
    return given or f"docctl@{host(settings)}"


def _put_off(database: Database, mail_id: int, error: Exception) -> None:
    with database.writing() as session:
        row = session.get_one(Mail, mail_id)
        row.tries += 1
        row.last_error = str(error)[:500]
        now = clock.now()
        if now - row.queued_at > GIVEN_UP_AFTER:
            row.given_up_at = now
        row.due_at = next_try(row.tries, now)
        log.warning("letter %s was not taken, try %s: %s", mail_id, row.tries, error)


def _give_up(database: Database, mail_id: int, why: str) -> None:
    with database.writing() as session:
        row = session.get_one(Mail, mail_id)
        row.given_up_at, row.last_error = clock.now(), why


def next_try(tries: int, now: datetime) -> datetime:
    """Return when a letter is tried again: after half a minute at first, twice as long each time, at most an hour."""
    wait: timedelta = FIRST_WAIT * int(2 ** min(tries - 1, 10))
    return now + min(wait, LONGEST_WAIT)
