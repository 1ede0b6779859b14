"""Build facepuppet/face/data/face_mesh.npy, the triangles of the face mesh, from MediaPipe's edge list.

MediaPipe publishes the mesh as a set of edges. Its triangles are the 3-cliques of that graph, less the
two cliques that merely surround a vertex of three neighbours. Usage: python tools/build_face_mesh.py
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

TARGET = Path(__file__).parents[1] / "facepuppet" / "face" / "data" / "face_mesh.npy"

# The oval runs 10 → 338 clockwise as seen, so a triangle wound counter-clockwise runs 338 → 10.
SEED_EDGE = (338, 10)

Triangle = tuple[int, int, int]


def cliques(edges: set[frozenset[int]]) -> list[frozenset[int]]:
    """Return all sets of three vertices that are pairwise joined."""
    neighbours: dict[int, set[int]] = {}
    for a, b in map(tuple, edges):
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    found = {frozenset((a, b, c)) for a, b in map(tuple, edges) for c in neighbours[a] & neighbours[b]}
    return sorted(found, key=sorted)


def without_false_faces(triangles: list[frozenset[int]]) -> list[frozenset[int]]:
    """Drop triangles all of whose edges already have a triangle on either side."""
    uses = Counter(frozenset(e) for t in triangles for e in combinations(t, 2))
    return [t for t in triangles if not all(uses[frozenset(e)] > 2 for e in combinations(t, 2))]


def oriented(triangles: list[frozenset[int]]) -> list[Triangle]:
    """Wind all triangles alike, spreading from SEED_EDGE: neighbours run a shared edge in opposite ways."""
    by_edge: dict[frozenset[int], list[frozenset[int]]] = {}
    for t in triangles:
        for e in combinations(t, 2):
            by_edge.setdefault(frozenset(e), []).append(t)
    wound: dict[frozenset[int], Triangle] = {}
    pending = [SEED_EDGE]
    while pending:
        a, b = pending.pop()
        for t in by_edge[frozenset((a, b))]:
            if t not in wound:
                (c,) = t - {a, b}
                wound[t] = (a, b, c)
                pending += [(b, a), (c, b), (a, c)]
    return [wound[t] for t in triangles]


def main() -> None:
    """Write the table."""
    edges = {frozenset(e) for e in FACEMESH_TESSELATION}
    table = np.array(oriented(without_false_faces(cliques(edges))), dtype=np.int16)
    np.save(TARGET, table)
    print(f"{TARGET}: {table.shape}")


if __name__ == "__main__":
    main()
