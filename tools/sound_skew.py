"""How well the microphone keeps its delay, and what it costs: a real PulseAudio, null sinks, a click train.

    python tools/sound_skew.py [--seconds 60] [--delay-ms 60] [--show]

Prints hardware, skew (delay of each click less the wanted one: median, p95 of its size, first and last
quarter), the drift that the sound path found, and the processor time of a process that does nothing else.
With --show a whole live run passes the microphone on, and runs once more without it: capture to sink and
processor time of both. Needs pulseaudio, pulseaudio-utils and libasound2-plugins. The clicks are heard at the
monitors of both sinks; their arrival is known to some 5 ms, by the promptest reads of 1.5 s around each.

"machine late" is by how much the worst of fifty wakings of a thread was late: where that is more than a few
milliseconds, the figures tell of what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from private_pulse import Pace, PrivatePulse, click_train, delays_s, missing

from facepuppet.core import describe_hardware
from facepuppet.portrait import sample_portrait_path
from facepuppet.sound import Microphone, PortAudio

WARM_S = 6.0  # until the drift is about known
ALONE = "--pass-on"
RUN = "import sys; from facepuppet.cli import main; main(sys.argv[1:])"


def main() -> int:
    """Measure and print; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--delay-ms", type=float, default=60.0)
    parser.add_argument("--show", action="store_true")
    parser.add_argument(ALONE, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pass_on:
        return pass_on(options.seconds, options.delay_ms / 1e3)
    if missing():
        print(f"not installed: {missing()}")
        return 2
    machine = describe_hardware()
    print(f"{machine.cpu}, {machine.cores} cores, {machine.system}, Python {machine.python}")
    with PrivatePulse() as pulse:
        os.environ.update(pulse.environment)
        skew_s = alone(pulse, options.seconds, options.delay_ms / 1e3)
    if options.show:
        show(options.seconds)
    return int(abs(float(np.median(skew_s))) > 0.040)


def pass_on(seconds: float, delay_s: float) -> int:
    """Pass the microphone on and do nothing else; prints what that took."""
    with Microphone("one.monitor", "two", PortAudio(), lambda: delay_s) as microphone:
        time.sleep(WARM_S)
        cpu_s, began_s = time.process_time(), time.monotonic()
        time.sleep(seconds)
        cores = (time.process_time() - cpu_s) / (time.monotonic() - began_s)
        told = {"cores": cores, "slips": microphone.slips, **microphone.to_json()}
    print(json.dumps(told))
    return 0


def alone(pulse: PrivatePulse, seconds: float, delay_s: float) -> np.ndarray:
    """Measure the sound path by itself; the skew of each click in s."""
    words = [sys.executable, __file__, ALONE, "--seconds", str(seconds), "--delay-ms", str(1e3 * delay_s)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child, Pace() as pace:
        player = pulse.play(click_train(seconds + WARM_S), "one")
        time.sleep(WARM_S)
        before, after = pulse.listen("one.monitor"), pulse.listen("two.monitor")
        time.sleep(seconds - 1.0)
        skew_s = delays_s(before.stop(), after.stop()) - delay_s
        told = json.loads(child.communicate()[0])
        player.stop()
    ms = 1e3 * skew_s
    quarter = max(1, len(ms) // 4)
    print(
        f"skew      median {np.median(ms):+.1f} ms, p95 {np.percentile(abs(ms), 95):.1f} ms, {len(ms)} clicks"
    )
    print(
        f"          first quarter {np.median(ms[:quarter]):+.1f} ms, last {np.median(ms[-quarter:]):+.1f} ms"
    )
    print(f"          by its own account {1e3 * (told['measured_s'] or 0) - 1e3 * delay_s:+.1f} ms")
    print(f"drift     {told['drift_ppm']:.0f} ppm; underruns {told['underruns']}, slips {told['slips']}")
    print(f"processor {100 * told['cores']:.1f} % of a core")
    print(f"machine   late {1e3 * pace.late_s:.1f} ms")
    return skew_s


def show(seconds: float) -> None:
    """Measure a live run with and without its microphone, each in a process and on a server of its own."""
    for sound in (False, True):
        with PrivatePulse() as pulse, tempfile.TemporaryDirectory() as folder, Pace() as pace:
            player = pulse.play(click_train(seconds), "one")
            stats = Path(folder) / "stats.json"
            words = ["run", "--no-ui", "--avatar", str(sample_portrait_path()), "--right", "public-domain"]
            words += ["--camera", "script", "--sink", f"{folder}/out.mkv", "--stats", str(stats)]
            words += ["--seconds", str(seconds)]
            words += ["--mic", "one.monitor", "--mic-to", "two"] if sound else []
            homes = {name: value for name, value in pulse.environment.items() if name.startswith("PULSE")}
            spent_s = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(
                [sys.executable, "-c", RUN, *words],
                env={**os.environ, **homes, "XDG_DATA_HOME": folder},
                stderr=subprocess.DEVNULL,
                check=True,
            )
            took_s = resource.getrusage(resource.RUSAGE_CHILDREN)
            player.stop()
            told = json.loads(stats.read_text())
        cpu_s = took_s.ru_utime + took_s.ru_stime - spent_s.ru_utime - spent_s.ru_stime
        late = told["latency"]
        print(f"{'with' if sound else 'without'} sound: capture to sink", end=" ")
        print(
            f"{late['median_ms']:.1f} / {late['p95_ms']:.1f} ms, {told['fps']:.1f} frames a second,", end=" "
        )
        print(f"{cpu_s:.1f} s of CPU in {seconds:g} s; machine late {1e3 * pace.late_s:.1f} ms")


if __name__ == "__main__":
    sys.exit(main())
