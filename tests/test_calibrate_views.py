"""More pictures of the portrait's person: found, checked, matched, chosen, and their gain measured."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from avatars import hopper
from compare import Tolerance, assert_pictures_equal
from pictures import astronaut_rgb, canvas, hopper_rgb
from typer.testing import CliRunner
from views import motion, picture_of, saved, view_of

from calibrate.cli import app
from calibrate.views.align import as_view, motion_to
from calibrate.views.candidates import Candidate, read_again, read_picture, read_video
from calibrate.views.choose import calmest, difference, most_varied, unrest, what_it_shows
from calibrate.views.collect import add_views, portrait_first
from calibrate.views.layout import lay_out
from calibrate.views.likeness import LEAST_LIKENESS, light_gain, likeness
from calibrate.views.view_gain import measure_gains
from facepuppet.core.errors import MediaUnreadableError, NoFaceError, OtherPersonError, PortraitError
from facepuppet.core.types import U8, Motion
from facepuppet.face.topology import LIPS_INNER
from facepuppet.portrait.face_search import find_faces
from facepuppet.portrait.load import portrait_sha256
from facepuppet.portrait.pack import load_pack
from facepuppet.portrait.requirements import find_the_face
from facepuppet.portrait.view_state import StateReader
from facepuppet.portrait.views import MAX_VIEWS, view_box

GREEN = (20, 230, 40)


def paint_interior(rgb: U8, moved: Motion) -> None:
    cv2.fillPoly(rgb, [np.round(moved.landmarks_px[LIPS_INNER, :2]).astype(np.int32)], GREEN)


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pictures of one person on disk: as they are, open-mouthed, turned, eyes shut; and of another."""
    folder = tmp_path_factory.mktemp("stills")
    pictures = {
        "rest": hopper_rgb(),
        "open": picture_of(motion(jaw=0.8)),
        "turned": picture_of(motion(yaw=0.35)),
        "shut": picture_of(motion(eyes=0.0)),
        "other": astronaut_rgb(),
    }
    return {name: saved(folder, f"{name}.png", rgb) for name, rgb in pictures.items()}


@cache
def layout_of(name: str) -> U8:
    rgb = {"hopper": hopper_rgb, "astronaut": astronaut_rgb}[name]()
    return lay_out(rgb, find_the_face(rgb).landmarks_px)


def test_pictures_in_any_order_become_views(stills: dict[str, Path]) -> None:
    told: list[str] = []
    avatar, extras = add_views(hopper(), [stills[n] for n in ("shut", "turned", "open")], told.append)
    assert [extra.name for extra in extras] == ["shut.png", "turned.png", "open.png"]
    assert "eyes shut" in extras[0].shows
    assert "turned" in extras[1].shows and "right" in extras[1].shows
    assert "mouth open" in extras[2].shows
    assert all(extra.likeness >= LEAST_LIKENESS for extra in extras)
    assert len(avatar.views) == 3
    for view in avatar.views:
        assert view.rgb.shape[:2] == view_box(view.landmarks_px)[3:1:-1]
    assert any("shut.png" in line for line in told)


def test_no_more_pictures_change_nothing() -> None:
    avatar, extras = add_views(hopper(), [], lambda line: None)
    assert avatar is hopper() and extras == ()


def test_somebody_else_is_refused_with_a_number(stills: dict[str, Path]) -> None:
    with pytest.raises(OtherPersonError, match=r"other\.png, whose face is -?0\.\d\d like"):
        add_views(hopper(), [stills["open"], stills["other"]], lambda line: None)


def test_likeness_tells_people_apart(stills: dict[str, Path]) -> None:
    ours = layout_of("hopper")
    assert likeness(ours, ours) == pytest.approx(1.0, abs=1e-5)
    assert likeness(layout_of("astronaut"), ours) < LEAST_LIKENESS
    dimmed = (0.6 * ours + 10).astype(np.uint8)
    assert likeness(dimmed, ours) > 0.95


