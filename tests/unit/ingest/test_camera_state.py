"""How a camera is doing, from what its threads tell."""

from datetime import UTC, datetime, timedelta

from marengocam.core.model import CameraState
from marengocam.ingest.camera_state import OFFLINE_AFTER, CameraHealth, Condition, OnlineEvents

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def fresh() -> CameraHealth:
    return CameraHealth(Condition(CameraState.CONNECTING, "", NOON))


def test_a_camera_connects_and_is_online_since_its_first_picture() -> None:
    health = fresh()
    assert health.now(NOON).state is CameraState.CONNECTING
    health.flowing(NOON + SECOND)
    health.flowing(NOON + 5 * SECOND)
    assert health.now(NOON + 9 * SECOND) == Condition(CameraState.ONLINE, "", NOON + SECOND)


def test_a_blip_is_connecting_with_its_reason_and_then_online_again() -> None:
    health = fresh()
    health.flowing(NOON)
    health.trouble("gone", NOON + 10 * SECOND)
    assert health.now(NOON + 12 * SECOND) == Condition(CameraState.CONNECTING, "gone", NOON + 10 * SECOND)
    health.flowing(NOON + 13 * SECOND)
    assert health.now(NOON + 60 * SECOND) == Condition(CameraState.ONLINE, "", NOON + 13 * SECOND)


def test_lasting_trouble_is_offline_since_the_last_picture_with_the_newest_reason() -> None:
    health = fresh()
    health.flowing(NOON)
    health.counters.last_packet_at = NOON + 5 * SECOND
    health.trouble("stalled", NOON + 10 * SECOND)
    health.trouble("refused", NOON + 14 * SECOND)
    assert health.now(NOON + 15 * SECOND) == Condition(CameraState.OFFLINE, "refused", NOON + 5 * SECOND)


def test_a_camera_that_never_shows_a_picture_is_offline_and_says_why() -> None:
    condition = fresh().now(NOON + OFFLINE_AFTER)
    assert condition.state is CameraState.OFFLINE
    assert "sends no video" in condition.reason


def test_a_machine_s_clock_that_is_set_back_hides_no_outage() -> None:
    health, earlier = fresh(), NOON - timedelta(hours=1)
    health.flowing(NOON)
    health.trouble("gone", NOON)
    assert health.now(earlier).state is CameraState.CONNECTING
    assert health.now(earlier + OFFLINE_AFTER) == Condition(CameraState.OFFLINE, "gone", earlier)


def test_an_online_camera_that_cannot_be_recorded_says_so() -> None:
    health = fresh()
    health.flowing(NOON)
    health.analysis_problem = "second stream"
    assert health.now(NOON).reason == "second stream"
    health.recording_problem = "disk full"
    assert health.now(NOON) == Condition(CameraState.ONLINE, "disk full", NOON)


def test_events_are_told_once_each_and_only_after_an_outage() -> None:
    events = OnlineEvents()
    assert events.due(CameraState.ONLINE) is None
    assert events.due(CameraState.CONNECTING) is None
    assert events.due(CameraState.OFFLINE) is CameraState.OFFLINE
    assert events.due(CameraState.OFFLINE) is CameraState.OFFLINE, "until it is written"
    events.told(CameraState.OFFLINE)
    assert events.due(CameraState.OFFLINE) is None
    assert events.due(CameraState.CONNECTING) is None
    assert events.due(CameraState.ONLINE) is CameraState.ONLINE
    events.told(CameraState.ONLINE)
    assert events.due(CameraState.ONLINE) is None
