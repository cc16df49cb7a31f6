"""Whether somebody has just come, or was here already."""

from .client import Event, MarengoCamClient, MarengoCamClientError
from .const import LOGGER

CONFIRMED = "person_confirmed"


async def is_arrival(client: MarengoCamClient, event: Event) -> bool:
    """Return whether a recognised person was not recognised earlier in the same visit.

    Where the backend cannot be asked it is no arrival: a missed one does less harm than a false one.
    """
    if event.person_id is None:
        return False
    try:
        visits = await client.visits(person_id=event.person_id, limit=1)
        earlier = await client.events(before=event.number, kind=CONFIRMED, person_id=event.person_id, limit=1)
    except MarengoCamClientError as error:
        LOGGER.debug("Whether %s has just come cannot be asked: %s", event.person_id, error)
        return False
    began_at = visits[0].first_seen_at if visits else event.occurred_at
    return not earlier.events or earlier.events[0].occurred_at < began_at
