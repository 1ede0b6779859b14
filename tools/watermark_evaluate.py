r"""Measure the watermark through a real WebRTC call and offline attacks; print the table.

Each clip is fitted to 1280x720 at 30 FPS, marked, sent through each cell, and the recording is then examined
from several starts, as if somebody had joined the call there.

    python tools/watermark_evaluate.py --clips A.mp4 B.mp4 C.mp4 --cells VP8:600 H264:300 VP9:600+crop \\
        --webrtc ../shared/tools/webrtc_channel.py --work /tmp/watermark

A cell is CODEC:KBPS, `lossless`, or either followed by +ATTACK. Recordings and results are kept in the work
folder and not made twice. Needs ffmpeg, chromium and aiohttp for CODEC:KBPS.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from facepuppet.core import U8
from facepuppet.watermark import Detector, Marker, Payload, detect

SIZE_PX = (1280, 720)
FPS = 30
PAYLOAD = Payload(avatar=0x1234567, session=0xABCDE)
COLUMNS = (
    *("cell", "starts", "presence median", "p95", "p99", "seen"),
    *("payload median", "p90", "p95", "read", "wrong", "kbps"),
)


def main() -> None:
    """Run every cell on every clip and print one row a cell."""
    arguments = _arguments()
    cv2.setNumThreads(1)
    arguments.work.mkdir(parents=True, exist_ok=True)
    print(f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|", flush=True)
    for cell in arguments.cells:
        results = [_clip_cell(clip, cell, arguments) for clip in arguments.clips]
        print(_row(cell, results), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", nargs="+", type=Path, required=True)
    parser.add_argument("--cells", nargs="+", required=True)
    parser.add_argument(
        "--marked", action="store_true", help="the clips are the product's own marked 720p output"
    )
    parser.add_argument("--webrtc", type=Path, help="script with the interface IN OUT --codec C --kbps K")
    parser.add_argument("--work", type=Path, default=Path("watermark-evaluation"))
    parser.add_argument("--seconds", type=float, default=22.0, help="length of a recording")
    parser.add_argument("--horizon", type=float, default=12.0, help="how long to look from each start")
    parser.add_argument("--starts", type=int, default=10, help="starts a recording")
    return parser.parse_args()


def _clip_cell(clip: Path, cell: str, arguments: argparse.Namespace) -> dict[str, object]:
    saved = arguments.work / f"{clip.stem}_{cell.replace(':', '_')}.json"
    if saved.exists():
        return dict(json.loads(saved.read_text()))
    channel, _, attack = cell.partition("+")
    try:
        recording, kbps = _record(clip, channel, arguments)
    except subprocess.CalledProcessError as error:
        print(f"{cell} on {clip.stem} failed: {error.stderr[-300:]}", file=sys.stderr)
        return {"starts": [], "kbps": None}
    frames = _attacked(recording, attack)
    expected = detect(clip).payload if arguments.marked else PAYLOAD.hex
    result = {"starts": _examine(frames, arguments, expected), "kbps": kbps}
    saved.write_text(json.dumps(result))
    return result


def _record(clip: Path, channel: str, arguments: argparse.Namespace) -> tuple[Path, float | None]:
    """Return the received video and its measured rate; times lie beside it as .json."""
    marked = clip if arguments.marked else arguments.work / f"{clip.stem}_marked.mkv"
    if not marked.exists():
        _mark(clip, marked, arguments.seconds + 8)
    if channel == "lossless":
        return marked, None
    codec, kbps = channel.split(":")
    received = arguments.work / f"{clip.stem}_{codec}_{kbps}.mkv"
    if not received.exists():
        command = [sys.executable, str(arguments.webrtc), str(marked), str(received), "--codec", codec]
        command += ["--kbps", kbps, "--seconds", str(arguments.seconds), "--warmup", "3"]
        subprocess.run(command, check=True, capture_output=True, text=True)
    return received, json.loads(_times_path(received).read_text())["kbps"]


def _times_path(received: Path) -> Path:
    return received.with_name(received.name + ".json")


def _mark(clip: Path, marked: Path, seconds: float) -> None:
    """Loop the clip, fit it to the canvas on its own blurred first frame, mark it, store it losslessly."""
    marker = Marker(payload=PAYLOAD, size_px=SIZE_PX)
    with av.open(str(marked), "w") as output:
        stream = output.add_stream("libx264", rate=FPS, options={"qp": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE_PX, "yuv420p"
        for index, frame in enumerate(_looped(clip, round(seconds * FPS))):
            planes = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)
            planes[: SIZE_PX[1]] = marker.mark_yuv(planes[: SIZE_PX[1]], round(index * 1e9 / FPS))
            output.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        output.mux(stream.encode(None))


def _looped(clip: Path, n_frames: int) -> Iterator[U8]:
    with av.open(str(clip)) as source:
        fps = float(source.streams.video[0].average_rate or FPS)
        pictures = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
    fitted = _fitter(pictures[0])
    for index in range(n_frames):
        at = int(index * fps / FPS) % (2 * len(pictures) - 1)  # forth and back, so that loops do not jump
        yield fitted(pictures[min(at, 2 * len(pictures) - 2 - at)])


def _fitter(first: U8) -> Callable[[U8], U8]:
    width, height = SIZE_PX
    cover = cv2.resize(first, (width, round(first.shape[0] * width / first.shape[1])))
    top = max(0, (cover.shape[0] - height) // 2)
    background = cv2.GaussianBlur(cv2.resize(cover[top : top + height], SIZE_PX), (0, 0), 30)

    def fit(picture: U8) -> U8:
        inner = min(width, round(picture.shape[1] * height / picture.shape[0]))
        canvas = background.copy()
        left = (width - inner) // 2
        canvas[:, left : left + inner] = cv2.resize(picture, (inner, height), interpolation=cv2.INTER_CUBIC)
        return canvas

    return fit


def _attacked(recording: Path, attack: str) -> list[tuple[U8, float]]:
    """Return reduced luma pictures and times."""
    times_path = _times_path(recording)
    times = json.loads(times_path.read_text())["ts"] if times_path.exists() else None
    change = ATTACKS[attack]
    rng = np.random.default_rng(7)
    frames = []
    with av.open(str(recording)) as source:
        for index, frame in enumerate(source.decode(video=0)):
            t_s = times[index] - times[0] if times else index / FPS
            if attack == "15fps_drops" and (index % 2 or rng.random() < 0.2):
                continue
            picture = change(frame.to_ndarray(format="gray"))
            ratio = 270 / min(picture.shape)
            size_px = (round(picture.shape[1] * ratio), round(picture.shape[0] * ratio))
            frames.append((cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA), t_s))
    return frames


def _window(luma: U8) -> U8:
    """A 0.8x window in a recorded desktop."""
    small = cv2.resize(luma, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    desktop = np.full((small.shape[0] + 150, small.shape[1] + 200), 32, np.uint8)
    desktop[:38] = 225
    desktop[52 : 52 + small.shape[0], 100 : 100 + small.shape[1]] = small
    return desktop


def _tile(luma: U8, share: int) -> U8:
    """One tile of a gallery page, so many across; the others are grey."""
    height, width = luma.shape
    page = np.full((height, width), 64, np.uint8)
    tile = cv2.resize(luma, (width // share, height // share), interpolation=cv2.INTER_AREA)
    page[-tile.shape[0] :, -tile.shape[1] :] = tile
    return page


def _noise(luma: U8) -> U8:
    noise = np.empty(luma.shape, np.int16)
    cv2.randn(noise, 0, 8)
    return np.clip(luma + noise, 0, 255).astype(np.uint8)


GAMMA = (255 * (np.arange(256) / 255) ** 1.4).astype(np.uint8)
ATTACKS: dict[str, Callable[[U8], U8]] = {
    "": lambda luma: luma,
    "crop": lambda luma: luma[72:648, 128:1152],
    "mirror": lambda luma: np.ascontiguousarray(luma[:, ::-1]),
    "4:3": lambda luma: luma[:, 160:1120],
    "window": _window,
    "levels": lambda luma: cv2.LUT(cv2.convertScaleAbs(luma, alpha=0.8, beta=15), GAMMA),
    "noise": _noise,
    "story": lambda luma: luma[:, 438:842],
    "third": lambda luma: luma[:, :427],
    "band": lambda luma: luma[240:480],
    "tile3": lambda luma: _tile(luma, 3),
    "tile5": lambda luma: _tile(luma, 5),
    "15fps_drops": lambda luma: luma,
}


def _examine(
    frames: list[tuple[U8, float]], arguments: argparse.Namespace, expected: str | None
) -> list[list[float | None]]:
    """Return [presence_s, payload_s, 1 if a wrong payload was read] for each start."""
    last_start_s = max(0.0, frames[-1][1] - arguments.horizon)
    return [
        _watch(frames, start_s, arguments.horizon, expected)
        for start_s in np.linspace(0, last_start_s, arguments.starts)
    ]


def _watch(
    frames: list[tuple[U8, float]], start_s: float, horizon_s: float, expected: str | None
) -> list[float | None]:
    detector = Detector()
    found = detector.findings()[0]
    for picture, t_s in frames:
        if t_s < start_s or t_s - start_s > horizon_s:
            continue
        detector.add(picture, t_s)
        found = detector.findings()[0]
        if found.payload is not None:
            break
    wrong = float(found.payload is not None and found.payload.hex != expected)
    return [found.first_seen_s, found.payload_s, wrong]


def _row(cell: str, results: list[dict[str, object]]) -> str:
    starts = [start for result in results for start in result["starts"]]  # type: ignore[attr-defined]
    presence, payload = (np.array([np.inf if row[i] is None else row[i] for row in starts]) for i in (0, 1))
    if not len(starts):
        return f"| {cell} | 0 | – | – | – | – | – | – | – | – | – | – |"
    rates = [result["kbps"] for result in results if result["kbps"]]
    numbers = [
        *(_quantile(presence, q) for q in (0.5, 0.95, 0.99)),
        f"{np.isfinite(presence).mean():.0%}",
        *(_quantile(payload, q) for q in (0.5, 0.9, 0.95)),
        f"{np.isfinite(payload).mean():.0%}",
        str(int(sum(row[2] for row in starts))),
        f"{np.mean(rates):.0f}" if rates else "–",  # type: ignore[arg-type]
    ]
    return f"| {cell} | {len(starts)} | " + " | ".join(numbers) + " |"


def _quantile(values: np.ndarray, q: float) -> str:
    value = np.quantile(values, q, method="higher")
    return f"{value:.1f} s" if np.isfinite(value) else "> horizon"


if __name__ == "__main__":
    main()
