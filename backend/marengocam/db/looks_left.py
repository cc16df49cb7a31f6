"""Which identities may have more passing looks than there is room for, after some decisions of a turn."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from marengocam.core.identity import Outcome


class LooksLeft:
    """What the tracks of one turn leave behind: most are somebody new, whose few looks need not be gone through."""

    def __init__(self, most: int) -> None:
        """Let identities have so many looks of each kind and model; a track leaves one."""
        self._most = most
        self._founded = Counter[UUID]()  # tracks of identities that the turn founded, which have no other looks

    def too_many(self, placed: Iterable[Outcome]) -> set[UUID]:
        """Return the identities that further decisions may have filled beyond their room."""
        filled = set()
        for one in placed:
            identity_id = one.identity_id
            assert identity_id is not None
            if one.joined_identity_id is not None:
                self._founded.pop(identity_id, None)  # it has another's looks from now on
                filled.add(identity_id)
            elif moved(one):
                if one.founds or identity_id in self._founded:
                    self._founded[identity_id] += 1
                if not 0 < self._founded[identity_id] <= self._most:
                    filled.add(identity_id)
        return filled


def moved(outcome: Outcome) -> bool:
    """Return whether the track is new to its identity."""
    before = outcome.claimed.assignment
    return before is None or before.identity_id != outcome.identity_id
