"""Settings that stay: of each avatar and each camera, from one run to the next."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from facepuppet.character.style import Style
from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import FacepuppetError, SettingsError
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.retarget.manner import Manner
from facepuppet.session.commands import SetMirror
from facepuppet.session.live import LivePipeline
from facepuppet.session.puppet import Puppet
from facepuppet.session.setting_values import (
    KEPT,
    avatar_values,
    camera_commands,
    camera_name,
    camera_values,
    with_avatar_settings,
)
from facepuppet.session.settings_file import SettingsFile, settings_folder
from facepuppet.session.settings_watch import SettingsWatch

_LOOK_S = 0.5
_JOIN_S = 5.0
_AVATARS = """\
# facepuppet: how each portrait follows you and looks, as you last set it; by the SHA-256 of its file.
# Yours to edit while no run is live: `facepuppet run` reads it, and writes what you change in mid-run.
# gain: 0 to 4, of head, gaze, mouth, brows, lids, torso.  still: a list of these.  head-speed: degrees/s.
# style: off, a style's name or a .toml file.
# background: portrait, blur, a colour or a picture file.  label: the corner of the label, tl, tr, bl or br.
"""
_CAMERAS = """\
# facepuppet: what you last set with each camera, by its name.
# Yours to edit while no run is live: `facepuppet run` reads it, and writes what you change in mid-run.
# smoothing: 0 to 4, 1 is as usual.  mirror: true flips left and right.
"""

log = logging.getLogger(__name__)


class KeptSettings:
    """Gives a run the settings that its avatars and camera had, and keeps what changes while it is entered.

        with LivePipeline(driver, puppets, [sink]) as live, KeptSettings(live):
            live.run()

    To be entered before the run starts, and left after it. It looks at the run from a thread of its own, and
    the run waits for nothing of it. What cannot be read or written is told in one line; usual values count.

    Args:
        live: the run.
        said: settings that the command line names ("background", "label", "mirror", "style"): those count
            in this run, and are kept only where they are changed while it lasts.
        folder: where the files are; the user's own if None.
        clock: tells when a change has settled.

    Attributes:
        hint: which kept settings the run began with, in one line for a person; empty if there are none.
    """

    def __init__(
        self,
        live: LivePipeline,
        *,
        said: Collection[str] = (),
        folder: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        folder = folder or settings_folder()
        self._control, self._camera = live.control, camera_name(live.driver)
        self._said, self._clock = frozenset(said), clock or SystemClock()
        self._avatars = SettingsFile(folder / "avatars.toml", "avatars", _AVATARS)
        self._cameras = SettingsFile(folder / "cameras.toml", "cameras", _CAMERAS)
        self._told: set[str] = set()
        self._used: set[str] = set()
        self.hint = ""
        self._looking, self._leaving = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="settings", daemon=True)
        self._watches: list[SettingsWatch] = []

    def __enter__(self) -> KeptSettings:
        puppets = self._control.puppets.values()
        mirror = None if self._camera is None else self._set_up(self._camera)
        for puppet in puppets:
            self._dress(puppet, mirror)
        if self._camera is not None:
            self._watches.append(self._watch_of_camera(self._camera))
        self._watches += [self._watch_of_avatar(puppet) for puppet in puppets]
        self.hint = f"As you last set it: {', '.join(sorted(self._used))}." if self._used else ""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():  # a disk that hangs does not keep a run from ending
            log.warning("Settings are still being written: what you set last may not be kept.")
        else:
            self.look(last=True)

    def look(self, *, last: bool = False) -> None:
        """Note what has changed, and write what has rested since; all of it if this is the last look."""
        now_ns = self._clock.now_ns()
        with self._looking:
            for watch in self._watches:
                watch.look(now_ns)
                if watch.changes and (last or watch.rested(now_ns)):
                    self._write(watch)

    def _set_up(self, camera: str) -> bool | None:
        """Give the driver what is kept of its camera; return whether that is mirrored, if it is kept."""
        mirror = None
        for command in camera_commands(
            self._read(self._cameras, camera), partial(self._tell_of, self._cameras)
        ):
            if isinstance(command, SetMirror):
                mirror = command.on
            else:
                self._control.send(command)
        self._control.obey()  # nobody else does before the run has started
        return mirror

    def _dress(self, puppet: Puppet, mirror: bool | None) -> None:
        """Give a puppet what is kept of it."""
        usual = puppet.usual_scene
        scene = usual if mirror is None else replace(usual, mirror=mirror)
        table = self._read(self._avatars, puppet.avatar.source_sha256)
        tell = partial(self._tell_of, self._avatars)
        now = puppet.character.style
        manner, scene, style = with_avatar_settings(puppet.manner, scene, now, table, tell)
        puppet.set_manner(manner)
        if style is not now:
            puppet.character.style = style
        if scene is not puppet.scene:
            puppet.set_scene(scene)

    def _watch_of_avatar(self, puppet: Puppet) -> SettingsWatch:
        avatar, usual = puppet.avatar, avatar_values(Manner(), puppet.usual_scene, None)

        def now() -> tuple[Manner, Scene, Style | None]:
            return puppet.manner, puppet.scene, puppet.character.style

        return SettingsWatch(self._avatars, avatar.source_sha256, avatar.name, usual, now, avatar_values)

    def _watch_of_camera(self, name: str) -> SettingsWatch:
        control = self._control
        usual = camera_values(1.0, control.puppet.usual_scene)

        def now() -> tuple[float, Scene]:
            return control.state.smoothing, control.puppet.scene

        return SettingsWatch(self._cameras, name, "", usual, now, camera_values)

    def _read(self, file: SettingsFile, thing: str) -> Mapping[str, Any]:
        try:
            table = file.read(thing)
        except SettingsError as problem:
            self._tell(problem)
            return {}
        used = {name: value for name, value in table.items() if name in KEPT and name not in self._said}
        self._used |= used.keys()
        return used

    def _write(self, watch: SettingsWatch) -> None:
        try:
            watch.file.change(watch.thing, watch.name, watch.changes)
        except FacepuppetError as problem:
            self._tell(problem)
            watch.changed_ns = None  # tried again with the next change, and in the end
        else:
            watch.changes = {}

    def _tell_of(self, file: SettingsFile, problem: FacepuppetError) -> None:
        log.warning("In '%s': %s", file.path, problem)

    def _tell(self, problem: FacepuppetError) -> None:
        """Tell each problem once: it may come with every change."""
        if str(problem) not in self._told:
            self._told.add(str(problem))
            log.warning("%s", problem)

    def _follow(self) -> None:
        while not self._leaving.wait(_LOOK_S):
            self.look()
