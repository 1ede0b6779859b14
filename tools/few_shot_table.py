"""What more pictures of a person bring: error on frames never given, with 1, 2, 4 and 8 pictures.

    python tools/few_shot_table.py anna=anna1.mp4,anna2.mp4 ben=ben.mp4 --json table.json --sheets DIR

Each clip is cut into stretches of 1.5 seconds. Pictures are taken from every other one: the calmest frame is
the portrait, the seven that differ most are the further pictures, added in several orders. Frames of the
stretches between are rendered by self-reenactment: the motion is what was tracked in the true frame, brought
into the portrait frame, so that the difference to the true frame is the renderer's.

Errors are mean absolute differences of 255; for the mouth also their sum over four levels of a Laplacian
pyramid. The side view is the face in the most turned tenth of the frames.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from calibrate.views.align import aligned_picture, as_view, motion_to
from calibrate.views.candidates import Candidate
from calibrate.views.choose import calmest, most_varied
from calibrate.views.layout import lay_out
from calibrate.views.likeness import light_gain
from calibrate.views.view_gain import part_masks
from facepuppet.core import F32, U8, Motion, euler_from_rotation
from facepuppet.drivers import FaceFollower
from facepuppet.frames import Renderer
from facepuppet.media import open_source
from facepuppet.portrait import Avatar, FaceState, StateReader, analyse_portrait

COUNTS = (1, 2, 4, 8)
STRETCH_S = 1.5
TURNED_SHARE, LEAST_TURN_DEG = 0.1, 8.0  # the most turned tenth of the unseen frames, if turned at all
MEASURES = ("mouth", "mouth_laplacian", "side", "lids")
ORDERS = 3


@dataclass(frozen=True)
class Seen:
    """A face in a frame of a clip."""

    clip: Path
    index: int
    stretch: int
    landmarks_px: F32


@dataclass(frozen=True)
class Test:
    """An unseen frame in the portrait frame; `turned` ones are for the side view only."""

    truth: U8
    motion: Motion
    turned: bool


def main() -> None:
    """Measure every person named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("people", nargs="+", help="NAME=CLIP[,CLIP...]")
    parser.add_argument("--tests", type=int, default=36, help="unseen frames of each person")
    parser.add_argument(
        "--engines", type=Path, help="folder with manifest.toml; the installed one by default"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheets", type=Path, help="folder for a contact sheet of each person")
    options = parser.parse_args()
    table = {}
    for person in options.people:
        name, _, clips = person.partition("=")
        avatar, tests = prepare([Path(clip) for clip in clips.split(",")], options.tests)
        renderer = Renderer(avatar, options.engines)
        table[name] = measure(renderer, avatar, tests)
        if options.sheets:
            save_sheet(options.sheets / f"{name}.png", renderer, avatar, tests)
        print(markdown({name: table[name]}), flush=True)
    print("\n" + markdown(table))
    if options.json:
        options.json.write_text(json.dumps(table, indent=2) + "\n")


def prepare(clips: Sequence[Path], n_tests: int) -> tuple[Avatar, list[Test]]:
    """Return the person's avatar with seven views, and the unseen frames."""
    seen = [face for clip in clips for face in track(clip)]
    given = [face for face in seen if face.stretch % 2 == 0]
    unseen = [face for face in seen if face.stretch % 2]
    portrait = given[calmest([Candidate("", np.zeros((1, 1, 3), np.uint8), g.landmarks_px) for g in given])]
    avatar = analyse_portrait(read([portrait])[0].rgb, name="portrait", source_sha256="0" * 64)
    reader = StateReader(avatar)
    states = [reader.of_face(face.landmarks_px) for face in given]
    pictures = read([given[i] for i in most_varied(states, [reader.rest], max(COUNTS) - 1)])
    ours = lay_out(avatar.portrait_rgb, avatar.landmarks_px)
    views = [as_view(p, avatar, light_gain(lay_out(p.rgb, p.landmarks_px), ours)) for p in pictures]
    turns = np.array([turn_deg(reader.of_face(face.landmarks_px)) for face in unseen])
    turned = np.flatnonzero(turns >= max(LEAST_TURN_DEG, float(np.quantile(turns, 1.0 - TURNED_SHARE))))
    evenly = spread(np.arange(len(unseen)), n_tests)
    return replace(avatar, views=tuple(views)), [
        brought(frame, avatar, is_turned)
        for chosen, is_turned in ((evenly, False), (spread(turned, n_tests // 2), True))
        for frame in read([unseen[i] for i in chosen])
    ]


def turn_deg(state: FaceState) -> float:
    """How far a face is turned to the side from the portrait."""
    return float(abs(np.rad2deg(euler_from_rotation(state.rotation)[0])))


def spread(items: np.ndarray[Any, Any], count: int) -> list[int]:
    """At most `count` of some items, evenly spaced."""
    chosen = np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)
    return [int(item) for item in items[chosen]]


def brought(frame: Candidate, avatar: Avatar, turned: bool) -> Test:
    """Bring an unseen frame to the portrait."""
    truth, landmarks_px = aligned_picture(frame, avatar)
    return Test(truth, motion_to(avatar, landmarks_px), turned)


def track(clip: Path) -> list[Seen]:
    """Follow the face through a clip."""
    found: list[Seen] = []
    with open_source(clip) as source, closing(FaceFollower()) as follower:
        for index, frame in enumerate(iter(source.read, None)):
            t_s = frame.pts_s if frame.pts_s is not None else index / 25
            landmarks_px = follower.follow(frame.rgb, round(t_s * 1e9))
            if landmarks_px is not None:
                found.append(Seen(clip, index, int(t_s / STRETCH_S), landmarks_px))
    return found


def read(faces: Sequence[Seen]) -> list[Candidate]:
    """Decode the pictures of some faces."""
    wanted = {(face.clip, face.index): face for face in faces}
    pictures: dict[tuple[Path, int], U8] = {}
    for clip in {face.clip for face in faces}:
        with open_source(clip) as source:
            for index, frame in enumerate(iter(source.read, None)):
                if (clip, index) in wanted:
                    pictures[clip, index] = frame.rgb
    return [Candidate(f.clip.name, pictures[f.clip, f.index], f.landmarks_px) for f in faces]


def measure(renderer: Renderer, avatar: Avatar, tests: Sequence[Test]) -> dict[str, Any]:
    """Errors by number of pictures: the mean over frames and orders, and the standard error of its change."""
    count = len(avatar.views)
    generator = np.random.default_rng(0)
    orders = [list(range(count)), *(generator.permutation(count).tolist() for _ in range(ORDERS - 1))]
    by_count = []
    for pictures in COUNTS:
        subsets = {frozenset(order[: pictures - 1]) for order in orders}
        runs = [[errors(renderer, avatar, t, set(range(count)) - used) for t in tests] for used in subsets]
        by_count.append(np.mean(runs, axis=0))  # (tests, measures)
    values = np.stack(by_count)
    turned = np.array([test.turned for test in tests])
    result: dict[str, Any] = {"frames": int((~turned).sum()), "turned_frames": int(turned.sum())}
    for m, name in enumerate(MEASURES):
        chosen = values[:, turned if name == "side" else ~turned, m]
        if chosen.shape[1] < 3:
            continue
        steps = np.diff(chosen, axis=0)
        result[name] = {
            "error": [round(float(v), 3) for v in chosen.mean(1)],
            "standard_error_of_step": [round(float(v), 3) for v in steps.std(1) / np.sqrt(chosen.shape[1])],
        }
    return result


def errors(renderer: Renderer, avatar: Avatar, test: Test, left_out: set[int]) -> list[float]:
    """Mouth, mouth by Laplacian pyramid, face and lids."""
    rendered = np.ascontiguousarray(renderer.render(test.motion, left_out=left_out).rgba[..., :3])
    masks = part_masks(test.motion.landmarks_px, avatar)
    error = cv2.absdiff(rendered, test.truth).mean(-1)
    difference = rendered.astype(np.float32) - test.truth
    return [
        error[masks["mouth"]].mean(),
        laplacian_error(difference, masks["mouth"]),
        error[masks["face"]].mean(),
        error[masks["lids"]].mean(),
    ]


def laplacian_error(difference: F32, mask: np.ndarray[Any, Any], levels: int = 4) -> float:
    """Sum over pyramid levels of the mean absolute band, inside the mask."""
    total, inside = 0.0, mask.astype(np.float32)
    for _ in range(levels):
        smaller = cv2.pyrDown(difference)
        band = difference - cv2.pyrUp(smaller, dstsize=difference.shape[1::-1])
        if (inside > 0.5).any():
            total += float(np.abs(band)[inside > 0.5].mean())
        difference, inside = smaller, cv2.pyrDown(inside)
    return total


def save_sheet(path: Path, renderer: Renderer, avatar: Avatar, tests: Sequence[Test]) -> None:
    """Columns of frames; rows: with 1, 2, 4 and 8 pictures, and the truth."""
    shown = sorted(tests, key=lambda test: -test.motion.mouth_opening)[:16:4]
    shown += [test for test in tests if test.turned][::4]
    low = np.maximum(avatar.landmarks_px[:, :2].min(0).astype(int) - 24, 0)
    high = avatar.landmarks_px[:, :2].max(0).astype(int) + 24
    columns = []
    for test in shown:
        cells = [
            renderer.render(test.motion, left_out=set(range(n - 1, len(avatar.views)))).rgba[..., :3]
            for n in COUNTS
        ]
        faces = [cell[low[1] : high[1], low[0] : high[0]] for cell in (*cells, test.truth)]
        columns.append(
            np.vstack([cv2.resize(face, (180, 220), interpolation=cv2.INTER_AREA) for face in faces])
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.hstack(columns)[..., ::-1])


def markdown(table: dict[str, Any]) -> str:
    """Return the table, with the standard error of each step."""
    lines = [
        "| person | error | " + " | ".join(f"{n}" for n in COUNTS) + " | 8 against 1 |",
        "|---" * 7 + "|",
    ]
    for name, row in table.items():
        for measure_name in MEASURES:
            if measure_name in row:
                values = row[measure_name]["error"]
                noise = [0.0, *row[measure_name]["standard_error_of_step"]]
                cells = [
                    f"{v:.2f}" + (f" ± {s:.2f}" if s else "") for v, s in zip(values, noise, strict=True)
                ]
                change = f"{100 * (values[-1] / values[0] - 1):+.0f} %"
                lines.append(f"| {name} | {measure_name} | " + " | ".join(cells) + f" | {change} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
