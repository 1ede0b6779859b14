"""Still pictures as a source."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
from bad_files import png_bomb
from fakes import picture
from PIL import Image

from facepuppet.core.errors import MediaUnreadableError
from facepuppet.media import open_source


def save(path: Path, level: int, size_px: tuple[int, int] = (32, 16)) -> None:
    Image.fromarray(picture(size_px, level=level)).save(path)


def test_a_folder_is_read_in_natural_order_at_the_asked_rate(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        save(tmp_path / f"frame{number}.png", level=number)
    (tmp_path / "notes.txt").write_text("not a picture")
    with open_source(tmp_path, fps=10.0) as source:
        frames = [source.read() for _ in range(4)]
    assert source.size_px == (32, 16)
    assert source.n_frames == 3
    assert not source.live
    assert [(int(f.rgb[0, 0, 0]), f.frame_id, f.pts_s) for f in frames if f] == [
        (1, 0, 0),
        (2, 1, 0.1),
        (10, 2, 0.2),
    ]
    assert frames[3] is None


def test_one_image_is_one_frame(tmp_path: Path) -> None:
    save(tmp_path / "one.png", level=9)
    with open_source(str(tmp_path / "one.png")) as source:
        first, second = source.read(), source.read()
    assert first is not None
    assert first.rgb[0, 0].tolist() == [9, 9, 9]
    assert second is None


def test_a_damaged_image_is_skipped_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "a.png", level=1)
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing of use")
    save(tmp_path / "c.png", level=3)
    with caplog.at_level(logging.WARNING), open_source(tmp_path) as source:
        levels = [int(frame.rgb[0, 0, 0]) for frame in iter(source.read, None) if frame is not None]
    assert levels == [1, 3]
    assert "b.png: skipped" in caplog.text


@pytest.mark.parametrize("name", ["empty", "broken.png"])
def test_without_a_readable_image_it_says_so(tmp_path: Path, name: str) -> None:
    if name.endswith(".png"):
        (tmp_path / name).write_bytes(b"")
    else:
        (tmp_path / name).mkdir()
    with pytest.raises(MediaUnreadableError, match="no readable image"):
        open_source(tmp_path / name)


def test_sixteen_bits_transparency_and_rotation_become_plain_upright_rgb(tmp_path: Path) -> None:
    deep = np.full((16, 32, 3), 200 * 257, np.uint16)
    cv2.imwrite(str(tmp_path / "1.png"), deep)
    Image.new("RGBA", (32, 16), (10, 20, 30, 128)).save(tmp_path / "2.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to view
    Image.new("RGB", (32, 16), (250, 0, 0)).save(tmp_path / "3.jpg", exif=exif)
    with open_source(tmp_path) as source:
        deep8, clear, turned = (source.read() for _ in range(3))
    assert deep8 is not None and clear is not None and turned is not None
    assert deep8.rgb.dtype == np.uint8 and deep8.rgb[0, 0, 0] == 200
    assert clear.rgb[0, 0].tolist() == [69, 74, 79], "half over neutral grey"
    assert turned.rgb.shape == (32, 16, 3)
    assert turned.rgb[5, 5, 0] > 200 > 50 > turned.rgb[5, 5, 2]


def test_a_closed_source_is_at_its_end(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.png", level=number)
    source = open_source(tmp_path)
    assert source.read() is not None
    source.close()
    assert source.read() is None


def test_a_picture_that_claims_to_be_huge_is_skipped_without_decoding_it(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(png_bomb())
    save(tmp_path / "2.png", level=9)
    with open_source(tmp_path) as source:
        frame = source.read()
    assert frame is not None and frame.rgb.max() == 9
