"""Write a small avatar as a VRM 1.0 file, for programs that hear VMC: a head that does ARKit's 52 shapes.

    python tools/vrm_avatar.py --out avatar.vrm [--plain]

A .vrm is a binary glTF 2.0 with the extension VRMC_vrm 1.0 (github.com/vrm-c/vrm-specification). The face is
the mean face and its shapes of `facepuppet/face/data` (after ICT-FaceKit, MIT; the licence lies there); hair,
eyes and bones are made here. Lips are pure red and irises pure blue, so that a picture can be measured.
`--plain` leaves ARKit's names out: such an avatar knows VRM's expressions alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from gltf_file import GltfMeshes

from facepuppet.core import F32, F64
from facepuppet.face import (
    ARKIT_INDEX,
    ARKIT_NAMES,
    EYES,
    LIPS_OUTER,
    N_MESH,
    canonical_landmarks,
    compose_landmarks,
    face_triangles,
)
from facepuppet.wires import VRM_EXPRESSIONS

UNIT_M = 0.09  # between the outer corners of the eyes
HEAD_M = np.array([0.0, 1.45, 0.0])  # the bone, of which the face's middle lies ahead and above
FACE_M = np.array([0.0, 0.09, 0.10])  # between the eyes, from there
EYE_RADIUS_M, IRIS_RADIUS_M, EYE_DEPTH_M = 0.0105, 0.0056, 0.0035
_FLIP = np.array([1.0, -1.0, -1.0])  # from right, down, away to right, up, towards the viewer
# Required bones of VRM 1.0, with a neck and eyes: name, parent, place in metres. Its left is +x.
_SPINE = (
    ("hips", None, (0.0, 0.9, 0.0)),
    ("spine", "hips", (0.0, 1.0, 0.0)),
    ("neck", "spine", (0.0, 1.37, 0.0)),
    ("head", "neck", tuple(HEAD_M)),
)
_LIMBS = (
    ("UpperLeg", "hips", (0.09, 0.85, 0.0)),
    ("LowerLeg", "UpperLeg", (0.09, 0.47, 0.0)),
    ("Foot", "LowerLeg", (0.09, 0.08, 0.0)),
    ("UpperArm", "spine", (0.17, 1.33, 0.0)),
    ("LowerArm", "UpperArm", (0.43, 1.33, 0.0)),
    ("Hand", "LowerArm", (0.66, 1.33, 0.0)),
)
_MATERIALS = {
    "skin": ([0.85, 0.6, 0.48], False),
    "lips": ([1.0, 0.0, 0.0], True),
    "white": ([0.9, 0.9, 0.9], True),
    "iris": ([0.0, 0.0, 1.0], True),
    "hair": ([0.12, 0.07, 0.05], False),
}


def avatar_bytes(*, arkit: bool = True) -> bytes:
    """Return the file; with `arkit` its expressions have ARKit's names too."""
    meshes = GltfMeshes()
    nodes, places = _bones()
    head, face = nodes[places["head"]], len(nodes)
    for name, mesh in (("face", _face_mesh(meshes)), ("hair", _hair_mesh(meshes))):
        head["children"].append(len(nodes))
        nodes.append({"name": name, "mesh": mesh, "translation": FACE_M.tolist()})
    eye = _eye_mesh(meshes)
    for side in ("leftEye", "rightEye"):
        nodes[places[side]]["mesh"] = eye
    vrm = {
        "specVersion": "1.0",
        "meta": _META,
        "humanoid": {"humanBones": {name: {"node": place} for name, place in places.items()}},
        "expressions": _expressions(face, arkit),
    }
    return meshes.file(
        asset={"version": "2.0", "generator": "facepuppet tools/vrm_avatar.py"},
        scene=0,
        scenes=[{"nodes": [places["hips"]]}],
        nodes=[{key: value for key, value in node.items() if value != []} for node in nodes],
        materials=[_material(name, *look) for name, look in _MATERIALS.items()],
        extensionsUsed=["VRMC_vrm", "KHR_materials_unlit"],
        extensions={"VRMC_vrm": vrm},
    )


_META = {
    "name": "facepuppet's head",
    "version": "1",
    "authors": ["facepuppet"],
    "licenseUrl": "https://vrm.dev/licenses/1.0/",
    "thirdPartyLicenses": "Face after ICT-FaceKit (MIT).",
    "avatarPermission": "everyone",
    "commercialUsage": "corporation",
    "modification": "allowModificationRedistribution",
}


def _face_mesh(meshes: GltfMeshes) -> int:
    """Skin and lips, which do ARKit's shapes."""
    mean = canonical_landmarks()
    points = meshes.points(_metres(mean[:N_MESH]))
    normals = meshes.points(_normals(mean[:N_MESH], face_triangles()))
    targets = [
        {"POSITION": meshes.points(_metres((compose_landmarks(mean, weights) - mean)[:N_MESH]))}
        for weights in np.eye(len(ARKIT_NAMES), dtype=np.float32)
    ]
    middles, rim = mean[face_triangles(), :2].mean(axis=1), mean[LIPS_OUTER, :2]
    of_lips = np.array([cv2.pointPolygonTest(rim, middle.tolist(), False) > 0 for middle in middles])
    surfaces = {"skin": face_triangles()[~of_lips], "lips": face_triangles()[of_lips]}
    return meshes.mesh(
        [
            meshes.surface(points, normals, triangles, _material_number(name)) | {"targets": targets}
            for name, triangles in surfaces.items()
        ],
        extras={"targetNames": list(ARKIT_NAMES)},
    )


