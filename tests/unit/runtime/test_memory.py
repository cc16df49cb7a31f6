"""What a service spares its collector."""

import contextlib
import gc
import weakref
from collections.abc import Iterator

import pytest

from marengocam.runtime.memory import spare_what_stays, uncollected


@pytest.fixture(autouse=True)
def _only_here() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_loaded_stays_out_of_later_collections_and_what_is_garbage_goes_first() -> None:
    class Knot:
        def __init__(self) -> None:
            self.itself = self

    kept, garbage = Knot(), weakref.ref(Knot())
    spare_what_stays()
    assert garbage() is None
    assert not any(one is kept for one in gc.get_objects())
    assert gc.get_freeze_count() > 0


def test_nothing_is_collected_within_a_block_and_again_after_it_also_when_it_fails() -> None:
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    with contextlib.suppress(LookupError), uncollected():
        raise LookupError
    assert gc.isenabled()
