"""The last look at a wheel, on small ones made for the purpose."""

from __future__ import annotations

import zipfile
from pathlib import Path

import check_release
import pytest
from check_release import DATA, ROOT, find_problems

METADATA = "facepuppet-1.2.3.dist-info/METADATA"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with one file of each kind of data, and one that is no data."""
    root = tmp_path / "tree"
    for pattern in (*DATA, "facepuppet/notes.txt"):
        path = root / pattern.replace("**", "deep").replace("*", "some")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"data")
    return root


def data_of(root: Path) -> list[str]:
    """Names of all files of a tree, as wheels have them."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def make_wheel(folder: Path, names: list[str], version: str = "1.2.3") -> Path:
    path = folder / f"facepuppet-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"data")
        archive.writestr(
            METADATA, f"Metadata-Version: 2.1\nName: facepuppet\nVersion: {version}\n\nVersion: 9"
        )
    return path


def test_a_complete_wheel_has_no_problems(tmp_path: Path, tree: Path) -> None:
    wheel = make_wheel(tmp_path, data_of(tree))
    assert find_problems(wheel, "v1.2.3", tree) == []
    assert find_problems(wheel, None, tree) == []


def test_what_is_no_data_may_stay_out(tmp_path: Path, tree: Path) -> None:
    names = [name for name in data_of(tree) if name != "facepuppet/notes.txt"]
    assert find_problems(make_wheel(tmp_path, names), "v1.2.3", tree) == []


@pytest.mark.parametrize("pattern", DATA)
def test_every_missing_file_is_named(tmp_path: Path, tree: Path, pattern: str) -> None:
    lost = next(path.relative_to(tree).as_posix() for path in tree.glob(pattern))
    wheel = make_wheel(tmp_path, [name for name in data_of(tree) if name != lost])
    (problem,) = find_problems(wheel, "v1.2.3", tree)
    assert lost in problem and "package-data" in problem


def test_one_file_of_a_kind_does_not_stand_for_all(tmp_path: Path, tree: Path) -> None:
    wheel = make_wheel(tmp_path, data_of(tree))
    (tree / "engines" / "weights" / "another.onnx").write_bytes(b"data")
    (problem,) = find_problems(wheel, "v1.2.3", tree)
    assert "engines/weights/another.onnx" in problem


@pytest.mark.parametrize("tag", ["v1.2.4", "1.2.3", "v1.2.3rc1", "v01.2.3", ""])
def test_the_tag_is_the_version(tmp_path: Path, tree: Path, tag: str) -> None:
    (problem,) = find_problems(make_wheel(tmp_path, data_of(tree)), tag, tree)
    assert "is version 1.2.3" in problem


def test_a_wheel_may_be_as_large_as_the_limit_and_no_larger(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_release.MAX_WHEEL_BYTES == 40_000_000
    wheel = make_wheel(tmp_path, data_of(tree))
    monkeypatch.setattr(check_release, "MAX_WHEEL_BYTES", wheel.stat().st_size)
    assert find_problems(wheel, "v1.2.3", tree) == []
    monkeypatch.setattr(check_release, "MAX_WHEEL_BYTES", wheel.stat().st_size - 1)
    (problem,) = find_problems(wheel, "v1.2.3", tree)
    assert "at most" in problem


def test_a_file_that_is_no_wheel_is_a_problem(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "broken.whl").write_bytes(b"no zip")
    for name in ("broken.whl", "absent.whl"):
        (problem,) = find_problems(tmp_path / name, "v1.2.3", tree)
        assert "cannot be read" in problem


def test_a_pattern_that_finds_nothing_is_a_problem(tmp_path: Path, tree: Path) -> None:
    wheel = make_wheel(tmp_path, data_of(tree))
    (tree / "facepuppet" / "py.typed").unlink()
    (problem,) = find_problems(wheel, "v1.2.3", tree)
    assert "facepuppet/py.typed" in problem


@pytest.mark.parametrize("pattern", DATA)
def test_the_list_knows_where_the_data_lies_today(pattern: str) -> None:
    assert any(path.is_file() for path in ROOT.glob(pattern))


def test_the_command_tells_all_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [path.relative_to(ROOT).as_posix() for pattern in DATA for path in ROOT.glob(pattern)]
    wheel = make_wheel(tmp_path, names)
    monkeypatch.setattr("sys.argv", ["check_release.py", str(wheel), "--tag", "v1.2.3"])
    assert check_release.main() == 0
    assert "nothing missing" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["check_release.py", str(make_wheel(tmp_path, [])), "--tag", "v2"])
    assert check_release.main() == 1
    told = capsys.readouterr().err
    assert all(word in told for word in (*names, "is version 1.2.3"))
