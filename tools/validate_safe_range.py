"""Does the measured safe range keep a portrait's identity? Asked of a network that the product lacks.

    python tools/validate_safe_range.py PORTRAIT [PORTRAIT ...] [--out FILE.json]

For each portrait: measure its safe range, render it at the limits of yaw and pitch, and at those that
are assumed of portraits nobody measured, and tell the distance of dlib's face embedding (King 2017,
"High quality face recognition with deep metric learning") from the portrait at rest. Same person: below
0.6. Needs dlib-bin, face-recognition-models and setuptools < 81, which nothing else here does.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from calibrate.sweep import sweep
from calibrate.sweep.observe import Observer
from calibrate.sweep.travels import CHANNELS, Channel
from facepuppet.core import F32, U8, FacepuppetError, euler_from_rotation
from facepuppet.face import fit_head
from facepuppet.portrait import Avatar, SafeRange, load_avatar
from facepuppet.retarget import Deltas
from facepuppet.vision import FaceMesh

POSES = tuple(channel for channel in CHANNELS if channel.field in ("yaw_rad", "pitch_rad"))
SAME_PERSON = 0.6
_BROWS = [105, 334]


class Identity:
    """Distance of two faces by dlib's network; 0 is the same picture."""

    def __init__(self) -> None:
        import dlib
        import face_recognition_models as models

        self._dlib = dlib
        self._shape = dlib.shape_predictor(models.pose_predictor_model_location())
        self._network = dlib.face_recognition_model_v1(models.face_recognition_model_location())

    def embed(self, rgb: U8, landmarks_px: F32) -> np.ndarray:
        """Return the (128,) embedding of the face at the landmarks (478, 3) of an RGB picture."""
        low, high = landmarks_px[:, :2].min(0), landmarks_px[:, :2].max(0)
        top = landmarks_px[_BROWS, 1].min()
        box = self._dlib.rectangle(int(low[0]), int(top), int(high[0]), int(high[1]))
        return np.array(self._network.compute_face_descriptor(rgb, self._shape(rgb, box)))


def examine(avatar: Avatar, identity: Identity) -> dict[str, Any]:
    """Return limits and identity distances of one portrait."""
    started = time.perf_counter()
    found = sweep(avatar)
    seconds = time.perf_counter() - started
    assumed = SafeRange.assumed(*euler_from_rotation(fit_head(avatar.landmarks_px).rotation))
    mesh = FaceMesh()
    observer = Observer(avatar, mesh)
    rgb, motion, _ = observer.observe(Deltas.rest(), "yaw_rad")
    rest = identity.embed(rgb, motion.landmarks_px)

    def distance(channel: Channel, magnitude: float) -> float:
        rgb, motion, _ = observer.observe(channel.deltas(magnitude), channel.field)
        return float(np.linalg.norm(identity.embed(rgb, motion.landmarks_px) - rest))

    rows = []
    for channel in POSES:
        limits = {
            name: getattr(safe, channel.field)[channel.side]
            for name, safe in (("measured", found.safe_range), ("assumed", assumed))
        }
        limits["beyond"] = 1.3 * limits["measured"]
        rows.append(
            {
                "field": channel.field,
                "side": channel.side,
                **{name: (limit, distance(channel, limit)) for name, limit in limits.items()},
            }
        )
    mesh.close()
    return {
        "seconds": seconds,
        "tracked": found.tracked,
        "range": dataclasses.asdict(found.safe_range),
        "rows": rows,
    }


def main() -> None:
    """Examine every portrait and print how the distances spread."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    identity, results = Identity(), {}
    for path in arguments.portraits:
        try:
            results[path.name] = examine(load_avatar(path), identity)
        except FacepuppetError as error:
            print(f"{path.name}: {error}")
        if arguments.out:
            arguments.out.write_text(json.dumps(results, indent=1))
    for field in ("yaw_rad", "pitch_rad"):
        rows = [row for result in results.values() for row in result["rows"] if row["field"] == field]
        for name in ("measured", "assumed", "beyond"):
            limits, distances = np.array([row[name] for row in rows]).T
            print(
                f"{field} {name}: limit {np.percentile(limits, [5, 50, 95]).round(2)}, identity distance "
                f"{np.percentile(distances, [50, 90, 100]).round(2)} (median, 90 %, most), "
                f"{(distances < SAME_PERSON).mean():.0%} below {SAME_PERSON}"
            )
    seconds = np.median([result["seconds"] for result in results.values()])
    print(f"{len(results)} portraits, sweep {seconds:.1f} s (median)")


if __name__ == "__main__":
    main()