def _hair_mesh(meshes: GltfMeshes) -> int:
    """An egg behind the face, which also darkens the open mouth."""
    points, triangles = _ball(np.pi)
    place = meshes.points(points * (0.088, 0.118, 0.095) + (0.0, 0.005, -0.125))
    return meshes.mesh([meshes.surface(place, meshes.points(points), triangles, _material_number("hair"))])


def _eye_mesh(meshes: GltfMeshes) -> int:
    """A white ball whose iris looks along z."""
    opening = float(np.arcsin(IRIS_RADIUS_M / EYE_RADIUS_M))
    surfaces = []
    for name, angle, radius in (("white", np.pi, 1.0), ("iris", opening, 1.02)):
        points, triangles = _ball(angle)
        place = meshes.points(points * EYE_RADIUS_M * radius)
        surfaces.append(meshes.surface(place, meshes.points(points), triangles, _material_number(name)))
    return meshes.mesh(surfaces)


def _material_number(name: str) -> int:
    return list(_MATERIALS).index(name)


def _bones() -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Nodes of the skeleton, and where each bone's is."""
    mean = canonical_landmarks()
    told: list[tuple[str, str | None, F64]] = [(name, up, np.array(at)) for name, up, at in _SPINE]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for stem, up, at in _LIMBS:
            parent = up if up in ("hips", "spine") else side + up
            told.append((side + stem, parent, np.array(at) * (sign, 1.0, 1.0)))
    for name, eye in zip(("rightEye", "leftEye"), EYES, strict=True):
        iris_m = _metres(mean[[eye.iris_centre]])[0]
        told.append((name, "head", HEAD_M + FACE_M + iris_m - (0.0, 0.0, EYE_RADIUS_M + EYE_DEPTH_M)))
    places = {name: n for n, (name, _, _) in enumerate(told)}
    nodes: list[dict[str, Any]] = []
    for name, up, at in told:
        from_m = np.zeros(3) if up is None else told[places[up]][2]
        nodes.append({"name": name, "translation": (at - from_m).tolist(), "children": []})
    for name, up, _ in told:
        if up is not None:
            nodes[places[up]]["children"].append(places[name])
    return nodes, places


def _expressions(face: int, arkit: bool) -> dict[str, Any]:
    """VRM's presets as mixtures of the face's shapes, ARKit's as custom ones; eyes turn by their bones."""
    presets = {
        told.vrm1: _binds(face, told.shapes) for told in VRM_EXPRESSIONS if not told.vrm1.startswith("look")
    }
    told: dict[str, Any] = {"preset": presets}
    if arkit:
        told["custom"] = {name: _binds(face, {name: 1.0}) for name in ARKIT_NAMES}
    return told


def _binds(face: int, shapes: Mapping[str, float]) -> dict[str, Any]:
    both = {name: share for pattern, share in shapes.items() for name in _sides(pattern)}
    binds = [{"node": face, "index": ARKIT_INDEX[name], "weight": share} for name, share in both.items()]
    return {"morphTargetBinds": binds}


def _sides(pattern: str) -> tuple[str, ...]:
    stem = pattern.removesuffix("*")
    return (f"{stem}Left", f"{stem}Right") if pattern.endswith("*") else (stem,)


def _material(name: str, rgb: Sequence[float], unlit: bool) -> dict[str, Any]:
    look = {"baseColorFactor": [*rgb, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.9}
    material: dict[str, Any] = {"name": name, "pbrMetallicRoughness": look}
    if unlit:
        material["extensions"] = {"KHR_materials_unlit": {}}
    return material


def _metres(points: F32) -> F64:
    return np.asarray(points, np.float64) * _FLIP * UNIT_M


def _normals(points: F32, triangles: Any) -> F64:
    """Unit normals of a mesh, towards the viewer, in glTF's axes."""
    a, b, c = (points[triangles[:, corner]].astype(np.float64) for corner in range(3))
    normals = np.zeros((len(points), 3))
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], np.cross(b - a, c - a))
    return np.asarray(_FLIP * normals / np.linalg.norm(normals, axis=1, keepdims=True))


def _ball(angle_rad: float, rings: int = 12, around: int = 24) -> tuple[F64, Any]:
    """Unit sphere about z, or the cap of it within an angle: points, and triangles that face outward."""
    away, turn = np.meshgrid(
        np.linspace(0.0, angle_rad, rings + 1), np.linspace(0, 2 * np.pi, around + 1), indexing="ij"
    )
    points = np.stack([np.sin(away) * np.cos(turn), np.sin(away) * np.sin(turn), np.cos(away)], axis=-1)
    corner = (np.arange(rings)[:, None] * (around + 1) + np.arange(around)).reshape(-1)
    below = corner + around + 1
    triangles = np.concatenate(
        [np.stack([corner, below, below + 1], axis=1), np.stack([corner, below + 1, corner + 1], axis=1)]
    )
    return points.reshape(-1, 3), triangles


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("avatar.vrm"))
    parser.add_argument("--plain", action="store_true", help="without ARKit's names")
    arguments = parser.parse_args()
    arguments.out.write_bytes(avatar_bytes(arkit=not arguments.plain))
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
