"""An ONVIF camera for tests: SOAP over HTTP with the login of WS-Security, and answers to WS-Discovery."""

import asyncio
import base64
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from aiohttp import web

from marengocam.core.clock import SystemClock

CREATED_TOLERANCE = timedelta(seconds=5)
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error">'
    "<s:Body>{body}</s:Body></s:Envelope>"
)
_REFUSED = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code>"
    '<s:Reason><s:Text xml:lang="en">Sender not Authorized</s:Text></s:Reason></s:Fault>'
)


@dataclass
class OnvifDevice:
    """How the camera behaves; `profiles` are (token, encoding, width, height, address)."""

    username: str = "owner"
    password: str = "s3cret"
    clock_ahead: timedelta = timedelta(0)
    profiles: list[tuple[str, str, int, int, str]] = field(default_factory=list)
    hangs: bool = False
    page: str | None = None  # HTML instead of SOAP
    port: int = 0
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        text = await request.text()
        if self.hangs:
            await asyncio.sleep(60)
        if self.page is not None:
            return web.Response(text=self.page, content_type="text/html")
        body = text.split("Body>", 1)[1] if "Body>" in text else text
        operation = re.search(r"<(?:\w+:)?(Get\w+)", body)
        name = operation.group(1) if operation else ""
        self.asked.append(name)
        if name != "GetSystemDateAndTime" and not self._is_owner(text):
            return _soap(_REFUSED, 400)
        return _soap(self._told(name, body))

    def _is_owner(self, text: str) -> bool:
        def value(tag: str) -> str:
            found = re.search(rf"<(?:\w+:)?{tag}\b[^>]*>([^<]*)<", text)
            return found.group(1) if found else ""

        created = value("Created")
        if value("Username") != self.username or not created:
            return False
        moment = datetime.fromisoformat(created)
        if abs(moment - (SystemClock().now() + self.clock_ahead)) > CREATED_TOLERANCE:
            return False
        plain = base64.b64decode(value("Nonce")) + created.encode() + self.password.encode()
        return base64.b64encode(hashlib.sha1(plain).digest()).decode() == value("Password")

    def _told(self, name: str, body: str) -> str:
        here = f"http://127.0.0.1:{self.port}/onvif"
        if name == "GetSystemDateAndTime":
            now = SystemClock().now() + self.clock_ahead
            return (
                "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>"
                "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime><tt:Time>"
                f"<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second>"
                f"</tt:Time><tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month>"
                f"<tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>"
                "</tds:GetSystemDateAndTimeResponse>"
            )
        if name == "GetDeviceInformation":
            return (
                "<tds:GetDeviceInformationResponse><tds:Manufacturer>Lens &amp; Sons</tds:Manufacturer>"
                "<tds:Model>Eye 3</tds:Model><tds:FirmwareVersion>1</tds:FirmwareVersion>"
                "<tds:SerialNumber>7</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>"
                "</tds:GetDeviceInformationResponse>"
            )
        if name == "GetServices":
            return (
                "<tds:GetServicesResponse><tds:Service><tds:Namespace>http://www.onvif.org/ver10/media/wsdl"
                f"</tds:Namespace><tds:XAddr>{here}/media</tds:XAddr><tds:Version><tt:Major>2</tt:Major>"
                "<tt:Minor>0</tt:Minor></tds:Version></tds:Service></tds:GetServicesResponse>"
            )
        if name == "GetProfiles":
            profiles = "".join(_profile(*profile[:4]) for profile in self.profiles)
            return f"<trt:GetProfilesResponse>{profiles}</trt:GetProfilesResponse>"
        if name == "GetStreamUri":
            token = re.search(r"ProfileToken>([^<]*)<", body)
            url = next((one[4] for one in self.profiles if token and one[0] == token.group(1)), "")
            return (
                f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{url}</tt:Uri><tt:InvalidAfterConnect>false"
                "</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S"
                "</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>"
            )
        return _REFUSED.replace("NotAuthorized", "ActionNotSupported").replace("not Authorized", "unsupported")


def _profile(token: str, encoding: str, width: int, height: int) -> str:
    return (
        f'<trt:Profiles token="{token}" fixed="true"><tt:Name>{token}</tt:Name>'
        f'<tt:VideoEncoderConfiguration token="v{token}"><tt:Name>v</tt:Name><tt:UseCount>1</tt:UseCount>'
        f"<tt:Encoding>{encoding}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}"
        "</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>15"
        "</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>4096</tt:BitrateLimit>"
        "</tt:RateControl><tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address>"
        "</tt:Address><tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
        "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration></trt:Profiles>"
    )


def _soap(body: str, status: int = 200) -> web.Response:
    return web.Response(text=_ENVELOPE.format(body=body), content_type="application/soap+xml", status=status)


@contextlib.asynccontextmanager
async def serving(device: OnvifDevice) -> AsyncIterator[str]:
    """Run the camera on a free loopback port; yield its `onvif://` address."""
    app = web.Application()
    app.router.add_post("/{tail:.*}", device.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    device.port = runner.addresses[0][1]
    try:
        yield f"onvif://127.0.0.1:{device.port}"
    finally:
        await runner.cleanup()


class Responder(asyncio.DatagramProtocol):
    """Answers every probe with what it was told to answer; `{id}` becomes the question's."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        found = re.search(rb"MessageID[^>]*>([^<]+)<", data)
        if self.transport is not None and found:
            for answer in self.answers:
                self.transport.sendto(answer.replace(b"{id}", found.group(1)), addr)


def probe_match(onvif_url: str, name: str) -> bytes:
    """Return the answer of a camera of this name."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>'
        "<a:MessageID>urn:uuid:0a6dc791-2be6-4991-9af1-454778a1917a</a:MessageID><a:RelatesTo>{id}</a:RelatesTo>"
        "<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>"
        "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action>"
        '<d:AppSequence InstanceId="1" MessageNumber="1"/></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>'
        "<a:EndpointReference><a:Address>urn:uuid:4d454930-0000-1000-8000-00408c000001</a:Address>"
        "</a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>"
        f"<d:Scopes>onvif://www.onvif.org/name/{name} onvif://www.onvif.org/hardware/Eye_3</d:Scopes>"
        f"<d:XAddrs>{onvif_url}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches>"
        "</s:Body></s:Envelope>"
    ).encode()
