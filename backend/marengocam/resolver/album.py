"""All looks by one model that the tracks of a turn may be compared with, as columns that grow while it decides."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import numpy as np

from marengocam.core.identity import KnownLook, Looks
from marengocam.core.model import Vector

NOBODY = -1


class Album:
    """Looks of one kind, model and size."""

    def __init__(self, looks: Sequence[KnownLook], owner_of: Callable[[KnownLook], UUID], size: int, room: int) -> None:
        """Take in `looks` with vectors of `size` numbers, and leave room for so many more."""
        capacity = len(looks) + room
        self._owner_of = owner_of
        self._keys: list[UUID] = []
        self._codes: dict[UUID, int] = {}
        self.looks: list[KnownLook] = []
        self._vectors = np.zeros((capacity, size), np.float32)
        self._numbers = np.zeros((3, capacity))  # quality, seconds, trust
        self._owner = np.full(capacity, NOBODY)
        self._identity = np.full(capacity, NOBODY)
        self._track = np.full(capacity, NOBODY)
        self._kept = np.zeros(capacity, bool)
        if looks:
            self._vectors[: len(looks)] = unit(np.stack([look.vector for look in looks]))
            self._numbers[:, : len(looks)] = np.array([(look.quality, look.at_s, look.trust) for look in looks]).T
        for look in looks:
            self._place(look)

    def add(self, look: KnownLook) -> None:
        """Take in one more look."""
        place = len(self.looks)
        self._vectors[place] = unit(look.vector[None])[0]
        self._numbers[:, place] = (look.quality, look.at_s, look.trust)
        self._place(look)

    def _place(self, look: KnownLook) -> None:
        place = len(self.looks)
        self.looks.append(look)
        self._owner[place] = self._code(self._owner_of(look))
        # A lasting face stands for its person only, wherever it was seen.
        if look.identity_id is not None and not lasting(look):
            self._identity[place] = self._code(look.identity_id)
        if look.local_track_id is not None:
            self._track[place] = self._code(look.local_track_id)
        self._kept[place] = True

    def drop_track(self, local_track_id: UUID) -> None:
        """Leave out what a track showed before; pictures that were enrolled stay."""
        code = self._codes.get(local_track_id)
        if code is None:
            return
        for place in np.flatnonzero(self._kept & (self._track == code)).tolist():
            self._kept[place] = self.looks[place].source == "enrolled"

    def give(self, identity_id: UUID, owner: UUID) -> None:
        """Have the looks of an identity stand for somebody else, such as the person that it turned out to be."""
        code = self._codes.get(identity_id)
        if code is not None:
            self._owner[self._identity == code] = self._code(owner)

    def trim(self, identity_id: UUID, most: int) -> None:
        """Keep an identity's newest passing looks; faces that a human spoke about stay first."""
        code = self._codes.get(identity_id)
        if code is None:
            return
        passing = np.flatnonzero(self._kept & (self._identity == code)).tolist()
        if len(passing) <= most:
            return
        passing.sort(key=lambda place: _precedence(self.looks[place]))
        self._kept[passing[most:]] = False

    def compare(self, vector: Vector, model: str, but: UUID, identity_ids: Iterable[UUID]) -> Looks:
        """Return how like a track's vector the looks of these identities, and all lasting ones, are; not its own."""
        allowed = np.zeros(len(self._keys) + 1, bool)
        allowed[[code for code in map(self._codes.get, identity_ids) if code is not None]] = True
        filled = len(self.looks)
        here = self._identity[:filled]
        chosen = self._kept[:filled] & ((here == NOBODY) | allowed[here])
        own = self._codes.get(but)
        if own is not None:
            chosen &= self._track[:filled] != own
        places = np.flatnonzero(chosen)
        cosines = (self._vectors[places] @ np.asarray(vector, np.float32)).astype(np.float64)
        usable = np.isfinite(cosines)
        places, cosines = places[usable], cosines[usable]
        qualities, at_s, trusts = self._numbers[:, places]
        return Looks(
            model, tuple(self._keys), self._owner[places], np.clip(cosines, -1.0, 1.0), qualities, at_s, trusts
        )

    def looks_of(self, identity_id: UUID) -> list[KnownLook]:
        """Return an identity's passing looks."""
        code = self._codes.get(identity_id)
        if code is None:
            return []
        return [self.looks[place] for place in np.flatnonzero(self._kept & (self._identity == code)).tolist()]

    def _code(self, key: UUID) -> int:
        code = self._codes.setdefault(key, len(self._keys))
        if code == len(self._keys):
            self._keys.append(key)
        return code


def lasting(look: KnownLook) -> bool:
    """Return whether a look is in a person's gallery for good."""
    return look.person_id is not None and look.kind == "face"


def _precedence(look: KnownLook) -> tuple[bool, float, int]:
    return (not (look.kind == "face" and look.human), -look.at_s, look.exemplar_id.int)


def unit(vectors: Vector) -> Vector:
    """Return rows of unit length; they are kept at half precision and come back a little off it."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
