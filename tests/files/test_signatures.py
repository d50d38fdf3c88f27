"""A signed PDF: whole or changed, by somebody known or not, and what could not be looked up is said, not assumed."""

import io
from pathlib import Path

import pikepdf
import pytest

from docctl.files import pdf, signatures
from tests.files import signing


@pytest.fixture(scope="module")
def plain() -> bytes:
    made = pikepdf.new()
    made.add_blank_page()
    page = made.pages[0]
    page.obj["/Contents"] = made.make_stream(b"0.2 0.2 0.2 rg 100 100 50 50 re f % noi dung cua van ban")
    out = io.BytesIO()
    made.save(out, compress_streams=False)
    return out.getvalue()


@pytest.fixture(scope="module")
def signed(plain: bytes) -> bytes:
    return signing.sign(plain, signing.person())


@pytest.fixture
def verdicts(tmp_path: Path):
    """Return a function that gives the verdict on every signature of a file."""

    def check(data: bytes, *roots: signing.Identity) -> list[str]:
        (tmp_path / "a.pdf").write_bytes(data)
        return [
            row["verdict"] for row in signatures.check(tmp_path / "a.pdf", signing.trusting(tmp_path / "trust", *roots))
        ]

    return check


def test_one_of_a_trusted_signer_is_valid_and_says_that_revocation_was_not_checked(signed, verdicts):
    assert verdicts(signed, signing.root()) == ["unchecked"]


def test_with_a_list_of_revoked_certificates_beside_it_it_is_valid_without_reserve(plain, verdicts):
    data = signing.sign(plain, signing.person(), crl=signing.revoked_by(signing.root()))
    assert verdicts(data, signing.root()) == ["valid"]


def test_one_whose_certificate_was_revoked_is_called_so(plain, verdicts):
    somebody = signing.person("Người đã nghỉ việc")
    data = signing.sign(plain, somebody, crl=signing.revoked_by(signing.root(), somebody))
    assert verdicts(data, signing.root()) == ["revoked"]


def test_a_signer_whom_no_root_vouches_for_is_unknown(signed, verdicts):
    assert verdicts(signed) == ["unknown"]
    assert verdicts(signed, signing.root("Gốc của nơi khác")) == ["unknown"]


def test_an_expired_certificate_is_called_expired(plain, verdicts):
    assert verdicts(signing.sign(plain, signing.person("Hết hạn", days=-3)), signing.root()) == ["expired"]


def test_every_single_byte_of_the_content_counts(signed, verdicts):
    at = signed.index(b"noi dung")
    for place in (at, at + 4, at + 10):
        altered = bytearray(signed)
        altered[place] ^= 1
        assert verdicts(bytes(altered), signing.root()) == ["changed"]


def test_a_byte_of_the_signature_itself_counts_too(signed, verdicts):
    at = signed.index(b"/Contents <") + 1200
    altered = bytearray(signed)
    altered[at] = ord("0") if altered[at] != ord("0") else ord("1")
    assert verdicts(bytes(altered), signing.root()) == ["changed"]


def test_an_incremental_edit_after_signing_is_a_change(signed, verdicts):
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"1 0 0 rg 0 0 500 500 re f"))
    writer.mark_update(writer.root["/Pages"]["/Kids"].raw_get(0))
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(signed), "the signed bytes are all there"
    assert verdicts(out.getvalue(), signing.root()) == ["changed"]


def test_a_second_signature_does_not_undo_the_first(signed, verdicts):
    twice = signing.sign(signed, signing.person("Chủ tịch mẫu"), field="Ky2")
    assert verdicts(twice, signing.root()) == ["unchecked", "unchecked"]


def test_the_worker_counts_signatures_and_tells_who_signed_when(signed, tmp_path):
    (tmp_path / "a.pdf").write_bytes(signed)
    assert pdf.examine(tmp_path / "a.pdf") == pdf.Examined(pages=1, signatures=1)
    told = pdf.work("signatures", {"path": str(tmp_path / "a.pdf"), "roots": str(tmp_path)}, timeout=60)
    (row,) = told["signatures"]
    assert "Trưởng phòng mẫu" in row["signer"]
    assert row["at"]


def test_what_is_no_certificate_makes_nobody_known(signed, tmp_path):
    (tmp_path / "a.pdf").write_bytes(signed)
    roots = tmp_path / "trust"
    roots.mkdir()
    (roots / "hong.pem").write_bytes(b"khong phai chung thu")
    (roots / "README.txt").write_text("ghi chú")
    assert [row["verdict"] for row in signatures.check(tmp_path / "a.pdf", roots)] == ["unknown"]
