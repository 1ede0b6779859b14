"""OpenSeeFace's own tracker beside ours: two puppets of one clip, channel by channel.

    python tools/openseeface_parity.py OPENSEEFACE_CHECKOUT CLIP ... [--model 0] [--frames 400]

The checkout's facetracker.py (its models beside it) sends each clip to a port of this program, as it would to
`--driver openseeface`; the clip's rate is written into its packets, for a file is not paced. Printed is the
correlation of each channel of that puppet with one that our camera driver moves, then that of its features
alone with ours.
"""

from __future__ import annotations

import argparse
import csv
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import shapes_fidelity
from reenactment import motion_series

from facepuppet.core import Expression
from facepuppet.drivers import open_driver
from facepuppet.portrait import Avatar, load_avatar, sample_portrait_path
from facepuppet.wires import OpenSeeFaceDecoder, WireFace, face_of_wire

# Which of the 14 features at a packet's end tells most of a channel.
FEATURES = {"mouth_open": (12,), "mouth_width": (13,), "brow": (3, 6), "eye_left": (1,), "eye_right": (0,)}
_FEATURES = struct.Struct("<14f")
_TIME = struct.Struct("<d")


def packets_of(checkout: Path, clip: Path, model: int) -> dict[int, bytes]:
    """Run the tracker over a clip; its datagrams by frame, from 0.

    Raises:
        RuntimeError: it sent nothing.
    """
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(0.5)
        log, port = Path(folder, "log.csv"), str(ear.getsockname()[1])
        command = [sys.executable, "facetracker.py", "-c", str(clip.resolve()), "-p", port, "--silent", "1"]
        command += ["--model", str(model), "--log-data", str(log)]
        with subprocess.Popen(command, cwd=checkout) as tracker:
            heard = _heard(ear, tracker)
        with log.open(newline="") as file:
            frames = {float(row["Time"]): int(row["Frame"]) - 1 for row in csv.DictReader(file)}
    if not heard:
        raise RuntimeError(f"got no packet from {checkout}, expected its tracker to run; try it by hand")
    return {frames[_TIME.unpack_from(packet)[0]]: packet for packet in heard}


def _heard(ear: socket.socket, tracker: subprocess.Popen[bytes]) -> list[bytes]:
    heard = []
    while True:
        try:
            heard.append(ear.recv(65_535))
        except TimeoutError:
            if tracker.poll() is not None:
                return heard


def expressions_of(packets: Mapping[int, bytes], frames: int, fps: float) -> list[Expression]:
    """What the driver makes of packets, frame by frame; the head's rest is the first one's."""
    decoder, rest, told = OpenSeeFaceDecoder(), None, []
    for n in range(frames):
        t_ns, packet = round(n * 1e9 / fps), packets.get(n)
        face = None if packet is None else _face_of(decoder, packet, n / fps)
        if face is None:
            told.append(Expression.absent(n, t_ns))
            continue
        rest = rest or face
        told.append(Expression(face_of_wire(face, rest), None, n, t_ns))
    return told


def _face_of(decoder: OpenSeeFaceDecoder, packet: bytes, t_s: float) -> WireFace | None:
    sample = decoder.decode(_TIME.pack(t_s) + packet[_TIME.size :])
    return None if sample is None else sample.face


def compare(avatar: Avatar, packets: Mapping[int, bytes], ours: Sequence[Expression], fps: float) -> None:
    """Print one clip's two rows."""
    theirs = shapes_fidelity.followed(avatar, expressions_of(packets, len(ours), fps))
    direct = shapes_fidelity.followed(avatar, ours)
    figures = shapes_fidelity.correlations(direct, theirs)
    print(shapes_fidelity.row("puppet", figures))
    told = np.full((len(ours), 14), np.nan)
    for n, packet in packets.items():
        if n < len(ours):
            told[n] = _FEATURES.unpack(packet[-_FEATURES.size :])
    alone = {
        name: motion_series.correlation(direct[name], told[:, list(which)].mean(1))
        for name, which in FEATURES.items()
    }
    print(shapes_fidelity.row("features", dict.fromkeys(shapes_fidelity.CHANNELS, float("nan")) | alone))


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkout", type=Path, help="of OpenSeeFace")
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--model", type=int, default=0, help="of its tracker; 0 is the quickest")
    parser.add_argument("--frames", type=int, default=400, help="of each clip")
    options = parser.parse_args(argv)
    avatar = load_avatar(sample_portrait_path(), cache=False)
    print(shapes_fidelity.HEAD)
    for clip in options.clips:
        driver = open_driver(clip)
        fps = driver.fps or 30.0
        ours = shapes_fidelity.read_all(driver, options.frames)
        print(clip.stem)
        compare(avatar, packets_of(options.checkout, clip, options.model), ours, fps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
