"""Engine files: whole or refused, found only under exactly what they were built for."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepuppet.core.errors import EngineError, OutputUnwritableError
from facepuppet.inference.engine_cache import EngineCache
from facepuppet.inference.engine_file import EngineKey, read_engine, write_engine

KEY = EngineKey("mouth", "ab" * 32, "tensorrt-rtx", "1.7.1", "sm89", "", "fp16", "none")
PLAN = bytes(range(256)) * 40


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "engines")


def test_what_is_put_is_got(cache):
    path = cache.put(KEY, PLAN)
    assert cache.get(KEY) == PLAN and read_engine(path) == (KEY, PLAN)
    assert [p.name for p in cache.folder.iterdir()] == [KEY.file_name], "no temporary file is left"


OTHER = {
    "onnx_sha256": "cd" * 32, "flavour": "tensorrt", "version": "1.8.0", "target": "sm86",
    "gpu": "NVIDIA T4", "precision": "fp32", "options": "other", "network": "eye",
}  # fmt: skip


@pytest.mark.parametrize("field", OTHER)
def test_another_network_version_gpu_or_option_is_another_engine(cache, field):
    cache.put(KEY, PLAN)
    assert cache.get(replace(KEY, **{field: OTHER[field]})) is None


def test_an_engine_under_another_ones_name_is_not_taken(cache, caplog):
    foreign = replace(KEY, target="sm86")
    cache.put(foreign, PLAN).rename(cache.folder / KEY.file_name)
    assert cache.get(KEY) is None
    assert "made again" in caplog.text


@given(st.data())
def test_no_damage_goes_unseen(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("engine") / "a.engine"
    write_engine(path, KEY, PLAN)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    try:
        key, plan = read_engine(path)
    except EngineError as refused:
        assert "\n" not in str(refused)
    else:  # a bit of the header's values, which the name's digest covers
        assert plan == PLAN and key.file_name != KEY.file_name


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"facepuppet engine 1\n",
        b"facepuppet engine 1\n[]\nx",
        b"facepuppet engine 1\n" + b"{" * 9999,
        b'facepuppet engine 1\n{"sha256": 3}\n',
    ],
)
def test_what_is_no_engine_is_built_again(cache, content, caplog):
    path = cache.put(KEY, PLAN)
    path.write_bytes(content)
    assert cache.get(KEY) is None
    assert "made again" in caplog.text
    (entry,) = cache.entries()
    assert entry.key is None
    cache.remove(entry)
    assert list(cache.entries()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputUnwritableError, match="file"):
        EngineCache(tmp_path / "file" / "engines").put(KEY, PLAN)
    assert list(EngineCache(tmp_path / "nowhere").entries()) == []


def test_a_networks_name_is_no_path(cache):
    path = cache.put(replace(KEY, network="../../mouth of\n" + "x" * 500), PLAN)
    assert path.parent == cache.folder and path.is_file()
    assert [entry.path for entry in cache.entries()] == [path]
