"""What a live run imports before its first frame: only what it needs, since every import delays that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from start_time import PARTS, start

from facepuppet.portrait.load import sample_portrait_path

ROOT = Path(__file__).resolve().parents[1]

# Some of these once cost every start 15 to 50 ms; all are for other commands, or for the end of a recording.
UNNEEDED = {
    "matplotlib",
    "rich.progress",
    "facepuppet.core.version",
    "facepuppet.frames.cuda.cuda_maker",
    "facepuppet.watermark.provenance",
    "mediapipe",
    "scipy",
    "onnx",
    "uvicorn",
    "starlette",
    "websockets",
    "sounddevice",  # asks every sound device, and has no library on some machines: for --mic alone
    "samplerate",
    "facepuppet.sound",
}

PROGRAM = """
import sys
from facepuppet.cli import main
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.sinks.metered_sink import MeteredSink

imported, write = [], MeteredSink._write

def first(self, frame, pts_s):
    imported.extend([] if imported else sys.modules)
    write(self, frame, pts_s)

MeteredSink._write = first
try:
    main(["run", "--avatar", str(sample_portrait_path()), "--camera", "script", "--sink", sys.argv[1],
          "--seconds", "1", "--right", "public-domain"])
except SystemExit as left:
    assert not left.code
print(*imported, sep="\\n")
"""


def test_a_live_run_imports_only_what_it_needs(tmp_path: Path) -> None:
    film = tmp_path / "out.mkv"
    imported = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(film)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert film.is_file()
    assert {"facepuppet.session.live", "onnxruntime"} <= set(imported)
    assert UNNEEDED.intersection(imported) == set()


@pytest.mark.thorough  # of a tool; the same start is looked at above
def test_what_is_told_of_a_start_adds_up(tmp_path: Path) -> None:
    """tools/start_time.py: the parts of the main thread are the whole way to the first frame."""
    seen = start(ROOT, tmp_path, "this", sample_portrait_path(), "script")
    assert tuple(seen.parts_s) == PARTS and min(seen.parts_s.values()) >= 0
    assert seen.parts_s["imports"] > seen.parts_s["interpreter"] > 0 and seen.parts_s["networks"] > 0
    assert sum(seen.parts_s.values()) == pytest.approx(seen.frame_s, rel=0.1)
