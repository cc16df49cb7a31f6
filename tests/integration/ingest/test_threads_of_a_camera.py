"""The threads of one camera: they begin all or not at all, and record nothing that comes after they were stopped."""

import asyncio
import threading
from dataclasses import replace

import cv2
import pytest
from aiohttp import web
from tests.support import bad_cameras as bad
from tests.support.clips import counter_picture, write_counter_clip
from tests.support.http_camera import http_server
from tests.support.ingest_service import ingest_here, until
from tests.support.ports import free_port
from tests.support.squares import square_eyes

from marengocam.core.clock import SystemClock
from marengocam.core.errors import StoreError
from marengocam.core.model import Camera, CameraState
from marengocam.ingest.analysing import Analysis
from marengocam.ingest.backoff import FIRST_S, JITTER, LONGEST_S, Backoff
from marengocam.ingest.camera_state import CameraHealth, Condition
from marengocam.ingest.decode_queue import DecodeQueue
from marengocam.ingest.reading import Reader, ReadingPlan
from marengocam.ingest.recording_modes import Sights
from marengocam.media import reachability
from marengocam.media.faults import SENTENCES, Fault
from marengocam.media.store import Store

PICTURES = 20


class ShortCamera:
    """Sends some pictures at each connection, once it is let to, and hangs up."""

    def __init__(self):
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    def app(self):
        app = web.Application()
        app.router.add_get("/video", self._video)
        return app

    async def _video(self, request):
        self.asked.set()
        await self.let.wait()
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        await response.prepare(request)
        for number in range(PICTURES):
            jpeg = cv2.imencode(".jpg", counter_picture(number, 192, 96))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            await response.write(head.encode() + jpeg + b"\r\n")
            await asyncio.sleep(0.02)
        return response


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    store.prepare()
    return store


@pytest.fixture
def reader_of(store):
    def make(url, on_recovered=lambda: None):
        clock = SystemClock()
        return Reader(
            Camera("front", "Front", url),
            ReadingPlan(url, record=True, analyse=False),
            store=store,
            clock=clock,
            chunk_s=10,
            health=CameraHealth(Condition(CameraState.CONNECTING, "", clock.now())),
            queue=DecodeQueue(),
            sights=Sights(),
            on_chunk=lambda _chunk: None,
            on_recovered=on_recovered,
            on_disk_full=lambda: None,
            loopback=True,
        )

    return make


async def ended(reader):
    async def has_ended():
        return not reader.thread.is_alive()

    reader.stop()
    await until(has_ended)


async def test_a_camera_stopped_while_it_is_opened_is_not_recorded_any_more(store, reader_of):
    camera = ShortCamera()
    async with http_server(camera.app()) as root:
        reader = reader_of(f"{root}/video")
        reader.start()
        await camera.asked.wait()
        reader.stop()
        camera.let.set()
        await ended(reader)
    assert store.recordings("front") == []


@pytest.mark.parametrize("host", ["127.0.0.1", "camera.invalid"])
async def test_a_camera_that_is_waited_for_says_whether_it_is_the_port_or_the_address(reader_of, monkeypatch, host):
    fault, asked = (Fault.REFUSED if host[0] == "1" else Fault.UNREACHABLE), []

    def absence(url):
        asked.append(url)
        return reachability.absence(url)

    monkeypatch.setattr("marengocam.ingest.reading.absence", absence)
    monkeypatch.setattr("marengocam.ingest.reading.RETURN_POLL_S", 0.01)
    reader = reader_of(f"rtsp://{host}:{free_port()}/x")
    reader.start()

    async def waited_for() -> bool:
        return len(asked) >= 3

    await until(waited_for)
    reason = reader._health.condition.reason
    await ended(reader)
    assert reason == SENTENCES[fault]


async def test_a_camera_that_is_back_is_not_kept_waiting_for_its_tries_while_it_was_away(reader_of, monkeypatch):
    waits_s, away = [], iter([None] * 5 + [Fault.REFUSED, None] + [None] * 1000)

    class Noted(Backoff):
        def wait_s(self, longest_s=LONGEST_S):
            waits_s.append(super().wait_s(longest_s))
            return 0.01

    monkeypatch.setattr("marengocam.ingest.reading.Backoff", Noted)
    monkeypatch.setattr("marengocam.ingest.reading.absence", lambda _url: next(away))
    monkeypatch.setattr("marengocam.ingest.reading.RETURN_POLL_S", 0.01)
    reader = reader_of(f"rtsp://127.0.0.1:{free_port()}/x")
    reader.start()

    async def tried() -> bool:
        return len(waits_s) >= 6

    await until(tried)
    await ended(reader)
    assert min(waits_s[2:5]) > 2 * FIRST_S * JITTER[0]
    assert waits_s[5] <= FIRST_S * JITTER[1], "it was away, and is back"


async def test_a_camera_that_sends_keyframes_no_more_is_connected_to_again(store, reader_of, monkeypatch, tmp_path):
    monkeypatch.setattr("marengocam.ingest.reading.KEYFRAME_MISSING_S", 1.0)
    clip = await asyncio.to_thread(write_counter_clip, tmp_path / "counter.mp4", 60)
    async with bad.clips_served({"front": bad.with_one_keyframe(bad.load(clip), 4.0)}, clip) as server:
        reader = reader_of(server.url("front"))
        reader.start()

        async def again() -> bool:
            return len([file for file in store.recordings("front") if file.suffix == ".mp4"]) >= 2

        await until(again)
        await ended(reader)
    assert reader._health.counters.reconnects >= 1


async def test_a_recording_that_could_not_be_finished_is_looked_for_once_one_is_written_again(
    store, reader_of, monkeypatch
):
    finish, recovered = Store.finish, threading.Event()

    def refuse(store, growing):
        monkeypatch.setattr(Store, "finish", finish)
        raise StoreError(f"The recording {growing.name} cannot be finished: the disk is away.")

    monkeypatch.setattr(Store, "finish", refuse)
    camera = ShortCamera()
    camera.let.set()
    async with http_server(camera.app()) as root:
        reader = reader_of(f"{root}/video", recovered.set)
        reader.start()

        async def has_recovered():
            return recovered.is_set()

        await until(has_recovered)
        await ended(reader)


async def test_a_camera_whose_threads_cannot_all_be_started_leaves_none_behind(hub, hub_settings, monkeypatch):
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    start = Analysis.start

    def no_thread_left(_analysis):
        monkeypatch.setattr(Analysis, "start", start)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Analysis, "start", no_thread_left)
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1:9/nobody"))
    async with ingest_here(hub, replace(hub_settings, face_url="off")) as (service, _):

        async def served_by_one_reader():
            readers = [thread for thread in threading.enumerate() if thread.name == "read front"]
            return len(service.health().detail.get("cameras", {})) == len(readers) == 1

        await until(served_by_one_reader)
