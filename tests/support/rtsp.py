"""A camera for tests: our own RTSP server with a clip whose pictures show their numbers, mounted as `front`."""

import pytest
import pytest_asyncio

from marengocam.demo.rtsp import RtspServer
from tests.support.clips import write_counter_clip


@pytest.fixture(scope="session")
def counter_clip(tmp_path_factory):
    return write_counter_clip(tmp_path_factory.mktemp("counter") / "counter.mp4", frames=300)


@pytest_asyncio.fixture
async def rtsp_server(counter_clip):
    async with RtspServer({"front": counter_clip}) as server:
        yield server
