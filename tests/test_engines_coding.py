"""What teaches the expression code: whose faces, made faces, training, judgement, export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra: pip install 'facepuppet[train]'")

from engines.coding.code_judgement import judge, means, through_components, through_network  # noqa: E402
from engines.coding.code_network import N_WEIGHTS, ExpressionCoder  # noqa: E402
from engines.coding.code_training import CodeRecipe, train_code  # noqa: E402
from engines.coding.export_code import ship_code  # noqa: E402
from engines.coding.made_faces import made_sequence, varied_script  # noqa: E402
from engines.coding.performers import read_performers  # noqa: E402
from engines.voice.take import Take, save_take  # noqa: E402
from facepuppet.character import CODED, DIRECTIONS, SCRIPTS, ExpressionCode  # noqa: E402
from facepuppet.core import F32  # noqa: E402
from facepuppet.inference.manifest import shipped_folder  # noqa: E402

FILMS = '[{}]\nclips = ["{}"]\nlicence = "MIT"\norigin = "a/b"\n\n'


def faces(seed: int, frames: int = 120) -> F32:
    return made_sequence(frames, np.random.default_rng(seed))


def take(name: str) -> Take:
    weights = faces(len(name), 60)
    empty = np.zeros(60, np.float32)
    pose = np.zeros((60, 7), np.float32)
    return Take(name, np.zeros(0, np.float32), np.arange(60) / 30.0, empty, empty, weights, pose)


def test_nobody_is_learnt_from_and_judged_by(tmp_path: Path) -> None:
    """lp_d14 judges by people.toml, bea as the second film; hm_* are one; others are left out."""
    films = tmp_path / "films.toml"
    films.write_text(FILMS.format("ada", "one") + FILMS.format("bea", "two"), encoding="utf-8")
    for name in ("one", "two", "lp_d14", "hm_xzy1", "hm_xzy2", "mt_yongen", "stranger"):
        save_take(take(name), tmp_path / f"{name}.npz")
    learnt, judges = read_performers([tmp_path, tmp_path], films)
    assert {person: len(takes) for person, takes in learnt.items()} == {"ada": 1, "hm_xzy": 2}
    assert set(judges) == {"bea", "lp_d14"}


def test_made_faces_are_within_bounds_and_move_without_leaps() -> None:
    weights = faces(3, 400)
    assert weights.shape == (400, N_WEIGHTS) and weights.min() >= 0.0 and weights.max() <= 1.0
    assert 0.1 < np.abs(np.diff(weights, axis=0)).max() <= 0.8
    uncoded = [i for i in range(N_WEIGHTS) if i not in CODED]
    assert not weights[:, uncoded].any()


@pytest.mark.parametrize("name", DIRECTIONS)
def test_people_do_a_script_in_their_own_measure(name: str) -> None:
    chance = np.random.default_rng(1)
    varied = np.stack([varied_script(name, chance) for _ in range(20)])
    assert varied.std(axis=0).max() > 0.1
    if name != "contempt":  # which is done on either side
        assert not varied[:, SCRIPTS[name] == 0.0].any()


@pytest.fixture(scope="module")
def taught() -> ExpressionCoder:
    torch.set_num_threads(1)
    return train_code({"a": [faces(1)], "b": [faces(2)]}, CodeRecipe(steps=80, batch=8))


def test_training_brings_faces_nearer(taught: ExpressionCoder) -> None:
    people = {"a": [faces(1)]}
    before = means(judge(people, through_network(ExpressionCoder().eval())))[0]
    assert means(judge(people, through_network(taught)))[0] < 0.6 * before


def test_components_of_enough_number_lose_nothing() -> None:
    people = {"c": [faces(5)]}
    error, _, tremble = means(judge(people, through_components(people, len(CODED))))
    assert error < 1e-5 and abs(tremble - 1.0) < 1e-3


def test_what_is_shipped_is_what_was_taught(taught: ExpressionCoder, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    manifest = tmp_path / "manifest.toml"
    manifest.write_text((shipped_folder() / "manifest.toml").read_text(encoding="utf-8"), encoding="utf-8")
    assert ship_code(taught, "a test", tmp_path) < 1e-5
    assert ship_code(taught, "again", tmp_path) < 1e-5 and manifest.read_text().count("\n[[coder]]\n") == 1
    code, weights = ExpressionCode(tmp_path), faces(6, 20)
    shown = np.stack([code.feed(row).plain for row in weights])[:, list(CODED)]
    np.testing.assert_allclose(shown, through_network(taught)(weights), atol=1e-5)
