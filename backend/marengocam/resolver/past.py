"""Whether somebody unknown is another whose face a track shows, by the looks that both had before."""

from collections.abc import Callable, Collection, Iterator, Mapping
from uuid import UUID

from marengocam.core.identity import Floats, Looks
from marengocam.resolver.album import Album
from marengocam.resolver.fusion import past_looks
from marengocam.resolver.likeness import Pair


class PastLikeness(Mapping[Pair, float]):
    """Log ratios of (unknown, other) being one; those of an unknown are worked out when one of them is asked for.

    A decision asks about one or two of those seen of late. Ask before it is taken in: that changes the album.
    """

    def __init__(
        self,
        album: Album,
        but: UUID,
        ones: Collection[UUID],
        others: Collection[UUID],
        weigh: Callable[[Looks, Floats], Floats],
    ) -> None:
        """Compare the looks of an album, but those of one track; `weigh` says what each comparison is worth."""
        self._album = album
        self._but = but
        self._ones = ones
        self._others = others
        self._weigh = weigh
        self._known: dict[UUID, Mapping[UUID, float]] = {}

    def __getitem__(self, pair: Pair) -> float:
        one, other = pair
        if one not in self._known:
            self._known[one] = self._ratios(one)
        return self._known[one][other]

    def __iter__(self) -> Iterator[Pair]:
        return ((one, other) for one in sorted(self._ones) for other in self._known.setdefault(one, self._ratios(one)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _ratios(self, one: UUID) -> Mapping[UUID, float]:
        others = {*self._others} - {one}
        if one not in self._ones or not others:
            return {}
        qualities, trusts, looks = self._album.across(one, self._but, self._album.places_of(others, self._but))
        return past_looks(trusts, looks, self._weigh(looks, qualities)) if len(trusts) else {}
