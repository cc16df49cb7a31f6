"""What clients of the face routes send: pictures in whatever fields, and texts."""

from dataclasses import dataclass

from aiohttp import web

from marengocam.core.errors import BadInputError
from marengocam.core.person_names import person_name
from marengocam.vision.pictures import MAX_BYTES

DEFAULT_MIN_CONFIDENCE = 0.4


@dataclass(frozen=True, slots=True)
class Form:
    """A request's pictures, by field, and texts."""

    pictures: tuple[bytes, ...]
    texts: dict[str, str]

    @property
    def min_confidence(self) -> float:
        text = self.texts.get("min_confidence", "")
        try:
            value = float(text) if text else DEFAULT_MIN_CONFIDENCE
        except ValueError:
            raise BadInputError("min_confidence must be a number from 0 to 1.") from None
        if not 0 <= value <= 1:
            raise BadInputError("min_confidence must be a number from 0 to 1.")
        return value

    @property
    def wants_embedding(self) -> bool:
        return self.texts.get("embedding", "") in {"1", "true"}

    @property
    def userid(self) -> str:
        name = self.texts.get("userid", "").strip()
        if not name:
            raise BadInputError("userid is needed: the name to register the face under.")
        return person_name(name)


async def read(request: web.Request) -> Form:
    """Read pictures from whatever fields they stand in, as CodeProject.AI does; texts from the address too."""
    asked = dict(request.query)
    try:
        if request.content_type.startswith("image/"):
            return Form((await request.read(),), asked)
        if not request.content_type.startswith(("multipart/", "application/x-www-form-urlencoded")):
            return Form((), asked)
        posted = await request.post()
    except web.HTTPRequestEntityTooLarge:
        most_mb, picture_mb = request.client_max_size >> 20, MAX_BYTES >> 20
        raise BadInputError(
            f"The request is too large: at most {most_mb} MB, and {picture_mb} MB a picture. Send fewer at once."
        ) from None
    except (ValueError, AssertionError, LookupError, web.RequestPayloadError, ConnectionResetError):
        # No form, a character set that does not exist, a wrong compression, a sender who left.
        raise BadInputError("The form cannot be read: send multipart form data.") from None
    pictures = tuple(_content(value) for value in posted.values() if not isinstance(value, str))
    texts = {name: value for name, value in posted.items() if isinstance(value, str)}
    return Form(pictures, asked | texts)


def _content(field: web.FileField | bytes | bytearray) -> bytes:
    """Return a part's bytes; one with a type of its own and no file's name comes as they are."""
    if not isinstance(field, web.FileField):
        return bytes(field)
    with field.file as file:
        return file.read()
