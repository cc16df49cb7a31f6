"""Work units of a replay over a real Dask cluster of this machine: the same report, whoever did what."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.support.squares import render_walks

from marengocam.core.errors import BadInputError
from marengocam.media.store import RecordingName
from marengocam.replay import cluster
from marengocam.replay.cluster import units_on
from marengocam.replay.run import ReplayRequest, replay_source

distributed = pytest.importorskip("distributed", reason="needs the extra: pip install 'marengocam[cluster]'")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLIP_S = 6.0


@pytest.fixture
def settings(hub_settings):
    """Three recordings of camera `front`; somebody walks in the second."""
    for number, starts in enumerate(([], [1.0], [])):
        name = RecordingName("front", NOON + timedelta(seconds=number * CLIP_S), uuid4())
        file = hub_settings.media_dir / name.path
        file.parent.mkdir(parents=True, exist_ok=True)
        render_walks(file, CLIP_S, starts)
    # A detector that needs no model's file, so that workers have what this process has.
    return replace(hub_settings, detector="hog", face_url="off", analysis_fps=5.0)


@pytest.mark.timeout(240)  # each worker is a process that loads everything
async def test_units_on_several_workers_give_the_report_of_one_process(hub, settings, monkeypatch):
    request = ReplayRequest(camera_id="front", unit_s=5.0, gallery_at=NOON)
    alone = await replay_source(settings, request)
    assert alone.report["units"] > 2
    assert alone.report["tracks"]

    def not_here(*_):
        raise AssertionError("this process looked at a unit itself")

    monkeypatch.setattr(cluster, "analyse_unit", not_here)
    with units_on(None, 2) as units_by:
        shared = await replay_source(settings, request, units_by=units_by)
    assert shared.to_json() == alone.to_json()


@pytest.mark.timeout(240)
async def test_a_scheduler_that_runs_elsewhere_is_used(hub, settings):
    request = ReplayRequest(camera_id="front", unit_s=5.0, gallery_at=NOON)
    with contextlib.ExitStack() as stack:
        there = stack.enter_context(
            distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, processes=True)
        )
        units_by = stack.enter_context(units_on(there.scheduler_address, 0))
        shared = await replay_source(settings, request, units_by=units_by)
        assert shared.to_json() == (await replay_source(settings, request)).to_json()


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_LIMIT_S", 0.5)
    with pytest.raises(BadInputError, match="No Dask scheduler answers"), units_on("tcp://127.0.0.1:1", 0):
        pass
