"""Where the broker is, and where webhooks may go."""

import pytest

from marengocam.automation.broker import BrokerAddress
from marengocam.core.errors import BadInputError
from marengocam.core.rules.webhook_address import checked_url, origin, refusal
from marengocam.core.secret import Secret
from marengocam.settings import Settings


def settings(tmp_path, url, **more):
    return Settings(data_dir=tmp_path, media_dir=tmp_path, mqtt_url=Secret(url), **more)


def test_a_brokers_address_is_taken_apart_or_refused(tmp_path):
    address = BrokerAddress.from_settings(settings(tmp_path, "mqtts://me:p%40ss@broker"))
    assert (address.host, address.port, address.username, address.tls) == ("broker", 8883, "me", True)
    assert address.password.reveal() == "p@ss"
    with pytest.raises(BadInputError, match="mqtt_url"):
        BrokerAddress.from_settings(settings(tmp_path, "broker:1883"))
    with pytest.raises(BadInputError, match="mqtts"):
        BrokerAddress.from_settings(settings(tmp_path, "mqtt://broker", mqtt_ca_file=tmp_path / "ca.pem"))


def test_files_of_tls_that_cannot_be_used_are_refused_at_the_start(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    for file in ("ca.pem", "missing.pem"):
        address = BrokerAddress.from_settings(settings(tmp_path, "mqtts://b", mqtt_ca_file=tmp_path / file))
        with pytest.raises(BadInputError, match="mqtt_ca_file"):
            address.tls_context()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.1.5", "172.16.0.1", "100.64.0.1", "::1", "fd00::1", "::ffff:192.168.1.5",
        "2002:c0a8:105::", "169.254.169.254", "fe80::1%eth0", "0.0.0.0", "224.0.0.1", "255.255.255.255", "nonsense",
    ],
)  # fmt: skip
def test_webhooks_leave_the_owners_network_alone(address):
    assert refusal("hook.example", address, frozenset()) is not None


def test_webhooks_reach_the_internet_and_what_the_owner_listed():
    assert refusal("example.org", "93.184.216.34", frozenset()) is None
    assert refusal("Nodered", "192.168.1.5", frozenset({"nodered"})) is None
    assert refusal("x", "192.168.1.5", frozenset({"192.168.1.5"})) is None
    assert "webhook_hosts" in refusal("x", "192.168.1.5", frozenset())
    assert refusal("x", "169.254.169.254", frozenset({"x"})) is not None, "never"


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "https://", "https://a:b@x", "https://x/#y", "https://x:99999", "http://[", 5]
)
def test_addresses_that_cannot_be_called_are_refused(url):
    with pytest.raises(BadInputError):
        checked_url(url)


def test_only_the_origin_of_an_address_is_told():
    assert origin("https://hooks.example.org:8443/services/KEY?token=1") == "https://hooks.example.org:8443"
