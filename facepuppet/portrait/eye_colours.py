"""The colours by which a painted eye is told from the skin around it.

White of the eye is light, and its hue is not the skin's: lashes, liner, shadows and glasses lack one or the
other. Where white and skin have one hue, as in monochrome pictures, nothing can be told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32
from facepuppet.portrait.eye_view import COLUMNS, HEIGHT, WIDTH, EyeView, Mask

MIN_SEEN_PX = 20  # of the view
MIN_CHROMA_GAP = 8.0  # in the a*b* plane: between white and skin, or iris and grey
SHADE = 20.0  # that may lie on the white, in L*
DARKER_THAN_SKIN = 8.0  # the white may be by that in L*, shaded or not


@dataclass(frozen=True, slots=True)
class EyeColours:
    """Colours (3,) in CIE L*a*b*; iris is None where its hue is too near the skin's (brown, grey)."""

    white: F32
    skin: F32
    iris: F32 | None

    @classmethod
    def of(cls, view: EyeView) -> EyeColours | None:
        """Take the colours between the tracked rims and below the eye; None when these are too alike."""
        opening = view.opening()
        around = view.lab[opening & ~view.within(view.iris, 1.2)]
        iris = view.lab[opening & view.within(view.iris)]
        if min(len(around), len(iris)) < MIN_SEEN_PX:
            return None
        white = np.median(around[around[:, 0] >= np.median(around[:, 0])], axis=0)
        skin = _skin_below(view)
        if white[0] < skin[0] - DARKER_THAN_SKIN or np.linalg.norm((white - skin)[1:]) < MIN_CHROMA_GAP:
            return None
        chroma = np.linalg.norm(iris[:, 1:], axis=1)
        tint = np.median(iris[chroma >= np.median(chroma)], axis=0)
        telling = np.linalg.norm(tint[1:]) > MIN_CHROMA_GAP and tint[1:] @ skin[1:] < 0.0  # blue, green
        return cls(white, skin, tint if telling else None)

    def surely_eye(self, view: EyeView) -> Mask:
        """Where the view shows white or iris beyond doubt."""
        darkest = max(self.white[0] - SHADE, self.skin[0] - DARKER_THAN_SKIN)
        found: Mask = self._nearer(view, self.white, 0.5) & (view.lab[..., 0] > darkest)
        return found if self.iris is None else found | self._nearer(view, self.iris, 0.5)

    def perhaps_iris(self, view: EyeView) -> Mask:
        """Where the view is rather of the iris' hue than of the skin's, however dark."""
        if self.iris is None:
            return np.zeros(view.lab.shape[:2], bool)
        return self._nearer(view, self.iris, 1.0)

    def _nearer(self, view: EyeView, colour: F32, share: float) -> Mask:
        """Where the hue's distance from a colour is less than a share of that from the skin."""
        from_colour = np.linalg.norm((view.lab - colour)[..., 1:], axis=-1)
        from_skin = np.linalg.norm((view.lab - self.skin)[..., 1:], axis=-1)
        nearer: Mask = from_colour < share * from_skin
        return nearer


def _skin_below(view: EyeView) -> F32:
    """Colour (3,) of the skin under the eye."""
    middle = COLUMNS[5:-5]
    rows = np.round(view.lower[5:-5] + np.arange(0.35, 0.55, 0.02)[:, None] * WIDTH).astype(int)
    skin: F32 = np.median(view.lab[np.clip(rows, 0, HEIGHT - 1), middle].reshape(-1, 3), axis=0)
    return skin
