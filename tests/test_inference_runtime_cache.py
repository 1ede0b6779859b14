"""Kernels that TensorRT-RTX compiled: used at the next start, and never trusted when something changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_gpu import Machine
from networks import unet, write_manifest

from facepuppet.inference import Runtime
from facepuppet.inference.builder import survey
from facepuppet.inference.engine_cache import EngineCache, Entry, State
from facepuppet.inference.engine_file import ENGINE, KERNELS
from facepuppet.inference.manifest import Network, read_manifest

OTHER = ("NVIDIA GeForce RTX 4070", 8, 9)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return read_manifest(write_manifest(tmp_path / "weights"))[0]


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "cache")


@pytest.fixture
def machine(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine.install(monkeypatch, "tensorrt_rtx")
    return machine


def start(network: Network, cache: EngineCache, engine: str = "tensorrt-rtx") -> None:
    """What every start does: open, compare with the CPU, and go on running."""
    engines = Runtime(engine, cache=cache)
    session = engines.open(network)
    for _ in range(2):
        session.run({name: np.zeros(shape, np.float32) for name, shape in session.input_shapes.items()})
    assert session.engine == engine and engines.fallbacks == []


def kernels(cache: EngineCache) -> list[Entry]:
    return [entry for entry in cache.entries() if entry.path.suffix == f".{KERNELS}"]


def test_what_the_first_start_compiles_the_second_does_not(
    machine: Machine, network: Network, cache: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    start(network, cache)
    (kept,) = kernels(cache)
    assert sorted(entry.key.kind for entry in cache.entries()) == [ENGINE, KERNELS]
    assert kept.key.gpu == "NVIDIA GeForce RTX 4090" and kept.path.name == kept.key.file_name
    written_ns = kept.path.stat().st_mtime_ns
    caplog.clear()
    start(network, cache)
    assert machine.compiled == 1 and caplog.text == ""
    assert kept.path.stat().st_mtime_ns == written_ns, "nothing new, nothing written"


def test_a_newer_driver_takes_them_and_an_older_one_compiles_again(
    machine: Machine, network: Network, cache: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    machine.driver = 13010
    start(network, cache)
    machine.driver = 13020
    start(network, cache)
    assert machine.compiled == 1
    machine.driver = 13000
    caplog.clear()
    start(network, cache)
    assert machine.compiled == 2
    assert [record.getMessage() for record in caplog.records] == [
        "Kernels of 'mouth' are compiled again (of another driver or system)."
    ]
    start(network, cache)
    assert machine.compiled == 2, "those of the older driver were written"


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damaged_ones_are_told_once_and_written_again(
    machine: Machine, network: Network, cache: EngineCache, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    start(network, cache)
    (entry,) = kernels(cache)
    whole = entry.path.read_bytes()
    spoilt = {"cut": whole[:-3], "flip": whole[:-1] + bytes([whole[-1] ^ 1]), "empty": b""}[damage]
    entry.path.write_bytes(spoilt)
    assert [state for found, state in survey(cache, [network]) if found.path == entry.path] == [State.DAMAGED]
    caplog.clear()
    start(network, cache)
    (record,) = caplog.records
    assert f"kernels {entry.path.name}" in record.getMessage() and "\n" not in record.getMessage()
    assert machine.compiled == 2 and entry.path.read_bytes() == whole


def test_each_gpu_has_its_own_beside_one_engine(
    machine: Machine, network: Network, cache: EngineCache
) -> None:
    first = machine.gpus
    start(network, cache)
    machine.gpus = [OTHER]
    start(network, cache)
    assert (machine.builds, machine.compiled) == (1, 2)
    machine.gpus = first
    start(network, cache)
    assert machine.compiled == 2
    states = {entry.key.gpu: state for entry, state in survey(cache, [network])}
    assert states == {"": State.READY, first[0][0]: State.READY, OTHER[0]: State.ELSEWHERE}


def test_those_of_a_replaced_network_are_stale(
    machine: Machine, network: Network, cache: EngineCache, tmp_path: Path
) -> None:
    start(network, cache)
    (newer,) = read_manifest(write_manifest(tmp_path / "newer", unet(seed=5)))
    assert [state for _, state in survey(cache, [newer])] == [State.STALE] * 2
    start(newer, cache)
    assert machine.compiled == 2, "kernels of another network are none of its own"


def test_a_gpu_lost_in_the_first_run_leaves_none(
    machine: Machine, network: Network, cache: EngineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facepuppet.inference.tensorrt_session._FIRST_S", 0.05)
    machine.hung = True
    assert Runtime(cache=cache).open(network).engine == "cpu"
    assert kernels(cache) == []


def test_a_cache_that_cannot_be_written_costs_only_time(
    machine: Machine,
    network: Network,
    cache: EngineCache,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    start(network, cache)
    (entry,) = kernels(cache)
    cache.remove(entry)
    caplog.clear()
    entry.path.mkdir()  # a folder under its name
    start(network, cache)
    assert machine.compiled == 2
    assert [record.getMessage()[:41] for record in caplog.records] == [
        "the compiled kernels could not be cached:"
    ]


def test_tensorrt_compiles_when_it_builds(
    network: Network, cache: EngineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    Machine().install(monkeypatch, "tensorrt", version="11.4.0")
    start(network, cache, "tensorrt")
    assert [entry.key.kind for entry in cache.entries()] == [ENGINE]
