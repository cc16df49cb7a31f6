"""Cameras found in the network, and what each told of itself by ONVIF."""

from typing import Annotated

import msgspec

from marengocam.web.wire.base import Given, Told


class SearchIn(Given):
    """How long to listen for answers."""

    seconds: Annotated[float, msgspec.Meta(ge=0.5, le=15)] = 3.0


class FoundOut(Told):
    """Somebody who answered; all but `host` is what the device says of itself."""

    name: str
    host: str
    onvif_url: str
    model: str | None
    camera_id: str | None  # the camera of ours at that host, if it is known already


class FoundList(Told):
    found: list[FoundOut]


class LookupIn(Given):
    """Which camera to ask: `cam.lan`, `onvif://host[:port]` or the `onvif_url` of one that was found."""

    address: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    username: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    password: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class ProfileOut(Told):
    """One stream; its address carries no login."""

    name: str
    codec: str
    width_px: int
    height_px: int
    fps: float | None
    url: str


class LookupOut(Told):
    """What the camera told, and which streams suit recording and analysis; `notes` are for its owner."""

    manufacturer: str
    model: str
    main_url: str
    sub_url: str | None
    profiles: list[ProfileOut]
    notes: list[str]
