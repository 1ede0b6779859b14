"""Print the test vectors of facepuppet/watermark/SPEC.md as JSON (the block in the page is this output)."""

from __future__ import annotations

import json

import numpy as np

from facepuppet.watermark import (
    PUBLIC_KEY,
    Payload,
    carrier_of,
    crc16,
    encode,
    field_of,
    log_tail,
    message_bits,
)


def vectors() -> dict[str, object]:
    """Return the vectors for the public key."""
    payload = Payload(avatar=0x1234567, session=0xABCDEF)
    carrier = carrier_of(PUBLIC_KEY)
    code = encode(message_bits(payload))
    field = field_of(carrier.signed(code), carrier)
    first = range(4)
    return {
        "secret_ascii": PUBLIC_KEY.secret.decode(),
        "stream_first_16_bytes": PUBLIC_KEY.stream("carrier 1", 16).hex(),
        "n_bins": len(carrier.rows),
        "n_pilot": int((carrier.slot < 0).sum()),
        "first_bins_row_column": [[int(carrier.rows[i]), int(carrier.columns[i])] for i in first],
        "first_slots": [int(carrier.slot[i]) for i in first],
        "payload": payload.hex,
        "crc16": f"{crc16(int(payload)):04x}",
        "code_bits_hex": np.packbits(code).tobytes().hex(),
        "field_at_row_column": {
            f"{row},{column}": [
                round(float(field[row, column].real), 4),
                round(float(field[row, column].imag), 4),
            ]
            for row, column in ((0, 0), (0, 1), (1, 0), (64, 96), (127, 191))
        },
        "log_tail": {str(u): round(log_tail(u), 6) for u in (1.5, 5.0, 20.0, 60.5)},
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=2))
