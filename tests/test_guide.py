"""Guided calibration: steps are followed by what a person really does, and nothing else."""

from __future__ import annotations

import io
import string
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from compare import EXACT, differs
from fakes import ListSource
from rich.console import Console

from calibrate.driver_profile import make_profile
from calibrate.guide.guide import Guide, Prompt
from calibrate.guide.guide_window import draw_prompt
from calibrate.guide.obstacles import face_luma, find_obstacle
from calibrate.guide.steps import MOVES, REST
from calibrate.guide.terminal import TerminalView
from calibrate.watch import track_guided
from facepuppet.core.errors import CameraMissingError, NoDriverFaceError, ProfileError
from facepuppet.core.geometry import rotation_from_euler
from facepuppet.core.types import Frame
from facepuppet.drivers.camera.channels import CHANNELS
from facepuppet.drivers.camera.tracking import Face, Tracking
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import compose_landmarks

FPS = 15
UNIT_PX = 150.0
SIZE_PX = (1280, 720)
Pose = dict[str, float]  # yaw, pitch, roll (rad), lean (inter-ocular distances), and ARKit shapes


def seen(
    pose: Pose, t_s: float, *, unit_px: float = UNIT_PX, centre: tuple[float, float] = (640, 330)
) -> Tracking:
    """What a perfect tracker sees of a pose."""
    weights = np.zeros(52, np.float32)
    for name, value in pose.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in ARKIT_INDEX:
                weights[ARKIT_INDEX[full]] = value
    head = compose_landmarks(canonical_landmarks(), weights)
    rotation = rotation_from_euler(*(pose.get(name, 0.0) for name in ("yaw", "pitch", "roll")))
    points = unit_px * head @ rotation.T
    points[:, :2] += (centre[0] + unit_px * pose.get("lean", 0.0), centre[1])
    face = Face.of(points.astype(np.float32))
    return Tracking(face, None, SIZE_PX, round(t_s * FPS), round(t_s * 1e9))


def wave(share: float, turns: float = 1.0) -> float:
    return float(np.sin(2 * np.pi * turns * share))


ACTS: dict[str, Callable[[float], Pose]] = {
    "Rest": lambda s: {},
    "Turn": lambda s: {"yaw": 0.4 * wave(s)},
    "Nod": lambda s: {"pitch": 0.25 * wave(s)},
    "Open": lambda s: {"jawOpen": abs(wave(s, 0.5))},
    "Smile": lambda s: {"mouthSmile": abs(wave(s, 0.5))},
    "Blink": lambda s: {"eyeBlink": max(0.0, wave(s, 4))},
    "Look around": lambda s: {
        **{f"eyeLook{way}Left": max(0.0, sign * wave(s)) for way, sign in (("Out", 1), ("In", -1))},
        **{f"eyeLook{way}Right": max(0.0, sign * wave(s)) for way, sign in (("In", 1), ("Out", -1))},
        **{f"eyeLook{way}": max(0.0, sign * wave(s, 2)) for way, sign in (("Up", 1), ("Down", -1))},
    },
    "Lean": lambda s: {"lean": 0.4 * wave(s)},
}


def perform(
    act: Callable[[Prompt], Pose], guide: Guide, most_s: float = 90.0
) -> Iterator[tuple[Prompt, Tracking]]:
    """A person who sees the prompts and acts."""
    pose: Pose = {}
    for i in range(round(most_s * FPS)):
        if guide.finished:
            return
        tracking = seen(pose, i / FPS)
        prompt = guide.see(tracking, 120.0)
        yield prompt, tracking
        pose = act(prompt)
    raise AssertionError("the guide never ends")


def obedient(prompt: Prompt) -> Pose:
    return ACTS[prompt.title](prompt.elapsed)


def test_the_steps_take_thirty_seconds() -> None:
    assert Guide("a test").seconds == 30.0
    assert {step.title for step in (REST, *MOVES)} == set(ACTS)


def test_a_person_who_follows_is_through_in_thirty_seconds_with_a_full_profile() -> None:
    guide = Guide("a test")
    shown = list(perform(obedient, guide))
    assert not guide.missed
    assert len(shown) / FPS == pytest.approx(30.0, abs=1.0)
    assert [p.title for p, _ in shown] == sorted((p.title for p, _ in shown), key=list(ACTS).index)
    last = {prompt.title: prompt for prompt, _ in shown}
    assert all(prompt.reached == 1.0 and prompt.elapsed > 0.9 for prompt in last.values())
    ranges = make_profile([tracking for _, tracking in shown], "a test").ranges
    for name in CHANNELS:
        if name not in ("roll", "lean_y", "lean_near", "brows"):  # nothing asked for them
            assert ranges[name].high - ranges[name].low > 0.2 * CHANNELS[name].span, name


