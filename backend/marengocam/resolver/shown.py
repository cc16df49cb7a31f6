"""What all faces that an identity showed say of its being a person, with those that a track shows and without."""

from collections.abc import Mapping
from math import log
from uuid import UUID

from marengocam.core.identity import Shown
from marengocam.core.model import LocalTrack
from marengocam.resolver.album import Album
from marengocam.resolver.composites import arriving
from marengocam.resolver.naming import faces_log_ratio, with_own

Key = tuple[str, str, int]  # kind, model, numbers in a vector


class ShownFaces:
    """Faces of identities around a track against those that stand for persons; worked out when a pair is asked for.

    Ask before the decision is taken in: that changes the albums.
    """

    def __init__(
        self,
        albums: Mapping[Key, Album],
        track: LocalTrack,
        called: Mapping[UUID, UUID],
        told: Mapping[UUID, float],
        persons: int,
    ) -> None:
        """Take whom the resolver `called` identities, and how sure it was of their tracks when it `told`."""
        self._albums = albums
        self._track = track
        self._called = called
        self._told = told
        self._persons = persons
        self._known: dict[tuple[UUID, UUID], Shown | None] = {}

    def __call__(self, identity_id: UUID, person_id: UUID) -> Shown | None:
        """Return what the faces say; None: there are none to compare."""
        pair = identity_id, person_id
        if pair not in self._known:
            self._known[pair] = self._compared(*pair) or self._told_before(*pair)
        return self._known[pair]

    def _compared(self, identity_id: UUID, person_id: UUID) -> Shown | None:
        own, but = self._track.face, self._track.local_track_id
        for kind, model, size in sorted(self._albums):
            if kind != "face" or (own is not None and (model, size) != (own.model, len(own.vector))):
                continue
            album = self._albums[kind, model, size]
            gallery = album.gallery(person_id, but, {*self._called, identity_id})
            shown = album.shown(identity_id, but) if gallery is not None else None
            if gallery is None or shown is None:
                continue
            before = faces_log_ratio(model, shown, gallery)
            together = faces_log_ratio(model, with_own(shown, own), gallery) if own is not None else before
            return Shown(before, together, len(shown.qualities) + (own is not None))
        return None

    def _told_before(self, identity_id: UUID, person_id: UUID) -> Shown | None:
        """Take a name that rests on no face that is kept, as of an engine that tells names only, as it was told."""
        probability = self._told.get(identity_id, 0.0)
        if self._track.face is not None or self._called.get(identity_id) != person_id or not 0 < probability < 1:
            return None
        ratio = log(probability / (1 - probability)) - arriving(self._persons)
        return Shown(ratio, ratio, 0)
