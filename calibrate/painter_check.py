"""Whether the mouth painter does a portrait good: what it must leave alone says so, without any truth.

Lips and the skin about them are the portrait's own pixels, moved; a painter that suits a portrait hardly
changes their colours and keeps their grain. One that learnt photographs drifts on paintings, drawings and
odd light: it tints lips, smooths brush strokes, and gives the inside of a mouth colours that the portrait
does not have. The mouth is posed in a few shapes, with and without the painter, and the change is measured.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from calibrate.reduce import reduced
from facepuppet.core import F32, N_BLENDSHAPES, U8, Expression, HeadPose, Motion, Quality
from facepuppet.face import ARKIT_INDEX, face_of_blendshapes
from facepuppet.frames import Renderer, crops_of
from facepuppet.portrait import Avatar
from facepuppet.retarget import Retargeter

Tell = Callable[[str], None]

SIDE_PX = 512  # of the copy that is posed
_CROP_PX, _REACH = 96, 0.92  # of the crop that is looked at, as the painter's
# Most drift of lips and skin (levels of 255), most change of the mouth's tint (CIELAB), and least share of
# the grain that stays.
MOST_DRIFT, MOST_TINT, LEAST_GRAIN = 5.5, 10.0, 0.8

_BOTH = ("Left", "Right")
SHAPES: tuple[Mapping[str, float], ...] = (
    {"jawOpen": 0.25},
    {"jawOpen": 0.6},
    {"mouthSmile": 0.7, "mouthUpperUp": 0.5, "jawOpen": 0.08},
    {"mouthStretch": 0.6, "mouthLowerDown": 0.6, "mouthUpperUp": 0.4, "jawOpen": 0.06},
    {"mouthFunnel": 0.6, "mouthPucker": 0.3, "jawOpen": 0.2},
)


@dataclass(frozen=True, slots=True)
class PainterCheck:
    """What the mouth painter does to what it should leave alone, over all shapes.

    Attributes:
        drift: mean change of the colours of lips and the skin about them, in levels of 255.
        tint: change of the mean tint inside the mouth, in CIELAB.
        grain: detail of lips and skin with the painter, as a share of that without.
    """

    drift: float
    tint: float
    grain: float

    @property
    def good(self) -> bool:
        """Whether the painter should run."""
        return self.drift <= MOST_DRIFT and self.tint <= MOST_TINT and self.grain >= LEAST_GRAIN

    def sentence(self) -> str:
        """The figures in words."""
        return (
            f"it moves the colours of lips and skin by {self.drift:.1f} levels (at most {MOST_DRIFT:g}) and "
            f"the mouth's tint by {self.tint:.1f} (at most {MOST_TINT:g}), and keeps {self.grain:.0%} of the "
            f"grain (at least {LEAST_GRAIN:.0%})"
        )


def with_painters_judged(avatar: Avatar, tell: Tell) -> Avatar:
    """Return the avatar with the regions noted whose shipped painter would make it worse."""
    tell("Trying the mouth painter on this portrait …")
    found = check_painter(avatar)
    if found is None:
        tell("  there is no mouth painter to try")
        return avatar
    verdict = "runs" if found.good else "does not run on it: the drawing alone is nearer the portrait"
    tell(f"  the mouth painter {verdict}; {found.sentence()}")
    return dataclasses.replace(avatar, unpainted=() if found.good else ("mouth",))


def check_painter(avatar: Avatar) -> PainterCheck | None:
    """Measure the mouth painter on a portrait; None where there is none."""
    posed = dataclasses.replace(reduced(avatar, SIDE_PX), unpainted=())
    renderer = Renderer(posed, engine="cpu")
    if not any(painter.network.region == "mouth" for painter in renderer.painters):
        return None
    figures = [_compare(renderer, posed, motion) for motion in _motions(posed)]
    drift, tint, painted, drawn = np.mean(figures, axis=0).tolist()
    return PainterCheck(drift, tint, painted / max(drawn, 1e-6))


def _motions(avatar: Avatar) -> list[Motion]:
    """The shapes, each held until the puppet has reached it."""
    retargeter = Retargeter(avatar)
    rest, steps, made = np.zeros(N_BLENDSHAPES, np.float32), 3, []
    retargeter.update(_expression(rest, 0))
    for number, shape in enumerate(SHAPES):
        weights = rest.copy()
        for name, weight in shape.items():
            names = (name,) if name in ARKIT_INDEX else tuple(name + side for side in _BOTH)
            weights[[ARKIT_INDEX[each] for each in names]] = weight
        for step in range(steps):
            motion = retargeter.update(_expression(weights, 1 + number * steps + step))
        made.append(motion)
    return made


def _expression(weights: F32, second: int) -> Expression:
    face = face_of_blendshapes(weights, HeadPose(np.zeros(3, np.float32)))
    return Expression(face, None, second, second * 1_000_000_000)


def _compare(renderer: Renderer, avatar: Avatar, motion: Motion) -> tuple[float, float, float, float]:
    """Drift, tint, and detail of lips and skin with and without the painter."""
    (crop,) = crops_of("mouth", motion.landmarks_px, avatar.size_px, _CROP_PX, _REACH)
    pictures = []
    for every in (0, 1):
        renderer.set_quality(Quality(painters_every=every))
        pictures.append(crop.sample(renderer.render(motion).rgba, _CROP_PX)[..., :3])
    drawn, painted = pictures
    outer, inner = (np.rint(255 * plane).astype(np.uint8) for plane in crop.contours(_CROP_PX))
    own = (_grown(outer, 4) > 127) & (_grown(inner, 2) < 128)
    inside = cv2.erode(inner, np.ones((3, 3), np.uint8)) > 127
    change = cv2.GaussianBlur(painted.astype(np.float32) - drawn, (0, 0), 2.0)
    tints = [cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 1:] for p in (drawn, painted)]
    tint = np.subtract(*(t[inside].mean(0) for t in tints)) if inside.any() else np.zeros(2)
    return (
        float(np.abs(change[own]).mean()),
        float(np.linalg.norm(tint)),
        _detail(painted, own),
        _detail(drawn, own),
    )


def _grown(mask: U8, reach_px: int) -> U8:
    side = 2 * reach_px + 1
    return np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))), np.uint8)


def _detail(picture: U8, where: npt.NDArray[np.bool_]) -> float:
    plain = picture.astype(np.float32)
    return float(np.abs(plain - cv2.GaussianBlur(plain, (0, 0), 1.0))[where].mean())
