"""How FFmpeg is told to open an address: with which credentials, what it may read there, and for how long."""

import contextlib
import http.client
import socket
import ssl
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from marengocam.core.camera_names import SCHEMES
from marengocam.core.clock import Clock
from marengocam.core.secret import Secret
from marengocam.media.faults import Fault, StreamError, fault_of

MAX_PIXELS = 8192 * 4608  # beyond any camera; a decoder needs some 60 MB for each of its pictures
HLS_SUFFIX = ".m3u8"
HLS_TIMEOUT_S = 20.0  # between two pieces of HLS, which come every 2 to 10 s; each request has the stall limit
# What a camera answers over HTTP decides what reads it: nothing of that may lead to other files or other protocols.
HTTP_FORMATS = "mpjpeg,hls,mpegts,mov,flv,matroska"
FILE_FORMATS = (
    "mov,matroska,mpegts,mpeg,avi,flv,asf,ogg,h264,hevc,mjpeg,mpjpeg"  # not what names other files, as hls does
)
HTTP_PROTOCOLS = "http,https,tcp,tls,crypto"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LINE_MAX_BYTES = 4096
# Cameras sign their certificates themselves and have no name that could be checked: encrypted, but not proven.
ANY_CERTIFICATE = {"tls_verify": "0"}
SIZE_LIMIT = {"max_pixels": str(MAX_PIXELS)}  # a picture that only claims to be larger is not made room for


def address_for_ffmpeg(url: str, username: str | None, password: Secret | None) -> str:
    """Return the address with credentials for FFmpeg's eyes only; raises StreamError on what is no address."""
    parts = _split(url)
    if parts.scheme == "file":
        return parts.path
    if username is None:
        return url
    host = parts.netloc.rsplit("@", 1)[-1]
    login = f"{quote(username, safe='')}:{quote(password.reveal() if password else '', safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{host}"))


def ffmpeg_options(url: str, transport: str, stall_timeout_s: float, *, sound: bool = True) -> dict[str, str]:
    """Return FFmpeg's options for an address; without `sound` an RTSP camera is asked for pictures only."""
    limit_us = str(int(stall_timeout_s * 1_000_000))
    if url.startswith(("rtsp://", "rtsps://")):
        return {
            **ANY_CERTIFICATE,
            **SIZE_LIMIT,
            "rtsp_transport": transport,
            "timeout": limit_us,
            "allowed_media_types": "video+audio" if sound else "video",
            "analyzeduration": "100000",  # without a picture size it is waited for all the same
            "fpsprobesize": "0",
        }
    if url.startswith(("http://", "https://")):
        return {
            **ANY_CERTIFICATE,
            **SIZE_LIMIT,
            "rw_timeout": limit_us,
            "format_whitelist": HTTP_FORMATS,
            "protocol_whitelist": HTTP_PROTOCOLS,
            "max_redirects": "0",  # where they lead is not in the owner's hands
            "live_start_index": "-1",  # of HLS: what is newest, not three pieces back
        }
    return {**SIZE_LIMIT, "format_whitelist": FILE_FORMATS, "protocol_whitelist": "file"}


def read_timeout_s(url: str, stall_timeout_s: float) -> float:
    """Return how long the next packet of an address may take."""
    with contextlib.suppress(ValueError):
        if urlsplit(url).path.endswith(HLS_SUFFIX):
            return max(HLS_TIMEOUT_S, stall_timeout_s)
    return stall_timeout_s


def opening_fault(error: BaseException, url: str, waited_s: float, stall_timeout_s: float, clock: Clock) -> Fault:
    """Return what is wrong with an address that FFmpeg could not open within `waited_s`."""
    kind = fault_of(error)
    if kind is Fault.UNREACHABLE and url.startswith("http"):
        return web_fault(url, stall_timeout_s, clock)
    if kind is Fault.NOT_VIDEO and waited_s >= stall_timeout_s and url.startswith("rtsp"):
        return Fault.STALLED  # it let us in, and then had nothing to say: FFmpeg takes silence for a wrong answer
    if kind is Fault.STALLED:
        return Fault.UNREACHABLE
    if kind is Fault.ENDED and url.startswith("http"):
        return Fault.NOT_VIDEO  # a page was read to its end, and no video was in it
    return kind


def web_fault(url: str, limit_s: float, clock: Clock) -> Fault:
    """Ask a web server that FFmpeg failed at: told to follow no redirect, it does not say that there was one.

    Connecting has `limit_s`, and so has all of the answer: one that comes drop by drop holds nobody longer.
    """
    parts = urlsplit(url)
    host, port, path = parts.hostname or "", parts.port, urlunsplit(("", "", parts.path or "/", parts.query, ""))
    try:
        if parts.scheme == "https":
            any_certificate = ssl._create_unverified_context()  # noqa: S323, SLF001 - as ANY_CERTIFICATE
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=limit_s, context=any_certificate
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=limit_s)
        with contextlib.closing(connection):
            connection.connect()
            until_s = clock.monotonic_s() + limit_s
            connection.request("GET", path)
            return Fault.REDIRECT if _status(connection.sock, until_s, clock) in REDIRECTS else Fault.UNREACHABLE
    except StreamError as error:
        return error.kind
    except (OSError, ValueError, http.client.HTTPException):
        return Fault.UNREACHABLE


def _status(connection: socket.socket, until_s: float, clock: Clock) -> int:
    """Return the status of an HTTP answer, of which no more is read; raises OSError, ValueError, StreamError."""
    line = b""
    while b"\n" not in line:
        left_s = until_s - clock.monotonic_s()
        if left_s <= 0:
            raise StreamError(Fault.STALLED)
        connection.settimeout(left_s)
        try:
            part = connection.recv(LINE_MAX_BYTES)
        except TimeoutError:
            raise StreamError(Fault.STALLED) from None
        line += part
        if not part or len(line) > LINE_MAX_BYTES:
            raise ValueError("no HTTP answer")
    return int(line.partition(b" ")[2][:3] or b"0")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read only to have it checked
    except ValueError:
        raise StreamError(Fault.NOT_VIDEO, "this is no address") from None  # the cause would show the address
    if parts.scheme not in SCHEMES:
        raise StreamError(Fault.NOT_VIDEO, f"addresses start with {', '.join(SCHEMES)}")
    return parts
