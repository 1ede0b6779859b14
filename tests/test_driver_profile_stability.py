"""A driver profile from half a minute is nearly the one from all there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driver_profile_stability import _concordance, agreements
from scripted_faces import tracking_at

from calibrate.driver_profile import make_profile
from facepuppet.drivers.camera.channels import CHANNELS
from facepuppet.drivers.scripted import PIECE_S

FPS = 20


def test_concordance_falls_with_offset_and_gain_where_correlation_does_not() -> None:
    wave = np.sin(np.linspace(0, 20, 500))
    assert _concordance(wave, wave) == pytest.approx(1.0)
    assert _concordance(wave, wave + 1.0) < 0.6
    assert _concordance(wave, 0.3 * wave) < 0.6
    assert _concordance(wave, -wave) < -0.9


def test_one_round_of_a_piece_that_repeats_gives_the_profile_of_three() -> None:
    whole = [tracking_at(i / FPS, i) for i in range(round(3 * PIECE_S * FPS))]
    one, all_of_it = (make_profile(part, "the piece").ranges for part in (whole[: len(whole) // 3], whole))
    for name, channel in CHANNELS.items():
        for side in ("rest", "low", "high"):
            gap = getattr(one[name], side) - getattr(all_of_it[name], side)
            assert abs(gap) < 0.06 * channel.span, (name, side)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("clip", ["hm_xzy1", "fgnet_franck"])
def test_clips_of_25_seconds_agree_with_the_whole_recording(shared: Path, clip: str) -> None:
    found, refused = agreements(shared / "clips" / f"{clip}.mp4", 25.0, 5.0)
    assert len(found) >= 4 and not refused
    assert min(one.profile for one in found) >= 0.95
    assert min(one.shape for one in found) >= 0.95
    assert float(np.median([one.motion for one in found])) >= 0.95
