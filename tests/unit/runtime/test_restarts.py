"""How soon a process that died is started again."""

import pytest

from marengocam.runtime.supervisor import HEALTHY_RESETS_BACKOFF_S, SERVICES, Child

SOON_S = 1.0


@pytest.mark.parametrize("name", SERVICES)
def test_a_process_that_lived_for_a_while_is_back_at_once(name):
    child = Child(name)
    for _ in range(10):
        child.next_backoff_s(lived_s=SOON_S)
    assert child.next_backoff_s(HEALTHY_RESETS_BACKOFF_S + 1) == 0.5
    assert child.next_backoff_s(lived_s=SOON_S) == 1.0


def test_one_that_dies_again_and_again_is_waited_for_longer_but_the_recorder_never_long():
    web, ingest = Child("web"), Child("ingest")
    assert [web.next_backoff_s(SOON_S) for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert [ingest.next_backoff_s(SOON_S) for _ in range(5)] == [0.5, 1.0, 2.0, 2.0, 2.0]
