"""A head that was mailed finds what the site's own checkpoints cannot: a record written anew by somebody who has them too."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import PASSWORD, Terminal
from tests.postbox import Postbox
from tests.reliability import tamperer


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    box = Postbox().up()
    yield box
    box.down()


def auditor(terminal: Terminal) -> None:
    terminal.json("user", "add", "auditor", "--role", "auditor", "--password", PASSWORD, "--email", "a@office.example")


def test_the_mailed_head_is_clean_on_a_clean_site_and_finds_a_record_that_was_written_anew(
    terminal: Terminal, postbox: Postbox, tmp_path: Path
) -> None:
    auditor(terminal)
    document = terminal.json("document", "add", "Quy trình chứng thực", "--as", "author")["document"]
    own = terminal.storage / "checkpoints"
    terminal.json("checkpoint")
    made = terminal.json("checkpoint", "--mail", DOCCTL_SMTP_URL=f"smtp://127.0.0.1:{postbox.port}")
    assert made["letters"] == 1
    (part,) = postbox.letters[-1].iter_attachments()
    mailed = tmp_path / str(part.get_filename())
    mailed.write_bytes(part.get_content())
    clean = terminal.type("verify", "--anchor", mailed)
    assert (clean.exit_code, clean.stderr) == (0, "")

    # Somebody with every right: the database, the index, the key, and the folder of the site's own checkpoints.
    tamperer.rewrite(terminal.storage / "docctl.db", "document", "title", document, "Quy trình khác")
    shutil.rmtree(own)
    terminal.json("reindex")
    terminal.json("checkpoint")
    fooled = terminal.type("verify", DOCCTL_CHECKPOINTS=str(own))
    assert (fooled.exit_code, fooled.stderr) == (0, ""), "nothing that the server has contradicts anything"
    found = terminal.type("verify", "--anchor", mailed)
    assert found.exit_code == 1
    assert "its history was rewritten" in found.stderr


def test_a_head_is_mailed_only_where_there_is_a_server_and_an_auditor_who_wants_it(
    terminal: Terminal, postbox: Postbox
) -> None:
    assert "DOCCTL_SMTP_URL" in terminal.refused("checkpoint", "--mail")
    url = f"smtp://127.0.0.1:{postbox.port}"
    nobody = terminal.type("checkpoint", "--mail", DOCCTL_SMTP_URL=url)
    assert nobody.exit_code == 0
    assert "sent to nobody" in nobody.stderr
    assert postbox.letters == []
