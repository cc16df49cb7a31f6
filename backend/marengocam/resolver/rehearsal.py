"""A turn about nobody before the first that counts: whoever comes first after a start waits no longer than others."""

from datetime import datetime

import numpy as np

from marengocam.core.clock import Clock
from marengocam.core.identity import CameraGraph, ClaimedTrack
from marengocam.core.ids import new_id
from marengocam.core.model import Embedding, LocalTrack
from marengocam.db.resolution import Resolution
from marengocam.db.vicinity import STRANGER_SIZE
from marengocam.resolver.resolve import PERSON_LABEL
from marengocam.resolver.turn import Rules, decide_on

NOWHERE = "marengocam rehearsal"  # is no camera's id, and no model's name


async def rehearse(resolution: Resolution, graph: CameraGraph, confirm_probability: float, clock: Clock) -> None:
    """Read what surrounds somebody who never was, decide on him, and write nothing.

    The server reads its catalogues and makes its plans once for each connection, and Python has its first times, too.
    Raises HubUnavailableError.
    """
    now = clock.now()
    rules = Rules(graph, confirm_probability, lambda _track: new_id(now))
    async with resolution.claim(0) as turn:
        await decide_on(turn.vicinity, [ClaimedTrack(_nobody(now), 0, None)], rules, now)
        await turn.write((), now)


def _nobody(now: datetime) -> LocalTrack:
    look = Embedding(NOWHERE, np.ones(STRANGER_SIZE, np.float32) / STRANGER_SIZE**0.5, 1.0)
    return LocalTrack(
        new_id(now), NOWHERE, PERSON_LABEL, now, now, open=False, score=0.0, observations=1, face=look, appearance=look
    )