@pytest.mark.parametrize("title", [step.title for step in MOVES])
def test_a_step_that_is_not_done_is_told_and_waited_for_and_named(title: str) -> None:
    guide = Guide("a test")
    shown = [p for p, _ in perform(lambda p: {} if p.title == title else obedient(p), guide)]
    assert guide.missed == [title]
    waited = [p for p in shown if p.title == title]
    step = next(step for step in MOVES if step.title == title)
    assert len(waited) / FPS > step.seconds + 2
    assert waited[-1].reached < 0.5
    assert "0" in waited[-1].hint


def test_half_a_turn_is_told_in_degrees() -> None:
    guide = Guide("a test")
    hints = [
        p.hint
        for p, _ in perform(lambda p: {"yaw": np.radians(8)} if p.title == "Turn" else obedient(p), guide)
        if p.title == "Turn"
    ]
    assert "turn to your left a little farther: 8° of 15°" in hints


def test_blinks_are_counted_one_by_one() -> None:
    guide = Guide("a test")
    hints = [p.hint for p, _ in perform(obedient, guide) if p.title == "Blink"]
    for n in range(3):
        assert f"blink: seen {n} of 3" in hints
    assert hints[-1].startswith("good")


def test_eyes_held_shut_are_no_blinks() -> None:
    guide = Guide("a test")
    list(perform(lambda p: {"eyeBlink": 1.0} if p.title == "Blink" else obedient(p), guide))
    assert "Blink" in guide.missed


@pytest.mark.parametrize(
    ("pose", "said"),
    [
        ({"yaw": 0.4}, "turn a little to your right"),
        ({"yaw": -0.4}, "turn a little to your left"),
        ({"pitch": 0.5}, "raise your chin"),
        ({"pitch": -0.5}, "lower your chin"),
        ({"roll": 0.4}, "hold your head upright"),
        ({"jawOpen": 0.6}, "close your mouth"),
        ({"eyeBlink": 1.0}, "open your eyes"),
    ],
)
def test_nothing_goes_on_without_rest(pose: Pose, said: str) -> None:
    guide = Guide("a test")
    shown: list[Prompt] = []
    with pytest.raises(ProfileError, match=said):
        shown.extend(p for p, _ in perform(lambda p: pose, guide))
    assert all(p.title == "Rest" for p in shown)


def test_a_person_who_fidgets_is_asked_to_hold_still_and_then_goes_on() -> None:
    guide = Guide("a test")
    shown = []
    for i in range(8 * FPS):
        yaw = 0.15 * wave(i / FPS, 2) if i < 5 * FPS else 0.0
        shown.append(guide.see(seen({"yaw": yaw}, i / FPS), 120.0))
    assert "hold still" in {p.hint for p in shown[: 5 * FPS]}
    assert {p.title for p in shown[: 6 * FPS]} == {"Rest"} and shown[-1].title == "Turn"


def test_time_stands_still_while_something_is_in_the_way() -> None:
    guide = Guide("a test")
    frames = iter(range(10**6))

    def show(tracking_at: Callable[[float], Tracking], seconds: float, luma: float = 120.0) -> list[Prompt]:
        return [guide.see(tracking_at(next(frames) / FPS), luma) for _ in range(round(seconds * FPS))]

    before = show(lambda t: seen({}, t), 1.0)[-1]
    lost = show(lambda t: replace(seen({}, t), face=None), 5.0)
    assert all(p.blocked and p.hint.startswith("no face") for p in lost)
    dark = show(lambda t: seen({}, t), 5.0, luma=10.0)
    assert all(p.blocked and p.hint.startswith("too dark: brightness 10, at least 40") for p in dark)
    after = show(lambda t: seen({}, t), 0.1)[-1]
    assert not after.blocked and after.elapsed == pytest.approx(before.elapsed, abs=0.05)
    with pytest.raises(NoDriverFaceError, match="for 20 s too dark"):
        show(lambda t: seen({}, t), 30.0, luma=10.0)


