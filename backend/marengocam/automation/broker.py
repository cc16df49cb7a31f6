"""The MQTT broker: connected in the background, never waited for."""

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiomqtt

from marengocam.automation.messages import Ended, Message, ignored
from marengocam.core.errors import BadInputError
from marengocam.core.secret import Secret
from marengocam.settings import Settings

CONNECT_LIMIT_S = 5.0
PUBLISH_LIMIT_S = 2.0
KEEPALIVE_S = 10
RETRY_FIRST_S = 1.0
RETRY_MAX_S = 30.0
JITTER = (0.5, 1.0)  # of the pause, so that not everybody comes back to a restarted broker at once
ONLINE_EVERY_S = 60.0
GOODBYE_LIMIT_S = 1.0
QUEUE_MESSAGES = 1000
AT_MOST_ONCE = 0
AWAY = "the MQTT broker is away"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and what proves who is who."""

    host: str
    port: int
    username: str | None
    password: Secret | None
    tls: bool
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> "BrokerAddress":
        """Return the parts of mqtt://user:password@host:1883 (mqtts for TLS); raises BadInputError."""
        try:
            parts = urlsplit(settings.mqtt_url.reveal())
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise BadInputError("mqtt_url must look like mqtt://user:password@host:1883 (mqtts:// for TLS).")
        tls = parts.scheme == "mqtts"
        files = (settings.mqtt_ca_file, settings.mqtt_certificate_file, settings.mqtt_key_file)
        if any(files) and not tls:
            raise BadInputError("Certificates are of use with TLS only: begin mqtt_url with mqtts://.")
        password = Secret(unquote(parts.password)) if parts.password else None
        username = unquote(parts.username) if parts.username else None
        return cls(parts.hostname, port or (8883 if tls else 1883), username, password, tls, *files)

    def tls_context(self) -> ssl.SSLContext | None:
        """Return how TLS is spoken, None without it; raises BadInputError when a file cannot be used."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate_file is not None:
                # Without a callback a key with a passphrase would ask for it at the terminal, and wait.
                context.load_cert_chain(self.certificate_file, self.key_file, password=lambda: b"")
        except (OSError, ValueError) as error:
            raise BadInputError(
                f"mqtt_ca_file, mqtt_certificate_file or mqtt_key_file cannot be used ({error.__class__.__name__}): "
                "PEM files are wanted that this account may read, the key without a passphrase."
            ) from error
        return context


class Broker:
    """Publishes from a bounded queue; when it is full or the broker is away messages are missed.

    `on_connected` is called after each connection, to publish what is retained.
    """

    def __init__(self, address: BrokerAddress, status_topic: str) -> None:
        self._address = address
        self._tls = address.tls_context()
        self._status_topic = status_topic
        self.on_connected: Callable[[], None] = _nobody
        self._queue: asyncio.Queue[tuple[Message, Ended]] = asyncio.Queue(QUEUE_MESSAGES)
        self.client: aiomqtt.Client | None = None
        self.connected = False
        self.problem = "not connected yet"
        self.published = 0
        self.missed = 0
        self._tried = asyncio.Event()  # it was connected to once, or was not there
        self._quiet = False

    def put(self, message: Message, ended: Ended = ignored) -> None:
        """Have a message published soon; `ended` is told at once when it is missed, else once it went out or failed."""
        if not self.connected:
            self._miss(ended, AWAY)
        elif self._queue.full():
            self._miss(ended, "too much waits to be published")
        else:
            self._queue.put_nowait((message, ended))

    async def first_try(self, limit_s: float) -> None:
        """Return once it is connected for the first time, or was not there, or the limit is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._tried.wait()

    def leave_quietly(self) -> None:
        """Say no goodbye at the end: another process publishes under the same topics."""
        self._quiet = True

    async def run(self) -> None:
        """Keep connected and publish, until cancelled; then say goodbye."""
        retry_s = RETRY_FIRST_S
        while True:
            try:
                self.client = self._client()
                async with self.client as client:
                    retry_s = RETRY_FIRST_S
                    await self._serve(client)
            except (aiomqtt.MqttError, OSError, ValueError) as error:  # ValueError: a host that no name can have
                first = self.connected or self.problem == "not connected yet"
                self.problem = f"{AWAY} ({_cause(error)}): check mqtt_url and the broker"
                if first:
                    _LOG.warning("%s", self.problem)
            finally:
                self.connected = False
                self._tried.set()
                self._drop_queued()
            await asyncio.sleep(retry_s * random.uniform(*JITTER))  # noqa: S311 - jitter, not a secret
            retry_s = min(retry_s * 2, RETRY_MAX_S)

    async def _serve(self, client: aiomqtt.Client) -> None:
        await self._say_online(client)
        self.connected, self.problem = True, ""
        self._tried.set()
        _LOG.info("connected to the MQTT broker")
        self.on_connected()
        # Who only publishes would not hear of a lost connection before the next message.
        jobs = [
            asyncio.create_task(one)
            for one in (self._publish_queued(client), self._stay_online(client), _until_lost(client))
        ]
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        except asyncio.CancelledError:
            # A will is for those who die; who ends in peace says so.
            if not self._quiet:
                goodbye = self._publish(client, Message(self._status_topic, "offline", retain=True))
                with contextlib.suppress(aiomqtt.MqttError, OSError, TimeoutError):
                    async with asyncio.timeout(GOODBYE_LIMIT_S):
                        await goodbye
            raise
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def _say_online(self, client: aiomqtt.Client) -> None:
        await self._publish(client, Message(self._status_topic, "online", retain=True))

    async def _stay_online(self, client: aiomqtt.Client) -> None:
        """Say it again and again: the will of a process whose turn it was before may come late."""
        while True:
            await asyncio.sleep(ONLINE_EVERY_S)
            await self._say_online(client)

    async def _publish_queued(self, client: aiomqtt.Client) -> None:
        while True:
            message, ended = await self._queue.get()
            try:
                await self._publish(client, message)
            except BaseException:
                self._miss(ended, AWAY)
                raise
            self.published += 1
            ended("")

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password.reveal() if self._address.password else None,
            tls_context=self._tls,
            will=aiomqtt.Will(self._status_topic, "offline", AT_MOST_ONCE, retain=True),
            timeout=CONNECT_LIMIT_S,
            keepalive=KEEPALIVE_S,
        )

    @staticmethod
    async def _publish(client: aiomqtt.Client, message: Message) -> None:
        await client.publish(
            message.topic, message.payload, qos=AT_MOST_ONCE, retain=message.retain, timeout=PUBLISH_LIMIT_S
        )

    def _drop_queued(self) -> None:
        """Drop what waits: a notification that could not go out in its moment is of no use later."""
        while not self._queue.empty():
            self._miss(self._queue.get_nowait()[1], AWAY)

    def _miss(self, ended: Ended, reason: str) -> None:
        self.missed += 1
        ended(reason)


async def _until_lost(client: aiomqtt.Client) -> None:
    """Raise MqttError once the connection is lost; nothing is subscribed to, so nothing else comes."""
    async for _ in client.messages:
        pass


def _nobody() -> None:
    """Nobody waits for the broker."""


def _cause(error: Exception) -> str:
    """Return the kind of trouble; texts of libraries may hold addresses."""
    cause = error.__cause__ or error
    return cause.strerror or type(cause).__name__ if isinstance(cause, OSError) else type(cause).__name__
