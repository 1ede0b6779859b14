"""A webcam that is missing, busy, dark, or unplugged in the middle of a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from fakes import FakeClock, picture

from facepuppet.core.errors import CameraBlackError, CameraBusyError, CameraMissingError
from facepuppet.core.types import U8
from facepuppet.drivers.camera.camera_driver import CameraDriver
from facepuppet.media.choose_camera import find_again, find_camera
from facepuppet.media.devices import CameraInfo
from facepuppet.media.patience import PATIENCE_S
from facepuppet.media.webcam import Webcam

SIZE_PX = (64, 48)
DESK = CameraInfo(0, "Desk Cam", "/dev/video0")
LAPTOP = CameraInfo(2, "Laptop Cam", "/dev/video2")


@dataclass
class Bus:
    """A USB bus: cameras can be plugged, unplugged, held by others, and look at darkness."""

    clock: FakeClock = field(default_factory=FakeClock)
    cameras: list[CameraInfo] = field(default_factory=lambda: [DESK])
    busy: bool = False
    damaged: int = 0  # how many of the next pictures are
    mute: bool = False  # opens, but delivers nothing
    level: int = 120
    opened: list[CameraInfo] = field(default_factory=list)
    asked_fps: float = 0.0
    granted_fps: float = 30.0
    opening_s: float = 0.0  # how long a camera takes to open
    released: int = 0
    back_after_s: float | None = None  # when an unplugged camera returns
    back_as: CameraInfo = DESK
    gone_ns: int = 0

    def listed(self) -> list[CameraInfo]:
        back = self.back_after_s
        if not self.cameras and back is not None and self.clock.now_ns() >= self.gone_ns + back * 1e9:
            self.cameras = [self.back_as]
        return self.cameras

    def open(self, camera: CameraInfo, size_px: tuple[int, int], fps: float) -> Device:
        if self.busy:
            raise CameraBusyError(f"camera {camera}, held by another", "a free camera", "Close the other.")
        self.clock.advance_s(self.opening_s)
        self.opened.append(camera)
        self.asked_fps = fps
        return Device(self, camera)

    def unplug(self, back_after_s: float | None, back_as: CameraInfo = DESK) -> None:
        self.cameras = []
        self.gone_ns = self.clock.now_ns()
        self.back_after_s, self.back_as = back_after_s, back_as


@dataclass
class Device:
    bus: Bus
    camera: CameraInfo

    def grab(self) -> bool:
        self.bus.clock.advance_s(1 / self.bus.granted_fps)
        return self.camera in self.bus.cameras and not self.bus.mute

    def retrieve(self) -> U8 | None:
        if self.bus.damaged > 0:
            self.bus.damaged -= 1
            return None
        bgr = picture(SIZE_PX, level=self.bus.level)
        bgr[..., 0] //= 2  # bluish pictures would be reddish if channels were swapped
        return bgr

    def fps(self) -> float | None:
        return self.bus.granted_fps

    def release(self) -> None:
        self.bus.released += 1


def webcam(bus: Bus, which: int | str = 0, patience_s: float = 60.0) -> Webcam:
    return Webcam(which, patience_s=patience_s, clock=bus.clock, opener=bus.open, cameras=bus.listed)


def test_it_delivers_rgb_frames_that_count_up() -> None:
    bus = Bus()
    with webcam(bus) as camera:
        frames = [camera.read() for _ in range(3)]
    assert camera.live and camera.n_frames is None
    assert camera.size_px == SIZE_PX
    assert [frame.frame_id for frame in frames if frame] == [0, 1, 2]
    assert frames[0] is not None
    assert frames[0].rgb[0, 0].tolist() == [120, 120, 60]
    times = [frame.captured_ns for frame in frames if frame]
    assert times == sorted(set(times))
    assert bus.released == 1


@pytest.mark.parametrize("granted_fps", [30.0, 60.0])
def test_a_rate_is_asked_for_and_what_was_granted_is_told(granted_fps: float) -> None:
    bus = Bus(granted_fps=granted_fps)
    with Webcam(0, fps=60.0, clock=bus.clock, opener=bus.open, cameras=bus.listed) as camera:
        assert (bus.asked_fps, camera.fps) == (60.0, granted_fps)
        assert CameraDriver(camera).fps == granted_fps


def test_unplugging_is_survived_and_ids_go_on() -> None:
    bus = Bus()
    with webcam(bus) as camera:
        assert camera.read() is not None
        bus.unplug(back_after_s=5)
        frame = camera.read()
        assert frame is not None
        assert frame.frame_id == 1
        assert frame.captured_ns - bus.gone_ns >= 5e9
        assert camera.reconnects == 1
        assert not camera.reconnecting.is_set()


def test_it_is_found_again_under_another_index() -> None:
    bus = Bus()
    with webcam(bus, "desk") as camera:
        assert camera.read() is not None
        bus.unplug(back_after_s=1, back_as=CameraInfo(4, DESK.name, "/dev/video4"))
        assert camera.read() is not None
    assert [opened.index for opened in bus.opened] == [0, 4]


def test_another_camera_under_its_index_is_not_taken_for_it() -> None:
    stranger = CameraInfo(0, "Kitchen Cam", "/dev/video0")
    with pytest.raises(CameraMissingError):
        find_again(DESK, [stranger])
    twin = CameraInfo(2, DESK.name, "/dev/video2")
    assert find_again(DESK, [DESK, twin]) is DESK
    assert find_again(DESK, [stranger, twin]) is twin


def test_a_camera_that_moved_up_is_known_by_its_unique_id() -> None:
    left, right = (CameraInfo(i, "USB Camera", unique_id=f"0x{i}100") for i in range(2))
    moved = CameraInfo(0, "USB Camera", unique_id="0x1100")
    assert find_again(right, [moved]) is moved
    assert find_again(right, [CameraInfo(0, "Desk Cam"), left, right]) is right
    assert find_camera("0x1100", [left, right]) is right


def test_a_camera_whose_name_goes_on_is_another() -> None:
    with pytest.raises(CameraMissingError):
        find_again(DESK, [CameraInfo(0, "Desk Cam Pro", "/dev/video0")])


@pytest.mark.parametrize("gone_s", [0.1, 0.3, 0.9, 2.6, 7.1, 30.0, 100.3])
def test_it_is_back_two_seconds_after_it_was_plugged_in(gone_s: float) -> None:
    """However long it was away, and although cameras take a second to open."""
    bus = Bus()
    with webcam(bus, patience_s=PATIENCE_S) as camera:
        assert camera.read() is not None
        bus.opening_s = 1.0
        bus.unplug(back_after_s=gone_s)
        frame = camera.read()
    assert frame is not None
    assert frame.captured_ns - bus.gone_ns <= (gone_s + 2.0) * 1e9


def test_reconnecting_pauses_longer_but_not_too_long() -> None:
    bus = Bus()
    asked_ns: list[int] = []

    def listed() -> list[CameraInfo]:
        asked_ns.append(bus.clock.now_ns())
        return bus.listed()

    with Webcam(0, clock=bus.clock, opener=bus.open, cameras=listed) as camera:
        assert camera.read() is not None
        bus.unplug(back_after_s=10)
        assert camera.read() is not None
    gaps_s = [(b - a) * 1e-9 for a, b in pairwise(asked_ns[1:])]
    assert gaps_s[:5] == pytest.approx([0.25, 0.5, 0.5, 0.5, 0.5])


def test_one_that_never_comes_back_is_missing() -> None:
    bus = Bus()
    with webcam(bus, patience_s=30) as camera:
        assert camera.read() is not None
        bus.unplug(back_after_s=None)
        with pytest.raises(CameraMissingError, match="gone for 30 s"):
            camera.read()
        assert camera.reconnecting.is_set()


def test_one_that_opens_but_stays_mute_is_missing_too() -> None:
    bus = Bus()
    with webcam(bus, patience_s=30) as camera:
        assert camera.read() is not None
        bus.mute = True
        with pytest.raises(CameraMissingError, match="gone for 30 s"):
            camera.read()
    with pytest.raises(CameraMissingError, match="delivers no picture"):
        webcam(bus)
    assert bus.released == len(bus.opened)


def test_a_damaged_picture_is_skipped_without_reconnecting() -> None:
    bus = Bus()
    with webcam(bus) as camera:
        assert camera.read() is not None
        bus.damaged = 3
        frame = camera.read()
        assert frame is not None
        assert (frame.frame_id, camera.reconnects) == (1, 0)
        bus.damaged = 5
        assert camera.read() is not None
        assert camera.reconnects == 1


def test_close_wakes_a_read_that_waits_for_the_camera() -> None:
    bus = Bus()
    camera = webcam(bus)
    assert camera.read() is not None
    bus.unplug(back_after_s=None)
    slept: list[float] = []

    def sleep_then_close(duration_s: float) -> None:
        slept.append(duration_s)
        camera._closed.set()  # what close() in another thread does first

    bus.clock.sleep_s = sleep_then_close  # type: ignore[method-assign]
    assert camera.read() is None
    assert slept == [0.1]


def test_a_busy_camera_says_so() -> None:
    with pytest.raises(CameraBusyError, match="held by another"):
        webcam(Bus(busy=True))


def test_black_pictures_alone_are_an_error_after_a_while() -> None:
    bus = Bus(level=3)
    with webcam(bus) as camera:
        with pytest.raises(CameraBlackError, match="only black pictures"):
            for _ in range(200):
                camera.read()
        assert bus.clock.now_ns() > 3e9


def test_a_dark_start_or_a_shutter_closed_later_is_no_error() -> None:
    bus = Bus(level=3)
    with webcam(bus) as camera:
        for _ in range(30):
            camera.read()
        bus.level = 100
        camera.read()
        bus.level = 0
        frames = [camera.read() for _ in range(200)]
    assert all(frame is not None for frame in frames)


def test_cameras_are_found_by_index_node_and_part_of_a_name() -> None:
    cameras = [DESK, LAPTOP]
    assert find_camera(2, cameras) is LAPTOP
    assert find_camera("/dev/video0", cameras) is DESK
    assert find_camera("laptop", cameras) is LAPTOP


@pytest.mark.parametrize("which", [1, "kitchen", "cam"])
def test_a_wrong_or_ambiguous_word_lists_what_is_there(which: int | str) -> None:
    with pytest.raises(CameraMissingError, match=r"0 \(Desk Cam\), 2 \(Laptop Cam\)"):
        find_camera(which, [DESK, LAPTOP])


def test_without_any_camera_it_says_so() -> None:
    with pytest.raises(CameraMissingError, match="No camera is connected"):
        find_camera(0, [])
