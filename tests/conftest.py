"""What every test file may use, and which tests are skipped where development data is absent."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import gpus
import pytest
from compare import PicturesError
from fake_gpu import Machine
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from calibrate.sweep import Sweep
    from facepuppet.portrait.avatar import Avatar
    from facepuppet.portrait.safe_range import SafeRange

SHARED = Path(os.environ.get("FACEPUPPET_SHARED", Path(__file__).resolve().parents[2] / "shared"))

# Property tests look for new examples on developers' machines; CI repeats the same ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `shared` when the development data folder is not there."""
    if (SHARED / "clips").is_dir():
        return
    skip = pytest.mark.skip(reason="needs the development data folder (set FACEPUPPET_SHARED to it)")
    for item in items:
        if "shared" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data folder (clips/, portraits/, heads/, tools/); use with `@pytest.mark.shared`."""
    if not (SHARED / "clips").is_dir():
        pytest.skip("needs the development data folder (set FACEPUPPET_SHARED to it)")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep caches, counters and answers of the tests out of the user's own folders."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in (
            *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"),
            "CUPY_CACHE_DIR",  # kernels compiled for a real GPU
        ):
            patch.setenv(variable, str(tmp_path_factory.mktemp(variable.lower())))
        yield


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard() -> None:
    """What a shell begins in the background ignores interrupts, and so would the programs of tests."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_FOLDERS = pytest.StashKey[pytest.TempPathFactory]()


@pytest.fixture(scope="session", autouse=True)
def _folders_for_pictures(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> None:
    pytestconfig.stash[_FOLDERS] = tmp_path_factory


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write the pictures over which a test failed to disk, and say where."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, PicturesError):
        written = call.excinfo.value.save(item.config.stash[_FOLDERS].mktemp("pictures"))
        report.sections.append(("pictures", "\n".join(map(str, written))))
    return report


@pytest.fixture(params=gpus.KINDS)
def gpu(request: pytest.FixtureRequest) -> Iterator[gpus.AnyGpu]:
    """A GPU that kernels run on: the emulated one, and a real one for tests marked `gpu` by that."""
    with gpus.provided(request.param) as provided:
        yield provided


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine with a GPU that kernels run on; nothing may write outside its memory."""
    machine = Machine()
    machine.install(monkeypatch)
    yield machine
    machine.check_fences()


@pytest.fixture
def known_range(monkeypatch: pytest.MonkeyPatch) -> SafeRange:
    """The safe range of packs made in this test, without the seconds of a sweep.

    test_sweep and test_calibrate_cli really sweep.
    """
    from calibrate.sweep import Sweep
    from facepuppet.portrait.safe_range import SafeRange

    known = SafeRange(yaw_rad=(0.31, 0.29), mouth_opening=0.33)

    def found(avatar: Avatar) -> Sweep:
        return Sweep(known, (), True)

    monkeypatch.setattr("calibrate.make_pack.sweep", found)
    return known


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium; one for all tests of a module."""
    pytest.importorskip("playwright", reason="Playwright is not installed (extra dev)")
    from room_in_browser import chromium, chromium_path

    if chromium_path() is None:
        pytest.skip("no chromium on PATH")
    with chromium() as opened:
        yield opened
