"""A network that is missing, damaged or exchanged is told when the tracker opens, not in mid-call."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import hopper_rgb

from facepuppet.core.errors import ManifestError
from facepuppet.core.types import Frame
from facepuppet.drivers import Tracker
from facepuppet.inference import manifest as manifest_module
from facepuppet.inference import read_trackers, read_verified
from facepuppet.vision import FaceDetector, FaceMesh, FaceMesher, PersonSegmenter, PoseModel, sessions
from facepuppet.vision.pose import BodyMask

OPENERS: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "face mesh": (FaceMesh, ("face-landmarks",)),
    "face detector": (FaceDetector, ("face-detection-far", "face-detection-near")),
    "mesher": (FaceMesher, ("face-landmarks", "face-detection-near")),
    "pose": (PoseModel, ("pose-detection", "pose-landmarks")),
    "mask": (BodyMask, ("pose-mask",)),
    "segmenter": (PersonSegmenter, ("selfie-segmentation",)),
    "tracker": (
        Tracker,
        (
            "face-landmarks", "face-detection-far", "face-detection-near", "pose-detection", "pose-landmarks",
        ),
    ),
}  # fmt: skip
EACH = [(opener, network) for opener, (_, networks) in OPENERS.items() for network in networks]


TRACKER = "\n[[tracker]]\n"
SHIPPED = manifest_module.shipped_folder()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tracker's networks, to which the files of `folder` are linked."""
    copied = tmp_path_factory.mktemp("weights")
    for network in read_trackers().values():
        shutil.copy(network.path, copied)
    return copied


