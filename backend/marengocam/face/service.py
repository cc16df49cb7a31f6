"""The face process: CodeProject.AI's HTTP surface on YuNet and an embedding model."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial

import cv2
from aiohttp import web

from marengocam.core.errors import HubUnavailableError, MarengoCamError, StoreError
from marengocam.face.carrying import Carrying
from marengocam.face.pictures import KeptPictures
from marengocam.face.reembedding import reembed
from marengocam.face.routes import Engine, add_routes, embedded, refresh
from marengocam.media.store import Store
from marengocam.runtime.context import CONTEXT, ServiceContext
from marengocam.runtime.health import HealthReport
from marengocam.vision.faces import load_face_analyser
from marengocam.vision.models import Models

REFRESH_S = 10.0
HUB_RETRY_S = 2.0  # the hint that could not be followed is gone
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 600.0  # of making the gallery anew
LOADING = "The face models are being loaded: try again in a moment."
MISSING = (
    "No face model was found: put one into MARENGOCAM_MODELS_DIR or allow downloads, see `marengocam models list`."
)
NO_NAMES = "Faces are found but cannot be told apart: no embedding model was found, see `marengocam models list`."
WAITING = "Some known faces wait to be learned by the model {}: {}."
FAILED = "that failed inside MarengoCam, see the log of face"
_LOG = logging.getLogger(__name__)


class FaceService:
    """Finds, embeds and recognises faces for whoever asks."""

    def __init__(self) -> None:
        self._engine = Engine(problem=LOADING)
        self._carrying = Carrying()
        self._renewal_problem = ""

    def routes(self, app: web.Application) -> None:
        """Add the routes; until the models are loaded they answer that they are not ready."""
        self._engine.clock = app[CONTEXT].clock
        self._engine.hub = app[CONTEXT].hub
        self._engine.pictures = KeptPictures(app[CONTEXT].hub, Store(app[CONTEXT].settings.media_dir))
        add_routes(app, self._engine)

    async def run(self, context: ServiceContext) -> None:
        """Load the models, then keep the gallery fresh until told to end."""
        cv2.setNumThreads(1)
        # One thread: the detector keeps state between its calls.
        with ThreadPoolExecutor(1, thread_name_prefix="face") as pool:
            self._engine.pool = pool
            await self._load(context)
            renewing = asyncio.create_task(self._renew(context))
            carrying = asyncio.create_task(self._carrying.run(context, self._engine.pictures))
            with context.bus.subscribed("person") as changed:
                while not context.stopping.is_set():
                    answered = await self._refresh()
                    await context.woken(changed, REFRESH_S if answered else HUB_RETRY_S)
            for task in (renewing, carrying):
                task.cancel()
            await asyncio.gather(renewing, carrying, return_exceptions=True)
            self._engine.pool = None
        if self._engine.pictures is not None:
            self._engine.pictures.close()

    def health(self) -> HealthReport:
        """Return ok, or why faces are not recognised."""
        engine = self._engine
        detail = {
            "model": engine.analyser.model if engine.analyser else None,
            "persons": len(engine.gallery.names),
            "waiting": engine.waiting,
            "engines": {name: asdict(one) for name, one in self._carrying.standing().items()},
        }
        problem = engine.problem or self._renewal_problem or self._carrying.problem
        return HealthReport("degraded" if problem else "ok", problem, detail)

    async def _load(self, context: ServiceContext) -> None:
        # A download under way notices `stopping` by itself.
        models = Models(context.settings, context.stopping.is_set)
        loop = asyncio.get_running_loop()
        try:
            analyser = await loop.run_in_executor(self._engine.pool, load_face_analyser, context.settings, models)
        except MarengoCamError as error:
            self._engine.problem = str(error)
        else:
            self._engine.analyser = analyser
            can_name = analyser is not None and analyser.model is not None
            self._engine.problem = MISSING if analyser is None else "" if can_name else NO_NAMES
        if self._engine.problem:
            _LOG.warning("%s", self._engine.problem)

    async def _renew(self, context: ServiceContext) -> None:
        """Make the gallery anew for the present model in the background; what hinders it is told and tried again."""
        analyser, pictures = self._engine.analyser, self._engine.pictures
        if analyser is None or analyser.model is None or pictures is None:
            return
        pause_s = FIRST_RETRY_S
        while not context.stopping.is_set():
            try:
                await reembed(context.hub, pictures, analyser.model, partial(embedded, self._engine))
            except HubUnavailableError as error:
                _LOG.debug("the gallery is made anew later: %s", error)
            except StoreError as error:
                self._renewal_problem = WAITING.format(analyser.model, str(error).rstrip("."))
            except Exception:  # noqa: BLE001 - it must not end unnoticed: faces would stay unknown; it is told and logged
                _LOG.exception("the gallery cannot be made anew")
                self._renewal_problem = WAITING.format(analyser.model, FAILED)
            else:
                self._renewal_problem = ""
                return
            await context.pause(pause_s)
            pause_s = min(pause_s * 2, LAST_RETRY_S)

    async def _refresh(self) -> bool:
        """Read the gallery anew; return whether the hub answered."""
        try:
            await refresh(self._engine)
        except HubUnavailableError as error:
            _LOG.debug("the gallery stays as it is: %s", error)
            return False
        return True
