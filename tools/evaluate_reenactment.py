r"""Measure the reenactment of people never seen, against a frozen picture and the warp alone.

    python tools/evaluate_reenactment.py --clips ../shared/clips --people engines/people.toml \
        --portraits ../shared/portraits/generated --out evaluation

Writes report.md, report.json and contact sheets (PNG) into the output folder and prints the report. Clips
must show people on whom nothing was trained. Needs `pip install '.[evaluate]'`.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path

import cv2

from facepuppet.core import FacepuppetError
from facepuppet.inference import shipped_folder


def main() -> int:
    """Run everything; the exit status is 1 when nothing could be evaluated."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    cv2.setNumThreads(1)
    # The judges' libraries are wanted only by those who go on.
    from reenactment.evaluation import Evaluation
    from reenactment.markdown_report import markdown
    from reenactment.summary import bars
    from reenactment.takes import find_clips, find_portraits

    begun_s = time.perf_counter()
    try:
        clips = find_clips(arguments.clips, arguments.people)
        portraits = find_portraits(arguments.portraits, arguments.n_portraits) if arguments.portraits else []
        evaluation = Evaluation(arguments.engines, arguments.out, arguments.frames, arguments.every)
        results = evaluation.run(clips, portraits, arguments.n_drivers)
    except FacepuppetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    rows = bars(results)
    results["bars"] = [{"demand": b.demand, "measured": b.measured, "met": b.met} for b in rows]
    results["seconds"] = round(time.perf_counter() - begun_s)
    text = markdown(results, rows)
    (arguments.out / "report.md").write_text(text, encoding="utf-8")
    (arguments.out / "report.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(text)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--clips", nargs="+", type=Path, required=True, help="videos, or folders of them")
    add("--people", type=Path, help="table like engines/people.toml: only people set aside for validation")
    add("--portraits", nargs="*", type=Path, default=[], help="pictures or folders, for cross-reenactment")
    add("--engines", type=Path, default=shipped_folder(), help="folder with manifest.toml and networks")
    add("--out", type=Path, default=Path("evaluation"))
    add("--frames", type=int, default=150, help="consecutive frames of each clip")
    add("--every", type=int, default=4, help="compare pictures at every n-th of them")
    add("--n-portraits", type=int, default=3, help="how many portraits to take, evenly spread")
    add("--n-drivers", type=int, default=2, help="how many of the clips drive them")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
