"""What a live run is put together from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from fakes import marked, picture
from PIL import Image

from facepuppet.cli import live_parts
from facepuppet.cli.live_parts import Look, card_of, open_puppets, recordings
from facepuppet.cli.rights import RightsOptions
from facepuppet.core.errors import OutputUnwritableError
from facepuppet.inference.runtime import Runtime
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.watermark import PUBLIC_KEY

PORTRAIT = sample_portrait_path()


def test_several_portraits_are_puppets_of_one_canvas(tmp_path: Path) -> None:
    small = tmp_path / PORTRAIT.name
    with Image.open(PORTRAIT) as whole:
        whole.convert("RGB").resize((whole.width * 3 // 4, whole.height * 3 // 4)).save(small, quality=95)
    look = Look("portrait", "blur", True, "tl", None)
    rights = RightsOptions("public-domain")
    puppets = open_puppets([PORTRAIT, small], look, rights, None, PUBLIC_KEY, Runtime("cpu"))
    names = list(puppets)
    assert names == [PORTRAIT.stem, f"{PORTRAIT.stem} 2"], "two of one name are told apart"
    one, two = puppets.values()
    assert one.canvas_px == two.canvas_px and two.avatar.size_px != one.avatar.size_px
    assert two.scene.mirror and two.scene.label.value == "tl" and two.scene.backdrop.word == "blur"
    assert one.mark != two.mark, "each carries its own statement of right"


def test_a_card_is_a_picture_or_a_text(tmp_path: Path) -> None:
    assert card_of(None, (320, 180)) is None
    Image.fromarray(np.full((90, 160, 3), 77, np.uint8)).save(tmp_path / "card.png")
    own, text, other = (card_of(w, (320, 180)) for w in (str(tmp_path / "card.png"), "Lunch", "Tea"))
    assert own is not None and text is not None and other is not None
    assert (own[60:120, 100:220] == 77).all() and (text != other).any()


def test_recordings_are_named_by_the_time_and_never_replace_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Noon(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Noon:
            return cls(2026, 11, 28, 12, 0, 0)

    monkeypatch.setattr(live_parts, "datetime", Noon)
    switch = recordings(tmp_path / "new", (160, 128), 30.0, None)
    for _ in range(2):
        switch.switch(True)
        switch.send(marked(picture()))
        switch.switch(False)
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["facepuppet 2026-11-28 12.00.00 (2).mp4", "facepuppet 2026-11-28 12.00.00.mp4"]


def test_a_folder_that_cannot_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputUnwritableError, match="a folder for recordings"):
        recordings(tmp_path / "file", (160, 128), 30.0, None).switch(True)
