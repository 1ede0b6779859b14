"""Colour profiles made from scratch: matrices and curves, or a table for inks."""

from __future__ import annotations

import struct

import numpy as np

# Columns are the primaries, adapted to D50 as profiles want them.
DISPLAY_P3 = ((0.5151, 0.2920, 0.1571), (0.2412, 0.6922, 0.0666), (-0.0011, 0.0419, 0.7841))
SRGB = ((0.4361, 0.3851, 0.1431), (0.2225, 0.7169, 0.0606), (0.0139, 0.0971, 0.7141))
_D50 = (0.9642, 1.0, 0.8249)


def rgb_profile(columns: tuple[tuple[float, ...], ...], gamma: float | None = None) -> bytes:
    """A profile of a screen; sRGB's own curve unless a gamma is given."""
    curve = _curve(gamma)
    tags = {f"{c}XYZ": _xyz(*(row[i] for row in columns)) for i, c in enumerate("rgb")}
    return _profile(b"mntr", b"RGB ", b"XYZ ", {**tags, **{f"{c}TRC": curve for c in "rgb"}})


def grey_profile(gamma: float) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {"kTRC": _curve(gamma)})


def cmyk_profile(rich: bool = True) -> bytes:
    """Inks that darken in Lab; cyan ink is blue here, so that nobody converts without looking."""
    cells = []
    for index in range(16):
        c, m, y, k = ((index >> shift) & 1 for shift in (3, 2, 1, 0))
        light = 255 * (1 - k) * (1 - 0.5 * c) * (1 - 0.4 * m)
        cells += [int(light), 128 + 40 * m * (1 - k), 128 - 80 * c * (1 - k) + 60 * y * (1 - k)]
    ramp = bytes(range(256))
    head = (
        b"mft1\0\0\0\0"
        + struct.pack(">BBBx", 4, 3, 2)
        + struct.pack(">9i", *(65536 * int(i in (0, 4, 8)) for i in range(9)))
    )
    table = head + 4 * ramp + bytes(np.clip(cells, 0, 255).tolist()) + 3 * ramp
    return _profile(b"prtr", b"CMYK", b"Lab ", {"A2B0": table})


def _curve(gamma: float | None) -> bytes:
    if gamma is not None:
        return struct.pack(">4sxxxxIH", b"curv", 1, round(256 * gamma))
    x = np.linspace(0, 1, 1024)
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return struct.pack(">4sxxxxI1024H", b"curv", 1024, *np.rint(65535 * linear).astype(int).tolist())


def _xyz(*values: float) -> bytes:
    return struct.pack(">4sxxxx3i", b"XYZ ", *(round(65536 * value) for value in values))


def _profile(kind: bytes, space: bytes, connected: bytes, tags: dict[str, bytes]) -> bytes:
    text = b"made for a test"
    named = {
        "desc": struct.pack(">4sxxxxI", b"desc", len(text) + 1) + text + b"\0" * 80,
        "wtpt": _xyz(*_D50),
        **tags,
    }
    table, body, at = struct.pack(">I", len(named)), b"", 128 + 4 + 12 * len(named)
    for name, content in named.items():
        padded = content + b"\0" * (-len(content) % 4)
        table += struct.pack(">4sII", name.encode(), at + len(body), len(content))
        body += padded
    size = 128 + len(table) + len(body)
    white = struct.pack(">3i", *(round(65536 * value) for value in _D50))
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, kind, space, connected)
    head += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28 + white
    return head.ljust(128, b"\0") + table + body
