"""Framing, blending, backgrounds, mirror and the visible label."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from compare import EXACT, assert_pictures_equal, differs
from PIL import Image

from facepuppet.core.errors import ImageUnreadableError
from facepuppet.core.types import U8, Rendered
from facepuppet.face.topology import CHIN, FOREHEAD, OUTER_CORNERS
from facepuppet.frames.cpu.compose import Backdrop, Composer, Corner, Framing, Scene, place
from facepuppet.frames.cpu.compose import label as label_module
from facepuppet.frames.cpu.compose.label import LABEL_TEXT, draw_pill
from facepuppet.portrait.avatar import Avatar

RED, BLUE = np.array([200, 30, 30], np.uint8), np.array([40, 80, 160], np.uint8)


def avatar_with(size: tuple[int, int] = (512, 512), face_px: float = 170.0, shoulders: float = 1.0) -> Avatar:
    """A red disc-and-trapezium person before a blue wall; `shoulders` is the body's share of the width."""
    width, height = size
    ys, xs = np.mgrid[0:height, 0:width]
    centre, eyes = width / 2, 0.4 * height
    head = (xs - centre) ** 2 + (ys - eyes) ** 2 < (0.75 * face_px) ** 2
    body = (ys > eyes + 0.9 * face_px) & (np.abs(xs - centre) < shoulders * width / 2)
    alpha = np.where(head | body, 255, 0).astype(np.uint8)
    picture = np.where(alpha[..., None] > 0, RED, BLUE).astype(np.uint8)
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:, :2] = centre, eyes
    landmarks[FOREHEAD, 1], landmarks[CHIN, 1] = eyes - 0.4 * face_px, eyes + 0.6 * face_px
    landmarks[OUTER_CORNERS, 0] += np.float32([-0.3 * face_px, 0.3 * face_px])
    neck = np.float32([[0.2 * width, 0.9 * height], [0.8 * width, 0.9 * height]])
    plate = np.broadcast_to(BLUE, picture.shape).copy()
    red = np.broadcast_to(RED, picture.shape).copy()
    return Avatar("test", picture, landmarks, neck, alpha, red, plate, "0" * 64)


def still(avatar: Avatar) -> Rendered:
    """The portrait's person, unmoved."""
    alpha = avatar.person_alpha[..., None]
    colour = np.rint(avatar.foreground_rgb * (alpha / 255.0)).astype(np.uint8)
    return Rendered(np.concatenate([colour, alpha], axis=2), 7, 123)


def person_rows(rgb: U8) -> U8:
    return np.flatnonzero((rgb[..., 0].astype(int) - rgb[..., 2] > 60).any(axis=1))


def test_portrait_canvas_reproduces_the_portrait_exactly() -> None:
    avatar = avatar_with((301, 333))
    composed = Composer(avatar, None, label=Corner.OFF).compose(still(avatar))
    assert_pictures_equal(composed.rgb, avatar.portrait_rgb, EXACT)
    assert (composed.frame_id, composed.captured_ns) == (7, 123)


