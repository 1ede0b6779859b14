"""Where the portrait lies on the canvas: a head-and-shoulders shot like a well-placed webcam's."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import U8
from facepuppet.face.topology import CHIN, FOREHEAD, OUTER_CORNERS
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.resized import resized

_BODY_MOTION = 0.03  # of the portrait's height, kept below the canvas so that a rising torso shows no edge
_LOWEST_EYES = 0.52
_WORTH_REDUCING = 0.95  # canvas pixels per portrait pixel
RIM_PX = 4  # a matte may end this far from the border that cuts the person off
_SOLID = 32  # alpha from which a border pixel counts as the person


@dataclass(frozen=True, slots=True)
class Framing:
    """How large and how high the face stands, in parts of the canvas height.

    Attributes:
        face_height: forehead to chin; exceeded where the portrait would not reach the canvas bottom.
        eye_line: of the eyes below the top; lowered to 0.52 at most before the face is enlarged.
    """

    face_height: float = 0.40
    eye_line: float = 0.40


@dataclass(frozen=True, slots=True)
class Placement:
    """A rectangle of the portrait and the canvas rectangle that shows it (which may stick out).

    Both are whole pixels, so that one resize carries one into the other.

    Attributes:
        source_px: x, y, width, height in the portrait frame.
        target_px: x, y, width, height in the canvas frame.
    """

    source_px: tuple[int, int, int, int]
    target_px: tuple[int, int, int, int]

    @property
    def scale(self) -> float:
        """Canvas pixels per portrait pixel (along x; along y it is the same up to rounding)."""
        return self.target_px[2] / self.source_px[2]

    @property
    def interpolation(self) -> int:
        """OpenCV's way of resizing that `show` uses."""
        if self.scale > 1:
            return int(cv2.INTER_CUBIC)
        # Down to one half, linear sampling misses no pixel and costs a tenth of area averaging.
        return int(cv2.INTER_LINEAR if self.scale > 0.5 else cv2.INTER_AREA)

    def show(self, picture: U8, out: U8 | None = None) -> U8:
        """Return the placed part of a portrait-frame picture (H, W, C) at the target's size.

        It is the picture's own memory where sizes agree, unless there is an `out` to write to.
        """
        u, v, source_width, source_height = self.source_px
        width, height = self.target_px[2:]
        part = picture[v : v + source_height, u : u + source_width]
        if (width, height) == (source_width, source_height):
            return part if out is None else np.asarray(cv2.copyTo(part, None, dst=out), dtype=np.uint8)
        shown = cv2.resize(part, (width, height), dst=out, interpolation=self.interpolation)
        return np.asarray(shown, dtype=np.uint8)

    def spread(self, picture: U8, canvas_px: tuple[int, int], border: int) -> U8:
        """Return `show(picture)` on a whole canvas (H, W, C), continued by an OpenCV border mode."""
        x, y, width, height = self.target_px
        right, bottom = canvas_px[0] - x - width, canvas_px[1] - y - height
        shown = self.show(picture)[max(-y, 0) : height + min(bottom, 0), max(-x, 0) : width + min(right, 0)]
        margins = (max(y, 0), max(bottom, 0), max(x, 0), max(right, 0))
        return np.asarray(cv2.copyMakeBorder(shown, *margins, border), dtype=np.uint8)


def identity_placement(avatar: Avatar) -> Placement:
    """Place the portrait on a canvas of its picture's own size: on all of it, or where in it it is."""
    rectangle = (0, 0, *avatar.size_px)
    return Placement(rectangle, rectangle if avatar.whole is None else avatar.whole.box_px)


def place(avatar: Avatar, canvas_px: tuple[int, int], framing: Framing) -> Placement:
    """Frame the portrait on a canvas of (width, height) px.

    The person's lower edge always reaches the canvas bottom, and a head that the portrait cuts off
    at the top reaches the canvas top: neither ever floats.
    """
    canvas_width, canvas_height = canvas_px
    width, _ = avatar.size_px
    eyes = avatar.landmarks_px[OUTER_CORNERS, :2].mean(axis=0)
    scale, eye_line = _scale_and_eye_line(avatar, float(eyes[1]), canvas_height, framing)
    # Between face and body: a head turned to the side then looks into the free half of the picture.
    centre_x = (float(eyes[0]) + _body_x_px(avatar.person_alpha)) / 2
    left = canvas_width / 2 - centre_x * scale
    if width * scale >= canvas_width:
        left = float(np.clip(left, canvas_width - width * scale, 0.0))
    top = eye_line * canvas_height - float(eyes[1]) * scale
    return _visible_part(avatar.size_px, canvas_px, scale, (left, top))


