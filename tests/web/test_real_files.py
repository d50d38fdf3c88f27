"""The files that offices really have go in through the page, come back byte for byte, and are read, or say why not."""

import io
import re
from collections import Counter
from html import unescape
from urllib.parse import unquote

import pytest

from docctl import contents, jobs, revisions
from docctl.files import convert, ocr

pytestmark = [pytest.mark.large, pytest.mark.timeout(1800)]

SETS = {"vn-iso-procedures": 38, "vn-official": 11, "qms-forms": 25, "qms-md": 36, "vn-legacy-encoding": 31}
NOT_FILES = {"_text", "ground-truth", "expected.tsv", "PROVENANCE.md"}
# Saved under the extension of another kind: a person is told which one is right, or that it is a web page.
MISNAMED = ("06_LUAT_jt1cu2cf.lne-LuatPCCC_L27QH.docx", "28_TIEU_CHUAN", "33_TIEU_CHUAN")
_PLACE = re.compile(r"/revisions/(\d+)|/documents/(\d+)")


def files(shared_data):
    for folder, wanted in SETS.items():
        found = [
            path
            for path in sorted((shared_data / folder).rglob("*"))
            if path.is_file() and not NOT_FILES & set(path.relative_to(shared_data).parts)
        ]
        assert len(found) == wanted, folder
        yield from found


def upload(browser, path, name=""):
    browser.get("/documents/new")
    form = {"title": f"Tài liệu {path.stem[:100]}", "type": "QT", "unit": "TP", "code": ""}
    return browser.send("/documents", file=(io.BytesIO(path.read_bytes()), name or path.name), **form)


def revision_of(browser, answer):
    """Return the number of the draft that an upload made; the page it leads to names it."""
    page = answer.location if "/revisions/" in answer.location else browser.read(answer.location)
    return int(re.search(r"/revisions/(\d+)", page)[1])


@pytest.mark.skipif(convert.available() is not None, reason="LibreOffice in its sandbox is not here")
def test_every_real_file_goes_in_and_comes_out_unchanged_and_read(site, sign_in, shared_data):
    browser, kept, refused = sign_in("author"), {}, {}
    for path in files(shared_data):
        answer = upload(browser, path)
        if answer.status_code == 409:
            refused[path.name] = unescape(answer.text)
            continue
        assert answer.status_code == 303, (path.name, answer.status_code)
        kept[revision_of(browser, answer)] = path
    jobs.read_scans(site)
    assert len(refused) == 3
    assert all(name.startswith(MISNAMED) and "is named" in page for name, page in refused.items())
    assert len(kept) == sum(SETS.values()) - 3
    told: Counter[str] = Counter()
    for revision_id, path in kept.items():
        answer = browser.get(f"/revisions/{revision_id}/original")
        assert answer.data == path.read_bytes(), path.name
        assert unquote(answer.headers["Content-Disposition"]).rstrip('"').endswith(path.suffix), path.name
        with site.database.reading() as session:
            row = revisions.text_of(session, session.get_one(revisions.Revision, revision_id))
            assert (row.status == contents.EXTRACTED and row.text) or row.reason("vi"), path.name
            assert path.parts[-3] != "vn-legacy-encoding" or row.encodings, path.name
            told[f"{row.status} {row.method or row.reason('en')}"] += 1
    print(dict(told))
    if ocr.available():
        assert {name for name in told if name.startswith("unavailable")} <= {f"unavailable {no_text()}"}


def no_text():
    from docctl.files import readers

    return readers.NO_TEXT.en


def test_a_misnamed_law_goes_in_under_its_right_extension(sign_in, shared_data):
    (path,) = (shared_data / "vn-official").rglob("06_LUAT*.docx")
    browser = sign_in("author")
    answer = upload(browser, path, name=f"{path.stem}.doc")
    assert answer.status_code == 303
    assert browser.get(f"/revisions/{revision_of(browser, answer)}/original").data == path.read_bytes()
