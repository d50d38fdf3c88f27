"""The labels of numbered copies: every QR code on the printed sheet is read, and takes its copy back."""

from collections.abc import Callable

import pypdfium2
import zxingcpp

from docctl import clock, documents, recall
from docctl.distribution import copies, lists
from docctl.exporting import labels
from docctl.revisions import Revision
from docctl.site import Site
from tests.conftest import Cast, Made, decide


def test_every_label_of_a_sheet_is_read_by_a_scanner_and_takes_its_copy_back(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    with site.database.writing() as session:
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="own_unit", medium="paper", copies=26, reads=False)
    title = (
        "Quy trình tiếp nhận và giải quyết hồ sơ đăng ký khai sinh kết hợp đăng ký nhận cha, mẹ, con lưu động tại thôn"
    )
    made = make_revision("in_force", title=title)
    with site.database.reading() as session:
        held = copies.copies_of(session, session.get_one(Revision, made.id))
        marks = {copy.mark for copy in held}
        sheet = labels.write(held, base="https://docctl.example", office="Ủy ban nhân dân mẫu", locale="vi")
    read: list[str] = []
    with pypdfium2.PdfDocument(sheet) as document:
        sizes = {tuple(round(side) for side in page.get_size()) for page in document}
        texts = [page.get_textpage().get_text_bounded() for page in document]
        for page in document:
            picture = page.render(scale=300 / 72).to_pil()
            found = [row.text for row in zxingcpp.read_barcodes(picture)]
            assert len(found) == len(set(found))
            read += found
    assert (len(texts), sizes) == (2, {(595, 842)})
    assert "BẢN KIỂM SOÁT" in texts[0]
    assert {text.rpartition("#")[2] for text in read} == marks
    assert all(text.startswith("https://docctl.example/s/") for text in read)
    decide(site, cast, withdraw=[made.document_id], on=clock.today())
    with site.database.writing() as session:
        by, (opened,) = cast.reader(session, "controller"), recall.all_recalls(session)
        for text in read:
            recall.take_back(session, opened, text, by=by)
        assert recall.ledger(session, opened).returned == 26
