"""Work units: stretches of a run that can be analysed in any order, by anybody, with the same result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from marengocam.replay.lead_in import LEAD_IN
from marengocam.replay.pieces import Piece, Stretch

UNIT_S = 600.0
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Unit:
    """One stretch; analysis begins LEAD_IN before it, where there is video."""

    number: int
    from_at: datetime
    to_at: datetime

    @property
    def begin_at(self) -> datetime:
        return self.from_at - LEAD_IN

    @property
    def length_s(self) -> float:
        return (self.to_at - self.from_at).total_seconds()


def plan(pieces: Sequence[Piece], stretch: Stretch, unit_s: float = UNIT_S) -> list[Unit]:
    """Cut a run into units at round times, so that runs of overlapping stretches are cut alike.

    Units without video are left out.
    """
    begin = max(pieces[0].started_at, stretch.from_at or pieces[0].started_at)
    last = max(piece.ended_at for piece in pieces)
    end = min(last, stretch.to_at or last)
    units: list[Unit] = []
    at = begin
    while at < end:
        edge = EPOCH + timedelta(seconds=((at - EPOCH).total_seconds() // unit_s + 1) * unit_s)
        upto = min(edge, end)
        if any(piece.covered_s(Stretch(at, upto)) > 0 for piece in pieces):
            units.append(Unit(len(units), at, upto))
        at = upto
    return units
