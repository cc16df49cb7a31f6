"""What a camera can be called, and how its addresses are written."""

from marengocam.core.person_names import person_name

NETWORK_SCHEMES = ("rtsp", "rtsps", "http", "https")
SCHEMES = (*NETWORK_SCHEMES, "file")


def camera_name(text: str) -> str:
    """Return a name as it is kept: what a person can be called a camera can; raises BadInputError."""
    return person_name(text)


def tidied(url: str) -> str:
    """Return an address without what was copied along with it, its scheme in the small letters that FFmpeg wants."""
    scheme, mark, rest = url.strip().partition("://")
    return f"{scheme.lower()}{mark}{rest}"
