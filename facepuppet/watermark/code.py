"""Error correction: a terminated convolutional code of rate 1/3 and constraint length 9.

Generators 557, 663, 711 (octal; Proakis, Digital Communications, table of rate-1/3 codes of maximum
free distance). It is decoded softly by Viterbi's algorithm over all 256 states at once. No
maintained permissive library offers soft decoding of a code this short for numpy < 2 (reedsolo and
galois decide hard, which costs 2 dB here; scikit-commpy has had no release since 2022).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, U8
from facepuppet.watermark.payload import N_MESSAGE_BITS

CONSTRAINT = 9
GENERATORS = (0o557, 0o663, 0o711)
N_CODE_BITS = (N_MESSAGE_BITS + CONSTRAINT - 1) * len(GENERATORS)

_N_STATES = 1 << (CONSTRAINT - 1)


def _outputs() -> U8:
    """Return (512, 3) code bits for each content of the shift register, newest bit highest."""
    registers = np.arange(2 * _N_STATES)
    return np.stack([_parity(registers & generator) for generator in GENERATORS], axis=1)


def _parity(values: npt.NDArray[np.int64]) -> U8:
    bits = np.unpackbits(values.astype(">u2").view(np.uint8).reshape(-1, 2), axis=1)
    return np.asarray(bits.sum(axis=1) & 1, np.uint8)


def encode(message: U8) -> U8:
    """Return (264,) code bits of (80,) message bits; eight zeros flush the register."""
    outputs, state, code = _outputs(), 0, []
    for bit in [*message.tolist(), *[0] * (CONSTRAINT - 1)]:
        register = bit << (CONSTRAINT - 1) | state
        code.append(outputs[register])
        state = register >> 1
    return np.concatenate(code)


def decode(soft: F32) -> U8:
    """Return the most likely (80,) message bits.

    Args:
        soft: (264,) evidence for each code bit, positive for 0 and negative for 1, in units of
            the same noise.
    """
    gain = (1.0 - 2.0 * _outputs()) @ soft.reshape(-1, len(GENERATORS)).T  # (512, steps)
    metric = np.full(_N_STATES, -np.inf)
    metric[0] = 0.0
    states = np.arange(_N_STATES)
    # State s after a step came from register (s << 1 | dropped); its newest bit is the top bit of s.
    registers = np.stack([states << 1, states << 1 | 1])
    previous = registers & (_N_STATES - 1)
    choices = np.empty((gain.shape[1], _N_STATES), np.int64)
    for step in range(gain.shape[1]):
        paths = metric[previous] + gain[registers, step]
        choices[step] = paths.argmax(axis=0)
        metric = paths.max(axis=0)
    return _trace_back(choices)


def _trace_back(choices: npt.NDArray[np.int64]) -> U8:
    state, bits = 0, []
    for choice in choices[::-1]:
        bits.append(state >> (CONSTRAINT - 2))
        state = (state << 1 | int(choice[state])) & (_N_STATES - 1)
    return np.array(bits[::-1][:N_MESSAGE_BITS], np.uint8)
