"""Asking a camera for its tracks: OPTIONS, DESCRIBE, SETUP, PLAY, then a sign of life now and then (RFC 2326)."""

import contextlib
import secrets
import struct
from collections import deque
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from marengocam.core.clock import Clock
from marengocam.core.secret import Secret
from marengocam.media.faults import Fault, StreamError
from marengocam.media.rtsp.description import AUDIO, VIDEO, Description, Track, read_description
from marengocam.media.rtsp.login import Login
from marengocam.media.rtsp.messages import Answer, question
from marengocam.media.rtsp.wire import Wire

PORT = 554
OK, UNAUTHORIZED, FORBIDDEN, UNSUPPORTED_TRANSPORT = 200, 401, 403, 461
FIRST_REDIRECT, FIRST_ERROR = 300, 400
SESSION_TIMEOUT_S = 60.0  # RFC 2326, 12.37: where a camera names none
SIGN_OF_LIFE_MIN_S, SIGN_OF_LIFE_MAX_S = 1.0, 30.0
RECEIVER_REPORT = 201
_EARLY_MAX = 4000  # frames that come before the answer to PLAY


class NotOursError(Exception):
    """What this camera offers is left to FFmpeg."""


@dataclass(frozen=True, slots=True)
class Channels:
    """A track that plays, and the numbers of its frames: `media` for RTP, one more for RTCP."""

    track: Track
    media: int


