"""C2PA manifests for recordings: who made the file, that it is synthetic, and which mark it carries.

The manifest names the invisible mark as soft binding, so that a copy stripped of its manifest can be
led back to it. Signing uses a certificate made on this machine unless the user gives another; that
proves that the file was not changed since, not who signed it.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa

from facepuppet.core.errors import FacepuppetError, OutputUnwritableError, WatermarkError
from facepuppet.core.files import publish, temporary_beside
from facepuppet.core.version import __version__
from facepuppet.watermark.certificate import Credentials, own_credentials
from facepuppet.watermark.payload import Payload

log = logging.getLogger(__name__)

SOFT_BINDING_ALGORITHM = "io.github.facepuppet.watermark.1"
SIGNED_SUFFIXES = {".mp4": "video/mp4", ".mov": "video/quicktime"}
_SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a file's manifest says.

    Attributes:
        intact: the signature holds and the file was not changed since.
        trusted: the signer's certificate leads to a root on the C2PA trust list.
        signer: the certificate's issuer.
        payload: hex payload of the mark that the manifest binds, or None.
        problems: validation codes that failed, other than an unlisted signer.
    """

    intact: bool
    trusted: bool
    signer: str
    payload: str | None
    problems: tuple[str, ...]

    def sentence(self, detected: str | None) -> str:
        """Say in one sentence what the manifest proves beside the payload detected in the picture."""
        state = "intact" if self.intact else f"DAMAGED ({', '.join(self.problems)})"
        binding = "names no mark"
        if self.payload is not None:
            agrees = {None: "unread", self.payload: "the same as"}.get(detected, "NOT the same as")
            binding = f"names payload {self.payload}, {agrees} in the picture"
        trust = "on the trust list" if self.trusted else "not on a trust list"
        return f"C2PA manifest {state}, signed by {self.signer} ({trust}), {binding}."


