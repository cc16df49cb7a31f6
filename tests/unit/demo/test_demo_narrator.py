"""Each kind of event becomes a sentence."""

import pytest

from marengocam.core.model import EventType
from marengocam.demo.narrator import clock_time, sentence


def test_a_confirmed_person_is_told_with_certainty_and_cues():
    event = {
        "type": "person_confirmed",
        "camera_name": "Front door",
        "person_name": "Alice",
        "probability": 0.973,
        "data": {"evidence": {"cues": [{"cue": "face", "log_ratio": 5.1}, {"cue": "space_time", "log_ratio": -0.2}]}},
    }
    assert sentence(event) == "Alice on Front door, 97% sure (face)"


@pytest.mark.parametrize("kind", list(EventType))
def test_every_kind_of_event_has_words_even_with_nothing_known(kind):
    text = sentence({"type": str(kind), "data": {}})
    assert text
    assert "{" not in text


def test_a_time_is_told_to_the_second():
    assert clock_time("2026-11-24T10:15:04.123Z") == "10:15:04"