def test_a_picture_without_a_face_is_named(tmp_path: Path) -> None:
    wall = saved(tmp_path, "wall.png", np.full((300, 300, 3), 128, np.uint8))
    with pytest.raises(NoFaceError, match=r"wall\.png: "):
        add_views(hopper(), [wall], lambda line: None)


def test_the_calmest_picture_is_animated_whatever_the_order(stills: dict[str, Path]) -> None:
    given = [stills[n] for n in ("open", "turned", "rest", "shut")]
    assert portrait_first(given) == [stills["rest"], stills["open"], stills["turned"], stills["shut"]]
    assert portrait_first([stills["open"]]) == [stills["open"]]


def test_a_video_alone_has_no_portrait(tmp_path: Path) -> None:
    with pytest.raises(PortraitError, match="only videos"):
        portrait_first([tmp_path / "me.mp4"])


def test_light_is_matched() -> None:
    ours = layout_of("hopper")
    lit = np.clip(ours * np.array([0.6, 0.8, 0.9]), 0, 255).astype(np.uint8)
    np.testing.assert_allclose(light_gain(lit, ours), [1 / 0.6, 1 / 0.8, 1 / 0.9], rtol=0.04)
    np.testing.assert_allclose(light_gain(ours, ours), 1.0, atol=1e-3)
    assert light_gain(np.zeros_like(ours), ours).tolist() == [1.0, 1.0, 1.0]


