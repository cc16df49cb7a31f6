"""Which looks of two unknown individuals speak most for their being one: the pictures that evidence shows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import numpy as np

from marengocam.core.calibration import appearance_log_ratios, face_log_ratios
from marengocam.core.identity import Floats
from marengocam.core.model import Embedding, LocalTrack
from marengocam.resolver.album import Album, Kept
from marengocam.resolver.cues import CueKind

Key = tuple[str, str, int]  # kind, model, numbers in a vector
KINDS = {CueKind.PAST_FACES: "face", CueKind.PAST_APPEARANCE: "appearance"}


class LikestLooks:
    """Looks of unknown individuals around a track; compared when evidence of a verdict asks.

    Ask before the decision is taken in: that changes the albums.
    """

    def __init__(self, albums: Mapping[Key, Album], track: LocalTrack) -> None:
        self._albums = albums
        self._track = track

    def __call__(self, cue: CueKind, one: UUID, other: UUID, *, visiting: bool) -> Mapping[str, Any]:
        """Return the look of the one and of the other that say most, as a cue's detail; empty: there are none.

        Of two of one visit the track's own look is one of the first's: then only the other's is named.
        """
        own = self._track.face if cue is CueKind.PAST_FACES else self._track.appearance
        album = self._albums.get((KINDS[cue], own.model, len(own.vector))) if own is not None else None
        if own is None or album is None:
            return {}
        but = self._track.local_track_id
        mine, theirs = album.kept(album.passing_of(one, but)), album.kept(album.places_of((other,), but))
        if visiting:
            mine = _with_own(mine, own, self._track.last_seen_at.timestamp())
        if not len(mine.qualities) or not len(theirs.qualities):
            return {}
        cosines = np.clip((mine.vectors @ theirs.vectors.T).astype(np.float64), -1.0, 1.0)
        ratios = self._weighed(cue, own.model, cosines, mine, theirs)
        first, second = divmod(int(np.lexsort((-cosines.ravel(), -ratios.ravel()))[0]), len(theirs.qualities))
        detail = {"model": own.model, "cosine": round(float(cosines[first, second]), 3), "compared": cosines.size}
        ours = _named("of", mine, first) if first < len(mine.exemplar_ids) else {}
        return detail | ours | _named("with", theirs, second)

    def _weighed(self, cue: CueKind, model: str, cosines: Floats, mine: Kept, theirs: Kept) -> Floats:
        qualities = mine.qualities[:, None], theirs.qualities[None, :]
        if cue is CueKind.PAST_FACES:
            return face_log_ratios(model, cosines, *qualities)
        return appearance_log_ratios(model, cosines, *qualities, np.abs(mine.at_s[:, None] - theirs.at_s[None, :]))


def _with_own(mine: Kept, own: Embedding, at_s: float) -> Kept:
    """Return looks with the track's own last; it has no name among them."""
    vector = own.vector / (np.linalg.norm(own.vector) or 1.0)
    return mine._replace(
        vectors=np.concatenate((mine.vectors, np.asarray(vector[None], np.float32))),
        qualities=np.append(mine.qualities, own.quality),
        at_s=np.append(mine.at_s, at_s),
    )


def _named(whose: str, looks: Kept, place: int) -> dict[str, str]:
    track_id = looks.local_track_ids[place]
    if track_id is not None:
        return {f"{whose}_track_id": str(track_id)}
    return {f"{whose}_exemplar_id": str(looks.exemplar_ids[place])}
