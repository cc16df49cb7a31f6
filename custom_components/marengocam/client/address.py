"""From what an owner types to the address of a backend."""

from typing import Final

from yarl import URL

DEFAULT_PORT: Final = 8470


class AddressError(ValueError):
    """The text is not the address of a backend."""


def normalise_address(text: str) -> str:
    """Return `scheme://host:port[/path]` without a trailing slash.

    Without a scheme it is http, and then without a port 8470; a user or password inside is refused.
    Raises AddressError.
    """
    text = text.strip()
    has_scheme = "://" in text
    try:
        url = URL(text if has_scheme else f"http://{text}")
        port = url.explicit_port
    except ValueError as error:
        raise AddressError("The address cannot be read.") from error
    if url.scheme not in ("http", "https") or not url.host or any(letter.isspace() for letter in text):
        raise AddressError("The address needs the form http://host:port.")
    if url.user or url.password:
        raise AddressError("The address must not contain a user or a password.")
    if not has_scheme and port is None:
        url = url.with_port(DEFAULT_PORT)
    return str(url.with_query(None).with_fragment(None)).rstrip("/")
