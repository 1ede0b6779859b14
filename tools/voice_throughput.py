"""How fast a file's voice becomes a film, mark and encoder included, and whether memory grows with it.

    python tools/voice_throughput.py SPEECH [--seconds 600] [--portrait 512] [--engine NAME] [--out talk.mp4]

The speech is repeated until it is as long as asked. Prints hardware, the time of hearing alone, frames a
second and times real time of the whole rendering at the portrait's own size, the median of each stage, and
resident memory after a minute of sound and at the end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import wave
from dataclasses import asdict
from pathlib import Path

import numpy as np

from facepuppet.core import FacepuppetError, describe_hardware, rss_mb
from facepuppet.diagnose import square_portrait
from facepuppet.drivers import VoiceFileDriver
from facepuppet.frames import Composer
from facepuppet.inference import ENGINES
from facepuppet.media import SoundReader
from facepuppet.portrait import load_avatar
from facepuppet.session import render_video

RATE_HZ, FPS = 16_000, 30.0
EARLY_S = 60.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("speech", type=Path, help="any file with sound")
    parser.add_argument("--seconds", type=float, default=600.0, help="of sound")
    parser.add_argument("--portrait", type=int, default=512, help="side of the square portrait in pixels")
    parser.add_argument("--engine", default="auto", choices=("auto", *ENGINES))
    parser.add_argument("--out", type=Path, help="keep the film")
    options = parser.parse_args()
    for key, value in asdict(describe_hardware()).items():
        print(f"{key}: {value}")
    with tempfile.TemporaryDirectory(prefix="facepuppet-voice-") as folder:
        try:
            spoken = _repeated(options.speech, options.seconds, Path(folder) / "speech.wav")
            print(_hearing(spoken))
            print(_rendering(spoken, options, Path(folder)))
        except FacepuppetError as error:
            sys.exit(f"voice_throughput: {error}")


def _repeated(speech: Path, seconds: float, path: Path) -> Path:
    """Write a speech over and over, until it is long enough."""
    reader, blocks = SoundReader(speech, RATE_HZ), []
    while (block := reader.read()) is not None:
        blocks.append(block)
    reader.close()
    values = (32_767 * np.concatenate(blocks)).astype("<i2")
    left = round(seconds * RATE_HZ)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        while left > 0:
            file.writeframes(values[:left].tobytes())
            left -= len(values)
    return path


def _hearing(spoken: Path) -> str:
    """Time the driver alone, over at most two minutes."""
    with VoiceFileDriver(spoken, FPS) as driver:
        begun_s, cpu_s, n = time.perf_counter(), time.thread_time(), 0
        while n < 120 * FPS and driver.read() is not None:
            n += 1
    wall_ms = 1e3 * (time.perf_counter() - begun_s) / n
    cpu_ms = 1e3 * (time.thread_time() - cpu_s) / n
    return f"hearing alone: {wall_ms:.2f} ms a frame, {cpu_ms:.2f} ms of CPU time of its thread"


def _rendering(spoken: Path, options: argparse.Namespace, folder: Path) -> str:
    avatar = load_avatar(square_portrait(folder, options.portrait), cache=False)
    composer, memory_mb = Composer(avatar, None), {}

    def note(_: str, done: int, total: int | None) -> None:
        if done == round(EARLY_S * FPS):
            memory_mb[f"after {EARLY_S:.0f} s of sound"] = rss_mb()
        if done % round(EARLY_S * FPS) == 0:
            print(f"  {done} of {total} frames, {rss_mb():.0f} MB", file=sys.stderr)

    begun_s, cpu_s = time.perf_counter(), time.process_time()
    told = render_video(
        spoken,
        options.out or folder / "talk.mp4",
        avatar,
        composer=composer,
        engine=options.engine,
        fps=FPS,
        progress=note,
    )
    wall_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    memory_mb["at the end"] = rss_mb()
    pace, size = told.frames_out / wall_s, "x".join(map(str, composer.canvas_px))
    stages = ", ".join(f"{name} {one.median_ms:.2f}" for name, one in told.stages.items())
    memory = ", ".join(f"{value:.0f} MB {when}" for when, value in memory_mb.items())
    by = ", ".join(sorted(set(told.networks.values()))) or "no network"
    return "\n".join(
        [
            f"rendering: {told.frames_out} frames of {size} in {wall_s:.1f} s, {pace:.0f} a second, "
            f"{pace / FPS:.2f} times real time; {1e3 * cpu_s / told.frames_out:.2f} ms of CPU time a frame",
            f"  medians in ms: {stages}; frames by {told.frame_path}, networks by {by}",
            f"  resident memory: {memory}",
        ]
    )


if __name__ == "__main__":
    main()
