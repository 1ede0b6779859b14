"""Where no real GPU is, tests that want one are skipped, and say what is missing."""

from __future__ import annotations

import sys

import gpus
import pytest
from fake_gpu import Machine


@pytest.mark.parametrize(
    ("machine", "missing"),
    [
        (None, "no usable CuPy"),
        (Machine(driver=0), "no NVIDIA driver"),
        (Machine(driver=11020), "too old"),
        (Machine(gpus=[]), "no NVIDIA GPU that can be used"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, machine: Machine | None, missing: str
) -> None:
    if machine is None:
        monkeypatch.setitem(sys.modules, "cupy", None)  # not to be imported, even where it is installed
    else:
        machine.install(monkeypatch)
    gpus._what_is_missing.cache_clear()
    try:
        with pytest.raises(pytest.skip.Exception, match=missing), gpus.provided("real"):
            pass
    finally:
        gpus._what_is_missing.cache_clear()


def test_the_emulated_one_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with gpus.provided("emulated") as gpu:
        assert gpu.engine() == "tensorrt-rtx" and "cupy" in sys.modules
    assert "cupy" not in sys.modules
