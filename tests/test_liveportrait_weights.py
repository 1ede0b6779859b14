"""Weights that a user brings: found, read without running anything, checked, and turned into networks."""

from __future__ import annotations

import os
import pickle
import tomllib
from pathlib import Path

import numpy as np
import pytest
from program import one_line, run

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'facepuppet[train]'")

from engines.liveportrait import importing  # noqa: E402
from engines.liveportrait.importing import import_liveportrait  # noqa: E402
from engines.liveportrait.onnx_parts import PARTS  # noqa: E402
from engines.liveportrait.published_layout import HEADS, published_layout  # noqa: E402
from engines.liveportrait.random_weights import random_weights  # noqa: E402
from engines.liveportrait.weight_files import WeightsError, find_weights, read_weights  # noqa: E402
from facepuppet.core.errors import OutputUnwritableError  # noqa: E402
from facepuppet.inference import OnnxSession  # noqa: E402

FILE = "stitching_retargeting_module"
SMALL = [part for part in PARTS if part.weights == FILE]


def published(seed: int = 1) -> dict[str, dict[str, torch.Tensor]]:
    """The file of heads as it is published: tables in a table, names with what training put before them."""
    weights = random_weights(seed, FILE)
    return {
        head: {
            f"module.{name.removeprefix(f'{head}.')}": value
            for name, value in weights.items()
            if name.startswith(head)
        }
        for head in HEADS
    }


