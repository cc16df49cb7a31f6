"""What surrounds the tracks of one turn, kept up while its decisions fall: each sees those before it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import numpy as np

from marengocam.core.identity import (
    Assignment,
    ClaimedTrack,
    ExemplarWrite,
    Floats,
    Looks,
    Outcome,
    Portraits,
    Sight,
    Surroundings,
    Vicinity,
)
from marengocam.core.model import Embedding, LocalTrack
from marengocam.core.register import NOBODY, Register
from marengocam.db.looks_left import moved
from marengocam.db.turn import HUMAN, OBSERVED_LIMIT
from marengocam.db.vicinity import SIGHTS_LIMIT
from marengocam.resolver.album import Album, Listed
from marengocam.resolver.engine_words import EngineWords
from marengocam.resolver.fusion import clothes_ratios, past_appearance_ratios, past_face_ratios
from marengocam.resolver.likeness import Pair, alike_clothes, alike_faces, like_it
from marengocam.resolver.likest import LikestLooks
from marengocam.resolver.past import PastLikeness
from marengocam.resolver.seen import Seen, of_late
from marengocam.resolver.shown import Compared, Key, ShownFaces
from marengocam.resolver.ways import VISIT_GAP_S

ALIKE_COSINE = 0.25  # of faces: below, no model at hand speaks for anybody
CONFIRMED_FACES_LIMIT = 20  # that the resolver takes into a person's gallery by itself, of each model
_NOBODY: frozenset[UUID] = frozenset()


class Neighbourhood:
    """Sights, galleries and assignments after the decisions so far; the hub is written at the turn's end."""

    def __init__(self, vicinity: Vicinity, claimed: Sequence[ClaimedTrack], window: timedelta) -> None:
        self._vicinity = vicinity
        self._window_s = window.total_seconds()
        self._individuals = Register()
        self._person_of = dict(vicinity.person_of)
        self._tracks_of = Counter[UUID]()
        for one in claimed:
            if one.assignment is not None:
                self._tracks_of[one.assignment.identity_id] = one.others + 1
                self._person_of.setdefault(one.assignment.identity_id, one.assignment.person_id)
        self._named = {one: whom for one, whom in self._person_of.items() if whom is not None}
        self._room = len(claimed)
        self._joined: dict[UUID, UUID] = {}
        self._spoken_about = vicinity.spoken_about
        self._words = EngineWords(vicinity.words, vicinity.persons)
        self._seen = Seen(vicinity.sights, self._person_of, self._spoken_about, self._individuals)
        self._compared_faces: Compared = {}
        self._albums: dict[Key, Album] = {
            (looks.kind, looks.model, looks.vectors.shape[1]): Album.of(
                looks, self._room, self._owner_of, self._individuals
            )
            for looks in vicinity.looks
        }

    def assignment(self, claimed: ClaimedTrack) -> Assignment | None:
        """Return what was decided about a track before, as this turn's decisions have left it."""
        before = claimed.assignment
        if before is None:
            return None
        identity_id = self._identity(before.identity_id)
        alone = self._tracks_of[identity_id] <= 1
        return replace(before, identity_id=identity_id, person_id=self._person_of[identity_id], alone=alone)

    def surroundings(self, track: LocalTrack) -> Surroundings:
        """Return what a decision on one track may rest on."""
        from_s, to_s = track.first_seen_at.timestamp() - self._window_s, track.last_seen_at.timestamp() + self._window_s
        columns = self._seen.between(from_s, to_s, track.local_track_id, SIGHTS_LIMIT)
        sights = columns.sights
        known = self._vicinity
        around = np.zeros(len(self._individuals.ids) + 1, bool)  # one more: nobody never is
        around[columns.identity] = True
        called = self._called(around)
        near = around | self._individuals.listed(
            map(self._identity, known.strangers.get(track.local_track_id, _NOBODY))
        )
        faces = self._compared("face", track.face, track, near, called)
        appearances = self._compared("appearance", track.appearance, track, around, called)
        past_faces, past_clothes = self._past(track, faces, sights)
        clothes = None
        if track.appearance is not None and appearances is not None:
            clothes = clothes_ratios(track.appearance, appearances)
        alike_faces, alike_clothes, alike_others = self._visitors(track, appearances, clothes, sights)
        return Surroundings(
            sights=sights,
            columns=columns,
            persons=known.persons,
            faces=faces,
            appearances=appearances,
            clothes=clothes,
            denied=known.denied,
            ignored=known.ignored,
            spoken_about=self._spoken_about,
            called=called,
            shown=ShownFaces(self._albums, track, called, sights, self._words.but(track), self._compared_faces),
            past_faces=past_faces,
            past_clothes=past_clothes,
            alike_faces=alike_faces,
            alike_clothes=alike_clothes,
            alike_others=alike_others,
            likest=LikestLooks(self._albums, track),
        )

    def with_room(self, outcome: Outcome) -> Outcome:
        """Return an outcome whose faces are to last only while the person's gallery has room for them."""
        if all(one.person_id is None for one in outcome.exemplars):
            return outcome
        return replace(outcome, exemplars=tuple(self._with_room(one) for one in outcome.exemplars))

    def take_in(self, outcome: Outcome) -> None:
        """Have the next decisions see this one."""
        identity_id = outcome.identity_id
        if identity_id is None:
            return
        before = outcome.claimed.assignment
        human = before is not None and before.decided_by == HUMAN
        trust = 1.0 if human else float(outcome.evidence.get("trust", outcome.probability))
        self._name(identity_id, outcome)
        self._words.take_in(outcome.claimed.track, identity_id)
        self._see(outcome.claimed.track, identity_id, trust, again=before is not None)
        for album in self._albums.values():
            album.drop_track(outcome.claimed.track.local_track_id)
        for one in outcome.exemplars:
            self._keep(one, 1.0 if one.person_id is not None else trust, human=human)
        if human:
            self._spoken_about |= {identity_id}
            self._seen.speak(self._spoken_about)
            self._settle(identity_id)
        if outcome.joined_identity_id is not None:
            self._join(outcome.joined_identity_id, identity_id)
            before = self.assignment(outcome.claimed)
        if moved(outcome):
            if before is not None:
                self._tracks_of[before.identity_id] -= 1
            self._tracks_of[identity_id] += 1
        if moved(outcome) or outcome.joined_identity_id is not None:
            for album in self._albums.values():
                album.trim(identity_id, OBSERVED_LIMIT)

    def brought_back(self, outcome: Outcome) -> bool:
        """Return whether a decision may have others of its identity looked at again: it found their name.

        Be these long gone: what engines called them counts from now on, and was not read.
        """
        return outcome.wake_identity and outcome.identity_id is not None

    def _identity(self, identity_id: UUID) -> UUID:
        """Return what has become of an identity in this turn."""
        while identity_id in self._joined:
            identity_id = self._joined[identity_id]
        return identity_id

    def _join(self, identity_id: UUID, into_id: UUID) -> None:
        self._joined[identity_id] = into_id
        self._tracks_of[into_id] += self._tracks_of.pop(identity_id, 0)
        self._seen.join(identity_id, into_id)
        self._words.join(identity_id, into_id)
        for album in self._albums.values():
            album.join(identity_id, into_id)

    def _name(self, identity_id: UUID, outcome: Outcome) -> None:
        """Whom an earlier decision or a human named it an identity stays, unless the name is taken back."""
        if outcome.unnamed:
            self._unname(identity_id)
            return
        known, person_id = self._person_of.get(identity_id), outcome.person_id
        self._person_of[identity_id] = known or person_id
        if known is not None or person_id is None:
            return
        self._named[identity_id] = person_id
        self._seen.name(identity_id, person_id)
        self._settle(identity_id)

    def _unname(self, identity_id: UUID) -> None:
        self._person_of[identity_id] = None
        self._named.pop(identity_id, None)
        self._seen.name(identity_id, None)
        for album in self._albums.values():
            album.take_back(identity_id)

    def _settle(self, identity_id: UUID) -> None:
        """Have an identity's looks stand for whom a human named it."""
        for album in self._albums.values():
            album.give(identity_id, self._owner_of(None, identity_id))

    def _see(self, track: LocalTrack, identity_id: UUID, trust: float, *, again: bool) -> None:
        seen = Sight(
            track.local_track_id,
            identity_id,
            self._person_of[identity_id],
            track.camera_id,
            track.first_seen_at.timestamp(),
            track.last_seen_at.timestamp(),
            trust,
            track.path,
        )
        self._seen.see(seen, again=again)

    def _keep(self, one: ExemplarWrite, trust: float, *, human: bool) -> None:
        key = (one.kind, one.embedding.model, len(one.embedding.vector))
        if key not in self._albums:
            self._albums[key] = Album(*key, self._room, self._owner_of, self._individuals)
        self._albums[key].add(one, trust, human=human)

    def _called(self, around: Listed) -> dict[UUID, UUID]:
        """Return whom the resolver named some of those around; those that a human named are left out."""
        codes, named = self._individuals.codes, self._named.items()
        listed = [(one, whom) for one, whom in named if around[codes.get(one, NOBODY)]]
        return {one: whom for one, whom in listed if one not in self._spoken_about}

    def _compared(
        self,
        kind: str,
        embedding: Embedding | None,
        track: LocalTrack,
        identities: Listed,
        called: Collection[UUID],
    ) -> Looks | None:
        album = self._album(kind, embedding)
        if embedding is None or album is None:
            return None
        return album.compare(embedding.vector, track.local_track_id, identities, called)

    def _album(self, kind: str, embedding: Embedding | None) -> Album | None:
        return self._albums.get((kind, embedding.model, len(embedding.vector))) if embedding is not None else None

    def _past(
        self, track: LocalTrack, faces: Looks | None, sights: Sequence[Sight]
    ) -> tuple[Mapping[Pair, float], Mapping[Pair, float]]:
        """Return whether those of this visit are others unknown whose face the track shows: by faces and clothes."""
        if track.face is None or faces is None:
            return {}, {}
        alike = {faces.owners[code] for code in faces.owner[faces.cosines >= ALIKE_COSINE].tolist()}
        alike -= {one.person_id for one in self._vicinity.persons}
        at_s = track.first_seen_at.timestamp()
        late = of_late(sights, at_s - VISIT_GAP_S)
        visiting = {one.identity_id for one in late if one.first_s - at_s <= VISIT_GAP_S}
        here = {one for one in visiting if self._person_of.get(one) is None}
        strangers = here, {one for one in alike if self._person_of.get(one) is None}

        def clothes(looks: Looks, qualities: Floats) -> Floats:
            return past_appearance_ratios(looks, qualities, at_s)

        own = track.local_track_id
        album, wardrobe = self._album("face", track.face), self._album("appearance", track.appearance)
        return (
            PastLikeness(album, own, *strangers, past_face_ratios) if album is not None else {},
            PastLikeness(wardrobe, own, *strangers, clothes) if wardrobe is not None else {},
        )

    def _visitors(
        self, track: LocalTrack, appearances: Looks | None, clothes: Floats | None, sights: Sequence[Sight]
    ) -> tuple[Mapping[Pair, float], Mapping[Pair, float], Mapping[Pair, float]]:
        """Return how alike those unknown of this visit are whom the track is like: faces, clothes, others' clothes."""
        if track.appearance is None or appearances is None or clothes is None:
            return {}, {}, {}
        first_s, last_s = track.first_seen_at.timestamp(), track.last_seen_at.timestamp()
        unknown = [one for one in of_late(sights, first_s - VISIT_GAP_S) if one.person_id is None]
        visiting = {one.identity_id for one in unknown if one.first_s - first_s <= VISIT_GAP_S}
        like = sorted(visiting & like_it(appearances, clothes)) if len(visiting) > 1 else []
        if len(like) < 2:
            return {}, {}, {}
        in_view = {one.identity_id for one in unknown if one.last_s >= first_s and one.first_s <= last_s}
        faces = self._portraits("face", track.face, track, like)
        outfits = self._portraits("appearance", track.appearance, track, sorted({*like, *in_view}))
        if outfits is None:
            return {}, {}, {}
        alike = alike_clothes(outfits)
        chosen = {pair: alike.with_track[pair] for pair in permutations(like, 2) if pair in alike.with_track}
        return alike_faces(faces).with_track if faces is not None else {}, chosen, alike.apart

    def _portraits(
        self, kind: str, own: Embedding | None, track: LocalTrack, identity_ids: Sequence[UUID]
    ) -> Portraits | None:
        album = self._album(kind, own)
        if own is None or album is None:
            return None
        return album.portraits(own, track.last_seen_at.timestamp(), track.local_track_id, identity_ids)

    def _owner_of(self, person_id: UUID | None, identity_id: UUID | None) -> UUID:
        if person_id is not None:
            return person_id
        if identity_id is None:
            raise LookupError("a look stands for nobody")
        named = self._person_of.get(identity_id) if identity_id in self._spoken_about else None
        return named or identity_id

    def _with_room(self, one: ExemplarWrite) -> ExemplarWrite:
        if one.person_id is None:
            return one
        albums = [album for key, album in self._albums.items() if key[:2] == (one.kind, one.embedding.model)]
        taken = set[UUID]().union(*(album.confirmed_of(one.person_id) for album in albums)) - {one.exemplar_id}
        full = len(taken) >= CONFIRMED_FACES_LIMIT
        return replace(one, person_id=None, source="observed") if full else one
