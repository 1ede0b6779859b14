"""Meshes as a binary glTF 2.0 keeps them: numbers in one block, and JSON that says which is what."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from facepuppet.core import F64

_FLOAT, _UNSIGNED = 5126, 5125  # of glTF's component types


class GltfMeshes:
    """Meshes, and the numbers that they are made of."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []
        self._meshes: list[dict[str, Any]] = []

    def mesh(self, primitives: Sequence[dict[str, Any]], **more: Any) -> int:
        """Keep a mesh of surfaces; returns its number."""
        self._meshes.append({"primitives": list(primitives), **more})
        return len(self._meshes) - 1

    def surface(self, points: int, normals: int, triangles: Any, material: int) -> dict[str, Any]:
        """Return triangles between points, with their normals."""
        corners = self._kept(np.asarray(triangles, np.uint32).reshape(-1), "SCALAR", _UNSIGNED)
        return {
            "attributes": {"POSITION": points, "NORMAL": normals},
            "indices": corners,
            "material": material,
        }

    def points(self, points: F64) -> int:
        """Keep points (N, 3); returns their number."""
        kept = np.asarray(points, np.float32)
        place = self._kept(kept, "VEC3", _FLOAT)
        # Required of positions.
        self._accessors[place] |= {"min": kept.min(axis=0).tolist(), "max": kept.max(axis=0).tolist()}
        return place

    def _kept(self, values: Any, kind: str, component: int) -> int:
        self._views.append({"buffer": 0, "byteOffset": len(self._content), "byteLength": values.nbytes})
        self._content += values.astype(values.dtype.newbyteorder("<")).tobytes()
        told = {"bufferView": len(self._views) - 1, "componentType": component, "type": kind}
        self._accessors.append({**told, "count": len(values)})
        return len(self._accessors) - 1

    def file(self, **told: Any) -> bytes:
        """Return the whole file: a header, JSON and numbers, each padded to four bytes.

        Args:
            told: what else its JSON says.
        """
        numbers = {"bufferViews": self._views, "buffers": [{"byteLength": len(self._content)}]}
        mine = {"meshes": self._meshes, "accessors": self._accessors, **numbers}
        text = json.dumps({**told, **mine}, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        content = bytes(self._content) + b"\0" * (-len(self._content) % 4)
        parts = (struct.pack("<I4s", len(text), b"JSON"), text)
        parts += (struct.pack("<I4s", len(content), b"BIN\0"), content)
        return struct.pack("<4sII", b"glTF", 2, 12 + sum(map(len, parts))) + b"".join(parts)
