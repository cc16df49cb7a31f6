"""Those who have nothing for them but that they are about: who they are, and how likely a track is each of them."""

from collections.abc import Collection, Sequence
from uuid import UUID

import numpy as np

from marengocam.core.identity import CameraGraph, Floats, Places, Sight, SightColumns
from marengocam.core.model import LocalTrack
from marengocam.resolver.composites import RETURN_ODDS, STRANGER_ODDS
from marengocam.resolver.fusion import APPEARANCE_LIMIT, FACE_LIMIT
from marengocam.resolver.spacetime import CONTINUATION_S, PATH_SLACK_S, known_way
from marengocam.resolver.way_columns import way_ratios

RECENT_S = 120.0  # weight of an individual halves this long after its last sight
Said = tuple[list[int], list[float]]  # individuals by their number, and what looks say of each
NOTHING: Said = ([], [])
NEAR_S = CONTINUATION_S + PATH_SLACK_S  # seen so soon before or after, place may speak


class Crowd:
    """The unknown who are unlike, were seen long before or after, and did not come by a usual way.

    A track is weighed against more than a hundred of them: columns of their sights tell all that is needed.
    """

    def __init__(
        self,
        track: LocalTrack,
        columns: SightColumns,
        looks: Sequence[Said],
        apart: Collection[UUID],
        graph: CameraGraph,
    ) -> None:
        """Take sights, what faces and clothes say of some individuals, and who stands out whatever they say."""
        individuals, owner = columns.individuals, columns.owner
        everybody = len(individuals.ids)
        faces, appearances = np.zeros(everybody), np.zeros(everybody)
        about = np.zeros(everybody, bool)
        about[owner] = True
        for values, (own, ratios) in zip((faces, appearances), looks, strict=True):
            values[own] = ratios
            about[own] = True
        first_s, last_s = track.first_seen_at.timestamp(), track.last_seen_at.timestamp()
        firsts, lasts = columns.firsts, columns.lasts
        before = lasts < first_s - NEAR_S
        after = ~before & (firsts > last_s + NEAR_S)
        standing = (faces > 0) | (appearances > 0)
        standing[owner[~(before | after)]] = True
        standing[[code for code in map(individuals.codes.get, apart) if code is not None]] = True
        left_s, comes_s = np.full(everybody, -np.inf), np.full(everybody, np.inf)
        earlier = np.flatnonzero(before)[::-1]
        left_s[owner[earlier]] = lasts[earlier]  # the newest comes last and stays
        np.minimum.at(comes_s, owner[after], firsts[after])
        self._sights, self._owner, self._individuals = columns.sights, owner, individuals
        ways = self._ways(track, columns, np.flatnonzero(before & (lasts == left_s[owner]) & ~standing[owner]), graph)
        standing |= ways > 0
        weighed = ways + np.maximum(faces, FACE_LIMIT[0]) + np.maximum(appearances, APPEARANCE_LIMIT[0])
        apart_s = np.minimum(comes_s - first_s, first_s - left_s)
        passing = np.flatnonzero(about & ~standing)
        self._passing = passing.tolist()
        self._ratios = weighed[passing]
        self.standing_out = [individuals.ids[place] for place in np.flatnonzero(about & standing).tolist()]
        # By how lately each was seen; 0: he is remembered by his face only.
        self.weights: list[float] = (1.0 / (1.0 + apart_s[passing] / RECENT_S)).tolist()

    @property
    def keys(self) -> list[UUID]:
        """Return who they are, in the order of their weights."""
        return [self._individuals.ids[place] for place in self._passing]

    def key(self, place: int) -> UUID:
        """Return who one of them is."""
        return self._individuals.ids[self._passing[place]]

    def log_odds(self, total: float) -> Floats:
        """Return the log-odds of each against somebody new, where all those seen of late weigh `total`."""
        weights = np.array(self.weights)
        return np.asarray(self._ratios + np.log(np.where(weights > 0, RETURN_ODDS * weights / total, STRANGER_ODDS)))

    def sights_of(self, keys: Collection[UUID]) -> dict[UUID, list[Sight]]:
        """Return the sights of some who are about."""
        found: dict[UUID, list[Sight]] = {key: [] for key in keys}
        codes = self._individuals.codes
        whose = {codes[key]: found[key] for key in keys if key in codes}
        wanted = np.zeros(len(codes), bool)
        wanted[list(whose)] = True
        rows = np.flatnonzero(wanted[self._owner])
        for row, code in zip(rows.tolist(), self._owner[rows].tolist(), strict=True):
            whose[code].append(self._sights[row])
        return found

    def _ways(self, track: LocalTrack, columns: SightColumns, sights: Places, graph: CameraGraph) -> Floats:
        """Return what the way from where each was seen last says; `sights` are the last ones, newest first."""
        ratios = np.zeros(len(self._individuals.ids))
        here = track.camera_id
        starts = {
            *graph.moves_from,
            *(one for one, other in graph.transits if other == here),
        } & columns.camera_codes.keys()
        ways = {columns.camera_codes[one]: way for one in starts if (way := known_way(one, here, graph)) is not None}
        if not ways or not len(sights):
            return ratios
        newest = np.full(len(self._individuals.ids), -1)
        newest[self._owner[sights[::-1]]] = sights[::-1]  # of one's last sights the first stays
        rows = newest[newest >= 0]
        table = np.full(len(columns.camera_codes), -1)
        table[list(ways)] = range(len(ways))
        which = table[columns.cameras[rows]]
        known = which >= 0
        rows, which = rows[known], which[known]
        seconds = track.first_seen_at.timestamp() - columns.lasts[rows]
        ratios[self._owner[rows]] = way_ratios(ways.values(), which, seconds)
        return ratios
