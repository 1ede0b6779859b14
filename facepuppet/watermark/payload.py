"""The 64 bits a mark carries.

bits 63–60  schema version (1 or 2)
bits 59–52  product (1 is facepuppet)
bits 51–24  avatar: schema 1: the first 28 bits of the portrait's SHA-256, 0 when unknown
                    schema 2: the id of the consent record by which the portrait is used
bits 23–0   session counter of the machine that made the picture, modulo 2²⁴
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from facepuppet.core.errors import WatermarkError
from facepuppet.core.types import U8

SCHEMA_AVATAR, SCHEMA_CONSENT = 1, 2
PRODUCT_FACEPUPPET = 1
N_PAYLOAD_BITS = 64
N_CRC_BITS = 16
N_MESSAGE_BITS = N_PAYLOAD_BITS + N_CRC_BITS

_CONSENT_ID = re.compile(r"[0-9a-f]{7}")
_WIDTHS = {"schema": 4, "product": 8, "avatar": 28, "session": 24}


@dataclass(frozen=True, slots=True)
class Payload:
    """What a mark says about the picture (module docstring: bit layout).

    Raises:
        WatermarkError: a field does not fit its bits.
    """

    avatar: int = 0
    session: int = 0
    product: int = PRODUCT_FACEPUPPET
    schema: int = SCHEMA_AVATAR

    def __post_init__(self) -> None:
        for name, width in _WIDTHS.items():
            value = getattr(self, name)
            if not 0 <= value < 1 << width:
                raise WatermarkError(
                    f"payload field {name} = {value}",
                    f"0 to {(1 << width) - 1}",
                    "Reduce it modulo its width.",
                )

    @classmethod
    def for_avatar(cls, source_sha256: str, session: int = 0) -> Payload:
        """Return the payload of one session with one avatar; session is taken modulo 2²⁴."""
        return cls(avatar=int(source_sha256[:7], 16), session=session % (1 << 24))

    @classmethod
    def for_consent(cls, consent_id: str, session: int = 0) -> Payload:
        """Return the payload of one session by right of a consent record; session is taken modulo 2²⁴.

        Raises:
            WatermarkError: the id is not seven lower-case hexadecimal digits.
        """
        if not _CONSENT_ID.fullmatch(consent_id):
            raise WatermarkError(
                f"consent id {consent_id[:40]!a}", "seven hexadecimal digits", "Pass the record's own `id`."
            )
        return cls(avatar=int(consent_id, 16), session=session % (1 << 24), schema=SCHEMA_CONSENT)

    @classmethod
    def from_int(cls, value: int) -> Payload:
        """Split a 64-bit number into its fields."""
        return cls(
            schema=value >> 60 & 0xF,
            product=value >> 52 & 0xFF,
            avatar=value >> 24 & 0xFFFFFFF,
            session=value & 0xFFFFFF,
        )

    def __int__(self) -> int:
        return self.schema << 60 | self.product << 52 | self.avatar << 24 | self.session

    @property
    def consent_id(self) -> str | None:
        """Seven hexadecimal digits of the consent record, or None in a schema without."""
        return f"{self.avatar:07x}" if self.schema == SCHEMA_CONSENT else None

    @property
    def hex(self) -> str:
        """Sixteen lower-case hexadecimal digits."""
        return f"{int(self):016x}"


def crc16(value: int) -> int:
    """Return CRC-16/CCITT-FALSE of the 64-bit number's eight bytes, most significant first."""
    register = 0xFFFF
    for byte in value.to_bytes(8, "big"):
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1 ^ 0x1021 if register & 0x8000 else register << 1) & 0xFFFF
    return register


def message_bits(payload: Payload) -> U8:
    """Return the (80,) payload and CRC bits, most significant first."""
    word = int(payload) << N_CRC_BITS | crc16(int(payload))
    return np.unpackbits(np.frombuffer(word.to_bytes(N_MESSAGE_BITS // 8, "big"), np.uint8))


def payload_of(bits: U8) -> Payload | None:
    """Return the payload of (80,) message bits, or None when the CRC does not match."""
    word = int.from_bytes(np.packbits(bits).tobytes(), "big")
    value, crc = word >> N_CRC_BITS, word & 0xFFFF
    return Payload.from_int(value) if crc16(value) == crc else None
