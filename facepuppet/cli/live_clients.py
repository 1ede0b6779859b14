"""Who handles a live run: kept settings, keys in terminal and window, hotkeys, microphone, control room."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facepuppet.cli.live_parts import Outputs, tell

if TYPE_CHECKING:
    from facepuppet.cli.hotkey_file import Hotkey
    from facepuppet.cli.sound_options import SoundWanted
    from facepuppet.drivers.voice.typed_lines import TypedLines
    from facepuppet.session.live import LivePipeline
    from facepuppet.session.show import Show
    from facepuppet.sound.microphone import Microphone


@dataclass(frozen=True, slots=True)
class Clients:
    """Which of them are wanted.

    Attributes:
        settings: begin with what was last set, and keep what is set.
        said: settings that the command line names itself.
        hotkeys: to be heard under other windows.
        sound: the microphone that is wanted, if any.
        ui, ui_port: whether to serve the control room, and where.
        typed: given lines of the terminal that are no commands; None where all are.
    """

    settings: bool
    said: Sequence[str]
    hotkeys: Sequence[Hotkey]
    sound: SoundWanted | None
    ui: bool
    ui_port: int | None
    typed: TypedLines | None = None

    def enter(
        self, stack: ExitStack, live: LivePipeline, outputs: Outputs, microphone: Microphone | None
    ) -> None:
        """Let them in, and tell how each is used; what one of them cannot do, it tells, and the run goes on.

        Args:
            stack: closes them.
            live: the run.
            outputs: where its pictures go.
            microphone: the one that is wanted, not started.

        Raises:
            ControlRoomError: the port that was asked for is taken.
        """
        from facepuppet.cli.controls import Controls
        from facepuppet.session.kept_settings import KeptSettings
        from facepuppet.session.show import Extras, Show

        readers, missing = outputs.fanout.seen_by, outputs.fanout.missing
        show = Show(live, Extras(outputs.recordings, microphone, readers=readers, missing=missing))
        if self.settings:
            tell(stack.enter_context(KeptSettings(live, said=self.said)).hint)
        typed = None if self.typed is None else self.typed.put
        bits = live.control.state.bits
        controls = stack.enter_context(
            Controls(show.send, window=bool(outputs.windows), typed=typed, bits=bits)
        )
        for window in outputs.windows:
            window.on_key = controls.press
        if microphone is not None:
            stack.enter_context(microphone)
            tell(str(self.sound))
        tell(controls.hint)
        self._open_hotkeys(stack, show)
        if self.ui:
            self._open_room(stack, show, outputs)

    def _open_hotkeys(self, stack: ExitStack, show: Show) -> None:
        if self.hotkeys:
            from facepuppet.cli.hotkeys import Hotkeys

            tell(stack.enter_context(Hotkeys(self.hotkeys, show.send)).hint)

    def _open_room(self, stack: ExitStack, show: Show, outputs: Outputs) -> None:
        from facepuppet.control_room import ControlRoom

        room = stack.enter_context(ControlRoom(show, outputs.preview, self.ui_port))
        tell(f"Control room, for you alone: {room.address}")
        tell(f"For a browser source in OBS, the puppet alone: {room.stage_address}")


def wanted_hotkeys() -> list[Hotkey]:
    """Read which keys are to be heard under other windows.

    Raises:
        SettingsError: the file of them is malformed.
    """
    from facepuppet.cli.hotkey_file import load_hotkeys
    from facepuppet.session.settings_file import settings_folder

    return load_hotkeys(settings_folder() / "hotkeys.toml")
