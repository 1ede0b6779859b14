"""The certificate that signs recordings: made once on this machine, or the user's own."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from platformdirs import user_data_path

from facepuppet.core.errors import OutputUnwritableError, WatermarkError
from facepuppet.core.files import write_whole

_VALID = datetime.timedelta(days=3650)
_MIN_RSA_BITS = 2048
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_RSA = ((4096, "ps512"), (3072, "ps384"), (_MIN_RSA_BITS, "ps256"))  # a hash about as strong as the key


@dataclass(frozen=True, slots=True)
class Credentials:
    """A certificate chain, leaf first, and the leaf's private key (PKCS #8), as PEM bytes."""

    chain_pem: bytes
    key_pem: bytes = field(repr=False)

    @property
    def algorithm(self) -> str:
        """How the leaf's key signs, in C2PA's words: "es256", "ps384", "ed25519" and so on.

        Raises:
            WatermarkError: the chain cannot be read, or C2PA has no algorithm for its key.
        """
        try:
            return signature_algorithm(x509.load_pem_x509_certificates(self.chain_pem)[0].public_key())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise WatermarkError(
                f"unreadable certificates ({error})", "a chain in PEM form", "Check the certificate."
            ) from error

    @classmethod
    def from_files(cls, chain: Path, key: Path) -> Credentials:
        """Read the user's own.

        Raises:
            WatermarkError: a file cannot be read.
        """
        try:
            return cls(chain.read_bytes(), key.read_bytes())
        except OSError as error:
            raise WatermarkError(
                f"unreadable credentials ({error})", "two PEM files", "Check the paths."
            ) from error


def own_credentials(folder: Path | None = None) -> Credentials:
    """Return this machine's self-made credentials, making them on first use.

    Args:
        folder: where they are kept; the user's data folder by default.

    Raises:
        OutputUnwritableError: they cannot be stored.
    """
    folder = folder if folder is not None else user_data_path("facepuppet") / "c2pa"
    chain, key = folder / "chain.pem", folder / "key.pem"
    if not (chain.exists() and key.exists()):
        made = make_credentials()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(key, made.key_pem, private=True)
            write_whole(chain, made.chain_pem)
        except OSError as error:
            raise OutputUnwritableError(
                f"{folder} ({error.strerror})",
                "a writable folder for the signing key",
                "Check its permissions.",
            ) from error
    return Credentials.from_files(chain, key)


def make_credentials() -> Credentials:
    """Make a root and a leaf under it (C2PA refuses certificates that sign themselves)."""
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, leaf_name = _name("facepuppet self-made root"), _name("facepuppet self-made signer")
    root = _builder(root_name, root_name, root_key, is_root=True).sign(root_key, hashes.SHA256())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    leaf = (
        _builder(leaf_name, root_name, leaf_key, is_root=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key_pem = leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Credentials(leaf.public_bytes(pem) + root.public_bytes(pem), key_pem)


def signature_algorithm(key: PublicKeyTypes) -> str:
    """Return C2PA's name of the algorithm that a key signs by.

    Raises:
        WatermarkError: C2PA allows no such key.
    """
    found, kind = None, type(key).__name__.strip("_").removesuffix("PublicKey")
    if isinstance(key, ec.EllipticCurvePublicKey):
        found, kind = _CURVES.get(key.curve.name), f"elliptic-curve ({key.curve.name})"
    elif isinstance(key, rsa.RSAPublicKey):
        found = next((name for bits, name in _RSA if key.key_size >= bits), None)
        kind = f"RSA ({key.key_size} bits)"
    elif isinstance(key, ed25519.Ed25519PublicKey):
        found = "ed25519"
    if found is None:
        raise WatermarkError(
            f"a certificate with a key of type {kind}",
            f"P-256, P-384, P-521, RSA of {_MIN_RSA_BITS} bits or more, or Ed25519: C2PA allows no other",
            "Get a certificate for such a key.",
        )
    return found


def public_bytes(key: PublicKeyTypes) -> bytes:
    """Return what two equal public keys have in common."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "facepuppet (self-made, unverified)"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_root: bool
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(not is_root, False, False, False, False, is_root, is_root, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
