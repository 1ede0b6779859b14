"""`python -m engines.quantise --data DATA…`: the shipped painters once more in 8 bits, for CPUs.

Weights become int8, one scale an output channel; what flows between convolutions becomes uint8, in the range
that training samples show. The first and the last convolution stay in fp32: they meet the picture itself,
whose steps would show, and inputs that fill their range overflow the 16-bit sums of CPUs without VNNI.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import onnx
import onnxruntime as ort
import typer
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static

from engines.data.people import Split, TrainingDataError
from engines.data.samples import Samples, find_samples
from facepuppet.core import F32, write_whole
from facepuppet.inference import PaintingNetwork, read_manifest, read_verified, shipped_folder

CALIBRATION, TRIALS = 256, 300  # samples: to find ranges, to see what the rounding costs
PERCENTILE = 99.997  # of the values of a tensor that its range holds: outliers would coarsen all others
MOST_ERROR = 0.5 / 255  # mean difference from fp32: half a step of an 8-bit picture
MOST_LOSS = 1.01  # L1 to the truth, over that of fp32
_FLOAT_LAYERS = ("/stem/", "/head/")

Feed = dict[str, F32]

log = logging.getLogger(__name__)
app = typer.Typer(add_completion=False)


@app.command()
def main(
    data: Annotated[list[Path], typer.Option(help="Folders that engines.data.prepare wrote; repeat it.")],
    regions: Annotated[
        list[str] | None, typer.Argument(help="mouth, eye, frame; all that ship if none.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Folder of manifest.toml.")] = shipped_folder(),  # noqa: B008
) -> None:
    """Quantise networks of the manifest, check them on people of the validation split, and enter them."""
    for network in read_manifest(folder):
        if regions and network.region not in regions:
            continue
        model = read_verified(network)
        train, held_out = (
            find_samples(data, split, network.region) for split in (Split.TRAIN, Split.VALIDATION)
        )
        small = quantised(model, _feeds(train, CALIBRATION))
        error, loss = cost(model, small, held_out)
        if not (error <= MOST_ERROR and loss <= MOST_LOSS):
            raise TrainingDataError(
                f"{network.name} in 8 bits: mean error {255 * error:.2f} levels, L1 {loss:.3f} of fp32's",
                f"at most {255 * MOST_ERROR} levels and {MOST_LOSS}",
                "Do not ship.",
            )
        file = network.path.with_name(f"{network.path.stem}-int8.onnx")
        write_whole(file, small)
        enter(folder / "manifest.toml", network, file.relative_to(folder.resolve()), small)
        figures = f"mean error {255 * error:.2f} levels, L1 {loss:.3f} of fp32's"
        typer.echo(f"{file.name}: {len(small) / 1e6:.1f} MB, {figures}")


def quantised(model: bytes, feeds: Iterator[Feed]) -> bytes:
    """Return the network with 8-bit convolutions, as QuantizeLinear and DequantizeLinear around them."""
    nodes = onnx.load_from_string(model).graph.node
    kept = [
        node.name for node in nodes if node.op_type == "Conv" and any(n in node.name for n in _FLOAT_LAYERS)
    ]
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        source.write_bytes(model)
        quantize_static(
            source, target, _Reader(feeds), per_channel=True, op_types_to_quantize=["Conv"],
            nodes_to_exclude=kept, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile, extra_options={"CalibPercentile": PERCENTILE},
        )  # fmt: skip
        return target.read_bytes()


def cost(exact: bytes, small: bytes, parts: Sequence[Samples], trials: int = TRIALS) -> tuple[float, float]:
    """Mean difference of the painted crop inside the mask, and L1 to the truth over that of fp32."""
    sessions = [_session(model) for model in (exact, small)]
    error, l1 = 0.0, np.zeros(2)
    for part, index in _chosen(parts, trials):
        feed = _feed(part, index)
        truth = _planes(part.target, index) * part.coverage[index] / np.float32(255)
        painted = []
        for session in sessions:
            residual, mask = session.run(["residual", "mask"], feed)
            painted.append(feed["warped"] + residual * mask)
        share = mask / (3 * mask.sum())
        l1 += [float((np.abs(picture - truth) * share).sum()) for picture in painted]
        error += float((np.abs(painted[1] - painted[0]) * share).sum()) / trials
    return error, float(l1[1] / l1[0])


def enter(manifest: Path, network: PaintingNetwork, file: Path, small: bytes) -> None:
    """Write a network's [network.int8] table in place of what was there."""
    head, *entries = manifest.read_text(encoding="utf-8").split("\n[[network]]")
    table = f'\n[network.int8]\nfile = "{file.as_posix()}"\nsha256 = "{hashlib.sha256(small).hexdigest()}"\n'
    for i, entry in enumerate(entries):
        if re.search(f'^name = "{re.escape(network.name)}"$', entry, re.MULTILINE):
            entries[i] = entry.split("\n[network.int8]")[0].rstrip("\n") + "\n" + table
    write_whole(manifest, "\n[[network]]".join([head, *entries]).encode())


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # untyped
    """What ONNX Runtime's calibration asks for its inputs."""

    def __init__(self, feeds: Iterator[Feed]) -> None:
        self._feeds = feeds

    def get_next(self) -> Feed | None:
        """Return the next inputs; None at the end."""
        return next(self._feeds, None)


def _feeds(parts: Sequence[Samples], count: int) -> Iterator[Feed]:
    return (_feed(part, index) for part, index in _chosen(parts, count))


def _chosen(parts: Sequence[Samples], count: int) -> Iterator[tuple[Samples, int]]:
    """Samples drawn evenly from every part, the same ones each time."""
    random = np.random.default_rng(0)
    for part in parts:
        for index in random.integers(len(part), size=count // len(parts)):
            yield part, int(index)


def _feed(part: Samples, index: int) -> Feed:
    feed = {"warped": _planes(part.warped, index), "source": _planes(part.source, index)}
    if part.contours.shape[1]:
        feed["contours"] = part.contours[index][None].astype(np.float32) / np.float32(255)
    return feed


def _planes(pictures: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], index: int) -> F32:
    """One picture (S, S, 3) as (1, 3, S, S) in [0, 1]."""
    return np.ascontiguousarray(pictures[index].transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def _session(model: bytes) -> ort.InferenceSession:
    return ort.InferenceSession(model, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    app()
