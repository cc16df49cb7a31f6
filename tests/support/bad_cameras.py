"""Cameras that lie, drip, flood or send rubbish, from the first byte on or once they were asked to play."""

import asyncio
import contextlib
import itertools
import random
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from marengocam.demo.rtsp.clip import Clip, load_clip, nal_kind
from marengocam.demo.rtsp.mount import Mount
from marengocam.demo.rtsp.rtp import Packetizer
from marengocam.demo.rtsp.server import RtspServer
from tests.support.sending import G711_PACKET_S, G711_SDP, Datagrams, silence

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
FLOOD_BYTES, FLOOD_PAUSE_S = 65_536, 0.01
H264_SPS = 7
RTP_WRAP_S = 2**32 / 90_000


@contextlib.asynccontextmanager
async def tcp_camera(behaviour: Behaviour, certificate: Path | None = None) -> AsyncIterator[str]:
    """Serve a behaviour to every connection, encrypted if there is a certificate; yields the address."""
    jobs: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        job = asyncio.current_task()
        assert job is not None
        jobs.add(job)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await behaviour(reader, writer)
        finally:
            jobs.discard(job)
            writer.close()

    encryption = None
    if certificate is not None:
        encryption = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        encryption.load_cert_chain(certificate)
    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=encryption)
    try:
        yield f"{'rtsps' if encryption else 'rtsp'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/cam"
    finally:
        server.close()
        for job in list(jobs):
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def html(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A web server at the camera's port."""
    await reader.read(1000)
    page = b"<html><body>Welcome to your camera</body></html>" * 40
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
    await writer.drain()


async def nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """It accepts, and never says a word."""
    while await reader.read(1000):
        pass


async def hangs_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Zero bytes: it accepts, and closes."""
    await reader.read(1000)


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Random bytes instead of an answer."""
    await reader.read(1000)
    writer.write(random.Random(1).randbytes(100_000))
    await writer.drain()


async def drips(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte of a right answer each second."""
    for byte in itertools.cycle(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE, SETUP, PLAY\r\n"):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def floods(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Rubbish without an end, some megabytes a second."""
    while True:
        writer.write(b"\xa5" * FLOOD_BYTES)
        await writer.drain()
        await asyncio.sleep(FLOOD_PAUSE_S)


async def endless_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer whose headers never end."""
    await reader.read(1000)
    writer.write(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n")
    for number in itertools.count():
        writer.write(b"X-%d: %s\r\n" % (number, b"y" * FLOOD_BYTES))
        await writer.drain()
        await asyncio.sleep(FLOOD_PAUSE_S)


def after_play(clip: Clip, then: Behaviour, sound: str = "", timeout_s: int = 60) -> Behaviour:
    """Return a camera that answers everything rightly, and misbehaves once it is to play; `sound`: more of its SDP.

    Asked for UDP it sends there what `then` writes: whole packets, each with its channel in front.
    """
    session = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n"
    sdp = f"{session}m=video 0 RTP/AVP 96\r\n{clip.sdp_media}a=control:track0\r\n{sound}"
    setup = f"Session: 1;timeout={timeout_s}\r\n" + "Transport: {};unicast;{}\r\n\r\n"
    answers = {"DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}"}

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire: Any = writer
        while True:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, number = request.split(" ", 1)[0], request.split("CSeq: ")[1].split("\r\n")[0]
            asked = re.search(r"Transport: ([^;]+);unicast;((?:interleaved|client_port)=(\d+)-\d+)", request)
            if asked is not None and asked[2].startswith("client_port") and wire is writer:
                wire = Datagrams(int(asked[3]))
            rest = setup.format(asked[1], asked[2]) if asked else answers.get(method, "Session: 1\r\n\r\n")
            writer.write(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{rest}".encode())
            if method == "PLAY":
                with contextlib.closing(wire):
                    await then(reader, wire)
                return

    return behave


def interleaved(clip: Clip) -> Iterator[bytes]:
    """Yield the bytes that a right camera would send, picture by picture."""
    packetizer = Packetizer(clip.codec, 1)
    for unit in clip.units:
        packets = packetizer.packets(unit, unit.show_s)
        yield b"".join(b"$\x00" + len(packet).to_bytes(2, "big") + packet for packet in packets)


def cut_off(clip: Clip) -> Behaviour:
    """Return a camera that dies in the middle of a packet."""
    content = b"".join(itertools.islice(interleaved(clip), 20))

    async def then(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content[:-300])
        await writer.drain()

    return after_play(clip, then)


def drips_video(clip: Clip) -> Behaviour:
    """Return a camera whose pictures come a byte a second."""
    content = b"".join(interleaved(clip))

    async def then(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in content:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)

    return after_play(clip, then)


def tires(clip: Clip, pictures: int, rest: bytes, pause_s: float) -> Behaviour:
    """Return a camera that sends some pictures, and from then on only the same few bytes again and again."""
    begin = b"".join(itertools.islice(interleaved(clip), pictures))

    async def then(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        while True:
            writer.write(rest)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return after_play(clip, then)


def goes_dark(clip: Clip, pictures: int) -> Behaviour:
    """Return a camera that sends some pictures, and from then on nothing but sound."""
    begin = b"".join(itertools.islice(interleaved(clip), pictures))

    async def then(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        for number in itertools.count():
            writer.write(silence(number))
            await writer.drain()
            await asyncio.sleep(G711_PACKET_S)

    return after_play(clip, then, G711_SDP)


def steady(clip: Clip) -> Behaviour:
    """Return a good camera: pictures in time, and some sound between them."""

    async def then(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, picture in enumerate(interleaved(clip)):
            writer.write(picture + silence(number))
            await writer.drain()
            await asyncio.sleep(clip.duration_s / len(clip.units))

    return after_play(clip, then, G711_SDP)


def garbage_video(clip: Clip) -> Behaviour:
    """Return a camera that sends rubbish, well packed, in place of pictures."""
    random_bytes = random.Random(2)

    async def then(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"$\x00" + (1200).to_bytes(2, "big") + random_bytes.randbytes(1200))
            await writer.drain()
            await asyncio.sleep(FLOOD_PAUSE_S)

    return after_play(clip, then)


def flipped(clip: Clip, flips: int, seed: int) -> Clip:
    """Return a clip with so many bits turned over, at random places of all its pictures."""
    chance = random.Random(seed)
    pictures = [[bytearray(nal) for nal in unit.nal_units] for unit in clip.units]
    nals = [nal for picture in pictures for nal in picture]
    for _ in range(flips):
        nal = chance.choices(nals, weights=[len(one) for one in nals])[0]
        nal[chance.randrange(len(nal))] ^= 1 << chance.randrange(8)
    units = (
        replace(unit, nal_units=tuple(map(bytes, picture))) for unit, picture in zip(clip.units, pictures, strict=True)
    )
    return replace(clip, units=tuple(units))


def with_times(clip: Clip, show: Callable[[float], float]) -> Clip:
    """Return a clip whose stream clock says `show(seconds)`."""
    return replace(clip, units=tuple(replace(unit, show_s=show(unit.send_s)) for unit in clip.units))


def shortened(clip: Clip, length_s: float) -> Clip:
    """Return the beginning of a clip."""
    return replace(clip, units=tuple(unit for unit in clip.units if unit.send_s < length_s), duration_s=length_s)


def faster(clip: Clip, factor: float) -> Clip:
    """Return a clip that is sent faster than its clock says."""
    units = tuple(replace(unit, send_s=unit.send_s / factor) for unit in clip.units)
    return replace(clip, units=units, duration_s=clip.duration_s / factor)


def with_one_keyframe(clip: Clip, length_s: float) -> Clip:
    """Return a clip that begins with a keyframe and has no other."""
    first, others = clip.units[0], [unit for unit in clip.units if not unit.keyframe]
    step_s = clip.duration_s / len(clip.units)
    units = [first]
    for number, unit in zip(range(1, round(length_s / step_s)), itertools.cycle(others), strict=False):
        units.append(replace(unit, send_s=number * step_s, show_s=number * step_s))
    return replace(clip, units=tuple(units), duration_s=length_s)


def claiming(clip: Clip, width_px: int, height_px: int) -> Clip:
    """Return an H.264 clip whose parameters claim another picture size (a multiple of 16)."""
    lie = sequence_parameters(width_px, height_px)
    units = (
        replace(unit, nal_units=tuple(lie if nal_kind(clip.codec, nal) == H264_SPS else nal for nal in unit.nal_units))
        for unit in clip.units
    )
    return replace(clip, units=tuple(units))


def sequence_parameters(width_px: int, height_px: int) -> bytes:
    """Return an H.264 sequence parameter set, baseline profile, of this picture size."""
    fields = [_golomb(number) for number in (0, 0, 2, 1)] + ["0"]
    fields += [_golomb(width_px // 16 - 1), _golomb(height_px // 16 - 1), "1", "1", "0", "0", "1"]
    bits = "".join(fields)
    bits += "0" * (-len(bits) % 8)
    body = bytes([66, 0, 52]) + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return b"\x67" + body.replace(b"\x00\x00\x01", b"\x00\x00\x03\x01")


def _golomb(number: int) -> str:
    bits = f"{number + 1:b}"
    return "0" * (len(bits) - 1) + bits


@contextlib.asynccontextmanager
async def clips_served(clips: dict[str, Clip], template: Path, **options: object) -> AsyncIterator[RtspServer]:
    """Serve clips that were tampered with."""
    server = RtspServer(dict.fromkeys(clips, template), **options)  # type: ignore[arg-type]
    server.mounts = {name: Mount(clip) for name, clip in clips.items()}
    async with server:
        yield server


def load(file: Path) -> Clip:
    """Read a clip."""
    return load_clip(file)
