"""SPEC.md and the code say the same."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from facepuppet import watermark
from facepuppet.watermark.carrier import carrier_of, field_of
from facepuppet.watermark.code import encode
from facepuppet.watermark.keys import PUBLIC_KEY
from facepuppet.watermark.payload import Payload, crc16, message_bits
from facepuppet.watermark.probability import LOG_ALPHA, log_look_share, log_tail

SPEC = (Path(watermark.__file__).parent / "SPEC.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def vectors() -> dict[str, object]:
    match = re.search(r"```json\n(.*?)```", SPEC, re.DOTALL)
    assert match
    return dict(json.loads(match[1]))


def test_key_stream(vectors: dict[str, object]) -> None:
    secret = str(vectors["secret_ascii"]).encode()
    assert PUBLIC_KEY.secret == secret
    assert hashlib.shake_256(b"carrier 1\0" + secret).digest(16).hex() == vectors["stream_first_16_bytes"]


def test_carrier_written_out_by_the_page_alone(vectors: dict[str, object]) -> None:
    bins = [
        (ky, kx)
        for ky in [*range(64), *range(-64, 0)]
        for kx in [*range(96), *range(-96, 0)]
        if 7**2 <= (90 * ky / 128) ** 2 + (90 * kx / 192) ** 2 < 30**2
    ]
    words = np.frombuffer(PUBLIC_KEY.stream("carrier 1", 4 * len(bins)), ">u2").reshape(-1, 2)
    order = sorted(range(len(bins)), key=lambda b: (words[b, 1], b))
    pilot = set(order[: round(len(bins) / 3)])
    slot = {b: i % 264 for i, b in enumerate(order[len(pilot) :])}
    assert len(bins) == vectors["n_bins"]
    assert len(pilot) == vectors["n_pilot"]
    assert [list(b) for b in bins[:4]] == vectors["first_bins_row_column"]
    assert [slot.get(b, -1) for b in range(4)] == vectors["first_slots"]
    carrier = carrier_of(PUBLIC_KEY)
    assert [slot.get(b, -1) for b in range(len(bins))] == carrier.slot.tolist()


def test_payload_code_and_field(vectors: dict[str, object]) -> None:
    payload = Payload(avatar=0x1234567, session=0xABCDEF)
    code = encode(message_bits(payload))
    assert payload.hex == vectors["payload"]
    assert f"{crc16(int(payload)):04x}" == vectors["crc16"]
    assert np.packbits(code).tobytes().hex() == vectors["code_bits_hex"]
    carrier = carrier_of(PUBLIC_KEY)
    field = field_of(carrier.signed(code), carrier)
    for place, (real, imaginary) in vectors["field_at_row_column"].items():  # type: ignore[attr-defined]
        row, column = (int(part) for part in place.split(","))
        assert field[row, column] == pytest.approx(real + 1j * imaginary, abs=2e-4)
    assert np.sqrt(np.mean(field.real**2)) == pytest.approx(1.0, abs=0.02)


def test_the_page_has_a_payload_by_consent() -> None:
    assert Payload.for_consent("1234567", 0xABCDEF).hex in SPEC


def test_tail_bound(vectors: dict[str, object]) -> None:
    for u, expected in vectors["log_tail"].items():  # type: ignore[attr-defined]
        assert log_tail(float(u)) == pytest.approx(expected, abs=1e-5)


def test_tail_bound_holds_for_unequal_random_phasors() -> None:
    rng = np.random.default_rng(0)
    weights = rng.pareto(1.0, 30) + 0.1  # a few terms dominate, as edges in a picture do
    weights /= np.linalg.norm(weights)
    sums = np.exp(2j * np.pi * rng.random((200_000, 30))) @ weights
    for u in (2.0, 4.0, 6.0, 8.0):
        assert np.mean(np.abs(sums) ** 2 >= u) <= np.exp(log_tail(u))


def test_shares_of_repeated_looks_add_up_to_at_most_one() -> None:
    assert sum(np.exp(log_look_share(n)) for n in range(1, 10_000)) <= 1.0
    assert np.exp(LOG_ALPHA) == pytest.approx(1e-6)