def at_shown_size(avatar: Avatar, placement: Placement) -> tuple[Avatar, Placement]:
    """Reduce a portrait to the size in which a canvas shows it, pixel on pixel, if that is less.

    What is drawn smaller costs less, and is resampled once where it was twice.
    """
    if placement.scale > _WORTH_REDUCING:
        return avatar, placement
    u, v, source_width, source_height = placement.source_px
    width, height = placement.target_px[2:]
    factors = width / source_width, height / source_height
    size = (round(avatar.size_px[0] * factors[0]), round(avatar.size_px[1] * factors[1]))
    corner = (min(round(u * factors[0]), size[0] - width), min(round(v * factors[1]), size[1] - height))
    return resized(avatar, size), Placement((*corner, width, height), placement.target_px)


def _scale_and_eye_line(
    avatar: Avatar, eyes_y: float, canvas_height: int, framing: Framing
) -> tuple[float, float]:
    face = float(np.linalg.norm(np.subtract(*avatar.landmarks_px[[FOREHEAD, CHIN], :2])))
    bottom = person_bottom_px(avatar.person_alpha) * (1.0 - _BODY_MOTION)
    below = max(bottom - eyes_y, 1.0)
    scale = framing.face_height * canvas_height / face
    lowest = max(_LOWEST_EYES, framing.eye_line)
    eye_line = float(np.clip(1.0 - scale * below / canvas_height, framing.eye_line, lowest))
    scale = max(scale, (1.0 - eye_line) * canvas_height / below)
    if _touches(avatar.person_alpha[:RIM_PX]):
        scale = max(scale, canvas_height / bottom)
        highest = 1.0 - scale * below / canvas_height
        eye_line = float(np.clip(eye_line, highest, max(highest, eyes_y * scale / canvas_height)))
    return scale, eye_line


def person_bottom_px(person_alpha: U8) -> float:
    """Return the row under the person's last broad one (a row of which a twentieth is person)."""
    broad = np.flatnonzero((person_alpha >= _SOLID).mean(axis=1) > 0.05)
    return float(broad[-1] + 1) if broad.size else float(person_alpha.shape[0])


def _body_x_px(person_alpha: U8) -> float:
    """Centre of the person's area across, in px; the picture's middle when nobody is there."""
    columns = person_alpha.sum(axis=0, dtype=np.float64)
    total = float(columns.sum())
    return float(columns @ np.arange(columns.size)) / total if total else columns.size / 2


def cut_sides(avatar: Avatar, placement: Placement, canvas_px: tuple[int, int]) -> tuple[bool, bool]:
    """Tell whether the portrait's left and right border cut the person off inside the canvas."""
    x, _, width, _ = placement.target_px
    left = x > 0 and _touches(avatar.person_alpha[:, :RIM_PX].T)
    right = x + width < canvas_px[0] and _touches(avatar.person_alpha[:, -RIM_PX:].T)
    return left, right


def _touches(rim_alpha: U8) -> bool:
    return bool((rim_alpha.max(axis=0) >= _SOLID).mean() > 0.01)


def _visible_part(
    size_px: tuple[int, int], canvas_px: tuple[int, int], scale: float, origin: tuple[float, float]
) -> Placement:
    """Cut the placement down to what the canvas shows, rounded outwards to whole portrait pixels."""
    starts, lengths, targets, target_lengths = [], [], [], []
    for size, canvas, offset in zip(size_px, canvas_px, origin, strict=True):
        first = max(0, int(np.floor(-offset / scale)))
        last = min(size, int(np.ceil((canvas - offset) / scale)))
        start, stop = round(offset + first * scale), round(offset + last * scale)
        starts.append(first)
        lengths.append(last - first)
        # Rounding may not open a gap of one pixel where the portrait fills the canvas.
        targets.append(min(start, 0) if first > 0 else start)
        target_lengths.append((max(stop, canvas) if last < size else stop) - targets[-1])
    return Placement((*starts, *lengths), (*targets, *target_lengths))  # type: ignore[arg-type]
