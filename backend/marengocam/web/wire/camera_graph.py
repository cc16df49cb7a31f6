"""Ways between cameras as the API shows and takes them."""

from typing import Annotated

import msgspec

from marengocam.web.wire.base import Given, Told

TransitS = Annotated[float, msgspec.Meta(ge=0.5, le=1800)]


class WayOut(Told):
    """What is known about the way from one camera to another: `told` by an owner, which holds, and learned.

    `together` of `chances` tracks seen while somebody was in the other view were that same individual.
    """

    from_camera: str
    to_camera: str
    told_transit_s: float | None
    told_overlaps: bool | None
    journeys: int
    learned_transit_s: float | None
    together: int
    chances: int


class WayList(Told):
    ways: list[WayOut]


class WayChange(Given):
    """What is given changes; null: as journeys teach. `overlaps` holds for both directions."""

    transit_s: TransitS | msgspec.UnsetType | None = msgspec.UNSET
    overlaps: bool | msgspec.UnsetType | None = msgspec.UNSET