def sign_recording(
    path: Path,
    destination: Path,
    payload: Payload,
    key_name: str,
    credentials: Credentials | None = None,
    title: str | None = None,
) -> None:
    """Copy a finished .mp4 or .mov to destination with a signed manifest.

    Args:
        path: the video; not written to.
        destination: where the signed copy goes; an existing file is replaced.
        payload: what the mark in the picture carries.
        key_name: name of the mark's key.
        credentials: the signer's; made on this machine by default.
        title: what the manifest calls it; the destination's name by default.

    Raises:
        WatermarkError: the file kind cannot carry a manifest, or the credentials do not work.
        OutputUnwritableError: the destination cannot be written.
    """
    if path.suffix.lower() not in SIGNED_SUFFIXES:
        kinds = " or ".join(SIGNED_SUFFIXES)
        raise WatermarkError(
            f"a {path.suffix} recording", f"{kinds} for a manifest", "Record to one of these."
        )
    credentials = credentials or own_credentials()
    temporary = temporary_beside(destination, path.suffix)
    algorithm = credentials.algorithm.encode()
    info = c2pa.C2paSignerInfo(algorithm, credentials.chain_pem, credentials.key_pem, None)
    try:
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(_manifest(path.suffix, title or destination.name, payload, key_name)) as builder,
        ):
            builder.sign_file(path, temporary, signer)
        temporary.replace(destination)
    except OSError as error:
        raise OutputUnwritableError(
            f"{destination} ({error})", "a writable folder", "Choose another."
        ) from error
    except c2pa.C2paError as error:
        raise WatermarkError(
            f"{path}, which could not be signed ({error})",
            "a playable video and a certificate chain with its key",
            "Check the certificate.",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def publish_recording(
    path: Path, destination: Path, payload: Payload, key_name: str, credentials: Credentials | None = None
) -> None:
    """Move a finished recording to its place, signed where that is possible.

    A kind of file that cannot carry a manifest moves unsigned; so does one whose signing fails,
    because a recording must not be lost for its manifest. That is a warning where this machine's own
    certificate failed, and an error where the user's did.

    Args:
        path: the finished video; it is gone afterwards.
        destination: its place; an existing file is replaced.
        payload: what the mark in the picture carries.
        key_name: name of the mark's key.
        credentials: the signer's; made on this machine by default.

    Raises:
        OutputUnwritableError: it cannot be given its name (the error tells where it is kept), or it is in its
            place, but not signed with the credentials given.
    """
    failure: Exception | None = None
    if path.suffix.lower() in SIGNED_SUFFIXES:
        signed = temporary_beside(destination, path.suffix)
        try:
            sign_recording(path, signed, payload, key_name, credentials, destination.name)
            signed.replace(path)
        except Exception as error:  # whatever goes wrong with a manifest
            failure = error
            log.warning("%s gets no C2PA manifest. %s", destination.name, error)
        finally:
            signed.unlink(missing_ok=True)
    publish(path, destination)
    if failure is not None and credentials is not None:
        told = failure if isinstance(failure, FacepuppetError) else None
        raise OutputUnwritableError(
            f"{str(destination)!r}, which is written but not signed ({told.got if told else failure})",
            told.expected if told else "a recording that can be signed",
            told.todo if told else "Leave --signer out, or report it with the output of --debug.",
        ) from failure


def read_provenance(path: Path) -> Provenance | None:
    """Return what the file's manifest says, or None when there is none or the kind of file has none.

    A manifest too damaged to be read is one that is not intact, and names nothing.
    """
    try:
        with c2pa.Reader(path) as reader:
            # crjson() keeps lists of numbers, which json() turns into base64 with what exceeds a byte lost.
            return _provenance(json.loads(reader.json()), json.loads(reader.crjson()))
    except (c2pa.C2paError.ManifestNotFound, c2pa.C2paError.NotSupported, c2pa.C2paError.Io, OSError):
        return None
    except c2pa.C2paError as error:
        if "asset could not be parsed" in str(error):  # not the kind of file that its name says
            return None
        return Provenance(False, False, "unknown", None, ("manifest.unreadable",))


def lack_of_manifest(path: Path) -> str | None:
    """Say what it means that a marked file has no manifest; None where its kind never has one.

    Copying streams (`ffmpeg -c copy`), encoding anew and cutting all drop a manifest, and a recording of
    a call never had one. The file does not tell these apart, so neither does the sentence.
    """
    if path.suffix.lower() not in SIGNED_SUFFIXES:
        return None
    return (
        "No C2PA manifest: it never had one (a call, say), or lost it (remuxed, encoded anew); unknown which."
    )


def _manifest(suffix: str, title: str, payload: Payload, key_name: str) -> dict[str, Any]:
    actions = [
        {"action": "c2pa.created", "digitalSourceType": _SYNTHETIC},
        {"action": "c2pa.watermarked.bound", "parameters": {"description": f"key {key_name}"}},
    ]
    binding = {"alg": SOFT_BINDING_ALGORITHM, "blocks": [{"scope": {}, "value": payload.hex}]}
    return {
        "claim_generator_info": [{"name": "facepuppet", "version": __version__}],
        "title": title,
        "format": SIGNED_SUFFIXES[suffix.lower()],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": "c2pa.soft-binding", "data": binding},
        ],
    }


def _provenance(report: dict[str, Any], full: dict[str, Any]) -> Provenance:
    """Sum up a manifest.

    Args:
        report: what Reader.json() says.
        full: what Reader.crjson() says: the assertions as they were written.
    """
    label = report["active_manifest"]
    manifest = report["manifests"][label]
    problems = {status["code"] for status in report.get("validation_status", [])}
    problems.discard(
        "signingCredential.untrusted"
    )  # says that the signer is unlisted, not that anything is wrong
    assertions = next(item["assertions"] for item in full["manifests"] if item["label"] == label)
    return Provenance(
        intact=not problems,
        trusted=report.get("validation_state") == "Trusted",
        signer=manifest.get("signature_info", {}).get("issuer", "unknown"),
        payload=_bound_payload(assertions),
        problems=tuple(sorted(problems)),
    )


def _bound_payload(assertions: dict[str, Any]) -> str | None:
    """Return the payload that a soft binding of ours names; others' may say anything in any form."""
    for label, data in assertions.items():
        if label.partition("__")[0] != "c2pa.soft-binding" or data.get("alg") != SOFT_BINDING_ALGORITHM:
            continue
        values = (block.get("value") for block in data.get("blocks", ()))
        found = next((value for value in values if isinstance(value, str)), None)
        if found is not None:
            return found
    return None