class Session:
    """A camera's tracks, playing; raises StreamError, and NotOursError where FFmpeg has to read it."""

    def __init__(
        self, url: str, username: str | None, password: Secret | None, *, sound: bool, limit_s: float, clock: Clock
    ) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port or PORT
        except ValueError:
            raise NotOursError from None  # who is asked next says what is wrong with it
        host = parts.netloc.rsplit("@", 1)[-1]
        self._url = urlunsplit(parts._replace(netloc=host))
        self._clock = clock
        self._until_s = clock.monotonic_s() + limit_s
        if username is None and parts.username is not None:  # as FFmpeg does with a login in the address itself
            username, password = unquote(parts.username), Secret(unquote(parts.password or ""))
        self._login = Login(username, password)
        self._number = 0
        self._session = ""
        self._asks_parameters = False
        self._control = self._base = self._url
        self._ours = secrets.randbits(32)  # RTCP's name for us
        self.early: deque[tuple[int, bytes]] = deque()
        self.sign_of_life_s = SIGN_OF_LIFE_MAX_S
        self.wire = Wire(parts.hostname or "", port, limit_s, clock)
        try:
            self.described = self._describe()
            self.channels = self._set_up(sound=sound)
            self._play()
        except BaseException:
            self.wire.close()
            raise

    def close(self) -> None:
        """Tell the camera that nobody looks any more."""
        with contextlib.suppress(StreamError):
            self.wire.offer(self._question("TEARDOWN", self._control, {}))
        self.wire.close()

    def sign_of_life(self, header: bytes) -> None:
        """Tell the camera that somebody looks; `header` is that of a packet of RTP that came lately."""
        method = "GET_PARAMETER" if self._asks_parameters else "OPTIONS"
        self.wire.offer(self._question(method, self._control, {}))
        if len(header) >= 12:  # RTP's header
            sequence, source = struct.unpack_from(">2xH4xI", header)
            body = struct.pack(">IIIIIII", self._ours, source, 0, sequence, 0, 0, 0)
            report = struct.pack(">BBH", 0x81, RECEIVER_REPORT, len(body) // 4) + body
            self.wire.offer(struct.pack(">cBH", b"$", self.channels[0].media + 1, len(report)) + report)

    def take(self, answer: Answer) -> None:
        """Take in what a camera says while it plays."""
        if answer.status == UNAUTHORIZED:
            self._login.challenge(answer.challenges())  # the next sign of life is logged in anew

    def _describe(self) -> tuple[bytes, Description]:
        offered = self._ask("OPTIONS", self._url, {}).header("Public")
        self._asks_parameters = "GET_PARAMETER" in offered
        answer = self._ask("DESCRIBE", self._url, {"Accept": "application/sdp"})
        described = read_description(answer.body)
        base = answer.header("Content-Base") or answer.header("Content-Location") or self._url
        self._base = base.strip()
        self._control = self._joined(described.control)
        return answer.body, described

    def _set_up(self, *, sound: bool) -> list[Channels]:
        described = self.described[1]
        video, audio = described.first(VIDEO), described.first(AUDIO) if sound else None
        if video is None:
            raise StreamError(Fault.NO_VIDEO) if described.tracks else NotOursError
        if not video.is_ours or (audio is not None and not audio.is_ours):
            raise NotOursError
        channels = []
        for number, track in enumerate(one for one in (video, audio) if one is not None):
            wanted = f"RTP/AVP/TCP;unicast;interleaved={2 * number}-{2 * number + 1}"
            answer = self._ask("SETUP", self._joined(track.control), {"Transport": wanted})
            identity, _, rest = answer.header("Session").partition(";")
            self._session = identity.strip() or self._session
            self._note_timeout(rest)
            channels.append(Channels(track, _interleaved(answer.header("Transport"), 2 * number)))
        return channels

    def _play(self) -> None:
        self.wire.plays = True
        self._ask("PLAY", self._control, {"Range": "npt=0.000-"})

    def _note_timeout(self, parameters: str) -> None:
        name, _, text = parameters.strip().partition("=")
        timeout_s = float(text) if name.strip() == "timeout" and text.strip().isdigit() else SESSION_TIMEOUT_S
        self.sign_of_life_s = min(max(timeout_s / 2, SIGN_OF_LIFE_MIN_S), SIGN_OF_LIFE_MAX_S)

    def _joined(self, control: str) -> str:
        """Return the address of a track: as FFmpeg does, what is relative is put behind the base as it is."""
        if not control or control == "*":
            return self._base
        if control.lower().startswith("rtsp://"):
            return control
        return self._base + ("" if self._base.endswith("/") else "/") + control

    def _ask(self, method: str, url: str, headers: dict[str, str]) -> Answer:
        answer = self._once(method, url, headers)
        if answer.status == UNAUTHORIZED and self._login.is_known and self._login.challenge(answer.challenges()):
            answer = self._once(method, url, headers)
        if answer.status == OK:
            return answer
        if method == "OPTIONS" and answer.status not in (UNAUTHORIZED, FORBIDDEN):
            return answer  # a camera without it may play all the same
        if FIRST_REDIRECT <= answer.status < FIRST_ERROR:
            raise NotOursError
        if answer.status in (UNAUTHORIZED, FORBIDDEN):
            raise StreamError(Fault.AUTH)
        raise StreamError(Fault.TRANSPORT if answer.status == UNSUPPORTED_TRANSPORT else Fault.NOT_FOUND)

    def _once(self, method: str, url: str, headers: dict[str, str]) -> Answer:
        self.wire.send(self._question(method, url, headers))
        answer, early = self.wire.answer(self._until_s)
        self.early.extend(early[: _EARLY_MAX - len(self.early)])
        return answer

    def _question(self, method: str, url: str, headers: dict[str, str]) -> bytes:
        self._number += 1
        session = {"Session": self._session} if self._session else {}
        return question(method, url, self._number, {**headers, **session, **self._login.headers(method, url)})


def _interleaved(transport: str, asked: int) -> int:
    """Return the number of a track's frames that a camera decided on."""
    for part in transport.split(";"):
        name, _, text = part.strip().partition("=")
        first = text.partition("-")[0].strip()
        if name == "interleaved" and first.isdigit():
            return int(first)
    if transport and "TCP" not in transport.upper():
        raise StreamError(Fault.TRANSPORT)
    return asked
