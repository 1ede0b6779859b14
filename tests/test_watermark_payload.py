"""Payload bits, CRC and the convolutional code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facepuppet.core.errors import WatermarkError
from facepuppet.watermark import Key, Payload
from facepuppet.watermark.code import N_CODE_BITS, decode, encode
from facepuppet.watermark.payload import N_MESSAGE_BITS, crc16, message_bits, payload_of

PAYLOADS = st.builds(
    Payload,
    st.integers(0, (1 << 28) - 1),
    st.integers(0, (1 << 24) - 1),
    st.integers(0, 255),
    st.integers(0, 15),
)


@given(PAYLOADS)
def test_payload_survives_bits_and_crc(payload: Payload) -> None:
    bits = message_bits(payload)
    assert payload_of(bits) == payload
    bits[37] ^= 1
    assert payload_of(bits) is None


def test_crc_check_value() -> None:
    # CRC-16/CCITT-FALSE of the digits "12345678" (the catalogue's check value is for nine digits).
    assert crc16(int.from_bytes(b"12345678", "big")) == 0xA12B


def test_payload_hex_is_laid_out_as_documented() -> None:
    assert Payload(avatar=0xABCDEF1, session=0x234567).hex == "101abcdef1234567"
    assert Payload.for_avatar("f" * 64, session=(1 << 24) + 5) == Payload(0xFFFFFFF, 5)


def test_a_consent_id_takes_the_avatars_place() -> None:
    payload = Payload.for_consent("1234567", session=(1 << 24) + 0xABCDEF)
    assert payload.hex == "2011234567abcdef", "as SPEC.md has it"
    assert payload.consent_id == "1234567"
    assert Payload.for_avatar("f" * 64).consent_id is None
    for bad in ("", "123456", "12345678", "123456G", "123456F", "１234567"):
        with pytest.raises(WatermarkError, match="seven hexadecimal digits"):
            Payload.for_consent(bad)


@pytest.mark.parametrize("field", ["avatar", "session", "product", "schema"])
def test_fields_must_fit(field: str) -> None:
    with pytest.raises(WatermarkError, match=field):
        Payload(**{field: 1 << 28})


@given(PAYLOADS)
@settings(max_examples=10, deadline=None)
def test_code_corrects_one_wrong_bit_in_eight(payload: Payload) -> None:
    message = message_bits(payload)
    soft = 1.0 - 2.0 * encode(message).astype(np.float32)
    soft[::8] *= -1
    np.testing.assert_array_equal(decode(soft), message)


def test_code_sizes() -> None:
    assert encode(np.zeros(N_MESSAGE_BITS, np.uint8)).shape == (N_CODE_BITS,) == (264,)


def test_keys_need_a_name_and_enough_secret() -> None:
    with pytest.raises(WatermarkError, match="16"):
        Key("short", b"123")
    with pytest.raises(WatermarkError, match="name"):
        Key("", b"0123456789abcdef")
    assert b"0123456789abcdef" not in repr(Key("k", b"0123456789abcdef")).encode()
