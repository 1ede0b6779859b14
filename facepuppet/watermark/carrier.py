"""The keyed carrier: a complex, band-limited, pseudo-random field on a torus of cells.

A cell is 1/90 of the canvas's shorter side. The field P(x) is the sum over the spatial
frequencies k of the band of a unit phasor times exp(2πi k·x); the mark on a frame shown at time t
is Re(P(x) · exp(2πi · RATE_HZ · t)), so that it is there in every single frame, averages out over
time, and can be told from any still picture. A third of the phasors are a pilot (presence, place
and scale); the others carry the code bits in their signs.

Because the phasors are independent and uniform, a picture that knows nothing of the key correlates
with the pilot as a sum of independent random phasors, whatever the picture is: that is what makes
the p-value of `statistics.py` hold for any content.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from facepuppet.core.types import U8
from facepuppet.watermark.code import N_CODE_BITS
from facepuppet.watermark.keys import Key

CELLS_PER_SIDE = 90
TORUS_CELLS = (128, 192)  # rows, columns
BAND_PER_SIDE = (7, 30)  # cycles per shorter side
RATE_HZ = 1.0
PILOT = -1  # in Carrier.slot
PILOT_SHARE = 1 / 3

C64 = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class Carrier:
    """One key's phasors.

    Attributes:
        rows, columns: (K,) signed integer frequencies, in cycles per torus, in the order of `band_bins`.
        phasor: (K,) complex64 of modulus 1, before the payload's signs.
        slot: (K,) int: PILOT or the index of the code bit that signs the phasor.
    """

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    phasor: C64
    slot: npt.NDArray[np.int64]

    def signed(self, code_bits: U8) -> C64:
        """Return (K,) phasors with the (264,) code bits in their signs."""
        signs = np.append(1.0 - 2.0 * code_bits, 1.0)  # index −1 is the pilot
        return np.asarray(self.phasor * signs[self.slot], np.complex64)

    @property
    def pilot(self) -> C64:
        """(K,) phasors of the pilot, zero elsewhere."""
        return np.where(self.slot == PILOT, self.phasor, 0).astype(np.complex64)


def band_bins() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the signed row and column frequencies inside the band, in cycles per torus.

    They are in raster order of the unsigned transform: row 0…63, −64…−1, and in each row column
    0…95, −96…−1.
    """
    height, width = TORUS_CELLS
    fy = np.fft.fftfreq(height)[:, None] * CELLS_PER_SIDE
    fx = np.fft.fftfreq(width)[None] * CELLS_PER_SIDE
    square = fy**2 + fx**2
    low, high = BAND_PER_SIDE
    rows, columns = np.nonzero((square >= low**2) & (square < high**2))
    return (rows + height // 2) % height - height // 2, (columns + width // 2) % width - width // 2


@lru_cache(maxsize=16)
def carrier_of(key: Key) -> Carrier:
    """Derive the carrier of a key.

    Each bin takes four bytes of the key's stream: a 16-bit phase in turns, then a 16-bit rank. Sorted
    by rank (ties in raster order), the first third is the pilot and bin i of the rest carries code
    bit i modulo 264.
    """
    rows, columns = band_bins()
    words = np.frombuffer(key.stream("carrier 1", 4 * len(rows)), ">u2").reshape(-1, 2)
    phasor = np.exp(2j * np.pi * words[:, 0] / 65536).astype(np.complex64)
    order = np.argsort(words[:, 1], kind="stable")
    n_pilot = round(PILOT_SHARE * len(rows))
    slot = np.full(len(rows), PILOT)
    slot[order[n_pilot:]] = np.arange(len(rows) - n_pilot) % N_CODE_BITS
    return Carrier(rows, columns, phasor, slot)


def field_of(phasors: C64, carrier: Carrier, oversample: int = 1) -> C64:
    """Return the field on the torus, (128·n, 192·n) complex64, its real part of unit rms.

    Sample (i, j) lies at (i / n, j / n) cells from the torus's origin.
    """
    height, width = (n * oversample for n in TORUS_CELLS)
    spectrum = np.zeros((height, width), np.complex128)
    spectrum[carrier.rows % height, carrier.columns % width] = phasors
    return np.asarray(np.fft.ifft2(spectrum) * (height * width) * np.sqrt(2 / len(phasors)), np.complex64)