@pytest.mark.parametrize(
    ("tracking", "luma", "said"),
    [
        (seen({}, 0.0), 120.0, None),
        (replace(seen({}, 0.0), face=None), 120.0, "no face"),
        (seen({}, 0.0), 20.0, "too dark"),
        (seen({}, 0.0), 250.0, "too bright"),
        (seen({}, 0.0, unit_px=30.0), 120.0, "too far: your eyes are 30 pixels apart, at least 40"),
        (seen({}, 0.0, unit_px=300.0), 120.0, "too close"),
        (seen({}, 0.0, centre=(60, 330)), 120.0, "cut off"),
    ],
)
def test_obstacles_are_told_with_their_number(tracking: Tracking, luma: float, said: str | None) -> None:
    told = find_obstacle(tracking, luma)
    assert told is None if said is None else (told or "").startswith(said) or said in (told or "")


def test_brightness_is_the_face_s_not_the_window_s_behind() -> None:
    backlit = np.full((720, 1280, 3), 255, np.uint8)
    backlit[200:520, 500:780] = 20
    assert face_luma(backlit, seen({}, 0.0)) < 40 < face_luma(backlit, replace(seen({}, 0.0), face=None))
    outside = seen({}, 0.0, centre=(-900, -900))
    assert face_luma(backlit, outside) > 200  # no pixel of it in the picture


class Scripted:
    """A tracker that sees a person who follows the prompts."""

    def __init__(self) -> None:
        self.pose: Pose = {}
        self.closed = False

    def track(self, frame: Frame) -> Tracking:
        return replace(seen(self.pose, frame.captured_ns * 1e-9), frame_id=frame.frame_id)

    def close(self) -> None:
        self.closed = True


def camera(seconds: float) -> ListSource:
    return ListSource([np.full((72, 128, 3), 120, np.uint8)] * round(seconds * FPS), fps=FPS)


def test_a_session_runs_from_camera_to_profile_and_shows_every_frame() -> None:
    tracker, guide, shown = Scripted(), Guide("a test"), []

    def show(prompt: Prompt, tracking: Tracking) -> None:
        shown.append(prompt)
        tracker.pose = obedient(prompt)

    trackings = track_guided(camera(60), guide, show, tracker)
    assert not guide.missed and tracker.closed
    assert len(shown) == len(trackings)
    profile = make_profile(trackings, "a test")
    assert np.abs(profile.neutral.landmarks_head - canonical_landmarks()).max() < 0.03
    assert profile.ranges["yaw"].high > 15 and profile.ranges["yaw"].low < -15


def test_a_camera_that_ends_early_is_told() -> None:
    tracker = Scripted()
    with pytest.raises(CameraMissingError, match="ended before the steps"):
        track_guided(camera(2), Guide("a test"), lambda prompt, tracking: None, tracker)
    assert tracker.closed


NO_FONT_HAS = "\uffff"  # no character; what a font draws for it, it draws for all it lacks
PROMPT = Prompt(2, 8, "Turn", "Turn your head.", "turn to your left: 8° of 15°", False, 0.3, 0.5)


def test_the_terminal_shows_step_hint_and_bars() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=20)
    with TerminalView(console) as view:
        view.show(PROMPT)
        view.show(replace(PROMPT, hint="no face [bold]", blocked=True))
    assert "2 of 8 · Turn" in out.getvalue() and "! no face [bold]" in out.getvalue()


def test_without_a_terminal_each_step_and_obstacle_is_one_line() -> None:
    out = io.StringIO()
    with TerminalView(Console(file=out, width=200)) as view:
        for prompt in (PROMPT, PROMPT, replace(PROMPT, blocked=True, hint="no face"), PROMPT):
            view.show(prompt)
    assert out.getvalue().splitlines() == [
        "2/8 Turn. Turn your head.",
        "2/8 no face",
        "2/8 Turn. Turn your head.",
    ]


def test_the_window_s_drawing_holds_the_face_mirrored_and_the_text() -> None:
    still = draw_prompt(PROMPT, seen({"lean": 1.5}, 0.0))
    assert still.shape == (540, 960, 3)
    lines = np.abs(still[150:480].astype(int) - 24).sum(axis=(0, 2))
    assert lines[:480].sum() > 5 * lines[480:].sum()  # who leans to the picture's right sees it on the left
    assert np.abs(still[:110].astype(int) - 24).max() > 150


@pytest.mark.parametrize("sign", [*string.ascii_letters, *string.digits, *string.punctuation, "°", "·"])
def test_the_window_s_font_has_every_sign_that_prompts_may_use(sign: str) -> None:
    here, lacking = (draw_prompt(replace(PROMPT, hint=hint), seen({}, 0.0)) for hint in (sign, NO_FONT_HAS))
    assert differs(here, lacking, EXACT)
