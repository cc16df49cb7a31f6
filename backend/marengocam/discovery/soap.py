"""Questions to one camera by SOAP: one host, every wait and every answer limited, errors as sentences.

The SOAP is onvif-zeep-async's; the connection below it is ours, because the library waits for 90 seconds, reads
answers of any size, and follows them to any host.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from marengocam.core.secret import Secret
from marengocam.discovery import faults

SOAP_TIMEOUT_S = 5.0
SETUP_LIMIT_S = 30.0  # reading the WSDLs from disk, once a process
MAX_ANSWER_BYTES = 512 << 10
READ_SIZE_BYTES = 64 << 10
_UNAUTHORIZED = 401
_BINDINGS = {
    "devicemgmt": "{http://www.onvif.org/ver10/device/wsdl}DeviceBinding",
    "media": "{http://www.onvif.org/ver10/media/wsdl}MediaBinding",
}


def _library() -> tuple[Any, Any]:
    """Import the library (a second of work) without the logging it sets up for everybody; return client, transport."""
    silent = logging.NullHandler()
    logging.root.addHandler(silent)
    try:
        from onvif import client, zeep_aiohttp  # noqa: PLC0415 - loaded when needed
    finally:
        logging.root.removeHandler(silent)
    for name in ("onvif", "onvif.zeep_aiohttp", "zeep"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # they log answers in full, logins in addresses included
    return client, zeep_aiohttp


@dataclass(frozen=True, slots=True)
class Login:
    """User and password of the camera, as far as it asks for any."""

    username: str | None = None
    password: Secret | None = None


class Conversation:
    """Questions to one host, for the length of a `with` block."""

    def __init__(self, host: str, login: Login, timeout_s: float = SOAP_TIMEOUT_S) -> None:
        self._host = host
        self._login = login
        self._timeout_s = timeout_s
        self._status = 0
        self._opened: list[Any] = []

    async def __aenter__(self) -> Self:
        self._client, transport = await asyncio.to_thread(_library)
        middlewares: list[Any] = [self._confine]
        if self._login.username:
            middlewares.append(aiohttp.DigestAuthMiddleware(self._login.username, self._password))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=False),  # cameras sign their certificates themselves
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            middlewares=tuple(middlewares),
            response_class=_ShortAnswer,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._transport = transport.AIOHTTPTransport(self._session, verify_ssl=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for service in self._opened:
            await service.close()
        await self._session.close()

    async def service(self, name: str, url: str, clock_offset: timedelta | None = None) -> "Service":
        """Return one of the camera's services; `clock_offset` is how far its clock is ahead of ours."""
        binding = _BINDINGS[name]
        opened = self._client.ONVIFService(
            url,
            self._login.username,
            self._password,
            f"{self._client._WSDL_PATH}/{name}.wsdl",  # noqa: SLF001 - it tells nowhere else where its WSDLs lie
            no_cache=True,
            dt_diff=clock_offset,
            binding_name=binding,
        )
        self._opened.append(opened)
        opened.transport = self._transport
        async with asyncio.timeout(SETUP_LIMIT_S):
            await opened.setup()
        return Service(self, opened, "" if self._login.username else "authless_")

    async def asked(self, question: Callable[[], Awaitable[Any]]) -> Any:
        """Return the answer; raises OnvifLoginError or OnvifError, never with a word of the camera's."""
        self._status = 0
        try:
            async with asyncio.timeout(self._timeout_s):
                return await question()
        except (TimeoutError, aiohttp.ServerTimeoutError):
            raise faults.OnvifSilentError(faults.SILENT) from None
        except _TooLargeError:
            raise faults.OnvifError(faults.TOO_LARGE) from None
        except _ElsewhereError:
            raise faults.OnvifError(faults.ELSEWHERE) from None
        except aiohttp.ClientConnectorError:
            raise faults.OnvifError(faults.UNREACHABLE) from None
        except Exception as error:  # noqa: BLE001 - zeep lets through whatever a strange answer provokes
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> faults.OnvifLoginError | faults.OnvifError:
        from zeep.exceptions import Fault  # noqa: PLC0415 - loaded by now

        if self._status == _UNAUTHORIZED:
            return faults.OnvifLoginError()
        if not isinstance(error, Fault):
            return faults.OnvifError(faults.NOT_ONVIF)
        subcodes = " ".join(getattr(code, "localname", None) or str(code) for code in error.subcodes or ())
        if "NotAuthorized" in subcodes or "FailedAuthentication" in subcodes or "auth" in str(error.message).lower():
            return faults.OnvifLoginError()
        return faults.OnvifRefusedError(faults.REFUSED) if error.code else faults.OnvifError(faults.NOT_ONVIF)

    async def _confine(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Let only the asked host be asked, redirects included, and note how it answered."""
        if request.url.host != self._host:
            raise _ElsewhereError
        response = await handler(request)
        self._status = response.status
        return response

    @property
    def _password(self) -> str:
        return self._login.password.reveal() if self._login.password else ""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the camera: its operations by name."""

    conversation: Conversation
    opened: Any
    prefix: str

    async def ask(self, operation: str, **parameters: Any) -> Any:
        """Return the answer to one operation; raises OnvifLoginError or OnvifError."""
        return await self._asked(self.prefix + operation, parameters)

    async def ask_openly(self, operation: str) -> Any:
        """Return the answer to an operation that needs no login."""
        return await self._asked("authless_" + operation, {})

    async def _asked(self, name: str, parameters: dict[str, Any]) -> Any:
        return await self.conversation.asked(lambda: getattr(self.opened, name)(parameters))


class _TooLargeError(Exception):
    """More came than an answer may have."""


class _ElsewhereError(Exception):
    """A redirect or an address in an answer leads to another host."""


class _ShortAnswer(ClientResponse):
    """An answer that is read up to a limit."""

    async def read(self) -> bytes:
        content = bytearray()
        async for part in self.content.iter_chunked(READ_SIZE_BYTES):
            content += part
            if len(content) > MAX_ANSWER_BYTES:
                self.close()
                raise _TooLargeError
        return bytes(content)
