"""Training data: who is in which split, motions to true landmarks, made sources, folders of samples."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from avatars import hopper
from compare import Tolerance, assert_pictures_equal, compare
from pictures import astronaut_rgb

from engines.data.clips import load_clip
from engines.data.motions import motion_to, true_opening
from engines.data.people import DEFAULT_TABLE, Split, TrainingDataError, clips_of, read_people
from engines.data.regions import REGIONS, cut_samples
from engines.data.samples import Sample, Samples, joined, load_samples
from engines.data.stills import made_motion, still_samples
from facepuppet.core.geometry import rotation_from_euler
from facepuppet.face.gaze import eye_openings
from facepuppet.face.lips import mouth_gap
from facepuppet.face.topology import EYES, LOWER_LIP_INNER, UPPER_LIP_INNER
from facepuppet.frames.cpu.render.renderer import Renderer
from facepuppet.vision.still import FaceMesher


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    (tmp_path / "manifest.toml").write_text("format = 1\n")
    return tmp_path


def test_nobody_is_in_two_splits() -> None:
    people = read_people()
    splits: dict[str, set[Split]] = {}
    for person in people.values():
        splits.setdefault(person.name, set()).add(person.split)
    assert all(len(split) == 1 for split in splits.values())
    assert {Split.TRAIN, Split.VALIDATION} <= {person.split for person in people.values()}


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("[a]\nclips = ['x']\nsplit = 'test'", "split"),
        ("[a]\nclips = 'x'\nsplit = 'train'", "list of clips"),
        ("a = 1", "list of clips"),
        ("[a]\nclips = ['x']\nsplit = 'train'\n[b]\nclips = ['x']\nsplit = 'validation'", "one person"),
        ("[a\n", "table of people"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, table: str, says: str) -> None:
    path = tmp_path / "people.toml"
    path.write_text(table)
    with pytest.raises(TrainingDataError, match=says):
        read_people(path)


def test_an_empty_folder_of_clips_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="0 videos"):
        clips_of(tmp_path, Split.TRAIN, read_people(DEFAULT_TABLE))


def test_unlisted_clips_are_people_of_their_own_for_training(tmp_path: Path) -> None:
    (tmp_path / "new.mp4").touch()
    ((path, person),) = clips_of(tmp_path, Split.TRAIN, {})
    assert (path.stem, person.name, person.split) == ("new", "new", Split.TRAIN)


def test_a_clip_without_a_face_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wall.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, width=160, height=120)
        for _ in range(12):
            wall = np.full((120, 160, 3), 90, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(wall, "rgb24")))
        container.mux(stream.encode())
    with pytest.raises(TrainingDataError, match="0 frames"):
        load_clip(path)


def test_the_motion_to_a_turned_face_puts_every_landmark_there() -> None:
    avatar = hopper()
    turn = rotation_from_euler(0.2, -0.1, 0.05)
    pivot = avatar.head_pivot_px
    true = (1.05 * (avatar.landmarks_px - pivot) @ turn.T + pivot + (8, -5, 0)).astype(np.float32)
    motion = motion_to(avatar, true, eye_openings(avatar.landmarks_px))
    np.testing.assert_allclose(motion.landmarks_px[:468], true[:468], atol=0.05)
    np.testing.assert_allclose(motion.head.rotation, turn, atol=1e-3)
    np.testing.assert_allclose(motion.head.shift_px, (8, -5), atol=0.05)
    assert motion.head.scale == pytest.approx(1.05, abs=1e-3)


def test_lids_that_a_tracker_reports_nearly_shut_are_shut() -> None:
    ratio = np.linspace(0, 1.5, 200, dtype=np.float32)
    opening = true_opening(ratio)
    assert (np.diff(opening) >= 0).all()
    assert opening[ratio <= 0.3].max() <= 1e-6
    np.testing.assert_allclose(opening[ratio >= 1], ratio[ratio >= 1])


def test_made_sources_have_shut_lips_and_unfolded_faces() -> None:
    avatar = hopper()
    rng = np.random.default_rng(0)
    for _ in range(20):
        motion = made_motion(avatar, rng)
        assert motion.mouth_opening <= mouth_gap(avatar.landmarks_px) + 0.02
        gap = motion.landmarks_px[LOWER_LIP_INNER[1:-1], 1] - motion.landmarks_px[UPPER_LIP_INNER[1:-1], 1]
        assert gap.min() > -0.01 * avatar.inter_ocular_px


def test_samples_of_a_still_align_with_the_truth(bare: Path) -> None:
    portrait = astronaut_rgb()  # shows her teeth
    regions = [REGIONS["mouth"], REGIONS["eye"]]
    with FaceMesher() as mesher:
        found = list(still_samples(portrait, mesher, regions, bare, rng=np.random.default_rng(3), order=5))
    assert [name for name, _ in found] == ["mouth", "eye", "eye"]
    for name, sample in found:
        side = REGIONS[name].crop_px
        assert sample.warped.shape == sample.target.shape == sample.source.shape == (side, side, 3)
        assert sample.contours.shape == (4, side, side)
        assert_pictures_equal(sample.warped, sample.target, Tolerance(mean=12))
        shuffled = compare(np.roll(sample.warped, 6, 1), sample.target)
        assert compare(sample.warped, sample.target).mean < shuffled.mean


def test_a_blank_still_gives_no_samples(bare: Path) -> None:
    blank = np.full((256, 256, 3), 120, np.uint8)
    with FaceMesher() as mesher:
        args = (blank, mesher, [REGIONS["mouth"]], bare)
        assert not list(still_samples(*args, rng=np.random.default_rng(0), order=0))


def test_the_eye_crops_mirror_each_other(bare: Path) -> None:
    avatar = hopper()
    motion = motion_to(avatar, avatar.landmarks_px, eye_openings(avatar.landmarks_px))
    rgba = Renderer(avatar, bare).render(motion).rgba
    left, right = cut_samples(REGIONS["eye"], avatar, motion, rgba, avatar.portrait_rgb, "x", 0)
    # The inner corner (towards the nose) is on the same side of both.
    assert EYES[0].inner != EYES[1].inner
    centres = [np.argwhere(sample.contours[0] > 128).mean(0) for sample in (left, right)]
    np.testing.assert_allclose(*centres, atol=3)


def _sample(origin: str, order: int, rng: np.random.Generator) -> Sample:
    picture = [rng.integers(0, 255, (8, 8, 3), np.uint8) for _ in range(3)]
    contours, coverage = rng.integers(0, 255, (4, 8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    return Sample(*picture, contours, coverage, float(rng.random()), origin, order)


def test_samples_survive_the_disk_and_join(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = [Samples.of(_sample(o, k, rng) for k in range(3)) for o in ("a clip", "still")]
    for number, part in enumerate(parts):
        part.save(tmp_path / str(number))
    both = joined([load_samples(tmp_path / "0"), load_samples(tmp_path / "1")])
    np.testing.assert_array_equal(both.target, np.concatenate([p.target for p in parts]))
    assert [both.origins[i] for i in both.origin] == ["a clip"] * 3 + ["still"] * 3
    assert len(set(both.order.tolist())) == 6


def test_mixed_up_folders_of_samples_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    Samples.of([_sample("a", k, rng) for k in range(3)]).save(tmp_path)
    np.save(tmp_path / "order.npy", np.zeros(2, np.uint32))
    with pytest.raises(TrainingDataError, match="mixed up"):
        load_samples(tmp_path)
    (tmp_path / "warped.npy").write_bytes(b"nonsense")
    with pytest.raises(TrainingDataError, match="folder of samples"):
        load_samples(tmp_path)
