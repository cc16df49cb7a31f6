"""RTSP 1.0 (RFC 2326) over TCP with interleaved RTP: what an IP camera speaks."""

import asyncio
import contextlib
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from marengocam.demo.rtsp.access import Credentials
from marengocam.demo.rtsp.clip import load_clip
from marengocam.demo.rtsp.mount import Mount, Viewer

REQUEST_LIMIT_S = 60.0
MAX_REQUEST_BYTES = 16_384
SESSION_TIMEOUT_S = 60
METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]


class RtspServer:
    """Serves mounts (name to file) on the loopback address; `port` 0 takes a free one."""

    def __init__(
        self,
        mounts: Mapping[str, Path],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        self.mounts = {name: Mount(load_clip(file)) for name, file in mounts.items()}
        self.host, self.port = host, port
        self._credentials = Credentials(*credentials) if credentials else None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        for mount in self.mounts.values():
            mount.start()
        self._server = await asyncio.start_server(self._connected, self.host, self.port, limit=MAX_REQUEST_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for mount in self.mounts.values():
            await mount.stop()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def url(self, mount: str) -> str:
        """Return a mount's address, without credentials."""
        return f"rtsp://{self.host}:{self.port}/{mount}"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await _Connection(self, reader, writer).serve()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ValueError):
            pass  # the client went away or does not speak RTSP: its connection ends, nobody else's
        except asyncio.CancelledError:
            pass  # the server stops
        finally:
            self._connections.discard(task)
            writer.close()

    def refusal(self, request: _Request) -> list[str] | None:
        """Return the challenges for a request that does not show the right credentials, or None."""
        if self._credentials is None or request.method == "OPTIONS":
            return None
        if self._credentials.accept(request.headers.get("authorization", ""), request.method):
            return None
        return self._credentials.challenges()


class _Connection:
    def __init__(self, server: RtspServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._session = secrets.token_hex(8)
        self._mount: Mount | None = None
        self._viewer: Viewer | None = None
        self._sender: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        try:
            while (request := await self._read()) is not None:
                if not self._answer(request):
                    break
                await self._writer.drain()
        finally:
            self._end_viewing()

    async def _read(self) -> _Request | None:
        """Return the next request; interleaved packets from the client (RTCP) are passed over."""
        limit_s = None if self._viewer is not None else REQUEST_LIMIT_S
        async with asyncio.timeout(limit_s):
            first = await self._reader.read(1)
            while first == b"$":
                _channel, length = struct.unpack(">BH", await self._reader.readexactly(3))
                await self._reader.readexactly(length)
                first = await self._reader.read(1)
            if not first:
                return None
            head = first + await self._reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, url, _version = lines[0].split(" ", 2)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        length = int(headers.get("content-length", "0") or 0)
        if length:
            await self._reader.readexactly(min(length, MAX_REQUEST_BYTES))
        return _Request(method, url, headers)

    def _answer(self, request: _Request) -> bool:
        """Answer a request; False ends the connection."""
        challenges = self._server.refusal(request)
        if challenges is not None:
            self._reply(request, "401 Unauthorized", [f"WWW-Authenticate: {challenge}" for challenge in challenges])
            return True
        handler = getattr(self, f"_on_{request.method.lower()}", None)
        if handler is None:
            self._reply(request, "405 Method Not Allowed", [f"Allow: {METHODS}"])
            return True
        return bool(handler(request))

    def _on_options(self, request: _Request) -> bool:
        self._reply(request, "200 OK", [f"Public: {METHODS}"])
        return True

    def _on_describe(self, request: _Request) -> bool:
        mount = self._find(request)
        if mount is None:
            self._reply(request, "404 Not Found")
            return True
        if mount.refusing:
            self._reply(request, "503 Service Unavailable")
            return True
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 {self._server.host}\r\ns=MarengoCam demo\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
            f"a=control:*\r\nm=video 0 RTP/AVP 96\r\n{mount.clip.sdp_media}a=control:track0\r\n"
        )
        self._reply(request, "200 OK", [f"Content-Base: {request.url}/", "Content-Type: application/sdp"], sdp)
        return True

    def _on_setup(self, request: _Request) -> bool:
        self._mount = self._find(request)
        if self._mount is None:
            self._reply(request, "404 Not Found")
        elif "TCP" not in request.headers.get("transport", ""):
            self._reply(request, "461 Unsupported Transport")
        else:
            transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
            self._reply(request, "200 OK", [transport, self._session_header])
        return True

    def _on_play(self, request: _Request) -> bool:
        if self._mount is None:
            self._reply(request, "455 Method Not Valid in This State")
            return True
        self._reply(request, "200 OK", [self._session_header, "Range: npt=now-"])
        self._viewer = self._mount.join()
        self._sender = asyncio.create_task(self._send(self._viewer))
        return True

    def _on_pause(self, request: _Request) -> bool:
        self._end_viewing()
        self._reply(request, "200 OK", [self._session_header])
        return True

    def _on_get_parameter(self, request: _Request) -> bool:
        self._reply(request, "200 OK", [self._session_header])
        return True

    _on_set_parameter = _on_get_parameter

    def _on_teardown(self, request: _Request) -> bool:
        self._end_viewing()
        self._reply(request, "200 OK", [self._session_header])
        return False

    @property
    def _session_header(self) -> str:
        return f"Session: {self._session};timeout={SESSION_TIMEOUT_S}"

    def _find(self, request: _Request) -> Mount | None:
        return self._server.mounts.get(urlsplit(request.url).path.strip("/").split("/")[0])

    def _reply(self, request: _Request, status: str, headers: list[str] | None = None, body: str = "") -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {request.headers.get('cseq', '0')}", *(headers or [])]
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    async def _send(self, viewer: Viewer) -> None:
        with contextlib.suppress(OSError):
            while (packet := await viewer.queue.get()) is not None:
                self._writer.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                await self._writer.drain()
        self._writer.close()

    def _end_viewing(self) -> None:
        if self._mount is not None and self._viewer is not None:
            self._mount.leave(self._viewer)
        if self._sender is not None:
            self._sender.cancel()
        self._viewer = self._sender = None
