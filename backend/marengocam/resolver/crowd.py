"""Those who have nothing for them but that they are about: who they are, and how likely a track is each of them."""

from collections.abc import Collection, Mapping
from math import log
from uuid import UUID

import numpy as np

from marengocam.core.identity import CameraGraph, Floats, Places, Sight, SightColumns
from marengocam.core.model import LocalTrack
from marengocam.resolver.composites import RETURN_ODDS, STRANGER_ODDS
from marengocam.resolver.fusion import APPEARANCE_LIMIT, FACE_LIMIT
from marengocam.resolver.spacetime import CONTINUATION_S, PATH_SLACK_S, known_way, way_ratio

RECENT_S = 120.0  # weight of an individual halves this long after its last sight
NEAR_S = CONTINUATION_S + PATH_SLACK_S  # seen so soon before or after, place may speak


class Crowd:
    """The unknown who are unlike, were seen long before or after, and did not come by a usual way.

    A track is weighed against more than a hundred of them: columns of their sights tell all that is needed.
    """

    def __init__(
        self,
        track: LocalTrack,
        columns: SightColumns,
        looks: tuple[Mapping[UUID, float], Mapping[UUID, float]],
        apart: Collection[UUID],
        graph: CameraGraph,
    ) -> None:
        """Take sights, what faces and clothes say of each individual, and who stands out whatever they say."""
        places, owner = dict(columns.codes), columns.owner
        remembered = [[places.setdefault(one, len(places)) for one in ratios] for ratios in looks]
        faces, appearances = np.zeros(len(places)), np.zeros(len(places))
        about = np.zeros(len(places), bool)
        about[owner] = True
        for values, own, said in zip((faces, appearances), remembered, looks, strict=True):
            values[own] = list(said.values())
            about[own] = True
        first_s, last_s = track.first_seen_at.timestamp(), track.last_seen_at.timestamp()
        firsts, lasts = columns.firsts, columns.lasts
        before = lasts < first_s - NEAR_S
        after = ~before & (firsts > last_s + NEAR_S)
        standing = (faces > 0) | (appearances > 0)
        standing[owner[~(before | after)]] = True
        standing[[places[one] for one in apart if one in places]] = True
        left_s, comes_s = np.full(len(places), -np.inf), np.full(len(places), np.inf)
        np.maximum.at(left_s, owner[before], lasts[before])
        np.minimum.at(comes_s, owner[after], firsts[after])
        self._sights, self._owner, self._places = columns.sights, owner, places
        ways = self._ways(track, np.flatnonzero(before & (lasts == left_s[owner]) & ~standing[owner]), graph)
        standing |= ways > 0
        ratios = ways + np.maximum(faces, FACE_LIMIT[0]) + np.maximum(appearances, APPEARANCE_LIMIT[0])
        apart_s = np.minimum(comes_s - first_s, first_s - left_s)
        passing = np.flatnonzero(about & ~standing)
        everybody = list(places)
        self._ratios = ratios[passing].tolist()
        self.keys: list[UUID] = [everybody[place] for place in passing.tolist()]
        self.standing_out: list[UUID] = [everybody[place] for place in np.flatnonzero(about & standing).tolist()]
        # By how lately each was seen; 0: he is remembered by his face only.
        self.weights: list[float] = (1.0 / (1.0 + apart_s[passing] / RECENT_S)).tolist()

    def log_odds(self, total: float) -> list[float]:
        """Return the log-odds of each against somebody new, where all those seen of late weigh `total`."""
        return [
            ratio + log(RETURN_ODDS * weight / total if weight > 0 else STRANGER_ODDS)
            for ratio, weight in zip(self._ratios, self.weights, strict=True)
        ]

    def sights_of(self, keys: Collection[UUID]) -> dict[UUID, list[Sight]]:
        """Return the sights of some who are about."""
        found: dict[UUID, list[Sight]] = {key: [] for key in keys}
        whose = {self._places[key]: found[key] for key in keys if key in self._places}
        wanted = np.zeros(len(self._places), bool)
        wanted[list(whose)] = True
        rows = np.flatnonzero(wanted[self._owner])
        for row, code in zip(rows.tolist(), self._owner[rows].tolist(), strict=True):
            whose[code].append(self._sights[row])
        return found

    def _ways(self, track: LocalTrack, sights: Places, graph: CameraGraph) -> Floats:
        """Return what the way from where each was seen last says; `sights` are the last ones."""
        ratios = np.zeros(len(self._places))
        ways = {
            here: known_way(here, track.camera_id, graph)
            for here in {*graph.moves_from, *(here for here, there in graph.transits if there == track.camera_id)}
        }
        if not ways:
            return ratios
        newest: dict[int, int] = {}
        for place, row in zip(self._owner[sights].tolist(), sights.tolist(), strict=True):
            other = newest.setdefault(place, row)
            if self._sights[row].newest_first() < self._sights[other].newest_first():
                newest[place] = row
        first_s = track.first_seen_at.timestamp()
        for place, row in newest.items():
            one = self._sights[row]
            way = ways.get(one.camera_id)
            if way is not None:
                ratios[place] = way_ratio(way, first_s - one.last_s)
        return ratios
