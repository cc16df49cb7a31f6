"""The MQTT broker: connected in the background, never waited for."""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiomqtt

from marengocam.automation.messages import Message
from marengocam.core.errors import BadInputError
from marengocam.core.secret import Secret

CONNECT_LIMIT_S = 5.0
PUBLISH_LIMIT_S = 2.0
RETRY_FIRST_S = 1.0
RETRY_MAX_S = 30.0
QUEUE_MESSAGES = 1000
AT_MOST_ONCE = 0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is."""

    host: str
    port: int
    username: str | None
    password: Secret | None
    tls: bool

    @classmethod
    def from_url(cls, url: Secret) -> "BrokerAddress":
        """Return the parts of mqtt://user:password@host:1883 (mqtts for TLS); raises BadInputError."""
        try:
            parts = urlsplit(url.reveal())
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise BadInputError("mqtt_url must look like mqtt://user:password@host:1883 (mqtts:// for TLS).")
        tls = parts.scheme == "mqtts"
        password = Secret(unquote(parts.password)) if parts.password else None
        username = unquote(parts.username) if parts.username else None
        return cls(parts.hostname, port or (8883 if tls else 1883), username, password, tls)


class Broker:
    """Publishes from a bounded queue; when it is full or the broker is away messages are counted as missed."""

    def __init__(self, address: BrokerAddress, status_topic: str) -> None:
        self._address = address
        self._status_topic = status_topic
        self._queue: asyncio.Queue[Message] = asyncio.Queue(QUEUE_MESSAGES)
        self.connected = False
        self.problem = "not connected yet"
        self.published = 0
        self.missed = 0

    def put(self, message: Message) -> bool:
        """Have a message published soon; False when the broker is away or too slow, then it is missed."""
        if not self.connected or self._queue.full():
            self.missed += 1
            return False
        self._queue.put_nowait(message)
        return True

    async def run(self) -> None:
        """Keep connected and publish, until cancelled."""
        retry_s = RETRY_FIRST_S
        while True:
            try:
                async with self._client() as client:
                    self.connected, self.problem, retry_s = True, "", RETRY_FIRST_S
                    _LOG.info("connected to the MQTT broker")
                    await self._publish(client, Message(self._status_topic, "online", retain=True))
                    while True:
                        await self._publish(client, await self._queue.get())
                        self.published += 1
            except (aiomqtt.MqttError, OSError, TimeoutError) as error:
                if self.connected or self.problem == "not connected yet":
                    _LOG.warning("the MQTT broker is away: %s", error)
                self.problem = f"the MQTT broker is away ({type(error).__name__}): check mqtt_url and the broker"
            finally:
                self.connected = False
            self._drop_queued()
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, RETRY_MAX_S)

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password.reveal() if self._address.password else None,
            tls_context=ssl.create_default_context() if self._address.tls else None,
            will=aiomqtt.Will(self._status_topic, "offline", AT_MOST_ONCE, retain=True),
            timeout=CONNECT_LIMIT_S,
        )

    @staticmethod
    async def _publish(client: aiomqtt.Client, message: Message) -> None:
        await client.publish(
            message.topic, message.payload, qos=AT_MOST_ONCE, retain=message.retain, timeout=PUBLISH_LIMIT_S
        )

    def _drop_queued(self) -> None:
        """Drop what waits: a notification that could not go out in its moment is of no use later."""
        while not self._queue.empty():
            self._queue.get_nowait()
            self.missed += 1
