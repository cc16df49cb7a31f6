"""A camera's figures for Prometheus."""

from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest

from marengocam.core.model import CameraState
from marengocam.db.cameras import CameraStatus
from marengocam.ingest.metrics import CameraFigures

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_of_a_camera_that_is_served_no_more_nothing_is_told():
    registry = CollectorRegistry()
    figures = CameraFigures(registry)
    for camera_id in ("front", "back"):
        figures.set(
            CameraStatus(camera_id, CameraState.ONLINE, "", since=NOON, updated_at=NOON, metrics={"packets": 1})
        )
    figures.forget("front")
    figures.forget("never served")
    told = generate_latest(registry).decode()
    assert 'marengocam_camera_online{camera="back"} 1.0' in told
    assert "front" not in told
