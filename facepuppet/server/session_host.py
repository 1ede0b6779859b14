"""A host: the process in which sessions perform, one on a processor, several on a GPU."""

from __future__ import annotations

import asyncio
import gc
import logging
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator
from pathlib import Path

from facepuppet.core.errors import ConsentRevokedError, FacepuppetError
from facepuppet.core.threads import Unpooled
from facepuppet.inference.runtime import Runtime
from facepuppet.portrait.consent.consent_record import Consent
from facepuppet.portrait.consent.revocation import Revocations
from facepuppet.portrait.load import load_as_pack
from facepuppet.portrait.pack import Pack
from facepuppet.server.messages import Answered, Errand, Join, Over, Told, Watch, Why
from facepuppet.server.puppet_session import PuppetSession
from facepuppet.server.seams import Desk
from facepuppet.server.server_parts import SessionFigures
from facepuppet.session.puppet import Puppet

_MOST_PACKS = 4  # a pack of a portrait takes some 20 MB
_AGAIN_S = 2.0  # a reception that does not answer is asked again after so long
OCCUPIED = "This place was taken meanwhile."

log = logging.getLogger(__name__)


class SessionHost:
    """Gives up to so many people a place, and shares what runs the networks among them.

    Args:
        desk: the reception.
        seats: how many may be here at once.
        engine: of the networks; see `inference.ENGINES`.
        speaks: command that reads out what peers write; None where there is none.
    """

    def __init__(self, desk: Desk, seats: int = 1, engine: str = "auto", speaks: str | None = None) -> None:
        self._desk, self._seats, self._speaks = desk, seats, speaks
        self._runtime = Runtime(engine)
        self._unpooled = Unpooled()  # for as long as anybody may be here: sessions that end must not undo it
        self._packs: OrderedDict[str, Pack] = OrderedDict()
        self._sessions: dict[str, asyncio.Task[None]] = {}
        self._performing: dict[str, PuppetSession] = {}

    @property
    def taken(self) -> int:
        """How many are here."""
        return len(self._sessions)

    async def figures(self) -> dict[str, SessionFigures]:
        """Return how the sessions go, by their ids."""
        return {
            name: SessionFigures(session.status, *await session.carried_bytes())
            for name, session in tuple(self._performing.items())
        }

    async def perform(self, join: Join) -> AsyncIterator[Told]:
        """Perform for somebody; see `seams.Hosts.perform`."""
        if len(self._sessions) >= self._seats or join.session in self._sessions:
            yield Over(Why.OCCUPIED, OCCUPIED, again=True)
            return
        told: asyncio.Queue[Told] = asyncio.Queue()
        # Not this generator's: whoever listens may go, as a reception that restarts does; the peer stays.
        self._sessions[join.session] = task = asyncio.ensure_future(self._perform(join, told))
        task.add_done_callback(lambda task: self._let_go())
        answered = False
        try:
            while not isinstance(what := await told.get(), Over):
                answered = True
                yield what
            yield what
        finally:
            if not answered:  # whoever asked went before there was anything to see
                task.cancel()

    async def close(self) -> None:
        """End every session."""
        tasks = tuple(self._sessions.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._unpooled.restore()

    async def _perform(self, join: Join, told: asyncio.Queue[Told]) -> None:
        session: PuppetSession | None = None
        over = Over(Why.CLOSING, "The server is stopping.", again=True)
        try:
            puppet = await self._puppet(join)
            session = PuppetSession(join, puppet, self._speaks)
            told.put_nowait(Answered(await session.begin()))
            self._performing[join.session] = session
            over = await self._attend(session)
        except FacepuppetError as problem:
            over = Over(
                Why.REVOKED if isinstance(problem, ConsentRevokedError) else Why.REFUSED, str(problem)
            )
        except Exception as error:
            log.exception("session %s fails", join.session)
            over = Over(Why.FAILED, f"The server met an unexpected {type(error).__name__}.", again=True)
        finally:
            try:
                if session is not None:
                    session.end(over)
                    await session.close()
            except Exception:  # its place is free all the same
                log.exception("session %s does not end as it should", join.session)
            finally:
                self._performing.pop(join.session, None)
                self._sessions.pop(join.session, None)
                told.put_nowait(over)
                log.info("session %s is over: %s", join.session, over.why.value)

    def _let_go(self) -> None:
        """Let go of what sessions held, once nobody is here whom that would hold up.

        Connections and their handlers refer to each other: without this, a person's last pictures and some
        20 MB stay until Python looks by itself, which is seldom.
        """
        if not self._sessions:
            gc.collect()

    async def _attend(self, session: PuppetSession) -> Over:
        """Do the reception's errands until the session is over."""
        errands = asyncio.ensure_future(self._run_errands(session))
        try:
            return await session.wait()
        finally:
            errands.cancel()

    async def _run_errands(self, session: PuppetSession) -> None:
        while True:
            try:
                errands = await self._desk.errands(session.join.session)
            except Exception as error:  # a reception that is away must not end those who are here
                log.info("the reception does not answer (%s); the session goes on", type(error).__name__)
                await asyncio.sleep(_AGAIN_S)
                continue
            for errand in errands:
                await self._run(errand, session)

    async def _run(self, errand: Errand, session: PuppetSession) -> None:
        """Do one errand; whatever fails with it, the others are done."""
        try:
            answer = await session.do(errand)
        except Exception as error:
            log.warning("session %s: an errand failed (%s)", session.join.session, type(error).__name__)
            answer = Over(Why.FAILED, "The server could not do that.")
        if isinstance(errand, Watch) and answer is not None:
            try:
                await self._desk.answer(errand.errand, answer)
            except Exception as error:  # its watcher asks again
                log.info("the reception takes no answer (%s)", type(error).__name__)

    async def _puppet(self, join: Join) -> Puppet:
        """Make a puppet, once more sure that its portrait may be shown.

        Raises:
            FacepuppetError: it may not, or will not do.
        """
        consent = Consent.from_json(join.consent)
        revoked = Revocations(await self._desk.revoked())
        pack = await self._pack(join)
        consent.check_portrait(pack.avatar.source_sha256)
        revoked.check(consent)
        return await asyncio.to_thread(self._make, join, pack, consent)

    def _make(self, join: Join, pack: Pack, consent: Consent) -> Puppet:
        from facepuppet.frames.cpu.compose.composer import Composer

        composer = Composer(pack.avatar, join.picture.size_px)
        return Puppet(
            pack.avatar,
            composer,
            session=join.number,
            consent_id=consent.id,
            engine=self._runtime,
            seed=join.number,
        )

    async def _pack(self, join: Join) -> Pack:
        pack = self._packs.get(join.avatar)
        if pack is None:
            data = await self._desk.avatar(join.avatar)
            pack = await asyncio.to_thread(_read_pack, data, join.avatar_name)
            self._packs[join.avatar] = pack
            while len(self._packs) > _MOST_PACKS:
                self._packs.popitem(last=False)
        self._packs.move_to_end(join.avatar)
        return pack


def _read_pack(data: bytes, name: str) -> Pack:
    """Read a portrait or pack that came from the reception, with every check that a file gets."""
    with tempfile.TemporaryDirectory(prefix="facepuppet-") as folder:
        path = Path(folder) / Path(name).name
        path.write_bytes(data)
        return load_as_pack(path)
