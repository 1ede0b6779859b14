"""One person's session: pictures in, a puppet out, for as long as somebody is there.

    peer ─pictures→ PeerSource → CameraDriver ─┐
    peer ─sound→ PeerSound → a voice's driver ─┴→ LivePipeline → PeerPictures ─→ peer and watchers
                     └─────── as late as pictures ─────────────────────────────→

The pipeline is the one that `facepuppet run` has; a session gives it other ends. The peer's own picture goes
into the driver and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import psutil
from aiortc import MediaStreamTrack, RTCDataChannel, RTCRtpReceiver

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import ControlError, FacepuppetError, ServerError
from facepuppet.drivers.base import Driver
from facepuppet.drivers.camera.camera_driver import CameraDriver
from facepuppet.drivers.camera.rest import Rest
from facepuppet.server.channel_lines import ChannelLines
from facepuppet.server.messages import Announce, DrivenBy, Errand, Join, Leave, Over, Unwatch, Watch, Why
from facepuppet.server.peer_connection import PeerConnection
from facepuppet.server.peer_decoding import bound_decoding
from facepuppet.server.peer_pictures import PeerPictures
from facepuppet.server.peer_presence import Large, LargePictures, Presence
from facepuppet.server.peer_sound import PeerSound
from facepuppet.server.peer_source import LARGE_PX, PeerSource
from facepuppet.server.peer_talk import (
    Alive,
    Say,
    ask_message,
    note_message,
    over_message,
    read_message,
    status_message,
)
from facepuppet.server.peer_voices import open_voice_of_peer
from facepuppet.server.picture_steps import Flow, PictureGovernor
from facepuppet.server.pictures_at_once import hand_over_at_once
from facepuppet.server.session_lines import LARGE, LOST, NO_PICTURES, step_line
from facepuppet.server.watchers import Watchers
from facepuppet.session.governor import LOOK_S
from facepuppet.session.live import LivePipeline
from facepuppet.session.puppet import Puppet
from facepuppet.session.show import Extras, Show

STILL_S = 3.0  # without a picture, after which the person is told; cameras of one a second are not still
MOST_NOTES = 20  # that a peer is told a minute: one that sends rubbish is not answered for each piece
_RECENTRE_S = 20.0  # a lean held this long has become the way the driver sits, as in `facepuppet run`

log = logging.getLogger(__name__)


class PuppetSession:
    """Performs for one peer until it is over; made and used in one event loop.

    Args:
        join: what was asked for.
        puppet: what to show, of the size that the join names.
        speaks: command that reads out (`peer_voices.speech_command`); None where there is none.
        clock: tells when.

    Attributes:
        join: as given.
        status: what the peer was told last of how it goes.

    Raises:
        ServerError: text is to drive, and nothing here speaks.
    """

    def __init__(
        self, join: Join, puppet: Puppet, speaks: str | None = None, clock: Clock | None = None
    ) -> None:
        self.join = join
        self._clock = clock or SystemClock()
        self._over: asyncio.Future[Over] = asyncio.get_running_loop().create_future()
        self._source = PeerSource(self._clock, join.picture.fps)
        self._pictures = PeerPictures(puppet.canvas_px, asyncio.get_running_loop(), self._clock)
        self._sound = PeerSound(self._picture_s, passed=join.sound and join.driven_by is not DrivenBy.TEXT)
        self._lines = ChannelLines()
        self._driver = self._open_driver(speaks)
        self._live = LivePipeline(
            self._driver, puppet, [self._pictures], fps=join.picture.fps, clock=self._clock
        )
        self._show = Show(self._live, Extras(sound=self._sound), self._clock)
        self._governor = PictureGovernor(join.picture)
        self._peer = PeerConnection(join.offer, join.ice_servers, self._on_track, self._on_channel)
        self._channel: RTCDataChannel | None = None
        self._watchers = Watchers(self._tracks, join.ice_servers)
        self._tasks: set[asyncio.Task[None]] = set()
        self._begun_ns = self._talked_ns = self._clock.now_ns()
        self._sent_before, self._looked_ns = 0, self._begun_ns
        self.status: dict[str, Any] = {}
        self._n_notes = 0
        self._large = LargePictures()

    async def begin(self) -> str:
        """Start the puppet and return the answer to the peer's offer.

        Raises:
            ServerError: the offer will not do.
            FacepuppetError: the puppet cannot start.
        """
        sdp = await self._peer.answer(self._tracks())
        await asyncio.to_thread(self._live.start)
        self._in_background(self._look())
        return sdp

    async def wait(self) -> Over:
        """Return how it ended, once it has."""
        return await asyncio.shield(self._over)

    async def carried_bytes(self) -> tuple[int, int]:
        """Return how many bytes came from the peer, and went to it and to those who watch."""
        each = [await one.transport_bytes() for one in (self._peer, *self._watchers.peers)]
        return sum(received for received, _ in each), sum(sent for _, sent in each)

    def end(self, over: Over) -> None:
        """Let it end, in this way if it has not ended already."""
        if not self._over.done():
            self._over.set_result(over)

    async def close(self) -> None:
        """End it and let go of everything; whoever is connected is told why."""
        self.end(Over(Why.CLOSING, LOST, again=True))
        self._tell(over_message(self._over.result()))
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.sleep(0.05)  # so that the last message leaves
        await asyncio.gather(self._peer.close(), self._watchers.close())
        self._pictures.close()
        await asyncio.to_thread(self._live.stop)
        self._sound.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def do(self, errand: Errand) -> str | Over | None:
        """Do what the reception wants; of a Watch, returns the answer to the watcher."""
        match errand:
            case Watch(name, offer):
                return await self._watchers.answer(name, offer)
            case Unwatch(name):
                await self._watchers.leave(name)
            case Leave(over):
                self.end(over)
            case Announce(sentence):
                self._tell(note_message(sentence))
        return None

    def _open_driver(self, speaks: str | None) -> Driver:
        driven_by, fps = self.join.driven_by, self.join.picture.fps
        if driven_by is DrivenBy.CAMERA:
            return CameraDriver(self._source, Rest(recentre_s=_RECENTRE_S))
        return open_voice_of_peer(driven_by, self._sound, fps=fps, lines=self._lines, command=speaks)

    def _picture_s(self) -> float | None:
        """How late the puppet is seen, from when a picture came in, or a voice was heard."""
        delay_s = self._live.delay_s
        if delay_s is None:
            return None
        # A moment falls between two pictures; who reads out counts that by itself.
        between = self.join.driven_by is not DrivenBy.TEXT
        return delay_s + self._pictures.delay_s + between * 0.5 / self._governor.step.fps

    def _tracks(self) -> list[MediaStreamTrack]:
        """Return new tracks of the puppet, for a peer."""
        return [self._pictures.track(), self._sound.track()]

    def _on_track(self, track: MediaStreamTrack, receiver: RTCRtpReceiver | None) -> None:
        if track.kind == "video":
            hand_over_at_once(receiver)
            bound_decoding(receiver, LARGE_PX, self._source.leave_out)
            self._in_background(self._source.hear(track))
        else:
            bound_decoding(receiver)
            self._in_background(self._sound.hear(track, receiver))

    def _on_channel(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", self._heard)

    def _heard(self, message: str | bytes) -> None:
        self._talked_ns = self._clock.now_ns()
        try:
            if isinstance(message, bytes):
                self._sound.hear_samples(message)
                return
            match read_message(message):
                case Alive():
                    pass
                case Say(text):
                    self._say(text)
                case command:
                    self._show.send(command)
        except (ServerError, ControlError) as problem:
            self._note(str(problem))
        except FacepuppetError as problem:
            log.info("session %s: %s", self.join.session, type(problem).__name__)
            self._note(str(problem))

    def _say(self, text: str) -> None:
        if self.join.driven_by is not DrivenBy.TEXT:
            raise ControlError("text to say", "a session that text drives", "Join again, driven by text.")
        self._lines.put(text)

    async def _look(self) -> None:
        """Look after the session until it is over."""
        psutil.cpu_percent()  # the first call only begins to count
        try:
            while not self._over.done():
                await asyncio.sleep(LOOK_S)
                self._end_if_gone()
                self._end_if_large()
                self._adapt()
                self.status = self._status()
                self._tell(status_message(self.status))
        except Exception as error:  # of ours: the person is told, rather than left with a still picture
            log.exception("session %s fails", self.join.session)
            self.end(Over(Why.FAILED, f"The server met an unexpected {type(error).__name__}.", again=True))

    def _end_if_gone(self) -> None:
        by_camera = self.join.driven_by is DrivenBy.CAMERA
        presence = Presence(
            begun_ns=self._begun_ns,
            came_ns=max(self._source.newest_ns, self._sound.newest_ns, self._talked_ns),
            is_connected=self._peer.connected.is_set(),
            has_left=self._peer.closed.is_set(),
            lacks_pictures=by_camera and not self._source.arrived,
        )
        over = presence.over(self._clock.now_ns())
        if over is not None:
            self.end(over)
        try:
            self._live.raise_if_failed()
        except FacepuppetError as problem:
            self.end(Over(Why.FAILED, str(problem), again=True))

    def _end_if_large(self) -> None:
        match self._large.look(self._source.arrived, self._source.large, self._clock.now_ns()):
            case Large.ASK:
                step = self._governor.step
                self._tell(ask_message(step.size_px, step.fps))
                self._note(LARGE)
            case Large.END:
                self.end(self._large.over)

    def _adapt(self) -> None:
        now_ns, fps = self._clock.now_ns(), self.join.picture.fps
        by_camera = self.join.driven_by is DrivenBy.CAMERA
        arrived = self._source.arrived if by_camera else round((now_ns - self._begun_ns) * 1e-9 * fps)
        flow = Flow(arrived, self._pictures.taken, psutil.cpu_percent() / 100)
        why = self._governor.look(flow, now_ns)
        if why is None:
            return
        step = self._governor.step
        self._source.set_fps(step.fps)
        self._pictures.set_step(step.size_px, step.fps)
        self._tell(ask_message(step.size_px, step.fps))
        self._note(step_line(step, why))
        log.info("session %s steps to '%s' (%s)", self.join.session, step.name, why.value)

    def _status(self) -> dict[str, Any]:
        now_ns, sent = self._clock.now_ns(), self._pictures.taken
        fps = (sent - self._sent_before) * 1e9 / max(now_ns - self._looked_ns, 1)
        self._sent_before, self._looked_ns = sent, now_ns
        by_camera = self.join.driven_by is DrivenBy.CAMERA
        expression, delay_s, step = self._live.expression, self._live.delay_s, self._governor.step
        still = by_camera and now_ns - max(self._source.newest_ns, self._begun_ns) > STILL_S * 1e9
        face = expression is not None and expression.face is not None and not still
        return {
            "fps": round(fps, 1),
            "delay_ms": None if delay_s is None else round(1000 * delay_s),
            "size": list(step.size_px),
            "asked_fps": round(step.fps),
            "step": step.name,
            "face": face if by_camera else None,
            "light": self._driver.light,
            "watchers": len(self._watchers),
            "notes": [NO_PICTURES] if still else [],
        }

    def _note(self, sentence: str) -> None:
        """Tell the peer a line, unless there were too many."""
        self._n_notes += 1
        if self._n_notes <= MOST_NOTES * (1 + (self._clock.now_ns() - self._begun_ns) / 60e9):
            self._tell(note_message(sentence))

    def _tell(self, message: str) -> None:
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(message)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
