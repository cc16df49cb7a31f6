"""Who of the enrolled stands where in the shared footage, and what a name said about a track is worth by that."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from marengocam.core.geometry import Box

OWN_TRUTH = Path(__file__).parent / "truth" / "identities.json"
SURE_SHARE = 0.6  # of a track's places must be one person's


class Worth(StrEnum):
    """What a name is worth."""

    RIGHT = "right"
    WRONG = "wrong"
    UNTOLD = "untold"  # the truth does not say who that is


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is: the second of the clip, and the box."""

    at_s: float
    box: Box


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the picture that somebody holds for a while; `person` None: nobody says who."""

    person: str | None
    from_x: float
    to_x: float
    from_s: float
    to_s: float

    def holds(self, place: Place) -> bool:
        middle = (place.box.x1 + place.box.x2) / 2
        return self.from_s <= place.at_s < self.to_s and self.from_x <= middle <= self.to_x


class FootageTruth:
    """Who is where in one clip: nobody enrolled, where the table tells nothing of the clip or of that place."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts

    @classmethod
    def of(cls, clip: str, fps: float) -> "FootageTruth":
        """Return what is known of a clip of so many frames a second."""
        told: Mapping[str, list[dict[str, Any]]] = json.loads(OWN_TRUTH.read_text())["clips"]
        return cls(
            [
                Part(
                    one["person"],
                    one["from_x"],
                    one["to_x"],
                    one.get("from_frame", 0) / fps,
                    (one["to_frame"] + 1) / fps if "to_frame" in one else float("inf"),
                )
                for one in told.get(clip, ())
            ]
        )

    @property
    def people(self) -> set[str]:
        """Who is to be seen at all."""
        return {part.person for part in self._parts if part.person is not None}

    def whose(self, places: Sequence[Place]) -> str | None:
        """Return whose a track is, where most of its places are one person's."""
        held = Counter(part.person for place in places for part in self._parts if part.holds(place))
        person, count = held.most_common(1)[0] if held else (None, 0)
        return person if count >= SURE_SHARE * len(places) else None

    def met(self, places: Sequence[Place]) -> set[str | None]:
        """Return everybody who ever was where a track was, None among them where nobody says who was."""
        return {part.person for place in places for part in self._parts if part.holds(place)}

    def worth(self, name: str, places: Sequence[Place]) -> Worth:
        """Return what it is worth that this name was said of a track that was in these places, the last one newest.

        A track that a cut hands from one person to the next may be called by either: by the one who has most of it, or
        by the one who is there when the name is said.
        """
        told = self.met(places[-1:])
        if name in told or name == self.whose(places):
            return Worth.RIGHT
        return Worth.UNTOLD if told == {None} else Worth.WRONG
