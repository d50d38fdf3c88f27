"""Certificates, a timestamp authority and signed PDFs, all made while the tests run."""

import datetime as dt
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = dt.datetime.now(dt.UTC)
PASSWORD = "mật khẩu chứng thư"


@dataclass(frozen=True)
class Identity:
    """A certificate with its key."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def pem(self) -> bytes:
        """Return the certificate as a trust folder takes it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def p12(self, *chain: "Identity") -> bytes:
        """Return key and certificate as one PKCS#12 file."""
        return pkcs12.serialize_key_and_certificates(
            b"x",
            self.key,
            self.certificate,
            [each.certificate for each in chain],
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        )


def root(name: str = "Chứng thư gốc mẫu") -> Identity:
    """Return a certificate authority of its own making; the same name gives the same one."""
    return _root(name)


@cache
def _root(name: str) -> Identity:
    key = rsa.generate_private_key(65537, 2048)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    built = _builder(name, name, key, days=3650).add_extension(x509.BasicConstraints(True, None), True)
    return Identity(key, built.add_extension(usage, True).sign(key, hashes.SHA256()))


@cache
def person(
    name: str = "Trưởng phòng mẫu", issuer: str = "Chứng thư gốc mẫu", days: int = 365, stamps: bool = False
) -> Identity:
    """Return a certificate that an authority gave somebody for some days; one that `stamps` tells the time."""
    key, above = rsa.generate_private_key(65537, 2048), root(issuer)
    usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
    built = _builder(name, issuer, key, days=days).add_extension(x509.BasicConstraints(False, None), True)
    built = built.add_extension(usage, True)
    if stamps:
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)
    return Identity(key, built.sign(above.key, hashes.SHA256()))


def revoked_by(issuer: Identity, *who: Identity) -> bytes:
    """Return the issuer's list of revoked certificates."""
    built = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    built = built.last_update(NOW - dt.timedelta(hours=1)).next_update(NOW + dt.timedelta(days=30))
    for each in who:
        entry = x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number)
        built = built.add_revoked_certificate(entry.revocation_date(NOW - dt.timedelta(hours=2)).build())
    return built.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def sign(pdf: bytes, who: Identity, *, field: str = "Ky1", crl: bytes = b"") -> bytes:
    """Return a PDF signed by somebody, with a list of revoked certificates beside the signature when given."""
    from asn1crypto import crl as crls
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers
    from pyhanko.sign.validation.dss import DocumentSecurityStore

    signer = signers.SimpleSigner.load_pkcs12_data(who.p12(), [], passphrase=PASSWORD.encode())
    told = signers.PdfSignatureMetadata(field_name=field, subfilter=fields.SigSeedSubFilter.PADES)
    made = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), told, signer=signer)
    if crl:
        DocumentSecurityStore.add_dss(
            made, sig_contents=None, certs=[], ocsps=[], crls=[crls.CertificateList.load(crl)]
        )
    return bytes(made.getvalue())


@contextmanager
def timestamp_authority() -> Iterator[str]:
    """Serve a timestamp authority on this machine; gives its address."""
    from asn1crypto import keys, tsp
    from asn1crypto import x509 as asn1
    from pyhanko.sign.timestamps import DummyTimeStamper

    stamps = person("Dấu thời gian mẫu", stamps=True)
    der = serialization.Encoding.DER
    private = stamps.key.private_bytes(der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    stamper = DummyTimeStamper(
        asn1.Certificate.load(stamps.certificate.public_bytes(der)), keys.PrivateKeyInfo.load(private)
    )

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = tsp.TimeStampReq.load(self.rfile.read(int(self.headers["Content-Length"])))
            told = stamper.request_tsa_response(asked).dump()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_given: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def trusting(folder: Path, *roots: Identity) -> Path:
    """Return a folder of trust roots."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(roots):
        (folder / f"{number}.pem").write_bytes(each.pem())
    return folder


def _builder(name: str, issuer: str, key: rsa.RSAPrivateKey, *, days: int) -> x509.CertificateBuilder:
    begins = NOW - dt.timedelta(days=400) if days < 0 else NOW - dt.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(NOW + dt.timedelta(days=days))
    )
