"""The evidence of a document or a decision, as one archive that a third party can check without docctl."""

import re
import tempfile
from pathlib import Path

from flask import Blueprint, abort, send_file
from werkzeug.wrappers import Response

from docctl import clock, decisions, evidence, register
from docctl.evidence import Subject
from docctl.people import Reader
from docctl.rules import NoRole, Sentence
from docctl.web import edge

blueprint = Blueprint("evidence", __name__)


@blueprint.post("/documents/<int:document_id>/evidence")
def document(document_id: int) -> Response:
    """Give the evidence of a document; that it was taken is an entry of the trail."""
    _refuse_unless_taker(edge.me())
    found = register.load(edge.reading(), document_id, by=edge.me()) or abort(404)
    return _packed(evidence.of_document(edge.reading(), found))


@blueprint.post("/decisions/<int:decision_id>/evidence")
def decision(decision_id: int) -> Response:
    """Give the evidence of a decision; that it was taken is an entry of the trail."""
    _refuse_unless_taker(edge.me())
    found = decisions.load(edge.reading(), decision_id, by=edge.me()) or abort(404)
    return _packed(evidence.of_decision(edge.reading(), found))


def _packed(subject: Subject) -> Response:
    account = edge.me().account
    edge.close()
    with tempfile.TemporaryDirectory(prefix="docctl-") as folder:
        path = Path(folder) / "evidence.zip"
        evidence.save(edge.site(), subject, path, by=account)
        # Opened before the folder goes: on Linux the bytes stay until the answer is sent.
        file = path.open("rb")
    name = re.sub(r"[^\w.-]+", "_", subject.name)[:60]
    return send_file(
        file,
        mimetype="application/zip",
        as_attachment=True,
        download_name=f"evidence {name} {clock.today().isoformat()}.zip",
    )


def _refuse_unless_taker(by: Reader) -> None:
    if not evidence.may_take(by):
        raise NoRole(
            Sentence(
                "Chỉ đánh giá viên và người kiểm soát tài liệu được lấy hồ sơ bằng chứng, vì hồ sơ chứa toàn bộ nhật ký.",
                "Only auditors and document controllers take evidence, since it contains the whole trail.",
            )
        )
