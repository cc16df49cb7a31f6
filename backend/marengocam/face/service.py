"""The face process: CodeProject.AI's HTTP surface on YuNet and an embedding model."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import cv2
from aiohttp import web

from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.face.gallery import Gallery
from marengocam.face.routes import Engine, add_routes
from marengocam.runtime.context import CONTEXT, ServiceContext
from marengocam.runtime.health import HealthReport
from marengocam.vision.faces import load_face_analyser
from marengocam.vision.models import Models

REFRESH_S = 2.0
MISSING = "No face model was found: see `marengocam models list`"
_LOG = logging.getLogger(__name__)


class FaceService:
    """Finds, embeds and recognises faces for whoever asks."""

    def __init__(self) -> None:
        self._engine = Engine()
        self._problem = "The face models are being loaded."

    def routes(self, app: web.Application) -> None:
        """Add the routes; until the models are loaded they answer that they are not ready."""
        self._engine.clock = app[CONTEXT].clock
        self._engine.hub = app[CONTEXT].hub
        add_routes(app, self._engine)

    async def run(self, context: ServiceContext) -> None:
        """Load the models, then keep the gallery fresh until told to end."""
        cv2.setNumThreads(1)
        # One thread: the detector keeps state between its calls.
        with ThreadPoolExecutor(1, thread_name_prefix="face") as pool:
            self._engine.pool = pool
            models = Models(context.settings)
            try:
                loading = asyncio.get_running_loop().run_in_executor(pool, load_face_analyser, context.settings, models)
                self._engine.analyser = await loading
            except MarengoCamError as error:
                self._problem = str(error)
            if self._engine.analyser is None:
                self._problem = MISSING if "loaded" in self._problem else self._problem
                _LOG.warning("%s", self._problem)
            elif self._engine.analyser.model is None:
                self._problem = "Faces are found but cannot be told apart: no embedding model was found."
            else:
                self._problem = ""
            self._engine.problem = self._problem
            while not context.stopping.is_set():
                await self._refresh()
                waits = [
                    asyncio.ensure_future(context.bus.wait("person", REFRESH_S * 5)),
                    asyncio.ensure_future(context.stopping.wait()),
                ]
                _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
                await asyncio.gather(*pending, return_exceptions=True)
            self._engine.pool = None

    def health(self) -> HealthReport:
        """Return ok, or why faces are not recognised."""
        detail = {
            "model": self._engine.analyser.model if self._engine.analyser else None,
            "persons": len(self._engine.gallery.names),
            "waiting": self._engine.waiting,
        }
        return HealthReport("degraded" if self._problem else "ok", self._problem, detail)

    async def _refresh(self) -> None:
        analyser, hub = self._engine.analyser, self._engine.hub
        if analyser is None or analyser.model is None or hub is None:
            return
        try:
            names = {known.person.person_id: known.person.name for known in await hub.persons.list()}
            self._engine.gallery = Gallery.of(await hub.persons.exemplars(), names, analyser.model)
        except HubUnavailableError as error:
            _LOG.debug("the gallery stays as it is: %s", error)
