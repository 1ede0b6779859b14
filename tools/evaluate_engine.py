r"""Hold what people see of an engine against fp32 on the CPU: steadiness and likeness of performed portraits.

    python tools/evaluate_engine.py --engine tensorrt-rtx [--portraits PICTURE …] [--clips FOLDER …] \
        [--people engines/people.toml] [--out evaluation]

The sample portrait always performs the demo's piece; portraits perform it too, and the most neutral frame of
each clip performs the clip. Exit status 1 when a bar is missed or the engine does not run. "fp16 rounding" is
emulated on the CPU, and what any GPU's fp16 costs at least. Needs `pip install '.[evaluate]'`.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from facepuppet.core import FacepuppetError, write_whole
from facepuppet.diagnose import HALF, engines_of
from facepuppet.inference import ENGINES, require_provider, shipped_folder
from facepuppet.portrait import load_avatar, sample_portrait_path

if TYPE_CHECKING:
    from reenactment.degradation import Scene


def main() -> int:
    """Perform everything twice; the exit status is 1 when something degrades, or cannot run."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    cv2.setNumThreads(1)
    # The judges' libraries are wanted only by those who go on.
    from reenactment.degradation import degradation

    try:
        engines = engines_of(arguments.engine)
        runs_on = require_provider("cpu") if arguments.engine == HALF else engines.require(arguments.engine)
        found = degradation(_scenes(arguments), arguments.networks, engines)
        text = f"# {arguments.engine} ({runs_on}) against fp32 on the CPU\n\n{found.to_markdown()}"
        arguments.out.mkdir(parents=True, exist_ok=True)
        told = {"engine": arguments.engine, "runs_on": runs_on, **found.to_json()}
        write_whole(arguments.out / "engine.json", json.dumps(told, indent=1).encode())
        write_whole(arguments.out / "engine.md", text.encode())
    except FacepuppetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(text)
    return 0 if found.passes else 1


def _scenes(arguments: argparse.Namespace) -> list[Scene]:
    from reenactment.degradation import Scene, own_scene, scripted_take
    from reenactment.takes import find_clips, find_portraits, record

    piece = scripted_take()
    portraits = find_portraits(arguments.portraits, arguments.n_portraits) if arguments.portraits else []
    clips = find_clips(arguments.clips, arguments.people) if arguments.clips else []
    # No figure may come from an outdated cache.
    scenes = [Scene(load_avatar(path, cache=False), piece) for path in (sample_portrait_path(), *portraits)]
    return scenes + [own_scene(record(path, arguments.frames)) for path in clips]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--engine", required=True, choices=(HALF, *ENGINES), help="what to hold against fp32 on the CPU")
    add("--networks", type=Path, default=shipped_folder(), help="folder with manifest.toml and networks")
    add(
        "--portraits",
        nargs="+",
        type=Path,
        default=[],
        help="pictures or folders that perform the piece, too",
    )
    add("--n-portraits", type=int, default=3, help="how many of them to take, evenly spread")
    add("--clips", nargs="+", type=Path, default=[], help="videos or folders of people who drive themselves")
    add("--people", type=Path, help="table like engines/people.toml: only people set aside for validation")
    add("--frames", type=int, default=120, help="consecutive frames of each clip")
    add("--out", type=Path, default=Path("evaluation"), help="folder for engine.md and engine.json")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