@pytest.fixture
def folder(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like the installed engines, which everything opens networks from."""
    (tmp_path / "weights").mkdir()
    for path in weights.iterdir():
        (tmp_path / "weights" / path.name).hardlink_to(path)
    shutil.copy(SHIPPED / "manifest.toml", tmp_path)
    for module in (manifest_module, sessions):
        monkeypatch.setattr(module, "shipped_folder", lambda: tmp_path)
    return tmp_path


def rewrite(folder: Path, change: Callable[[str], str]) -> None:
    path = folder / "manifest.toml"
    text = path.read_text(encoding="utf-8")
    changed = change(text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def replace_file(folder: Path, network: str, data: bytes | None) -> Path:
    path = folder / "weights" / f"{network}.onnx"
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    return path


def original(network: str) -> bytes:
    return (SHIPPED / "weights" / f"{network}.onnx").read_bytes()


def test_the_shipped_networks_are_the_ones_listed() -> None:
    trackers = read_trackers()
    assert set(trackers) == {network for _, network in EACH}
    for network in trackers.values():
        assert hashlib.sha256(read_verified(network)).hexdigest() == network.sha256
        assert network.licence == "Apache-2.0" and "MediaPipe 0.10.21" in network.origin


@pytest.mark.parametrize(("opener", "network"), EACH)
def test_a_missing_file_is_told(folder: Path, opener: str, network: str) -> None:
    replace_file(folder, network, None)
    with pytest.raises(ManifestError, match=rf"no readable file .*{network}\.onnx.*Reinstall facepuppet"):
        OPENERS[opener][0]()


@pytest.mark.parametrize(("opener", "network"), EACH)
def test_a_truncated_file_is_told(folder: Path, opener: str, network: str) -> None:
    data = original(network)
    replace_file(folder, network, data[: len(data) // 2])
    with pytest.raises(ManifestError, match=rf"{network}\.onnx with sha256 .* damaged or was exchanged"):
        OPENERS[opener][0]()


def test_live_the_face_goes_on_without_shoulders(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """There they are found on a thread of their own, which nobody waits for."""
    replace_file(folder, "pose-landmarks", None)
    with Tracker(live=True) as tracker:
        tracking = tracker.track(Frame(hopper_rgb(), 0, 0))
    assert tracking.face is not None and tracking.torso is None
    assert "shoulders are no longer tracked" in caplog.text and "pose-landmarks.onnx" in caplog.text


@pytest.mark.parametrize("change", ["a bit", "a byte more", "nothing left", "another network"])
def test_a_changed_file_is_told(folder: Path, change: str) -> None:
    data = original("face-landmarks")
    middle = len(data) // 2
    changed = {
        "a bit": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "a byte more": data + b"\0",
        "nothing left": b"",
        "another network": original("face-detection-near"),
    }[change]
    replace_file(folder, "face-landmarks", changed)
    with pytest.raises(ManifestError, match="damaged or was exchanged"):
        Tracker()


def test_a_wrong_digest_is_told(folder: Path) -> None:
    sha256 = read_trackers()["pose-landmarks"].sha256
    rewrite(folder, lambda text: text.replace(sha256, sha256[::-1]))
    with pytest.raises(ManifestError, match=r"pose-landmarks\.onnx with sha256 .*as the manifest says"):
        Tracker()


@pytest.mark.parametrize("data", [b"", b"no network at all", b"\x08\x08"])
def test_a_listed_file_that_is_no_network_is_told(folder: Path, data: bytes) -> None:
    """Whoever exchanges the file and its digest gets words, too."""
    replace_file(folder, "face-landmarks", data)
    sha256 = read_trackers()["face-landmarks"].sha256
    rewrite(folder, lambda text: text.replace(sha256, hashlib.sha256(data).hexdigest()))
    with pytest.raises(ManifestError, match=r"face-landmarks\.onnx, which ONNX Runtime refuses"):
        FaceMesh()


def test_a_manifest_without_trackers_is_told(folder: Path) -> None:
    """As of a version before the tracker's networks were shipped."""
    rewrite(folder, lambda text: text[: text.index(TRACKER)] + text[text.index("\n[[network]]\n") :])
    assert read_trackers() == {}
    for opener, _ in OPENERS.values():
        with pytest.raises(ManifestError, match=r"no tracker '[a-z-]+' in .*manifest\.toml"):
            opener()


def without(name: str) -> Callable[[str], str]:
    """Leave one entry out of the manifest."""

    def cut(text: str) -> str:
        head, *entries = text.split(TRACKER)
        return head + "".join(TRACKER + entry for entry in entries if f'name = "{name}"' not in entry)

    return cut


@pytest.mark.parametrize(("opener", "network"), EACH)
def test_an_entry_left_out_is_told(folder: Path, opener: str, network: str) -> None:
    rewrite(folder, without(network))
    with pytest.raises(ManifestError, match=f"no tracker '{network}'"):
        OPENERS[opener][0]()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace(TRACKER, "\n[[tracker\n", 1), "a readable TOML manifest"),
        (lambda text: text.replace("format = 1", "format = 2"), "manifest format 2"),
        (
            lambda text: text.replace('file = "weights/face-landmarks.onnx"\n', ""),
            r"missing or wrong: \['file'\]",
        ),
        (
            lambda text: text.replace("weights/face-landmarks", "../face-landmarks"),
            "a path inside its folder",
        ),
        (lambda text: text.replace('"face-detection-far"', '"face-landmarks"'), "repeated names"),
        (lambda text: text.replace('precision = "fp32"', 'precision = "int4"', 1), "precision, if given"),
        (lambda text: text.replace('precision = "fp32"', 'speed = "high"', 1), r"unknown: \['speed'\]"),
    ],
    ids=["no TOML", "another format", "no file", "outside", "twice", "precision", "unknown"],
)
def test_a_damaged_manifest_is_told(folder: Path, change: Callable[[str], str], told: str) -> None:
    rewrite(folder, change)
    with pytest.raises(ManifestError, match=told):
        Tracker()


def test_no_manifest_is_told(folder: Path) -> None:
    (folder / "manifest.toml").unlink()
    with pytest.raises(ManifestError, match="a readable TOML manifest"):
        FaceMesh()


def test_entries_of_the_shipped_manifest_are_whole() -> None:
    """The digests of the sources are those that the files themselves tell."""
    text = (SHIPPED / "manifest.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(text)["tracker"]:
        (digest,) = [part[:16] for part in entry["origin"].split("sha256 ")[1:]]
        assert f"(sha256 {digest}".encode() in original(entry["name"])
