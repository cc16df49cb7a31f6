"""All looks by one model that the tracks of a turn may be compared with, as columns that grow while it decides."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

from marengocam.core.identity import ExemplarWrite, Floats, KnownLooks, Looks, Places, Portraits
from marengocam.core.model import Embedding, Vector
from marengocam.core.register import NOBODY, Register
from marengocam.resolver.naming import Portfolio

Listed = npt.NDArray[np.bool_]  # by number of individual, who is among some; one more place, for nobody
OwnerOf = Callable[[UUID | None, UUID | None], UUID]  # of a look: person whose for good, identity it was seen on


class Kept(NamedTuple):
    """Some looks of an album; columns, an entry for each."""

    vectors: Vector  # of unit length, a row for each
    qualities: Floats
    at_s: Floats
    exemplar_ids: Sequence[UUID]
    local_track_ids: Sequence[UUID | None]  # on which each was seen; None: enrolled, or the track is gone


class Album:
    """Looks of one kind, model and size."""

    def __init__(
        self, kind: str, model: str, size: int, room: int, owner_of: OwnerOf, individuals: Register | None = None
    ) -> None:
        """Leave room for so many vectors of `size` numbers; None: `individuals` are numbered for this album alone."""
        self._lasts = kind == "face"  # a face that stands for a person does so wherever it was seen
        self._model = model
        self._owner_of = owner_of
        self.individuals = Register() if individuals is None else individuals
        self._tracks = Register()
        self._exemplar_ids: list[UUID] = []
        self._local_track_ids: list[UUID | None] = []
        self._person_ids: list[UUID | None] = []
        self._sources: list[str] = []
        self._humans: list[bool] = []
        self._vectors = np.zeros((room, size), np.float32)
        self._numbers = np.zeros((3, room))  # quality, seconds, trust
        self._owner = np.full(room, NOBODY)
        self._identity = np.full(room, NOBODY)  # of passing looks
        self._seen_on = np.full(room, NOBODY)  # of lasting ones, too
        self._track = np.full(room, NOBODY)
        self._kept = np.zeros(room, bool)

    @classmethod
    def of(cls, looks: KnownLooks, more: int, owner_of: OwnerOf, individuals: Register | None = None) -> "Album":
        """Return an album of these looks with room for some more."""
        count, size = looks.vectors.shape
        album = cls(looks.kind, looks.model, size, count + more, owner_of, individuals)
        album._exemplar_ids += looks.exemplar_ids
        album._local_track_ids += looks.local_track_ids
        album._person_ids += looks.person_ids
        album._sources += looks.sources
        album._humans += looks.humans
        album._vectors[:count] = unit(looks.vectors)
        album._numbers[:, :count] = looks.qualities, looks.at_s, looks.trusts
        lasting = looks.person_ids if album._lasts else [None] * count
        stays = np.array([one is not None for one in lasting], bool)
        album._owner[:count] = album.individuals.coded(map(owner_of, lasting, looks.identity_ids))
        album._seen_on[:count] = album.individuals.coded(looks.identity_ids)
        album._identity[:count] = np.where(stays, NOBODY, album._seen_on[:count])
        album._track[:count] = album._tracks.coded(looks.local_track_ids)
        album._kept[:count] = True
        return album

    def add(self, one: ExemplarWrite, trust: float, *, human: bool) -> None:
        """Take in one more look; `human`: a human decided on its track."""
        place = len(self._exemplar_ids)
        self._exemplar_ids.append(one.exemplar_id)
        self._local_track_ids.append(one.local_track_id)
        self._person_ids.append(one.person_id)
        self._sources.append(one.source)
        self._humans.append(human)
        self._vectors[place] = unit(one.embedding.vector[None])[0]
        self._numbers[:, place] = one.embedding.quality, one.created_at.timestamp(), trust
        self._track[place] = self._tracks.code(one.local_track_id)
        lasting = one.person_id if self._lasts else None
        self._owner[place] = self.individuals.code(self._owner_of(lasting, one.identity_id))
        self._seen_on[place] = self.individuals.code(one.identity_id)
        if lasting is None:
            self._identity[place] = self._seen_on[place]
        self._kept[place] = True

    def drop_track(self, local_track_id: UUID) -> None:
        """Leave out what a track showed before; pictures that were enrolled stay."""
        code = self._tracks.codes.get(local_track_id)
        if code is None:
            return
        for place in np.flatnonzero(self._kept & (self._track == code)).tolist():
            self._kept[place] = self._sources[place] == "enrolled"

    def give(self, identity_id: UUID, owner: UUID) -> None:
        """Have the looks of an identity stand for somebody else, such as the person that it turned out to be."""
        code = self.individuals.codes.get(identity_id)
        if code is not None:
            self._owner[self._identity == code] = self.individuals.code(owner)

    def join(self, identity_id: UUID, into_id: UUID) -> None:
        """Have the looks of an identity be of another."""
        code = self.individuals.codes.get(identity_id)
        if code is not None:
            into = self.individuals.code(into_id)
            self._identity[self._identity == code] = into
            self._seen_on[self._seen_on == code] = into
            self._owner[self._owner == code] = into

    def trim(self, identity_id: UUID, most: int) -> None:
        """Keep an identity's newest passing looks, of faces the best; those that a human spoke about stay first."""
        passing = self._passing(identity_id).tolist()
        if len(passing) <= most:
            return
        passing.sort(key=self._precedence)
        self._kept[passing[most:]] = False

    def compare(self, vector: Vector, but: UUID, identities: Listed, called: Collection[UUID]) -> Looks:
        """Return how like a track's vector the looks of listed identities, and all lasting ones, are; not its own.

        What was seen on those `called` a person speaks for them alone, though it be in the person's gallery.
        """
        filled = len(self._exemplar_ids)
        cosines = (self._vectors[:filled] @ np.asarray(vector, np.float32)).astype(np.float64)
        places = np.flatnonzero(self._compared(identities, but) & np.isfinite(cosines))
        seen_on = self._seen_on.take(places)
        owner = self._owner.take(places)
        if called:
            owner = np.where(self.individuals.listed(called).take(seen_on), seen_on, owner)
        return self._looks(places, owner, np.maximum(np.minimum(cosines.take(places), 1.0), -1.0))

    def places_of(self, owners: Iterable[UUID], but: UUID) -> Places:
        """Return where looks stand that speak for these: persons by their lasting ones, the unknown by their own."""
        listed = self.individuals.listed(owners)
        owner = self._owner[: len(self._exemplar_ids)]
        return np.flatnonzero(self._compared(listed, but) & listed[owner])

    def passing_of(self, identity_id: UUID, but: UUID) -> Places:
        """Return where an identity's passing looks stand, but those of one track."""
        mine, own = self._passing(identity_id), self._tracks.codes.get(but)
        return mine[self._track[mine] != own] if own is not None else mine

    def kept(self, places: Places) -> Kept:
        """Return the looks at some places; those that are no numbers are left out."""
        usable = places[np.isfinite(self._vectors[places]).all(axis=1)].tolist()
        return Kept(
            self._vectors[usable],
            self._numbers[0, usable],
            self._numbers[1, usable],
            [self._exemplar_ids[place] for place in usable],
            [self._local_track_ids[place] for place in usable],
        )

    def across(self, identity_id: UUID, but: UUID, places: Places) -> tuple[Floats, Floats, Looks]:
        """Return the qualities and trusts of an identity's passing looks but those of one track, and how like they are.

        The cosines have a row for each of them, a column for each of the looks at `places`.
        """
        mine = self.passing_of(identity_id, but)
        cosines = (self._vectors[mine] @ self._vectors[places].T).astype(np.float64)
        usable = np.isfinite(cosines).all(axis=0)
        qualities, _, trusts = self._numbers[:, mine]
        likeness = np.maximum(np.minimum(cosines[:, usable], 1.0), -1.0)
        return qualities, trusts, self._looks(places[usable], self._owner[places[usable]], likeness)

    def gallery(self, person_id: UUID, but: UUID, but_seen_on: Iterable[UUID]) -> Portfolio | None:
        """Return the faces that stand for a person; None: there are none.

        Those of one track, and those that identities left which are to be held against them, do not count.
        """
        code = self.individuals.codes.get(person_id)
        return self._portfolio((self._owner == code) & ~self.individuals.listed(but_seen_on)[self._seen_on], but)

    def shown(self, identity_id: UUID, but: UUID) -> Portfolio | None:
        """Return all looks that were seen on an identity, but for one track's; None: there are none."""
        code = self.individuals.codes.get(identity_id)
        return self._portfolio(self._seen_on == code, but) if code is not None else None

    def take_back(self, identity_id: UUID) -> None:
        """Have the looks that were seen on an identity stand for it alone, not for whom it was taken."""
        code = self.individuals.codes.get(identity_id)
        if code is None:
            return
        for place in np.flatnonzero(self._seen_on == code).tolist():
            if self._sources[place] != "enrolled":
                self._sources[place], self._person_ids[place] = "observed", None
                self._owner[place] = self._identity[place] = code

    def _portfolio(self, chosen: npt.NDArray[np.bool_], but: UUID) -> Portfolio | None:
        places = np.flatnonzero(chosen & self._kept & (self._track != self._tracks.codes.get(but, NOBODY - 1)))
        return Portfolio(self._vectors[places], self._numbers[0, places], places.tobytes()) if len(places) else None

    def _compared(self, listed: Listed, but: UUID) -> npt.NDArray[np.bool_]:
        filled = len(self._exemplar_ids)
        identity = self._identity[:filled]
        compared = np.asarray(self._kept[:filled] & ((identity == NOBODY) | listed.take(identity)))
        own = self._tracks.codes.get(but)
        if own is not None:
            compared &= self._track[:filled] != own
        return compared

    def _looks(self, places: Places, owner: Places, cosines: Floats) -> Looks:
        qualities, at_s, trusts = self._numbers.take(places, axis=1)
        return Looks(
            self._model,
            self.individuals.ids,
            owner,
            cosines,
            qualities,
            at_s,
            trusts,
            places,
            self._exemplar_ids,
            self._local_track_ids,
        )

    def portraits(self, own: Embedding, at_s: float, but: UUID, identity_ids: Sequence[UUID]) -> Portraits | None:
        """Return a track's look and the passing looks of these identities; None: fewer than two of them have any."""
        code = self._tracks.codes.get(but)
        found = [
            (owner, place)
            for owner, one in enumerate(identity_ids)
            for place in self._passing(one).tolist()
            if self._track[place] != code
        ]
        owners, places = [owner for owner, _ in found], [place for _, place in found]
        if len(set(owners)) < 2:
            return None
        return Portraits(
            self._model,
            tuple(identity_ids),
            np.array(owners, np.intp),
            np.concatenate((unit(own.vector[None]), self._vectors[places])),
            *np.column_stack(((own.quality, at_s, 1.0), self._numbers[:, places])),
        )

    def confirmed_of(self, person_id: UUID) -> set[UUID]:
        """Return which looks the resolver took in for a person."""
        kept = self._kept[: len(self._exemplar_ids)].tolist()
        found = zip(self._exemplar_ids, self._person_ids, self._sources, kept, strict=True)
        return {one for one, whose, source, here in found if here and whose == person_id and source == "confirmed"}

    def _passing(self, identity_id: UUID) -> Places:
        code = self.individuals.codes.get(identity_id)
        return np.flatnonzero(self._kept & (self._identity == code) if code is not None else ())

    def _precedence(self, place: int) -> tuple[bool, float, float, float, int]:
        spoken_about = self._lasts and self._humans[place]
        quality, at_s, _ = self._numbers[:, place].tolist()
        best = quality if self._lasts else 0.0
        return (not spoken_about, -best, -at_s, -quality, self._exemplar_ids[place].int)


def unit(vectors: Vector) -> Vector:
    """Return rows of unit length; they are kept at half precision and come back a little off it."""
    # What `np.linalg.norm` gives, in half of its time where there is one row.
    lengths = np.sqrt(np.add.reduce(vectors * vectors, axis=1, keepdims=True))
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