def quiet(phase: str, done: int, total: int | None) -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As it is downloaded: weights some folders deep, those for animals beside."""
    people = tmp_path / "weights" / "liveportrait" / "retargeting_models"
    animals = tmp_path / "weights" / "liveportrait_animals" / "retargeting_models"
    for place in (people, animals):
        place.mkdir(parents=True)
        torch.save(published(), place / f"{FILE}.pth")
    return tmp_path / "weights"


def test_the_layout_has_as_many_numbers_as_are_published() -> None:
    """As the published speed table tells: 0.84, 28.12, 45.53, 55.37 and 0.23 million parameters."""
    millions = {}
    for file, shapes in published_layout().items():
        learnt = [s for n, s in shapes.items() if not n.endswith(("_mean", "_var", "weight_u", "weight_v"))]
        millions[file.split("_")[0]] = round(sum(float(np.prod(shape)) for shape in learnt) / 1e6, 2)
    assert millions == {
        "appearance": 0.84,
        "motion": 28.12,
        "warping": 45.53,
        "spade": 55.37,
        "stitching": 0.23,
    }


def test_weights_for_people_are_found_beside_those_for_animals(folder: Path) -> None:
    assert find_weights(folder, [FILE]) == {
        FILE: folder / "liveportrait" / "retargeting_models" / f"{FILE}.pth"
    }


def test_published_names_are_read_from_pth(folder: Path) -> None:
    read, made = read_weights(find_weights(folder, [FILE])[FILE]), random_weights(1, FILE)
    assert list(read) == list(made)
    assert all(torch.equal(read[name], made[name]) for name in made)


def test_names_of_the_conversion_are_read_from_safetensors(tmp_path: Path) -> None:
    files = pytest.importorskip(
        "safetensors.torch", reason="needs the extra: pip install 'facepuppet[train]'"
    )
    made = random_weights(1, FILE)
    table = {name.replace(".mlp", "_module.mlp"): value for name, value in made.items()}
    files.save_file(table, tmp_path / f"{FILE}.safetensors")
    read = read_weights(find_weights(tmp_path, [FILE])[FILE])
    assert all(torch.equal(read[name], made[name]) for name in made)


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.folder),)


def test_a_pickle_that_wants_to_run_code_runs_none(tmp_path: Path) -> None:
    for write in (torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))):
        path = tmp_path / f"{FILE}.pth"
        write({"retarget_eye": Hostile(tmp_path / "ran")}, path)
        with pytest.raises(WeightsError, match="wants to run code"):
            read_weights(path)
        assert not (tmp_path / "ran").exists()


def test_other_weights_are_refused_by_what_is_different(tmp_path: Path) -> None:
    path = tmp_path / f"{FILE}.pth"
    short, other, broken, added = published(), published(), published(), published()
    del short["retarget_mouth"]["module.mlp.4.bias"]
    other["retarget_eye"]["module.mlp.0.weight"] = torch.zeros(256, 67)
    broken["retarget_eye"]["module.mlp.0.weight"][3, 4] = float("nan")
    added["retarget_tail"] = added["retarget_eye"]
    for table, words in (
        (short, r"1 names missing \(as retarget_mouth.mlp.4.bias\)"),
        (other, r"retarget_eye.mlp.0.weight of \(256, 67\) .*where \(256, 66\) is expected"),
        (broken, "retarget_eye.mlp.0.weight that are none"),
        (added, "12 names unknown"),
    ):
        torch.save(table, path)
        with pytest.raises(WeightsError, match=words):
            read_weights(path)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_damaged_file_is_told_in_one_sentence(tmp_path: Path, suffix: str) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors", reason="needs the extra: pip install 'facepuppet[train]'")
    torch.save(published(), tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    path = tmp_path / f"{FILE}{suffix}"
    for content in (b"", b"<html>not found</html>", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="Download the file again"):
            read_weights(path)


def test_a_folder_without_all_weights_says_which_are_missing(folder: Path) -> None:
    with pytest.raises(WeightsError, match="without warping_module"):
        find_weights(folder, [FILE, "warping_module"])
    with pytest.raises(WeightsError, match="for animals"):
        find_weights(folder / "liveportrait_animals", [FILE])
    (folder / "second").mkdir()
    torch.save(published(), folder / "second" / f"{FILE}.pth")
    with pytest.raises(WeightsError, match="in several places"):
        find_weights(folder, [FILE])


def test_what_is_imported_is_listed_and_runs(folder: Path, tmp_path: Path) -> None:
    into = tmp_path / "engines" / "liveportrait"
    assert import_liveportrait(folder, into, quiet, SMALL)
    listed = tomllib.loads((into / "manifest.toml").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in listed["generator"]] == [
        "liveportrait-stitching", "liveportrait-eyes", "liveportrait-lips",
    ]  # fmt: skip
    for entry, part in zip(listed["generator"], SMALL, strict=True):
        session = OnnxSession((into / entry["file"]).read_bytes(), entry["name"])
        assert session.input_shapes == {name: tuple(shape) for name, shape in entry["inputs"].items()}
        (name,) = part.inputs
        given = np.random.default_rng(5).normal(size=part.inputs[name]).astype(np.float32)
        with torch.no_grad():
            expected = part.build(random_weights(1, FILE))(torch.from_numpy(given)).numpy()
        np.testing.assert_allclose(session.run({name: given})["change"], expected, atol=1e-5)
    assert sorted(path.name for path in into.parent.iterdir()) == ["liveportrait"]
    assert not import_liveportrait(folder, into, quiet, SMALL)  # these are there


def test_an_import_goes_on_where_it_was_broken_off(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into, exported = tmp_path / "engines" / "liveportrait", []
    real = importing.export

    def failing(part, weights):
        if len(exported) == 2:
            raise KeyboardInterrupt
        exported.append(part.name)
        return real(part, weights)

    monkeypatch.setattr(importing, "export", failing)
    with pytest.raises(KeyboardInterrupt):
        import_liveportrait(folder, into, quiet, SMALL)
    assert not into.exists()
    (into.with_name(".liveportrait.part") / ".cut-off.part").write_bytes(b"half a network")
    exported.append("the interrupted one does not count")
    assert import_liveportrait(folder, into, quiet, SMALL)
    assert [name for name in exported if " " not in name] == ["stitching", "eyes", "lips"]
    assert sorted(path.name for path in into.iterdir()) == [
        "eyes.onnx", "lips.onnx", "manifest.toml", "stitching.onnx",
    ]  # fmt: skip


def test_what_was_imported_stays_until_the_next_is_whole(folder: Path, tmp_path: Path) -> None:
    into = tmp_path / "engines" / "liveportrait"
    import_liveportrait(folder, into, quiet, SMALL)
    before = {path.name: path.read_bytes() for path in into.iterdir()}
    path = find_weights(folder, [FILE])[FILE]
    torch.save({"retarget_eye": {}}, path)
    with pytest.raises(WeightsError):
        import_liveportrait(folder, into, quiet, SMALL)
    assert {path.name: path.read_bytes() for path in into.iterdir()} == before
    torch.save(published(seed=2), path)
    assert import_liveportrait(folder, into, quiet, SMALL)
    assert (into / "eyes.onnx").read_bytes() != before["eyes.onnx"]


def test_a_disk_without_room_is_told_before_anything_is_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        free = 5_000_000

    monkeypatch.setattr("engines.liveportrait.importing.shutil.disk_usage", lambda path: Full)
    with pytest.raises(OutputUnwritableError, match="5 MB free"):
        import_liveportrait(folder, tmp_path / "engines" / "liveportrait", quiet, SMALL)


def test_a_folder_of_somebody_elses_is_never_replaced(folder: Path, tmp_path: Path) -> None:
    into = tmp_path / "documents"
    into.mkdir()
    (into / "thesis.txt").write_text("all of it", encoding="utf-8")
    for place in (into, into / "thesis.txt"):
        with pytest.raises(OutputUnwritableError, match="no folder of an import"):
            import_liveportrait(folder, place, quiet, SMALL)
    assert (into / "thesis.txt").read_text(encoding="utf-8") == "all of it"
    (into / "thesis.txt").unlink()
    (into / "manifest.toml").write_text("damaged [[", encoding="utf-8")  # of an import that cannot be used
    assert import_liveportrait(folder, into, quiet, SMALL)


def test_weights_that_give_no_numbers_are_refused(folder: Path, tmp_path: Path) -> None:
    path = find_weights(folder, [FILE])[FILE]
    wild = published()
    for table in wild.values():
        for value in table.values():
            value.mul_(1e30)
    torch.save(wild, path)
    with pytest.raises(WeightsError, match="stitching"):
        import_liveportrait(folder, tmp_path / "engines" / "liveportrait", quiet, SMALL)


def test_the_command_tells_what_is_wrong_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, _, err = run(capsys, "engines", "import", "liveportrait", str(folder / "nowhere"))
    assert status == 2
    assert "which is no folder" in one_line(err)
    status, _, err = run(capsys, "engines", "import", "liveportrait", str(folder))
    assert status == 2
    assert "appearance_feature_extractor, motion_extractor" in one_line(err)
    monkeypatch.setitem(__import__("sys").modules, "engines.liveportrait.importing", None)
    status, _, err = run(capsys, "engines", "import", "liveportrait", str(folder))
    assert status == 2
    assert "facepuppet[train]" in one_line(err)


def test_the_manifest_is_toml_whatever_the_names() -> None:
    entry = {"name": "liveportrait-x", "origin": 'a "quoted" \\ name', "inputs": {"picture": [1, 3]}}
    read = tomllib.loads(importing._manifest({"x": entry}).decode())
    assert read["generator"] == [entry]


@pytest.mark.slow
def test_all_of_it_is_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights, into = tmp_path / "weights", tmp_path / "engines" / "liveportrait"
    weights.mkdir()
    for file in published_layout():
        torch.save(published() if file == FILE else dict(random_weights(1, file)), weights / f"{file}.pth")
    status, out, _ = run(capsys, "engines", "import", "liveportrait", str(weights), "--into", str(into))
    assert status == 0, out
    listed = tomllib.loads((into / "manifest.toml").read_text(encoding="utf-8"))["generator"]
    assert [entry["name"].removeprefix("liveportrait-") for entry in listed] == [part.name for part in PARTS]
    assert [entry["name"] for entry in listed if "precision" not in entry] == ["liveportrait-decoder"]
    assert all((into / entry["file"]).stat().st_size == entry["size"] for entry in listed)
    status, out, _ = run(capsys, "engines", "import", "liveportrait", str(weights), "--into", str(into))
    assert status == 0
    assert "imported already" in out
