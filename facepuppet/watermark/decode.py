"""Reading the payload once the canvas's place is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facepuppet.core.types import F32
from facepuppet.watermark.carrier import C64, Carrier
from facepuppet.watermark.code import N_CODE_BITS, decode, encode
from facepuppet.watermark.payload import Payload, payload_of

_MIN_CORRELATION = 0.3  # of soft bits with the decoded code word; chance matches stay below it


def soft_bits(views: Sequence[C64], carrier: Carrier) -> F32:
    """Return (264,) evidence for each code bit, positive for 0.

    The pilot gives each view its phase and, by its strength, its weight in the sum.
    """
    aligned = sum((view * np.vdot(carrier.pilot, view).conj() for view in views), np.zeros(1, np.complex64))
    evidence = (aligned * carrier.phasor.conj()).real
    data = carrier.slot >= 0
    return np.bincount(carrier.slot[data], evidence[data], N_CODE_BITS).astype(np.float32)


def read_payload(views: Sequence[C64], carrier: Carrier) -> Payload | None:
    """Return the payload when its CRC holds and the soft bits agree with its code word.

    Args:
        views: (K,) whitened spectra under the canvas's geometry, of turning and still evidence.
        carrier: the key's.
    """
    soft = soft_bits(views, carrier)
    message = decode(soft)
    payload = payload_of(message)
    if payload is None:
        return None
    word = 1.0 - 2.0 * encode(message)
    agreement = float(word @ soft) / float(np.linalg.norm(word) * np.linalg.norm(soft) + 1e-30)
    return payload if agreement >= _MIN_CORRELATION else None
