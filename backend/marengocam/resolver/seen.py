"""The sights around the tracks of one turn, newest first, with columns beside them that are kept up as it decides."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

import numpy as np

from marengocam.core.identity import Floats, Places, Sight, SightColumns
from marengocam.core.register import Register

MORE_SIGHTS = 64  # that columns have room for: more than a turn has tracks


class Seen:
    """Sights whose identities and persons change while decisions fall."""

    def __init__(
        self,
        sights: Iterable[Sight],
        named: Mapping[UUID, UUID | None],
        spoken_about: Collection[UUID],
        individuals: Register | None = None,
    ) -> None:
        """Take sights, whom identities are `named` (as it comes to be), and which of them a human spoke about.

        None: `individuals` are numbered for these sights alone.
        """
        self._sights = sorted(sights, key=Sight.newest_first)
        self._tracks = {one.local_track_id for one in self._sights}
        self._named = named
        self._spoken_about = spoken_about
        self._individuals = Register() if individuals is None else individuals
        self._owner: Places = np.zeros(0, np.intp)
        self._identity: Places = np.zeros(0, np.intp)
        self._firsts: Floats = np.zeros(0)
        self._lasts: Floats = np.zeros(0)
        self._camera_codes: dict[str, int] = {}
        self._cameras: Places = np.zeros(0, np.intp)
        self._fill()

    def between(self, from_s: float, to_s: float, but: UUID, most: int) -> SightColumns:
        """Return the newest that ended between two moments, so many at most, without a track's own."""
        first = bisect_left(self._sights, -to_s, key=_age_s)
        last = min(bisect_right(self._sights, -from_s, lo=first, key=_age_s), first + most + 1)
        sights = self._sights[first:last]
        own = None
        if but in self._tracks:
            own = next((place for place, one in enumerate(sights) if one.local_track_id == but), None)
        if own is not None:
            del sights[own]
        kept = np.arange(first, last) if own is None else np.delete(np.arange(first, last), own)
        kept = kept[:most]
        return SightColumns(
            tuple(sights[:most]),
            self._individuals,
            self._owner[kept],
            self._identity[kept],
            self._firsts[kept],
            self._lasts[kept],
            self._camera_codes,
            self._cameras[kept],
        )

    def see(self, seen: Sight, *, again: bool) -> None:
        """Take in what was decided on a track, in place of what was decided `again` on before."""
        self._tracks.add(seen.local_track_id)
        if again:
            self._sights = [one for one in self._sights if one.local_track_id != seen.local_track_id]
            insort(self._sights, seen, key=Sight.newest_first)
            self._fill()
            return
        place, count = bisect_left(self._sights, seen.newest_first(), key=Sight.newest_first), len(self._sights)
        if count == len(self._owner):
            self._fill()
        self._sights.insert(place, seen)
        code, identity = self._individuals.code(self._whose(seen)), self._individuals.code(seen.identity_id)
        camera = self._camera_codes.setdefault(seen.camera_id, len(self._camera_codes))
        for column, value in (
            (self._owner, code),
            (self._identity, identity),
            (self._firsts, seen.first_s),
            (self._lasts, seen.last_s),
            (self._cameras, camera),
        ):
            column[place + 1 : count + 1] = column[place:count]
            column[place] = value

    def name(self, identity_id: UUID, person_id: UUID | None) -> None:
        """Have an identity's sights be of a person, or of nobody known."""
        self._sights = [
            one._replace(person_id=person_id) if one.identity_id == identity_id else one for one in self._sights
        ]
        self._fill()

    def join(self, identity_id: UUID, into_id: UUID) -> None:
        """Have an identity's sights be of another."""
        self._sights = [
            one._replace(identity_id=into_id) if one.identity_id == identity_id else one for one in self._sights
        ]
        self._fill()

    def speak(self, spoken_about: Collection[UUID]) -> None:
        """Have these be whom a human spoke about."""
        self._spoken_about = spoken_about
        self._fill()

    def _fill(self) -> None:
        whose = [one.identity_id if one.person_id is None else self._whose(one) for one in self._sights]
        room = [0] * MORE_SIGHTS
        self._owner = np.array([*self._individuals.coded(whose), *room], np.intp)
        identities = self._individuals.coded(one.identity_id for one in self._sights)
        self._identity = np.array([*identities, *room], np.intp)
        self._firsts = np.array([*(one.first_s for one in self._sights), *room], np.float64)
        self._lasts = np.array([*(one.last_s for one in self._sights), *room], np.float64)
        self._cameras = np.array([*_coded(self._sights, self._camera_codes), *room], np.intp)

    def _whose(self, sight: Sight) -> UUID:
        """Return whom a sight tells of: the person, where a human said so, else the identity."""
        whose, person_id = sight.identity_id, sight.person_id
        if person_id is not None and (whose in self._spoken_about or self._named.get(whose) is None):
            return person_id
        return whose


def columns_of(sights: Sequence[Sight], whose: Sequence[UUID]) -> SightColumns:
    """Return columns of sights and `whose` each is."""
    ordered = sorted(zip(sights, whose, strict=True), key=lambda pair: pair[0].newest_first())
    sights = [one for one, _ in ordered]
    individuals = Register()
    owner = np.array(individuals.coded(one for _, one in ordered), np.intp)
    identity = np.array(individuals.coded(one.identity_id for one in sights), np.intp)
    firsts, lasts = np.array([one.first_s for one in sights]), np.array([one.last_s for one in sights])
    camera_codes: dict[str, int] = {}
    cameras = np.array(_coded(sights, camera_codes), np.intp)
    return SightColumns(tuple(sights), individuals, owner, identity, firsts, lasts, camera_codes, cameras)


def _coded(sights: Iterable[Sight], codes: dict[str, int]) -> list[int]:
    """Return the number of each sight's camera; those not met yet get the next ones."""
    return [codes.setdefault(one.camera_id, len(codes)) for one in sights]


def of_late(sights: Sequence[Sight], from_s: float) -> Sequence[Sight]:
    """Return the first ones of sights, newest first, that ended no earlier."""
    return sights[: bisect_right(sights, -from_s, key=_age_s)]


def _age_s(sight: Sight) -> float:
    return -sight.last_s
