"""The same units on Dask's workers: the same report, whoever dies meanwhile."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psutil
import pytest
from tests.support.squares import render_walks

from marengocam.core.errors import BadInputError
from marengocam.db.hub import Hub
from marengocam.media.names import RecordingName
from marengocam.replay import cluster
from marengocam.replay.analysis import UnitJob
from marengocam.replay.cluster import MOST_WORKERS, units_on
from marengocam.replay.control import Control
from marengocam.replay.eyes import Eyes
from marengocam.replay.findings import UnitFindings
from marengocam.replay.run import ReplayRequest, Units, replay_source
from marengocam.settings import Settings

distributed = pytest.importorskip("distributed", reason="needs the extra [cluster]")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLIP_S, CLIPS, UNIT_S = 6.0, 4, 8.0


@pytest.fixture
def settings(hub_settings: Settings) -> Settings:
    return replace(hub_settings, face_url="off", detector="hog", analysis_fps=10.0)


@pytest.fixture
def request_of_units(settings: Settings) -> ReplayRequest:
    """A replay of 24 s, with somebody in two of its four recordings, in units of 8 s."""
    for number in range(CLIPS):
        name = RecordingName("front", NOON + timedelta(seconds=number * CLIP_S), uuid4())
        file = settings.media_dir / name.path
        file.parent.mkdir(parents=True, exist_ok=True)
        render_walks(file, CLIP_S, [1.0] if number % 2 else [])
    return ReplayRequest(f"file://{settings.media_dir}/recordings/front", camera_id="front", unit_s=UNIT_S)


def killing_a_worker(units: Units) -> tuple[Units, list[int]]:
    """Return units that lose their workers' processes once, after the first unit, and who was killed."""
    killed: list[int] = []

    def with_a_loss(
        jobs: Sequence[UnitJob], eyes: Eyes, control: Control, done: Callable[[UnitFindings], None]
    ) -> None:
        def noted(findings: UnitFindings) -> None:
            done(findings)
            if not killed:
                workers = [one for one in psutil.Process(os.getpid()).children() if "spawn_main" in str(one.cmdline())]
                killed.extend(one.pid for one in workers)
                for one in workers:
                    one.kill()

        units(jobs, eyes, control, noted)

    return with_a_loss, killed


@pytest.mark.timeout(180)  # each worker is a Python of its own that loads the detector
async def test_two_workers_give_the_report_of_one_process_even_when_they_are_killed(
    hub: Hub, settings: Settings, request_of_units: ReplayRequest
) -> None:
    alone = await replay_source(settings, request_of_units)
    assert alone.report["units"] == 3
    with units_on(None, 2) as units:
        assert (await replay_source(settings, request_of_units, units_by=units)).to_json() == alone.to_json()
        losing, killed = killing_a_worker(units)
        assert (await replay_source(settings, request_of_units, units_by=losing)).to_json() == alone.to_json()
    assert len(killed) == 2


@pytest.mark.timeout(180)
async def test_the_workers_of_a_scheduler_elsewhere_do_all_the_looking(
    hub: Hub, settings: Settings, request_of_units: ReplayRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = await replay_source(settings, request_of_units)
    assert alone.report["tracks"]

    def not_here(*_: object) -> None:
        raise AssertionError("this process looked at a unit itself")

    monkeypatch.setattr(cluster, "analyse_unit", not_here)
    elsewhere = distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, processes=True)
    with elsewhere, units_on(elsewhere.scheduler_address, 0) as units:
        assert (await replay_source(settings, request_of_units, units_by=units)).to_json() == alone.to_json()


def test_a_scheduler_that_does_not_answer_and_too_many_workers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_LIMIT_S", 0.3)
    with (
        pytest.raises(BadInputError, match="No Dask scheduler answers at tcp"),
        units_on("tcp://127.0.0.1:1", 0),
    ):
        pass
    with pytest.raises(BadInputError, match=f"from 1 to {MOST_WORKERS}"), units_on(None, MOST_WORKERS + 1):
        pass
