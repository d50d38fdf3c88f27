"""A process killed while it executes a decision of 181 lines leaves every table as it was, byte for byte, or all of it done."""

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from docctl import clock, decisions, distribution, documents, people, revisions, units
from docctl.authority import reader
from docctl.decisions import Decision, Line
from docctl.distribution import lists
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.site import Site, open_site
from tests.conftest import Cast, settings
from tests.nouns.conftest import digests, made

pytestmark = [pytest.mark.kill, pytest.mark.timeout(1800)]

KILLS = 100
SEED = 2804


def execute(storage: Path, decision_id: int) -> None:
    site = open_site(settings(storage))
    with site.database.writing() as session:
        by = reader(session, people.find(session, "controller"))
        decisions.execute(session, session.get_one(Decision, decision_id), by=by)
    os._exit(0)


def killed(storage: Path, decision_id: int, moment: float | None) -> float:
    """Execute in a process of its own, kill it after `moment` seconds (None: let it finish); return how long it lived."""
    child = multiprocessing.get_context("fork").Process(target=execute, args=(storage, decision_id))
    began = time.monotonic()
    child.start()
    child.join(moment)
    if child.is_alive() and child.pid:
        os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL), "it was killed or it was done; it did not stop by itself"
    return time.monotonic() - began


def test_100_kills_while_181_lines_are_executed_change_nothing_or_everything(
    site: Site, cast: Cast, tmp_path: Path
) -> None:
    found = made(site, cast, 101, 80)
    with site.database.writing() as session:
        # What is issued is read and held on paper; some of what is withdrawn is out on paper and must come back.
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="own_unit", medium="paper", copies=2)
        unit = units.find(session, "TP")
        for document_id in found.standing[:20]:
            (standing,) = revisions.of_document(session, session.get_one(Document, document_id), by=by)
            distribution.issue_more(session, standing, by=by, medium="paper", count=1, unit=unit)
    with site.database.writing() as session:
        controller, approver = cast.reader(session, "controller"), cast.reader(session, "approver")
        lines = [Line("issue", revision=session.get_one(Revision, row)) for row in found.approved]
        lines += [Line("withdraw", document=session.get_one(Document, row), reason="Bãi bỏ.") for row in found.standing]
        given = {"number": "2804/QĐ-UBND", "signed_on": clock.today(), "effective_from": clock.today()}
        decision = decisions.draft(session, by=controller, title="Đợt", lines=lines, **given)  # type: ignore[arg-type]
        decisions.check(session, decision, by=controller)
        decisions.sign(session, decision, by=approver, signing=cast.signing(session, "approver"))
        decision_id = decision.id
    site.close()
    before, dice, outcomes = digests(site.settings.storage), random.Random(SEED), Counter[str]()

    def attempt(name: str, moment: float | None) -> tuple[float, dict[str, str]]:
        storage = tmp_path / name / "storage"
        storage.mkdir(parents=True)
        for file in site.settings.storage.glob("docctl.db*"):
            shutil.copy(file, storage)
        took = killed(storage, decision_id, moment)
        after = digests(storage)
        shutil.rmtree(storage.parent)
        return took, after

    took, whole = attempt("whole", None)
    changed = {name for name in whole if whole[name] != before[name]}
    held = {"distribution", "read_task", "controlled_copy", "recall", "recall_line"}
    assert {"decision", "revision", "obligation", "audit_entry"} | held <= changed
    for kill in range(KILLS):
        _, after = attempt(f"kill-{kill}", took * dice.random())
        states = {name: "before" if after[name] == before[name] else "after" for name in changed}
        assert len(set(states.values())) == 1, f"kill {kill} left a part: {states}"
        assert all(after[name] == before[name] for name in before.keys() - changed)
        outcome = next(iter(states.values()))
        outcomes[outcome] += 1
        took *= 0.95 if outcome == "after" else 1.02  # A machine is never as fast as it was: aim before the commit.
    print(f"\n{KILLS} kills while 181 lines were executed: {dict(outcomes)}; no table in between")
    assert outcomes["before"] > KILLS // 4
