"""What all wire models are made of."""

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Url = Annotated[str, msgspec.Meta(min_length=8, max_length=2000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
CAMERA_ID = "^[a-z0-9][a-z0-9_]{0,62}$"
CameraId = Annotated[str, msgspec.Meta(pattern=CAMERA_ID)]


class Given(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A request's body: fields that are not known are refused, so that a typing error is noticed."""


class Told(msgspec.Struct, kw_only=True):
    """A response's body."""


class ErrorDetail(Told):
    """What was wrong and what to do; `line` where a text such as YAML was given."""

    code: str
    message: str
    field: str | None = None
    line: int | None = None


class ErrorAnswer(Told):
    """Every answer with a status of 400 or more."""

    error: ErrorDetail
