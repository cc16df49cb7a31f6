"""What a signature opens, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marengocam.web.signing import BadSignatureError, Signer

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SIGNER = Signer(b"k" * 32)


def _parts(scope, valid=timedelta(hours=1)):
    query = SIGNER.query(scope, NOW + valid)
    return dict(part.split("=") for part in query.split("&"))


def test_a_signature_opens_its_own_path_until_it_expires():
    parts = _parts("/media/front")
    SIGNER.check("/media/front", **parts, now=NOW + timedelta(minutes=59))
    for scope, later in (("/media/back", NOW), ("/media/front", NOW + timedelta(minutes=61))):
        with pytest.raises(BadSignatureError):
            SIGNER.check(scope, **parts, now=later)


def test_its_end_cannot_be_moved_nor_another_key_be_used():
    parts = _parts("/media/front")
    with pytest.raises(BadSignatureError):
        SIGNER.check("/media/front", str(int(parts["expires"]) + 1), parts["signature"], NOW)
    with pytest.raises(BadSignatureError):
        Signer(b"o" * 32).check("/media/front", **parts, now=NOW)


@given(st.text(), st.text())
def test_nothing_made_up_opens_anything_or_fails_otherwise(expires, signature):
    with pytest.raises(BadSignatureError):
        SIGNER.check("/media/front", expires, signature, NOW)
