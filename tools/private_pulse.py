"""A PulseAudio of one's own with null sinks, clicks into one of them and ears at the others.

For tests and benchmarks of sound: no system daemon, no sound card and nobody's settings are touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

RATE_HZ = 48_000
NEEDED = ("pulseaudio", "pactl", "pacat")
PIPEWIRE_NEEDED = ("dbus-daemon", "pipewire", "wireplumber", "pipewire-pulse", "pactl", "pacat")
CLICK_EVERY_S = 0.5
_CLICK = np.sin(np.linspace(0, np.pi, 25)).astype(np.float32) * 0.5  # half a millisecond
_EAR_MS = 10
_NAP_S = 0.005
_NEAR_S = 1.5  # of the reads that tell when a sample arrived


def missing(needed: tuple[str, ...] = NEEDED) -> str:
    """Tell which programs are not installed; empty where all are."""
    return ", ".join(name for name in needed if shutil.which(name) is None)


class PrivatePulse:
    """A daemon with null sinks, for as long as it is entered.

    Attributes:
        environment: variables by which programs find it, this one's own included.
    """

    def __init__(self, sinks: tuple[str, ...] = ("one", "two")) -> None:
        self._sinks = sinks
        self._folder = Path(tempfile.mkdtemp(prefix="pulse-"))
        (self._folder / "run").mkdir(mode=0o700)
        socket = self._folder / "native"
        self.environment: Mapping[str, str] = {
            "HOME": str(self._folder),
            "XDG_RUNTIME_DIR": str(self._folder / "run"),
            "XDG_CONFIG_HOME": str(self._folder / "config"),
            "PULSE_RUNTIME_PATH": str(self._folder / "run"),
            "PULSE_SERVER": f"unix:{socket}",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        }
        lines = [f"load-module module-native-protocol-unix socket={socket} auth-anonymous=1"]
        lines += [
            f"load-module module-null-sink sink_name={name} rate={RATE_HZ} norewinds=1" for name in sinks
        ]
        (self._folder / "start.pa").write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None
        self._others: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> PrivatePulse:
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        words = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"]
        self._process = self._run(["pulseaudio", *words, "-F", str(self._folder / "start.pa")])
        self._wait(len(self._sinks))

    def kill(self) -> None:
        """End the daemon as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            (self._folder / "native").unlink(missing_ok=True)

    def _run(self, words: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _wait(self, n_sinks: int) -> None:
        deadline_s = time.monotonic() + 20.0
        while "Server Name" not in self.pactl("info") or (
            self.pactl("list", "short", "sinks").count("\n") < n_sinks
        ):
            if time.monotonic() > deadline_s or self._process is None or self._process.poll() is not None:
                raise RuntimeError("the sound server does not start")
            time.sleep(0.05)

    def pactl(self, *words: str) -> str:
        """Ask or tell the daemon; what it answers, empty where it does not."""
        return subprocess.run(
            ["pactl", *words],
            env={**os.environ, **self.environment, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    def unload(self, sink: str) -> None:
        """Take a null sink away, as by pulling its plug."""
        for line in self.pactl("list", "short", "modules").splitlines():
            if f"sink_name={sink} " in line + " ":
                self.pactl("unload-module", line.split("\t")[0])

    def load(self, sink: str) -> None:
        """Put a null sink in."""
        self.pactl("load-module", "module-null-sink", f"sink_name={sink}", f"rate={RATE_HZ}", "norewinds=1")

    def play(self, sound: F32, sink: str) -> Player:
        """Play mono sound, (n,), into a sink; ends by itself or with the player's `stop`."""
        return Player(self._stream("--playback", sink), sound)

    def listen(self, source: str) -> Ear:
        """Record a source in mono until the ear's `stop`."""
        return Ear(self._stream("--record", source))

    def _stream(self, way: str, device: str) -> subprocess.Popen[bytes]:
        words = [f"--rate={RATE_HZ}", "--format=float32le", "--channels=1", "--raw"]
        # A player that is to be prompt hands over bits of half a millisecond, which cost the listeners dear.
        words += [] if way == "--playback" else [f"--latency-msec={_EAR_MS}"]
        return subprocess.Popen(
            ["pacat", way, f"--device={device}", *words],
            env={**os.environ, **self.environment},
            stdin=subprocess.PIPE if way == "--playback" else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if way == "--playback" else subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


class PrivatePipewire(PrivatePulse):
    """The same from PipeWire, which speaks PulseAudio's language; it needs a session bus, here its own."""

    def start(self) -> None:
        """Start bus, server, session manager and translator, and wait until they answer."""
        bus = self._folder / "bus"
        self.environment = {
            **self.environment,
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}",
            "PIPEWIRE_RUNTIME_DIR": str(self._folder / "run"),
            "PULSE_SERVER": f"unix:{self._folder / 'run' / 'native'}",
        }
        self._others = []
        for words in (["dbus-daemon", "--session", "--nofork", f"--address=unix:path={bus}"], ["pipewire"]):
            self._others.append(self._run(words))
            time.sleep(1.0)  # neither tells when it is ready
        self._others.append(self._run(["wireplumber"]))
        self._process = self._run(["pipewire-pulse"])
        self._wait(0)
        for sink in self._sinks:
            self.load(sink)
        self._wait(len(self._sinks))

    def kill(self) -> None:
        """End all of it."""
        super().kill()
        for process in self._others:
            process.kill()
            process.wait()


class Pace:
    """Whether this machine wakes a thread in time; sound that is torn on one that does not is nobody's fault.

    Attributes:
        late_s: by how much the worst of fifty wakings was late, once it was left.
    """

    def __enter__(self) -> Pace:
        self.late_s = 0.0
        self._lates_s: list[float] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._wake, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self.late_s = float(np.quantile(self._lates_s, 0.98)) if self._lates_s else 0.0

    def _wake(self) -> None:
        while not self._stopping.is_set():
            due_s = time.monotonic() + _NAP_S
            time.sleep(_NAP_S)
            self._lates_s.append(time.monotonic() - due_s)


class Player:
    """Sound on its way into a sink."""

    def __init__(self, process: subprocess.Popen[bytes], sound: F32) -> None:
        self._process, self._sound = process, sound
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop playing."""
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def _feed(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(self._sound.astype("<f4").tobytes())
            self._process.stdin.close()
        except OSError:  # stopped
            return


class Ear:
    """A recording in progress."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._pieces: list[bytes] = []
        self._reads: list[tuple[int, float]] = []  # samples read by a time of the monotonic clock
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def stop(self) -> Heard:
        """End the recording and return it."""
        self._process.kill()
        self._process.wait()
        self._thread.join()
        return Heard(
            np.frombuffer(b"".join(self._pieces), "<f4"), np.array(self._reads, float).reshape(-1, 2)
        )

    def _hear(self) -> None:
        assert self._process.stdout is not None
        fd, n = self._process.stdout.fileno(), 0
        while piece := os.read(fd, 1 << 16):
            n += len(piece)
            self._pieces.append(piece[: len(piece) - n % 4] if n % 4 else piece)
            self._reads.append((n // 4, time.monotonic()))


class Heard:
    """What an ear heard.

    Attributes:
        sound: (n,) full scale ±1.
    """

    def __init__(self, sound: F32, reads: NDArray[np.float64]) -> None:
        self.sound = sound
        self._reads = reads

    def time_s(self, index: int) -> float:
        """When a sample arrived, on the monotonic clock: by the promptest of the reads near it."""
        n, at_s = self._reads.T
        near = np.abs(n - index) < _NEAR_S * RATE_HZ
        return index / RATE_HZ + float((at_s[near] - n[near] / RATE_HZ).min())

    def clicks_s(self) -> NDArray[np.float64]:
        """When clicks arrived, on the monotonic clock."""
        loud = np.flatnonzero(np.abs(self.sound) > 0.2)
        firsts = loud[np.diff(loud, prepend=-RATE_HZ) > 0.1 * RATE_HZ]
        tops = [first + int(np.abs(self.sound[first : first + 48]).argmax()) for first in firsts]
        return np.array([self.time_s(top) for top in tops])


def click_train(seconds: float) -> F32:
    """Clicks, one each CLICK_EVERY_S."""
    sound = np.zeros(round(seconds * RATE_HZ), np.float32)
    for start in range(0, len(sound) - len(_CLICK), round(CLICK_EVERY_S * RATE_HZ)):
        sound[start : start + len(_CLICK)] = _CLICK
    return sound


def delays_s(before: Heard, after: Heard) -> NDArray[np.float64]:
    """How much later each click came out than it went in; those of which one is missing are left out.

    Delays are below half the time between clicks.
    """
    went_in, came_out = before.clicks_s(), after.clicks_s()
    if not len(went_in) or not len(came_out):
        return np.zeros(0)
    delays = [came_out[came_out >= click - 0.01][:1] - click for click in went_in]
    return np.array([delay[0] for delay in delays if len(delay) and delay[0] < CLICK_EVERY_S / 2])
