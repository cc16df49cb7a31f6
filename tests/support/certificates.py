"""A certificate as cameras have them: signed by themselves."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID_FROM = datetime(2020, 1, 1)
VALID_FOR = timedelta(days=20_000)


def write_certificate(file: Path) -> Path:
    """Write key and certificate into one PEM file; return it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_FROM + VALID_FOR)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


def write_authority(file: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Write the certificate of an authority that signs others; return it with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _built("authority", key.public_key(), "authority", key, ca=True)
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def write_certificate_of(authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey], file: Path, name: str) -> Path:
    """Write key and certificate, signed by an authority, into one PEM file; return it."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _built(name, key.public_key(), "authority", authority[1], ca=False)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


def _built(
    name: str, key: ec.EllipticCurvePublicKey, issuer: str, signer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_FROM + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(signer, hashes.SHA256())
    )
