"""The user's own certificate, checked before any work: a recording must not learn of it at its end."""

from __future__ import annotations

import datetime
import io
from dataclasses import replace
from pathlib import Path

import c2pa
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from facepuppet.core.errors import WatermarkError
from facepuppet.watermark.certificate import Credentials, public_bytes, signature_algorithm

# A picture of one pixel, to be signed for a trial.
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6360000000020001e527d4a20000000049454e44ae426082"
)
_TRIAL = {
    "claim_generator_info": [{"name": "facepuppet"}],
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation",
                    }
                ]
            },
        }
    ],
}


def checked_credentials(chain: Path, key: Path) -> Credentials:
    """Read a certificate chain and its private key, and make sure that they can sign.

    The certificate that belongs to the key may stand anywhere in the chain file, and the key in any of
    the usual PEM forms.

    Args:
        chain: PEM certificates.
        key: PEM private key, not encrypted: P-256, P-384, P-521, RSA of 2048 bits or more, or Ed25519.

    Raises:
        WatermarkError: they cannot sign a manifest; the message says why.
    """
    files = Credentials.from_files(chain, key)
    certificates = _certificates(files.chain_pem, chain)
    private = _private_key(files.key_pem, key)
    signature_algorithm(private.public_key())
    leaf = _leaf(certificates, private, chain, key)
    _check_time(leaf, chain)
    others = [certificate for certificate in certificates if certificate != leaf]
    pem = serialization.Encoding.PEM
    ordered = b"".join(certificate.public_bytes(pem) for certificate in [leaf, *others])
    plain = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    credentials = replace(files, chain_pem=ordered, key_pem=plain)
    _try_out(credentials, chain)
    return credentials


def _certificates(pem: bytes, path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise WatermarkError(
            f"{str(path)!r}, which holds no readable certificates",
            "a certificate chain in PEM form (-----BEGIN CERTIFICATE-----)",
            "Give the chain first and the key second; `openssl x509 -inform der` converts DER.",
        ) from error


def _private_key(pem: bytes, path: Path) -> PrivateKeyTypes:
    expected = "a private key in PEM form, not encrypted"
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise WatermarkError(
            f"{str(path)!r}, which is encrypted",
            expected,
            "Decrypt it first: openssl pkey -in KEY -out PLAIN.",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise WatermarkError(
            f"{str(path)!r}, which holds no readable private key",
            expected,
            "Give the chain first and the key second.",
        ) from error


def _leaf(
    certificates: list[x509.Certificate], private: PrivateKeyTypes, chain: Path, key: Path
) -> x509.Certificate:
    """Return the certificate of the key."""
    wanted = public_bytes(private.public_key())
    for certificate in certificates:
        try:
            if public_bytes(certificate.public_key()) == wanted:
                return certificate
        except (ValueError, UnsupportedAlgorithm):  # a key that cannot be read is not this one
            continue
    raise WatermarkError(
        f"{str(key)!r}, whose key belongs to no certificate in {str(chain)!r}",
        "the private key of the chain's first certificate",
        "Check that the two files belong together.",
    )


def _check_time(leaf: x509.Certificate, path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if not start <= now <= end:
        state = "expired" if now > end else "not yet valid"
        raise WatermarkError(
            f"{str(path)!r}, whose certificate is {state} ({start:%Y-%m-%d} to {end:%Y-%m-%d})",
            "a certificate that is valid today",
            "Renew it, or check this machine's clock.",
        )


def _try_out(credentials: Credentials, path: Path) -> None:
    """Sign something: whatever else C2PA demands of a certificate shows now."""
    info = c2pa.C2paSignerInfo(
        credentials.algorithm.encode(), credentials.chain_pem, credentials.key_pem, None
    )
    try:
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(_TRIAL) as builder:
            builder.sign(signer, "image/png", io.BytesIO(_PNG), io.BytesIO())
    except c2pa.C2paError as error:
        raise WatermarkError(
            f"{str(path)!r}, which C2PA does not sign with ({error})",
            "a certificate for signing documents, issued by an authority",
            "Ask its issuer for one with digitalSignature and the extended usage emailProtection or "
            "documentSigning.",
        ) from error
