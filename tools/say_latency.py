"""How long after a line of text its voice is heard and its lips move, in a whole live run that reads out.

    python tools/say_latency.py [--lines 10] [--command "espeak-ng -v en --stdin --stdout -z"]

Prints hardware, and of both medians and p95 from the line on: first sound as it arrives at the monitor of a
null sink, of a PulseAudio of the tool's own (known to some 5 ms); first lip movement as the moment at which a
picture with it goes to the sink. The portrait is the sample's, the sink throws pictures away. Needs
pulseaudio, pulseaudio-utils and libasound2-plugins. Exits 1 where a median is beyond 400 ms.

"machine late" is by how much the worst of fifty wakings of a thread was late: where that is more than a few
milliseconds, the figures tell of what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable

import numpy as np
from private_pulse import Heard, Pace, PrivatePulse, missing

from facepuppet.core import Blendshapes, Expression, describe_hardware
from facepuppet.drivers import Driver, Saying, TappedDriver, TypedLines, VoiceSetup, open_driver
from facepuppet.face import ARKIT_INDEX
from facepuppet.portrait import load_avatar, sample_portrait_path
from facepuppet.session import LivePipeline, Puppet
from facepuppet.sinks import Sink
from facepuppet.watermark import Marked

BAR_S = 0.400
LINES = (
    "Good morning, everybody.",
    "Papa bought a big red ball.",
    "How are you today?",
    "Maybe we should begin.",
    "Open the window, please.",
    "Nobody knows what comes next.",
    "Seven people are waiting outside.",
    "Are you sure about that?",
    "Let me explain it once more.",
    "Thank you, and goodbye.",
)
OPEN = 0.05  # of jawOpen beyond rest, which counts as moving
LOUD = 0.01  # of full scale, which counts as sound
GAP_S = 1.5  # of silence after a line
WARM_S = 4.0
_SINK = "one"


class Nowhere(Sink):
    """Throws pictures away."""

    description = "nowhere"

    def __init__(self, size_px: tuple[int, int]) -> None:
        self.size_px = size_px

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        pass

    def close(self) -> None:
        """Nothing is held."""


class WatchedLips(TappedDriver):
    """Keeps when a picture went to the sink in which the jaw was how far open.

    Args:
        driver: closed with this.
        picture_s: tells how late pictures are.

    Attributes:
        seen: time on the monotonic clock in s, and jawOpen.
    """

    def __init__(self, driver: Driver, picture_s: Callable[[], float | None]) -> None:
        super().__init__(driver)
        self._picture_s = picture_s
        self.seen: list[tuple[float, float]] = []

    def heard(self, expression: Expression) -> None:
        """Take note of an expression."""
        if expression.face is not None and isinstance(expression.face.deformation, Blendshapes):
            jaw = float(expression.face.deformation.weights[ARKIT_INDEX["jawOpen"]])
            self.seen.append((expression.captured_ns * 1e-9 + (self._picture_s() or 0.0), jaw))


def main() -> int:
    """Measure and print; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, default=len(LINES))
    parser.add_argument("--command", default=Saying().command)
    options = parser.parse_args()
    if missing():
        print(f"not installed: {missing()}")
        return 2
    machine = describe_hardware()
    print(f"{machine.cpu}, {machine.cores} cores, {machine.system}, Python {machine.python}")
    with PrivatePulse((_SINK,)) as pulse, Pace() as pace:
        os.environ.update(pulse.environment)
        sound_s, lips_s = measure(options.command, pulse, options.lines)
    print(f"command   {options.command}")
    tell("sound", sound_s)
    tell("lips", lips_s)
    tell("lips less sound", lips_s - sound_s)
    print(f"machine   late {1e3 * pace.late_s:.1f} ms")
    return int(max(float(np.median(sound_s)), float(np.median(lips_s))) > BAR_S)


def measure(command: str, pulse: PrivatePulse, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Let lines be read out; return from each line to its first sound and to its first lip movement, in s."""
    typed = TypedLines()
    saying = Saying(command=command, to=_SINK, typed=typed, picture_s=lambda: live.delay_s)
    puppet = Puppet(load_avatar(sample_portrait_path()))
    driver = WatchedLips(open_driver("say", voice=VoiceSetup(saying=saying)), saying.picture_s)
    with LivePipeline(driver, puppet, [Nowhere(puppet.canvas_px)]) as live:
        show = threading.Thread(target=live.run)
        show.start()
        time.sleep(WARM_S)
        ear = pulse.listen(f"{_SINK}.monitor")
        time.sleep(1.0)
        asked_s = [say(typed, LINES[i % len(LINES)], driver) for i in range(n)]
        heard = ear.stop()
        live.stop()
        show.join()
    sounds = loud_moments(heard)
    ends_s = [*asked_s[1:], np.inf]
    lips = [first(driver.seen, OPEN, start, end) for start, end in zip(asked_s, ends_s, strict=True)]
    ears = [first(sounds, LOUD, start, end) for start, end in zip(asked_s, ends_s, strict=True)]
    return np.array(ears) - asked_s, np.array(lips) - asked_s


def say(typed: TypedLines, line: str, driver: WatchedLips) -> float:
    """Let a line be read out, wait until the lips have been shut for a while; return when it was typed."""
    asked_s = time.monotonic()
    typed.put(line)
    time.sleep(1.0)
    while any(jaw > OPEN for t_s, jaw in driver.seen[-60:] if t_s > time.monotonic() - GAP_S):
        time.sleep(0.1)
    return asked_s


def loud_moments(heard: Heard) -> list[tuple[float, float]]:
    """When the ear heard something, to 2 ms, and how loud."""
    step = 96
    peaks = np.abs(heard.sound[: len(heard.sound) // step * step]).reshape(-1, step).max(axis=1)
    return [(heard.time_s(int(i) * step), float(peaks[i])) for i in np.flatnonzero(peaks > LOUD)]


def first(moments: list[tuple[float, float]], bound: float, start_s: float, end_s: float) -> float:
    """When something was first beyond a bound, between two times; NaN where it never was."""
    return next((t_s for t_s, value in moments if start_s <= t_s < end_s and value > bound), np.nan)


def tell(name: str, seconds: np.ndarray) -> None:
    """Print a row."""
    ms = 1e3 * seconds[~np.isnan(seconds)]
    missed = len(seconds) - len(ms)
    if not len(ms):
        print(f"{name:<16} nothing")
        return
    more = f", {missed} MISSED" if missed else ""
    print(
        f"{name:<16} median {np.median(ms):.0f} ms, p95 {np.percentile(ms, 95):.0f} ms, "
        f"from {ms.min():.0f} to {ms.max():.0f}, {len(ms)} lines{more}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
