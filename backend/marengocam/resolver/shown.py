"""What all faces that an identity showed say of its being a person, with those that a track shows and without."""

from collections.abc import Mapping, Sequence
from math import log
from uuid import UUID

from marengocam.core.calibration import face_fit
from marengocam.core.identity import Floats, Shown, Sight
from marengocam.core.model import LocalTrack
from marengocam.resolver.album import Album
from marengocam.resolver.composites import arriving
from marengocam.resolver.engine_words import Told
from marengocam.resolver.fusion import MOST_TRUST, name_cue
from marengocam.resolver.naming import Portfolio, likelihoods, portfolio_of

Key = tuple[str, str, int]  # kind, model, numbers in a vector
# Of a model, faces shown and a gallery: log-likelihoods, and what they say by themselves
Compared = dict[tuple[str, bytes, bytes], tuple[Floats, float]]


class ShownFaces:
    """Faces of identities around a track against those that stand for persons; worked out when a pair is asked for.

    Of whom the resolver named, engines' words about the tracks before count with them. Ask before the decision is taken
    in: that changes the albums.
    """

    def __init__(
        self,
        albums: Mapping[Key, Album],
        track: LocalTrack,
        called: Mapping[UUID, UUID],
        sights: Sequence[Sight],
        told: Told,
        compared: Compared,
    ) -> None:
        """Take whom the resolver `called` identities; `sights` tell how sure it was of their tracks.

        What was `compared` before in the same albums need not be again.
        """
        self._albums = albums
        self._track = track
        self._called = called
        self._sights = sights
        self._told = told
        self._faces = compared
        face = track.face
        self._own = portfolio_of(face) if face is not None else None
        self._keys = [
            one
            for one in sorted(albums)
            if one[0] == "face" and (face is None or one[1:] == (face.model, len(face.vector)))
        ]
        self._alone: Compared = {}  # the track's face by itself
        self._galleries: dict[tuple[Key, UUID], Portfolio | None] = {}
        self._known: dict[tuple[UUID, UUID], Shown | None] = {}

    def __call__(self, identity_id: UUID, person_id: UUID) -> Shown | None:
        """Return what the faces say; None: there are none to compare."""
        pair = identity_id, person_id
        if pair not in self._known:
            self._known[pair] = self._compared(*pair) or self._told_before(*pair)
        return self._known[pair]

    def _compared(self, identity_id: UUID, person_id: UUID) -> Shown | None:
        own = self._own
        said, more = self._said(identity_id, person_id)
        for key in self._keys:
            model = key[1]
            gallery = self._gallery(key, person_id)
            shown = self._albums[key].shown(identity_id, self._track.local_track_id) if gallery is not None else None
            if gallery is None:
                continue
            if shown is None:
                if own is None or not said:
                    continue
                return Shown(said, _weighed(self._alone, model, own, gallery)[1] + more, 1)
            before, ratio = _weighed(self._faces, model, shown, gallery)
            if own is None:
                return Shown(ratio + said, ratio + more, len(shown.qualities))
            together = face_fit(model).together(before + _weighed(self._alone, model, own, gallery)[0])
            return Shown(ratio + said, together + more, len(shown.qualities) + 1)
        return None

    def _said(self, identity_id: UUID, person_id: UUID) -> tuple[float, float]:
        """Return what engines' words say of whom the resolver named, and what of it the track's own does not say."""
        if self._called.get(identity_id) != person_id:
            return 0.0, 0.0
        said, own, name = self._told.of(identity_id, person_id), self._track.name_evidence, self._told.names[person_id]
        return said, max(said - max(name_cue(own, name).log_ratio, 0.0), 0.0) if own is not None else said

    def _gallery(self, key: Key, person_id: UUID) -> Portfolio | None:
        pair = key, person_id
        if pair not in self._galleries:
            album, but = self._albums[key], self._track.local_track_id
            self._galleries[pair] = album.gallery(person_id, but, self._called)
        return self._galleries[pair]

    def _told_before(self, identity_id: UUID, person_id: UUID) -> Shown | None:
        """Take a name that no face can be held against, as of an engine that tells names only, as it was told."""
        if self._called.get(identity_id) != person_id:
            return None
        told = max((one.probability for one in self._sights if one.identity_id == identity_id), default=0.0)
        probability = min(told, MOST_TRUST)
        if probability <= 0:
            return None
        face = self._track.face
        key = ("face", face.model, len(face.vector)) if face is not None else None
        if key is not None and key in self._albums and self._gallery(key, person_id) is not None:
            return None
        ratio = log(probability / (1 - probability)) - arriving(len(self._told.names))
        return Shown(ratio, ratio, 0)


def _weighed(compared: Compared, model: str, shown: Portfolio, gallery: Portfolio) -> tuple[Floats, float]:
    key = model, shown.key, gallery.key
    if key not in compared:
        found = likelihoods(model, shown, gallery)
        compared[key] = found, face_fit(model).together(found)
    return compared[key]