def test_a_larger_tilted_picture_is_brought_to_the_portrait() -> None:
    rgb = canvas((hopper_rgb(), (640.0, 400.0), 1.15, 0.2))
    view = as_view(Candidate("tilted", rgb, find_the_face(rgb).landmarks_px), hopper())
    off_px = np.linalg.norm((view.landmarks_px - hopper().landmarks_px)[:468, :2], axis=1)
    assert off_px.mean() < 0.05 * hopper().inter_ocular_px
    x, y, width, height = view_box(view.landmarks_px)
    seen = hopper().portrait_rgb[y : y + height, x : x + width]
    middle = np.s_[height // 4 : -height // 4, width // 4 : -width // 4]
    assert_pictures_equal(view.rgb[middle], seen[middle], Tolerance(mean=14))


def test_the_gain_is_that_of_the_others() -> None:
    """Two pictures share a green mouth: each shows the other's; the third has nothing to give."""
    views = (
        view_of(motion(jaw=0.8), paint_interior),
        view_of(motion(jaw=0.7), paint_interior),
        view_of(motion(eyes=0.9)),
    )
    first, second, third = measure_gains(replace(hopper(), views=views))
    assert min(first.gain["mouth"], second.gain["mouth"]) > 0.2
    assert abs(third.gain["mouth"]) < 0.05
    assert first.missed > third.missed


def test_a_single_picture_has_no_others_to_gain() -> None:
    (only,) = measure_gains(replace(hopper(), views=(view_of(motion(jaw=0.8), paint_interior),)))
    assert only.gain == {} and only.missed > 0
    assert measure_gains(hopper()) == ()


def test_motion_to_a_known_motion_is_that_motion() -> None:
    wanted = motion(yaw=0.25, jaw=0.5, eyes=0.4)
    found = motion_to(hopper(), wanted.landmarks_px)
    np.testing.assert_allclose(found.head.rotation, wanted.head.rotation, atol=0.03)
    np.testing.assert_allclose(found.head.shift_px, wanted.head.shift_px, atol=2.0)
    assert found.head.scale == pytest.approx(wanted.head.scale, abs=0.02)
    assert found.mouth_opening == pytest.approx(wanted.mouth_opening, abs=0.02)


def faces(*motions: Motion) -> list[Candidate]:
    blank = np.zeros((2, 2, 3), np.uint8)
    return [Candidate(f"{i}", blank, moved.landmarks_px) for i, moved in enumerate(motions)]


def test_rest_is_calmer_than_anything_else() -> None:
    given = faces(motion(jaw=0.5), motion(yaw=0.4), motion(), motion(eyes=0.0))
    assert calmest(given) == 2
    assert unrest(given[2]) < min(unrest(face) for face in (given[0], given[1], given[3]))


def test_the_most_different_faces_are_picked() -> None:
    reader = StateReader(hopper())
    given = [motion(jaw=0.02), motion(jaw=0.8), motion(yaw=0.02), motion(yaw=0.4), motion(eyes=0.0)]
    states = [reader.of_face(moved.landmarks_px) for moved in given]
    assert set(most_varied(states, [reader.rest], 3)) == {1, 3, 4}
    assert set(most_varied(states, [reader.rest], 99)) == {1, 3, 4}, "what is near another shows nothing new"
    assert difference(states[1], states[1]) == 0.0


def test_words_for_what_is_shown() -> None:
    reader = StateReader(hopper())
    near, turned = faces(motion(), motion(yaw=-0.35))
    assert what_it_shows(near, reader.of_face(near.landmarks_px)) == "near the portrait"
    assert "to the left" in what_it_shows(turned, reader.of_face(turned.landmarks_px))


def write_video(path: Path, frames: list[U8]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=6, options={"crf": "12"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        for rgb in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.thorough
def test_a_video_gives_its_most_varied_frames(tmp_path: Path) -> None:
    shares = np.linspace(0, 1, 4)
    moves = [motion(jaw=0.8 * s) for s in shares] + [motion(yaw=0.45 * s) for s in shares]
    clip = write_video(tmp_path / "clip.mp4", [picture_of(moved) for moved in moves])
    assert 6 <= len(read_video(clip)) <= 8
    avatar, extras = add_views(hopper(), [clip], lambda line: None)
    assert 2 <= len(avatar.views) <= MAX_VIEWS
    assert all("clip.mp4 at" in extra.name for extra in extras)
    shown = " ".join(extra.shows for extra in extras)
    assert "mouth open" in shown and "turned" in shown


def test_videos_that_will_not_do_are_told(tmp_path: Path) -> None:
    wall = write_video(tmp_path / "wall.mp4", [np.full((240, 320, 3), 90, np.uint8)] * 4)
    with pytest.raises(NoFaceError, match=r"wall\.mp4"):
        read_video(wall)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(MediaUnreadableError):
        read_video(broken)


def test_a_frame_that_is_taken_is_read_to_neither_side() -> None:
    """As portraits are: else the views of a video would lie beside the portrait's face."""
    rgb = hopper_rgb()
    followed = Candidate("clip.mp4 at 0.0 s", rgb, find_faces(rgb)[0].landmarks_px)
    portrait = find_the_face(rgb).landmarks_px

    def beside_px(face: Candidate) -> float:
        return float(np.linalg.norm((face.landmarks_px - portrait)[:, :2], axis=1).mean())

    again = read_again(followed)
    assert again.name == followed.name
    assert beside_px(again) < 0.2 < 0.5 < beside_px(followed)
    nobody = Candidate("wall", np.full_like(rgb, 110), followed.landmarks_px)
    assert read_again(nobody) is nobody


def test_reading_a_picture_keeps_its_name(stills: dict[str, Path]) -> None:
    assert read_picture(stills["open"]).name == "open.png"


@pytest.mark.thorough
@pytest.mark.usefixtures("known_range")
def test_the_command_takes_pictures_in_any_order(stills: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "grace.puppet"
    given = [str(stills["open"]), str(stills["rest"])]
    result = CliRunner().invoke(app, ["avatar", *given, "--right", "fictional", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert f"Portrait: {stills['rest']}" in result.output
    assert "open.png: mouth open" in result.output
    loaded = load_pack(out).avatar
    assert loaded.source_sha256 == portrait_sha256(stills["rest"])
    assert len(loaded.views) == 1


def test_the_command_writes_nothing_when_a_picture_shows_somebody_else(
    stills: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "grace.puppet"
    given = [str(stills["rest"]), str(stills["other"])]
    result = CliRunner().invoke(app, ["avatar", "--first", *given, "--right", "fictional", "--out", str(out)])
    assert isinstance(result.exception, OtherPersonError)
    assert not out.exists()
