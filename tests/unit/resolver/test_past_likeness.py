"""Likeness of looks of before is worked out when it is asked for, and only of those it was made for."""

from uuid import UUID, uuid4

import numpy as np
from tests.support.resolver_scenes import FACE_MODEL

from marengocam.core.identity import KnownLooks
from marengocam.resolver.album import Album
from marengocam.resolver.fusion import past_face_ratios
from marengocam.resolver.past import PastLikeness

ONE, LIKE, UNLIKE, UNASKED = (UUID(int=number) for number in range(1, 5))
DIRECTIONS = {ONE: 0, LIKE: 0, UNLIKE: 1, UNASKED: 0}


def album(tracks: dict[UUID, UUID]) -> Album:
    count = len(tracks)
    looks = KnownLooks(
        kind="face", model=FACE_MODEL, exemplar_ids=[uuid4() for _ in tracks],
        vectors=np.eye(8, dtype=np.float32)[[DIRECTIONS[one] for one in tracks]], qualities=[0.9] * count,
        at_s=[0.0] * count, trusts=[1.0] * count, person_ids=[None] * count, identity_ids=list(tracks),
        local_track_ids=list(tracks.values()), sources=["observed"] * count, humans=[False] * count,
    )  # fmt: skip
    return Album.of(looks, 0, lambda _person, identity: identity)


def test_only_pairs_that_were_meant_are_there_and_the_alike_speak_for_it() -> None:
    tracks = {one: uuid4() for one in DIRECTIONS}
    likeness = PastLikeness(album(tracks), uuid4(), [ONE], [ONE, LIKE, UNLIKE], past_face_ratios)
    assert likeness[ONE, LIKE] > 0 > likeness[ONE, UNLIKE]
    assert dict(likeness).keys() == {(ONE, LIKE), (ONE, UNLIKE)}
    for pair in ((ONE, UNASKED), (ONE, ONE), (LIKE, ONE)):
        assert pair not in likeness


def test_looks_of_the_track_itself_do_not_count() -> None:
    tracks = {one: uuid4() for one in DIRECTIONS}
    likeness = PastLikeness(album(tracks), tracks[ONE], [ONE], [LIKE], past_face_ratios)
    assert (ONE, LIKE) not in likeness
    assert len(likeness) == 0