def test_blending_is_premultiplied_over() -> None:
    avatar = avatar_with((64, 48))
    rgba = np.zeros((48, 64, 4), np.uint8)
    rgba[10:20, 10:20] = 60, 20, 0, 128
    composed = Composer(avatar, None, label=Corner.OFF).compose(Rendered(rgba, 0, 0))
    expected = np.rint([60, 20, 0] + BLUE * (127 / 255)).astype(int)
    assert np.abs(composed.rgb[15, 15].astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(composed.rgb[0, 0], BLUE)


def test_compose_neither_writes_to_its_input_nor_shares_pictures() -> None:
    avatar = avatar_with()
    composer = Composer(avatar)
    rendered = still(avatar)
    before = rendered.rgba.copy()
    first = composer.compose(rendered)
    kept = first.rgb.copy()
    composer.compose(Rendered(np.zeros_like(before), 8, 124))
    assert_pictures_equal(rendered.rgba, before, EXACT)
    assert_pictures_equal(first.rgb, kept, EXACT)


def test_mirror_flips_the_picture_but_not_the_label() -> None:
    avatar = avatar_with()
    lopsided = still(avatar).rgba.copy()
    lopsided[:, :200] = 0
    rendered = Rendered(lopsided, 0, 0)
    plain = Composer(avatar, label=Corner.OFF).compose(rendered).rgb
    mirrored = Composer(avatar, mirror=True, label=Corner.OFF).compose(rendered).rgb
    assert_pictures_equal(mirrored, plain[:, ::-1], EXACT)
    labelled = Composer(avatar, mirror=True, label=Corner.TOP_LEFT).compose(rendered).rgb
    changed = np.flatnonzero((labelled != mirrored).any(axis=(0, 2)))
    assert changed.size and changed.max() < 640


@pytest.mark.parametrize("corner", [c for c in Corner if c is not Corner.OFF])
def test_label_stands_in_its_corner_and_nowhere_else(corner: Corner) -> None:
    avatar = avatar_with()
    bare = Composer(avatar, label=Corner.OFF).compose(still(avatar)).rgb
    labelled = Composer(avatar, label=corner).compose(still(avatar)).rgb
    ys, xs = np.nonzero((labelled != bare).any(axis=2))
    assert ys.size > 500, "the label should be visible"
    assert (ys.max() < 100) if corner.value[0] == "t" else (ys.min() > 620)
    assert (xs.max() < 320) if corner.value[1] == "l" else (xs.min() > 960)
    assert labelled[ys, xs].max() > 200, "light letters"


@pytest.mark.parametrize("corner", [c for c in Corner if c is not Corner.OFF])
def test_a_label_wider_than_the_canvas_has_room_for_fits_it(corner: Corner) -> None:
    composer = Composer(avatar_with(), (128, 128), label=corner)
    assert composer.compose(Rendered(np.zeros((512, 512, 4), np.uint8), 0, 0)).rgb.shape == (128, 128, 3)


def test_the_label_s_font_has_every_sign_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for sign in set(LABEL_TEXT) - {" "}:
        monkeypatch.setattr(label_module, "LABEL_TEXT", sign)
        drawn = draw_pill((1280, 720))
        monkeypatch.setattr(
            label_module, "LABEL_TEXT", "\uffff"
        )  # no character: drawn as all that a font lacks
        lacking = draw_pill((1280, 720))
        assert drawn.shape != lacking.shape or differs(drawn, lacking, EXACT), sign


def test_a_label_that_comes_and_goes_is_there_at_first_and_again() -> None:
    rgba = np.zeros((512, 512, 4), np.uint8)
    composer = Composer(avatar_with(), (640, 360), label_every_s=10.0)
    bare = Composer(avatar_with(), (640, 360), label=Corner.OFF).compose(Rendered(rgba, 0, 0)).rgb
    begun_s = 1000.0  # a live clock starts anywhere
    shown = {
        t: differs(composer.compose(Rendered(rgba, 0, round((begun_s + t) * 1e9))).rgb, bare, EXACT)
        for t in (0.0, 3.9, 4.1, 9.9, 10.1, 14.1)
    }
    assert shown == {0.0: True, 3.9: True, 4.1: False, 9.9: False, 10.1: True, 14.1: False}


@pytest.mark.parametrize("canvas", [(1280, 720), (641, 359), (320, 240), (1920, 1080), (180, 320)])
def test_any_canvas_is_filled_and_the_person_reaches_its_bottom(canvas: tuple[int, int]) -> None:
    avatar = avatar_with((507, 431))
    composed = Composer(avatar, canvas, label=Corner.OFF).compose(still(avatar)).rgb
    assert composed.shape == (canvas[1], canvas[0], 3)
    assert person_rows(composed)[-1] == canvas[1] - 1


def test_face_stands_at_video_call_height() -> None:
    avatar = avatar_with((800, 1000))
    placement = place(avatar, (1280, 720), Framing())
    y, scale = placement.target_px[1] - placement.source_px[1] * placement.scale, placement.scale
    eyes = avatar.landmarks_px[OUTER_CORNERS, 1].mean() * scale + y
    face = (avatar.landmarks_px[CHIN, 1] - avatar.landmarks_px[FOREHEAD, 1]) * scale
    assert eyes / 720 == pytest.approx(0.40, abs=0.01)
    assert face / 720 == pytest.approx(0.40, abs=0.01)


def test_short_portrait_is_enlarged_rather_than_left_floating() -> None:
    avatar = avatar_with((512, 380))
    placement = place(avatar, (1280, 720), Framing())
    assert placement.target_px[1] + placement.target_px[3] >= 720


def test_a_head_cut_off_at_the_top_reaches_the_top() -> None:
    avatar = avatar_with((512, 512), face_px=330)
    assert avatar.person_alpha[0].any()
    assert place(avatar, (1280, 720), Framing()).target_px[1] <= 0


def test_cut_shoulders_go_on_without_a_seam() -> None:
    composer = Composer(avatar_with((512, 512)), label=Corner.OFF)
    x, _, w, _ = composer.placement.target_px
    wide = composer.at_shown_size()
    low = wide.compose(still(wide.avatar)).rgb.astype(int)[650:719]
    for border in (x, x + w):
        steps = np.abs(np.diff(low[:, border - 6 : border + 6], axis=1))
        assert steps.max() < 40, "the picture's border would step by 120 or more"


def test_background_has_no_seam() -> None:
    avatar = avatar_with((512, 512), shoulders=0.5)
    empty = Rendered(np.zeros((512, 512, 4), np.uint8), 0, 0)
    ramp = np.linspace(0, 255, 512).astype(np.uint8)
    plate = np.broadcast_to(ramp[:, None, None], (512, 512, 3)).copy()
    shaded = Avatar(*(getattr(avatar, f) if f != "background_rgb" else plate for f in Avatar.__slots__))
    composed = Composer(shaded, label=Corner.OFF).compose(empty).rgb.astype(int)
    assert np.abs(np.diff(composed, axis=1)).max() <= 3


def test_chroma_key_is_one_pure_colour_around_the_person() -> None:
    avatar = avatar_with((512, 512), shoulders=0.6)
    composed = Composer(avatar, backdrop=Backdrop.parse("#00ff00"), label=Corner.OFF).compose(still(avatar))
    assert (composed.rgb[:, :200] == [0, 255, 0]).all()
    assert (composed.rgb[:, -200:] == [0, 255, 0]).all()


def test_image_background_covers_the_canvas(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.new("RGB", (100, 300), (9, 8, 7)).save(path)
    avatar = avatar_with((512, 512), shoulders=0.6)
    composed = Composer(avatar, backdrop=Backdrop.parse(str(path)), label=Corner.OFF).compose(still(avatar))
    assert (composed.rgb[:, :200] == [9, 8, 7]).all()


@pytest.mark.parametrize("text", ["nowhere.png", "no colour"])
def test_unknown_background_is_one_clear_error(text: str) -> None:
    with pytest.raises(ImageUnreadableError, match="background"):
        Backdrop.parse(text)


def test_damaged_background_picture_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(b"not a picture")
    with pytest.raises(ImageUnreadableError, match=r"bad\.png"):
        Backdrop.parse(str(path))


def sloping(size: tuple[int, int] = (512, 600), *, hair: bool = False) -> Avatar:
    """The same person with shoulders that slope down to the borders, which cut them; hair may hang there."""
    avatar, (width, height) = avatar_with(size, 150.0), size
    ys, xs = np.mgrid[0:height, 0:width]
    line = 0.4 * height + 0.65 * 150.0 + 1.1 * np.maximum(np.abs(xs - width / 2) - 0.25 * width, 0)
    head = avatar.person_alpha * (ys < 0.4 * height + 0.75 * 150.0)
    alpha = np.maximum(head, np.where(ys > line, 255, 0)).astype(np.uint8)
    if hair:
        alpha[(np.abs(xs - width / 2) > 0.4 * width) & (ys > 0.3 * height) & (ys < line - 40)] = 255
    return replace(avatar, person_alpha=alpha)


@pytest.mark.parametrize("hair", [False, True])
def test_what_goes_on_of_a_cut_shoulder_falls_outwards(hair: bool) -> None:
    composer = Composer(sloping(hair=hair), (1280, 720), framing=Framing(0.3), label=Corner.OFF)
    x, _, w, _ = composer.placement.target_px
    wide = composer.at_shown_size()
    wide.set_scene(Scene(Backdrop.parse("#00ff00"), label=Corner.OFF))
    rgb = wide.compose(still(wide.avatar)).rgb.astype(int)
    person = rgb[..., 0] > rgb[..., 1]
    rows = np.arange(720)[:, None]
    lowest_clear = np.where(person, 0, rows).max(axis=0)  # above the body, below any hair
    for outline in (lowest_clear[x + w - 8 :], lowest_clear[: x + 8][::-1]):
        assert outline[0] < 715 and outline[-1] == 719, "shoulders are cut, and end before the canvas does"
        assert np.diff(outline).min() > -3, "it falls outwards"


def test_the_picture_beside_a_cut_is_the_canvas_with_the_person_over_it() -> None:
    avatar = sloping()
    composer = Composer(avatar, (1280, 720), label=Corner.OFF)
    wide = composer.at_shown_size()
    left = round((composer.placement.target_px[0] - wide.placement.target_px[0]) / composer.placement.scale)
    assert left > 10
    middle = np.s_[:, left + 150 : left + 350]
    assert_pictures_equal(wide.avatar.portrait_rgb[middle], avatar.portrait_rgb[:, 150:350], EXACT)
    np.testing.assert_allclose(wide.avatar.landmarks_px[:, 0] - avatar.landmarks_px[:, 0], left)
    alone = Composer(avatar_with((512, 512), shoulders=0.5), (1280, 720))
    assert alone.at_shown_size().avatar.size_px == (512, 512), "nothing is cut"
