"""RTSP's messages (RFC 2326): what is asked, and what is answered; the form is HTTP's."""

import http.client
import io
from dataclasses import dataclass

HEAD_END = b"\r\n\r\n"
MAX_HEAD_BYTES = MAX_BODY_BYTES = 32_768  # both together are no more than a frame, which a connection has room for
AGENT = "MarengoCam"


class MessageError(ValueError):
    """What came is no message of RTSP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a camera answered; `status` 0 marks a question of its own."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return a header's text, empty where there is none."""
        return str(self.headers.get(name, ""))

    def challenges(self) -> list[str]:
        """Return what is asked for by way of a login, one text for each way."""
        return [str(text) for text in self.headers.get_all("WWW-Authenticate", [])]


def question(method: str, url: str, number: int, headers: dict[str, str]) -> bytes:
    """Return a request's bytes."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {number}", f"User-Agent: {AGENT}"]
    lines += [f"{name}: {text}" for name, text in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def head_of(head: bytes) -> tuple[Answer, int]:
    """Return a message without its body, and how many bytes that has; raises MessageError."""
    first, _, rest = head.partition(b"\r\n")
    try:
        headers = http.client.parse_headers(io.BytesIO(rest))
        size = int(headers.get("Content-Length") or 0)
        status = int(first.split(b" ", 2)[1]) if first.startswith(b"RTSP/") else 0
    except (ValueError, IndexError, http.client.HTTPException):
        raise MessageError("no message of RTSP") from None
    if (not status and b"RTSP/" not in first) or not 0 <= size <= MAX_BODY_BYTES:
        raise MessageError("no message of RTSP")
    return Answer(status, headers), size
