"""What face engines without embeddings called the tracks around, kept up while the decisions of a turn fall."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from marengocam.core.identity import EngineWord, KnownPerson
from marengocam.core.model import LocalTrack
from marengocam.resolver.fusion import name_cue


class Told(NamedTuple):
    """What engines called the tracks around but one, and what persons are called."""

    names: Mapping[UUID, str]
    words: Sequence[EngineWord]

    def of(self, identity_id: UUID, person_id: UUID) -> float:
        """Return what the strongest of these words says of an identity's being the person: one engine errs alike."""
        name = self.names.get(person_id)
        if name is None or not self.words:
            return 0.0
        own = [one.evidence for one in self.words if one.identity_id == identity_id]
        return max((name_cue(one, name).log_ratio for one in own), default=0.0)


class EngineWords:
    """Words by track, each with the identity that the track is of now."""

    def __init__(self, words: Mapping[UUID, EngineWord], persons: Sequence[KnownPerson]) -> None:
        self._words = dict(words)
        self._names = {person.person_id: person.name for person in persons}

    def but(self, track: LocalTrack) -> Told:
        """Return all that was said of others than this track."""
        return Told(self._names, [word for one, word in self._words.items() if one != track.local_track_id])

    def take_in(self, track: LocalTrack, identity_id: UUID) -> None:
        """Have what is said of a track, if anything, count for the identity that it is of."""
        self._words.pop(track.local_track_id, None)
        if track.name_evidence is not None:
            self._words[track.local_track_id] = EngineWord(identity_id, track.name_evidence)

    def join(self, identity_id: UUID, into_id: UUID) -> None:
        """Have what is said of an identity's tracks count for another."""
        for track_id, one in self._words.items():
            if one.identity_id == identity_id:
                self._words[track_id] = one._replace(identity_id=into_id)
