"""Ask one camera by ONVIF who it is and what streams it offers, and choose main and sub stream."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from marengocam.core.clock import Clock
from marengocam.discovery import faults
from marengocam.discovery.addresses import OnvifAddress, media_url, service_url
from marengocam.discovery.profiles import Encoder, Profile, encoder_of, main_of, sub_of
from marengocam.discovery.soap import SOAP_TIMEOUT_S, Conversation, Login, Service

LOOKUP_LIMIT_S = 30.0  # a camera that answers each question just in time
CLOCK_TOLERANCE = timedelta(seconds=5)  # what cameras let pass in WS-Security
MAX_PROFILES = 16
MAX_TEXT = 100
MEDIA_NAMESPACE = "http://www.onvif.org/ver10/media/wsdl"
STREAM_SETUP = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OnvifCamera:
    """What a camera told; `notes` are sentences for its owner."""

    manufacturer: str
    model: str
    main: Profile
    sub: Profile | None
    profiles: tuple[Profile, ...]
    clock_offset_s: float | None
    notes: tuple[str, ...]


async def look_up(
    address: OnvifAddress, login: Login, clock: Clock, *, timeout_s: float = SOAP_TIMEOUT_S
) -> OnvifCamera:
    """Return what the camera at `address` offers; raises OnvifLoginError (BadInputError) or OnvifError (MediaError)."""
    try:
        async with asyncio.timeout(LOOKUP_LIMIT_S), Conversation(address.host, login, timeout_s) as conversation:
            return await _Lookup(conversation, address, login, clock).run()
    except TimeoutError:
        raise faults.OnvifSilentError(faults.SILENT) from None


class _Lookup:
    def __init__(self, conversation: Conversation, address: OnvifAddress, login: Login, clock: Clock) -> None:
        self._conversation = conversation
        self._address = address
        self._password = login.password.reveal() if login.password else ""
        self._clock = clock
        self._notes: list[str] = []
        self._asks_pictures = True

    async def run(self) -> OnvifCamera:
        offset = await self._clock_offset()
        if offset is not None and abs(offset) > CLOCK_TOLERANCE:
            self._notes.append(_clock_note(offset))
        device, told, offset_used = await self._device(offset)
        media = await self._conversation.service("media", await self._media_url(device), offset_used)
        profiles = await self._profiles(media)
        main = main_of(profiles)
        if main is None:
            raise faults.OnvifError(" ".join((faults.NO_PROFILE, *self._notes)))
        return OnvifCamera(
            manufacturer=_text(getattr(told, "Manufacturer", None)),
            model=_text(getattr(told, "Model", None)),
            main=main,
            sub=sub_of(profiles, main),
            profiles=tuple(profiles),
            clock_offset_s=round(offset.total_seconds(), 1) if offset is not None else None,
            notes=tuple(self._notes),
        )

    async def _clock_offset(self) -> timedelta | None:
        """Return how far the camera's clock is ahead, or None if it does not tell."""
        device = await self._conversation.service("devicemgmt", self._address.url)
        try:
            answer = await device.ask_openly("GetSystemDateAndTime")
        except (faults.OnvifLoginError, faults.OnvifRefusedError):
            return None  # against the standard, but it may well answer the rest
        told = getattr(answer, "UTCDateTime", None)
        if told is None:
            return None
        try:
            day, time = told.Date, told.Time
            there = datetime(day.Year, day.Month, day.Day, time.Hour, time.Minute, min(time.Second, 59), tzinfo=UTC)
        except (AttributeError, TypeError, ValueError):
            return None
        return there - self._clock.now()

    async def _device(self, offset: timedelta | None) -> tuple[Service, Any, timedelta | None]:
        """Return the device service, what it says of itself, and the offset with which it accepted the login."""
        tries = [offset, None] if offset is not None and abs(offset) > CLOCK_TOLERANCE else [offset]
        for one in tries:
            device = await self._conversation.service("devicemgmt", self._address.url, one)
            try:
                return device, await device.ask("GetDeviceInformation"), one
            except faults.OnvifLoginError:
                _LOG.debug("login refused with a clock offset of %s", one)
        raise faults.OnvifLoginError("".join(f" {note}" for note in self._notes))

    async def _media_url(self, device: Service) -> str:
        try:
            services = await device.ask("GetServices", IncludeCapability=False)
            told = next((one.XAddr for one in services or () if one.Namespace == MEDIA_NAMESPACE), None)
        except faults.OnvifSilentError:
            raise
        except (faults.OnvifError, AttributeError, TypeError):
            told = None
        if not told:  # cameras from before GetServices
            answer = await device.ask("GetCapabilities", Category=["Media"])
            told = getattr(getattr(answer, "Media", None), "XAddr", None)
        if not told:
            raise faults.OnvifError(faults.NO_MEDIA)
        return service_url(str(told), self._address)

    async def _profiles(self, media: Service) -> list[Profile]:
        try:
            encoders = [encoder_of(one) for one in (await media.ask("GetProfiles") or ())[:MAX_PROFILES]]
        except (AttributeError, TypeError, ValueError):
            raise faults.OnvifError(faults.NOT_ONVIF) from None
        profiles = [await self._profile(media, one) for one in encoders if one is not None]
        return [one for one in profiles if one is not None]

    async def _profile(self, media: Service, encoder: Encoder) -> Profile | None:
        try:
            answer = await media.ask("GetStreamUri", StreamSetup=STREAM_SETUP, ProfileToken=encoder.token)
        except faults.OnvifRefusedError:
            return None
        url = media_url(str(getattr(answer, "Uri", "")), self._address.host, self._password)
        if url is None:
            self._notes.append(f"Profile {encoder.name!r} is left out: its address is not usable without a password.")
            return None
        return Profile(
            encoder.name,
            encoder.token,
            encoder.codec,
            encoder.width_px,
            encoder.height_px,
            encoder.fps,
            url,
            await self._picture_url(media, encoder),
        )

    async def _picture_url(self, media: Service, encoder: Encoder) -> str | None:
        if not self._asks_pictures:
            return None
        try:
            answer = await media.ask("GetSnapshotUri", ProfileToken=encoder.token)
        except (faults.OnvifError, faults.OnvifLoginError):
            self._asks_pictures = False  # pictures are an extra: not worth a second wait
            return None
        url = media_url(str(getattr(answer, "Uri", "")), self._address.host, self._password)
        return url if url and url.startswith("http") else None


def _text(told: Any) -> str:
    return "".join(letter for letter in str(told or "") if letter.isprintable()).strip()[:MAX_TEXT]


def _clock_note(offset: timedelta) -> str:
    late = round(abs(offset.total_seconds()))
    hours, minutes = divmod(late // 60, 60)
    amount = f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{late} s"
    direction = "ahead" if offset > timedelta() else "behind"
    return f"The camera's clock is {amount} {direction}: set it, or let it follow a time server."
