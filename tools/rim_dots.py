"""Dots and saw-teeth along the borders of the moved face mesh, over the whole safe range.

    python tools/rim_dots.py [PICTURE_OR_FOLDER ...] [--count 30] [--json FILE] [--sheet FILE.png]

Every portrait (the built-in sample where none is given; of folders, `--count` pictures, evenly spread) is
turned, nodded, opened and looked aside, by what the retargeter makes of it, alone and together, up to the
limits of its safe range. A border is the outline of what the moved mesh covers, and that of its lips. The
pixels on it are visited one after another, as contour following finds them, on the border itself and on
parallels up to two pixels beside it. One that is lighter by more than 24 levels, or darker, in the same
channel, than both its neighbours along the border, 1 to 3 px before and behind, is a dot: an edge runs along
the border and is no such thing, a tooth of a saw is. Hair, lashes and lines of the lips cross borders, too:
what is one of more than 12 levels when the same motion is drawn three times as large, on a mesh three times
as fine, and averaged, is the portrait's own, and does not count.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from facepuppet.core import (
    F32,
    N_BLENDSHAPES,
    U8,
    FacepuppetError,
    Motion,
    euler_from_rotation,
    rotation_from_euler,
    vector_from_rotation,
)
from facepuppet.face import (
    ARKIT_INDEX,
    LIPS,
    LIPS_OUTER,
    canonical_landmarks,
    compose_landmarks,
    face_triangles,
    fit_head,
    mouth_gap,
)
from facepuppet.frames import Renderer
from facepuppet.media import images_in
from facepuppet.portrait import Avatar, SafeRange, load_avatar, sample_portrait_path
from facepuppet.retarget import Deltas, Target

LEVELS = 24
OWN_LEVELS = 12  # from which the averaged picture shows the same: it is the portrait's own
TIMES, MOST_SIDE_PX = 3, 2048  # how much larger that is drawn, and its longest side
REACHES_PX = (1, 2, 3)  # along the border, to the neighbours
ASIDE_PX = (-2, -1, 0, 1, 2)  # of the border, which is a line of pixels
SMOOTH = 9  # pixels of a border over which its direction is averaged
# Shares of a limit that a motion asks for: the soft limits grant .96 of 2.
TURNS = (-2.0, -0.6, 0.0, 0.6, 2.0)
NODS = (-2.0, 0.0, 2.0)
GAPS = (0.0, 0.15, 0.5)  # between the lips, in inter-ocular distances
GAZES = ((-2.0, 0.0), (2.0, 0.0), (0.0, -2.0), (0.0, 2.0))


@dataclass(frozen=True, slots=True)
class Dots:
    """How much of the borders is dots.

    Attributes:
        pixels, dots: visited, and found.
        at_rest: share of dots in the portrait itself.
    """

    pixels: int
    dots: int
    at_rest: float

    @property
    def share(self) -> float:
        """Of dots."""
        return self.dots / max(self.pixels, 1)


def motions(avatar: Avatar) -> Iterator[tuple[str, Deltas]]:
    """Every motion that is looked at, and what it is."""
    safe = avatar.safe_range or SafeRange.assumed(
        *euler_from_rotation(fit_head(avatar.landmarks_px).rotation)
    )
    for turn, nod, gap in itertools.product(TURNS, NODS, GAPS):
        angles = (turn * safe.yaw_rad[turn > 0], nod * safe.pitch_rad[nod > 0], 0.0)
        vector = vector_from_rotation(rotation_from_euler(*angles)).astype(np.float32)
        offsets = np.float32(gap) * _jaw_drop()
        yield f"turn {turn:g} nod {nod:g} gap {gap:g}", replace(Deltas.rest(), turn=vector, offsets=offsets)
    for x, y in GAZES:
        gaze = np.array([[x * safe.gaze_x[x > 0], y * safe.gaze_y[y > 0]]] * 2, np.float32)
        yield f"gaze {x:g} {y:g}", replace(Deltas.rest(), gaze=gaze)


class Puppet:
    """Draws one portrait as it is drawn, and the same without aliasing."""

    def __init__(self, avatar: Avatar) -> None:
        times = max(1, min(TIMES, MOST_SIDE_PX // max(avatar.size_px)))
        self.avatar, self._large = avatar, enlarged(avatar, times)
        self._renderer, self._large_renderer = Renderer(avatar), Renderer(self._large)
        self._large_renderer.warp.mesh.max_grid *= times
        self._target, self._large_target = Target(avatar), Target(self._large)

    def drawn(self, deltas: Deltas) -> tuple[U8, F32]:
        """The picture (H, W, 3) of a motion and the landmarks (478, 3)."""
        motion = self._target.motion(deltas)
        return _shown(self._renderer, self.avatar, motion), motion.landmarks_px

    def averaged(self, deltas: Deltas) -> U8:
        """The same picture, drawn larger and averaged."""
        large = _shown(self._large_renderer, self._large, self._large_target.motion(deltas))
        return np.asarray(cv2.resize(large, self.avatar.size_px, interpolation=cv2.INTER_AREA), np.uint8)


def measure(avatar: Avatar) -> Dots:
    """Return the dots of one portrait."""
    puppet = Puppet(avatar)
    rest = dots_along(avatar.portrait_rgb, puppet.averaged(Deltas.rest()), avatar.landmarks_px)
    pixels = dots = 0
    for _, deltas in motions(avatar):
        rgb, landmarks_px = puppet.drawn(deltas)
        found = dots_along(rgb, puppet.averaged(deltas), landmarks_px)
        pixels, dots = pixels + found[0], dots + found[1]
    return Dots(pixels, dots, rest[1] / max(rest[0], 1))


def dots_along(rgb: U8, averaged: U8, landmarks_px: F32) -> tuple[int, int]:
    """Pixels along the borders of a face (478, 3) in an (H, W, 3) picture, and how many of them are dots.

    Args:
        rgb: the picture.
        averaged: the same without aliasing.
        landmarks_px: of the face in both.
    """
    pixels = dots = 0
    for border in borders(landmarks_px, averaged.shape[1::-1]):
        places = _Places.beside(border, averaged.shape[1::-1])
        found = places.dots(rgb, LEVELS) & ~places.dots(averaged, OWN_LEVELS)
        pixels, dots = pixels + len(found), dots + int(found.sum())
    return pixels, dots


def borders(landmarks_px: F32, size_px: tuple[int, int]) -> list[F32]:
    """Pixels (n, 2) of each closed outline of the moved mesh, and of its lips."""
    triangles = face_triangles()
    outlines = []
    for chosen in (triangles, triangles[np.isin(triangles, LIPS).all(1)]):
        mask = np.zeros(size_px[::-1], np.uint8)
        for corners in landmarks_px[chosen, :2]:
            cv2.fillConvexPoly(mask, np.round(corners * 16).astype(np.int32), 255, shift=4)
        found, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        outlines += [one[:, 0].astype(np.float32) for one in found if len(one) > 4 * SMOOTH]
    return outlines


@dataclass(frozen=True, slots=True)
class _Places:
    """Pixels along a border and beside it.

    Attributes:
        at: (n, 2) float32, whole numbers.
        along: (n, 2) direction of the border there, of length 1.
    """

    at: F32
    along: F32

    @classmethod
    def beside(cls, border: F32, size_px: tuple[int, int]) -> _Places:
        """Return the places of a closed outline (n, 2) that lie well within the picture."""
        padded = np.concatenate([border[-SMOOTH:], border, border[:SMOOTH]])
        smooth = cv2.blur(padded, (1, SMOOTH), borderType=cv2.BORDER_REPLICATE)
        along = (np.roll(smooth, -2, axis=0) - np.roll(smooth, 2, axis=0))[SMOOTH:-SMOOTH]
        smooth = smooth[SMOOTH:-SMOOTH]
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
        inside = ((smooth > 6) & (smooth < np.subtract(size_px, 7))).all(1)
        line, along = smooth[inside], along[inside]
        across = along[:, ::-1] * (1, -1)
        at = np.round(np.concatenate([line + aside * across for aside in ASIDE_PX]))
        return cls(at.astype(np.float32), np.tile(along, (len(ASIDE_PX), 1)))

    def dots(self, rgb: U8, levels: float) -> np.ndarray:
        """Whether each differs from both neighbours by more than some levels, in the same direction: (n,)."""
        found = np.zeros(len(self.at), bool)
        here = _look(rgb, self.at)
        for reach in REACHES_PX:
            before, behind = (here - _look(rgb, self.at + sign * reach * self.along) for sign in (-1, 1))
            lighter, darker = np.minimum(before, behind).max(1), np.maximum(before, behind).min(1)
            found |= (lighter > levels) | (darker < -levels)
        return found


def _look(rgb: U8, at: F32) -> F32:
    """Colours (n, 3) at points (n, 2)."""
    if not len(at):
        return np.zeros((0, 3), np.float32)
    parts = np.array_split(at[:, None], 1 + len(at) // 30000)  # OpenCV's pictures have fewer than 32767 rows
    seen = [cv2.remap(rgb, part, None, cv2.INTER_LINEAR) for part in parts]
    return np.concatenate(seen)[:, 0].astype(np.float32)


def _shown(renderer: Renderer, avatar: Avatar, motion: Motion) -> U8:
    """The moved portrait (H, W, 3) before its own background."""
    rgba = renderer.render(motion).rgba
    clear = cv2.merge([255 - rgba[..., 3]] * 3)
    plate = cv2.multiply(avatar.background_rgb, clear, scale=1 / 255)
    return np.asarray(cv2.add(plate, np.ascontiguousarray(rgba[..., :3])), np.uint8)


def enlarged(avatar: Avatar, times: int) -> Avatar:
    """The avatar, so many times as large."""
    size = (avatar.size_px[0] * times, avatar.size_px[1] * times)

    def larger(layer: U8) -> U8:
        return np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_CUBIC), np.uint8)

    landmarks, shoulders = avatar.landmarks_px * np.float32(times), avatar.shoulders_px * np.float32(times)
    landmarks[:, :2] += (times - 1) / 2  # centres of pixels correspond, not corners
    return replace(
        avatar,
        portrait_rgb=larger(avatar.portrait_rgb),
        landmarks_px=landmarks,
        shoulders_px=shoulders + np.float32((times - 1) / 2),
        person_alpha=larger(avatar.person_alpha),
        foreground_rgb=larger(avatar.foreground_rgb),
        background_rgb=larger(avatar.background_rgb),
        views=(),
    )


def _jaw_drop() -> F32:
    """(478, 3) offsets in the head frame that part the lips by one inter-ocular distance."""
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = 1.0
    shut = canonical_landmarks()
    dropped = compose_landmarks(shut, weights)
    return ((dropped - shut) / (mouth_gap(dropped) - mouth_gap(shut))).astype(np.float32)


def sheet(avatar: Avatar, side_px: int = 520) -> U8:
    """A row of crops around mouth and far jaw, enlarged without smoothing, at five of the motions."""
    puppet, cells = Puppet(avatar), []
    half = 0.9 * avatar.inter_ocular_px
    chosen = (
        "turn 0 nod 0 gap 0.5",
        "turn -2 nod 0 gap 0.15",
        "turn 2 nod 0 gap 0",
        "turn -0.6 nod 2 gap 0.5",
        "turn 2 nod -2 gap 0.5",
    )
    for name, deltas in motions(avatar):
        if name in chosen:
            rgb, landmarks_px = puppet.drawn(deltas)
            centre = landmarks_px[LIPS_OUTER, :2].mean(0)
            matrix = np.float32([[1, 0, half - centre[0]], [0, 1, half - centre[1]]])
            crop = cv2.warpAffine(rgb, matrix, (int(2 * half), int(2 * half)), flags=cv2.INTER_NEAREST)
            cells.append(cv2.resize(crop, (side_px, side_px), interpolation=cv2.INTER_NEAREST))
    return np.hstack(cells)


def _chosen(given: list[Path], count: int) -> list[Path]:
    """The pictures named, and of folders as many as asked for, evenly spread."""
    named = [path for path in given if not path.is_dir()] or ([] if given else [sample_portrait_path()])
    found = [path for folder in given if folder.is_dir() for path in images_in(folder)]
    wanted = max(count - len(named), 0)
    spread = np.unique(np.linspace(0, len(found) - 1, min(wanted, len(found))).astype(int)) if found else []
    return [*named, *(found[i] for i in spread)]


def main() -> None:
    """Measure every portrait, and tell each and all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("portraits", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=30, help="of pictures in all")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="write crops to look at")
    args = parser.parse_args()
    table: dict[str, Dots] = {}
    rows = []
    for path in _chosen(args.portraits, args.count):
        try:
            avatar = load_avatar(path)
        except FacepuppetError as error:
            print(f"{path.name}: {error}")
            continue
        table[path.name] = found = measure(avatar)
        print(
            f"{1e4 * found.share:7.2f} of 10,000, {1e4 * found.at_rest:7.2f} at rest  {path.name}", flush=True
        )
        if args.sheet:
            rows.append(sheet(avatar))
    shares = [found.share for found in table.values()]
    print(f"{1e4 * np.mean(shares):7.2f} of 10,000, mean of {len(shares)} portraits")
    if args.json:
        args.json.write_text(json.dumps({name: asdict(found) for name, found in table.items()}, indent=1))
    if args.sheet:
        cv2.imwrite(str(args.sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
