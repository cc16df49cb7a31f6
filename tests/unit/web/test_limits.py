"""How often one peer may do something."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from marengocam.core.clock import SystemClock
from marengocam.web.limits import MAX_PEERS, Limit, Meter, peer_key


class _Clock(SystemClock):
    def __init__(self):
        self.now_s = 1000.0

    def monotonic_s(self):
        return self.now_s


def _request_from(address):
    transport = type("Transport", (), {"get_extra_info": lambda _self, _name, default=None: (address, 1234)})()
    return make_mocked_request("GET", "/", headers={"X-Forwarded-For": "10.9.9.9"}, transport=transport)


def test_a_peer_is_told_when_to_come_again_and_then_served():
    clock = _Clock()
    meter = Meter(Limit(3, 60), clock)
    for _ in range(3):
        meter.take("a")
        clock.now_s += 10
    with pytest.raises(web.HTTPTooManyRequests) as refused:
        meter.take("a")
    assert refused.value.headers["Retry-After"] == "30"
    meter.take("b")
    clock.now_s += 30
    meter.take("a")


def test_who_is_refused_does_not_wait_longer_for_having_asked():
    clock = _Clock()
    meter = Meter(Limit(1, 60), clock)
    meter.take("a")
    for _ in range(59):
        clock.now_s += 1
        with pytest.raises(web.HTTPTooManyRequests):
            meter.take("a")
    clock.now_s += 1
    meter.take("a")


def test_any_number_of_peers_takes_bounded_memory():
    meter = Meter(Limit(3, 60), _Clock())
    for number in range(3 * MAX_PEERS):
        meter.take(str(number))
    assert len(meter) == MAX_PEERS


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.168.1.5", "192.168.1.5"),
        ("::ffff:192.168.1.5", "192.168.1.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_household_counts_as_one_whatever_its_headers_say(address, key):
    assert peer_key(_request_from(address)) == key
