"""The status page that the code on a print leads to: open to everybody, and silent about everything but the state."""

from flask import Blueprint, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from docctl import renditions, status
from docctl.web import edge, language, security

blueprint = Blueprint("status", __name__)


@blueprint.get("/s/<token>")
@security.public
def show(token: str) -> str | tuple[str, int]:
    """Say whether the papers that bear a token still hold, without sign-in."""
    revision = status.of_token(edge.reading(), token)
    if revision is None:
        sentence = _(
            "No issued document has this code. The paper may be a draft, the address mistyped, or the code forged: "
            "do not work by this paper, and ask the office."
        )
        return render_template("error.html", status=404, sentence=sentence), 404
    made = renditions.of(edge.reading(), revision.file_sha256)
    told = status.of_revision(edge.reading(), revision, made=[made.sha256] if made and made.sha256 else [])
    return render_template("status/show.html", told=told, word=told.word.get(language.locale()))


@blueprint.after_request
def unlisted(answer: Response) -> Response:
    """Keep status pages out of the indexes of search engines, and their addresses out of what other sites are told."""
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
