"""Certificate chains for any key: what a user might hand to --signer."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """Make an RSA key."""
    return rsa.generate_private_key(65537, bits)


def chain_of(
    key: CertificateIssuerPrivateKeyTypes,
    *,
    days: tuple[int, int] = (-1, 10),
    usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.EMAIL_PROTECTION,
) -> tuple[bytes, bytes]:
    """Return a leaf certificate for the key and the root that issued it, as PEM.

    Args:
        key: the leaf's.
        days: from when to when it is valid, from today.
        usage: its extended usage, or None for none.
    """
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _builder("root", root_key.public_key(), days, is_root=True).sign(root_key, hashes.SHA256())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    builder = _builder("leaf", key.public_key(), days, is_root=False).add_extension(issuer, critical=False)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(root_key, hashes.SHA256()).public_bytes(PEM), root.public_bytes(PEM)


def write_signer(folder: Path, chain: bytes, key: CertificateIssuerPrivateKeyTypes) -> tuple[Path, Path]:
    """Write chain.pem and key.pem; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chain.pem").write_bytes(chain)
    (folder / "key.pem").write_bytes(key.private_bytes(PEM, PKCS8, PLAIN))
    return folder / "chain.pem", folder / "key.pem"


def _builder(subject: str, key: object, days: tuple[int, int], *, is_root: bool) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(not is_root, False, False, False, False, is_root, is_root, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("root"))
        .public_key(key)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)  # type: ignore[arg-type]
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )
