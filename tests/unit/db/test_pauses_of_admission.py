"""How soon a service asks again whether its account is made: soon at first, seldom later."""

import asyncio
import contextlib

import asyncpg

from marengocam.core.errors import HubUnavailableError
from marengocam.db.admission import PAUSE_MAX_S, Admission

STEP_S, FOR_S = 0.125, 30.0
SOON_S = 0.5


async def asked_at() -> list[float]:
    """Return when the server is asked in half a minute in which it refuses and somebody calls all the time."""
    loop, admission, asked = asyncio.get_running_loop(), Admission(), []
    began_s, shift_s = loop.time(), 0.0
    loop.time = lambda: began_s + shift_s  # no test waits half a minute
    while shift_s < FOR_S:
        with contextlib.suppress(HubUnavailableError, asyncpg.InvalidAuthorizationSpecificationError):
            async with admission.asked():
                asked.append(shift_s)
                raise asyncpg.InvalidAuthorizationSpecificationError("there is no such role")
        shift_s += STEP_S
    return asked


def test_whose_account_is_made_soon_waits_no_longer_for_it_than_it_took():
    asked = asyncio.run(asked_at())
    for made_s in (count * STEP_S for count in range(round((FOR_S - PAUSE_MAX_S) / STEP_S))):
        waited_s = min(at for at in asked if at >= made_s) - made_s
        assert waited_s <= min(made_s + SOON_S, PAUSE_MAX_S)


def test_it_is_asked_seldom_in_the_end():
    asked = asyncio.run(asked_at())
    assert len(asked) <= 4 + FOR_S / PAUSE_MAX_S
