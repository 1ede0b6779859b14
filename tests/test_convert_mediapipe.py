"""Converting MediaPipe's files gives the networks that are shipped, and those say what TFLite says.

Skipped where MediaPipe's package or the extra `convert` is not installed. Whether a network does in the end
what MediaPipe does, custom operators and all, is in test_vision_parity.py.
"""

from __future__ import annotations

import sys
import zipfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from pictures import astronaut_rgb

pytest.importorskip("tflite", reason="needs the extra `convert`")

from engines import convert_mediapipe
from engines.conversion import mediapipe_operators
from engines.conversion.mediapipe_networks import SOURCES, Source
from engines.conversion.tflite_file import read_tflite
from facepuppet.core.types import U8
from facepuppet.inference import read_trackers, read_verified
from facepuppet.vision.detections import probability
from facepuppet.vision.window import letterboxed

MADE_WITH_ONNX = "1.22.0"  # other versions may write other bytes for the same network
CUSTOM = set(mediapipe_operators.TRANSLATIONS)


def package() -> Path:
    """Folder of the version of MediaPipe that is converted; it is not imported."""
    spec = find_spec("mediapipe")
    try:
        installed = version("mediapipe")
    except PackageNotFoundError:
        installed = "none"
    if spec is None or spec.origin is None or installed != "0.10.21":
        pytest.skip(f"needs MediaPipe 0.10.21, got {installed}")
    return Path(spec.origin).parent


def converted(source: Source) -> bytes:
    return _converted(SOURCES.index(source))


@cache
def _converted(number: int) -> bytes:
    model = convert_mediapipe.convert(package(), SOURCES[number])
    return bytes(model.SerializeToString(deterministic=True))


def pictures(network: bytes) -> list[U8]:
    """A face, noise, and a flat picture, of the size that a network takes."""
    _, height, width, _ = onnx_inputs(network)
    face = letterboxed(astronaut_rgb()).cut(astronaut_rgb(), (width, height), extend=False)
    noise = np.random.default_rng(0).integers(0, 256, face.shape, np.uint8)
    return [face[None], noise[None], np.full_like(noise, 90)[None]]


def onnx_inputs(network: bytes) -> tuple[int, ...]:
    (given,) = onnx.load_from_string(network).graph.input
    return tuple(axis.dim_value for axis in given.type.tensor_type.shape.dim)


def outputs(network: bytes, picture: U8) -> dict[str, np.ndarray]:
    session = ort.InferenceSession(network, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"picture": picture}), strict=True))


def per_source() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])


@per_source()
def test_converting_gives_the_shipped_network(source: Source) -> None:
    shipped, anew = read_verified(read_trackers()[source.name]), converted(source)
    for picture in pictures(shipped):
        ours, again = outputs(shipped, picture), outputs(anew, picture)
        assert set(ours) == set(again) == set(source.outputs.values())
        for name, value in ours.items():
            np.testing.assert_allclose(again[name], value, rtol=1e-5, atol=1e-5)
    if version("onnx") == MADE_WITH_ONNX:
        assert anew == shipped, "the same input gives the same file"


@per_source()
def test_the_file_tells_where_it_is_from(source: Source) -> None:
    model = onnx.load_from_string(converted(source))
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert source.file in about["origin"] and "MediaPipe 0.10.21" in about["origin"]
    assert (
        about["licence"] == "Apache-2.0, Copyright The MediaPipe Authors"
        and "TFLite to ONNX" in about["changes"]
    )
    assert model.opset_import[0].version == 17 and not any(node.domain for node in model.graph.node)


@per_source()
def test_tflite_says_the_same(source: Source) -> None:
    interpreters = pytest.importorskip("ai_edge_litert.interpreter", reason="needs ai-edge-litert")
    path = package() / source.file
    found = {operator.kind for operator in read_tflite(path).operators} & CUSTOM
    if found:
        pytest.skip(f"TFLite itself has no {', '.join(sorted(found))}")
    interpreter = interpreters.Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    details = {detail["name"]: detail["index"] for detail in interpreter.get_output_details()}
    low, high = source.span
    for picture in pictures(converted(source)):
        fractions = np.float32(low) + picture.astype(np.float32) * np.float32((high - low) / 255)
        interpreter.set_tensor(given["index"], fractions)
        interpreter.invoke()
        ours = outputs(converted(source), picture)
        for tflite_name, name in source.outputs.items():
            theirs = interpreter.get_tensor(details[tflite_name])
            theirs = theirs.transpose(0, 3, 1, 2) if theirs.ndim == 4 else theirs
            if name == "mask":  # log odds down to -1500; TFLite's own kernels differ by 0.04 in a few pixels
                off = np.abs(probability(ours[name]) - probability(theirs))
                assert np.percentile(off, 99.9) < 1 / 255
                continue
            # XNNPACK adds in another order: single precision, relative to the largest of all answers.
            np.testing.assert_allclose(ours[name], theirs, atol=2e-5 * max(1.0, float(np.abs(theirs).max())))


def test_what_cannot_be_said_in_onnx_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {kind: how for kind, how in convert_mediapipe._TRANSLATIONS.items() if kind != "PRELU"}
    monkeypatch.setattr(convert_mediapipe, "_TRANSLATIONS", kept)
    source = next(each for each in SOURCES if each.name == "face-landmarks")
    with pytest.raises(ValueError, match="PRELU, which is not supported"):
        convert_mediapipe.convert(package(), source)


def test_the_command_writes_all_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(convert_mediapipe, "SOURCES", SOURCES[1:3])  # two small ones tell enough
    monkeypatch.setattr(sys, "argv", ["convert_mediapipe", str(package()), "--into", str(tmp_path)])
    convert_mediapipe.main()
    told = capsys.readouterr().out.splitlines()
    assert len(told) == len(list(tmp_path.iterdir())) == 2
    for line, source in zip(told, SOURCES[1:3], strict=True):
        assert (tmp_path / f"{source.name}.onnx").read_bytes() == converted(source)
        assert line.startswith(f"{source.name}.onnx: {len(converted(source))} bytes, sha256 ")


def test_a_wheel_does_as_well_as_the_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "mediapipe-0.10.21-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(package() / SOURCES[1].file, f"mediapipe/{SOURCES[1].file}")
    monkeypatch.setattr(convert_mediapipe, "SOURCES", SOURCES[1:2])
    monkeypatch.setattr(sys, "argv", ["convert_mediapipe", str(wheel), "--into", str(tmp_path)])
    convert_mediapipe.main()
    assert (tmp_path / f"{SOURCES[1].name}.onnx").read_bytes() == converted(SOURCES[1])
