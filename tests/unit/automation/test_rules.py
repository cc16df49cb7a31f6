"""Which events fire a rule."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from marengocam.automation.broker import BrokerAddress
from marengocam.automation.rules import checked_conditions, fits
from marengocam.core.errors import BadInputError
from marengocam.core.model import Event, EventType
from marengocam.core.secret import Secret
from marengocam.db.rules import Rule

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENT = Event(1, uuid4(), EventType.PERSON_CONFIRMED, NOW, NOW, camera_id="yard", person_name="Alice",
              probability=0.9, zones=("path",))  # fmt: skip


def rule(conditions, event_type="person_confirmed", enabled=True):
    return Rule(uuid4(), "r", enabled, event_type, conditions, "t", None, NOW)


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        ({}, True),
        ({"camera_id": "yard"}, True),
        ({"camera_id": "door"}, False),
        ({"zone": "path"}, True),
        ({"zone": "pool"}, False),
        ({"person": "ALICE"}, True),
        ({"person": "Bob"}, False),
        ({"min_probability": 0.9}, True),
        ({"min_probability": 0.95}, False),
        ({"camera_id": "yard", "person": "Bob"}, False),
    ],
)
def test_every_condition_must_hold(conditions, wanted):
    assert fits(rule(conditions), EVENT) is wanted


def test_other_types_and_resting_rules_do_not_fire():
    assert not fits(rule({}, "person_unknown"), EVENT)
    assert not fits(rule({}, enabled=False), EVENT)


def test_a_condition_that_cannot_be_used_is_named():
    assert checked_conditions({"min_probability": "0.5"}) == {"min_probability": 0.5}
    with pytest.raises(BadInputError, match="min_probability"):
        checked_conditions({"min_probability": 2})
    with pytest.raises(BadInputError, match="zune"):
        checked_conditions({"zune": "x"})


def test_a_broker_address_is_taken_apart_or_refused():
    address = BrokerAddress.from_url(Secret("mqtts://me:p%40ss@broker"))
    assert (address.host, address.port, address.username, address.tls) == ("broker", 8883, "me", True)
    assert address.password.reveal() == "p@ss"
    with pytest.raises(BadInputError, match="mqtt_url"):
        BrokerAddress.from_url(Secret("broker:1883"))
