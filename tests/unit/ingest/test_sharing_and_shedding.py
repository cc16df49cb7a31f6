"""How processes share cameras, and what analysis gives up when it falls behind."""

from datetime import UTC, datetime

from marengocam.db.health import ServiceHealth
from marengocam.ingest.sharing import ALIVE_S, FREE_LIMIT_S, NO_STORE, YIELD_S, Sharing, able
from marengocam.ingest.shedding import LOWER_AFTER_S, RAISE_AFTER_S, STEPS, Shedding

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAMERAS = {"a", "b", "c", "d"}


def beat(instance: str, *, silent_s: float = 0.0, status: str = "ok", service: str = "ingest", no_store=False):
    return ServiceHealth(service, instance, status, "", NOON, NOON, {NO_STORE: no_store}, silent_s)


def test_who_lives_and_can_record_counts():
    beats = [
        beat("here"),
        beat("silent", silent_s=ALIVE_S * 2),
        beat("gone", status="gone"),
        beat("no disk", no_store=True),
        beat("web", service="web"),
    ]
    assert able(beats) == {"here"}


def wanted(sharing: Sharing, held=(), leased=(), others=(), now_s=0.0, *, can_record=True, recorded=()) -> list[str]:
    return sharing.wanted(CAMERAS, held, leased, others, now_s, can_record=can_record, recorded=recorded)


def test_alone_it_takes_them_all():
    assert wanted(Sharing("me")) == sorted(CAMERAS)


def test_with_another_it_takes_half_and_later_what_nobody_took():
    sharing = Sharing("me")
    assert wanted(sharing, others={"you"}) == ["a", "b"]
    assert wanted(sharing, held={"a", "b"}, leased={"c"}, others={"you"}, now_s=1) == ["a", "b"]
    assert wanted(sharing, held={"a", "b"}, leased={"c"}, others={"you"}, now_s=FREE_LIMIT_S) == ["a", "b", "d"]


def test_one_more_process_is_given_cameras_one_at_a_time():
    sharing = Sharing("me")
    held = set(CAMERAS)
    assert sharing.surplus(held, 4, {"you"}, can_record=True) == {"d"}
    sharing.give_up({"d"}, 0.0)
    held = {"a", "b", "c"}
    assert wanted(sharing, held=held, others={"you"}) == ["a", "b", "c"], "what was given up is not taken back at once"
    assert sharing.surplus(held, 4, {"you"}, can_record=True) == {"c"}
    assert sharing.surplus({"a", "b"}, 4, {"you"}, can_record=True) == set()
    assert wanted(sharing, held={"a"}, leased={"b", "c"}, others={"you"}, now_s=YIELD_S + 1) == ["a", "d"]


def test_who_cannot_record_leaves_all_to_others_but_nothing_to_nobody():
    sharing = Sharing("me")
    assert sharing.surplus(CAMERAS, 4, {"you"}, can_record=False) == CAMERAS
    assert sharing.surplus(CAMERAS, 4, set(), can_record=False) == set()
    assert wanted(sharing, others={"you"}, can_record=False) == []
    assert wanted(sharing, can_record=False) == sorted(CAMERAS)


def test_after_an_outage_of_the_hub_each_keeps_what_it_records_and_waits_before_it_takes_more():
    sharing = Sharing("me")
    sharing.hub_is_away(100.0)
    assert wanted(sharing, now_s=101.0, recorded={"c"}) == ["c"], "the others' leases have ended as well"
    assert sorted(wanted(sharing, held={"c"}, now_s=100.0 + FREE_LIMIT_S, recorded={"c"})) == sorted(CAMERAS)


def test_what_falls_behind_gives_up_step_by_step_and_gets_it_back_step_by_step():
    shedding = Shedding()
    now_s = 0.0
    levels = []
    for _ in range(200):
        shedding.update(4.0, now_s)
        levels.append(shedding.level)
        now_s += 0.2
    assert levels[0] == 0
    assert sorted(set(levels)) == list(range(len(STEPS)))
    assert levels.index(1) * 0.2 >= RAISE_AFTER_S - 0.3
    while shedding.level:
        shedding.update(0.1, now_s)
        now_s += 1.0
    assert now_s - 40 >= LOWER_AFTER_S * (len(STEPS) - 1) - 5


def test_a_moment_of_lag_is_nothing():
    shedding = Shedding()
    for number in range(100):
        shedding.update(4.0 if number % 10 == 0 else 0.1, number * 0.2)
    assert shedding.level == 0


def test_survival_mode_sets_the_least_that_is_given_up():
    shedding = Shedding()
    shedding.floor = 2
    shedding.update(0.0, 0.0)
    assert shedding.level == 2
    shedding.floor = 99
    assert shedding.step.keyframes_only
