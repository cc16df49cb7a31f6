"""Numbers for individuals, by which columns and masks tell them apart; whatever a turn compares has them in common."""

from collections.abc import Iterable
from itertools import islice
from uuid import UUID

import numpy as np
import numpy.typing as npt

NOBODY = -1  # the number of none; in a mask by number it is the last place


class Register:
    """Ids in the order in which they came, each with its place as its number; none is ever taken out."""

    def __init__(self) -> None:
        self.codes: dict[UUID, int] = {}
        self.ids: list[UUID] = []

    def code(self, one: UUID) -> int:
        """Return the number of one, who gets the next if he has none."""
        code = self.codes.get(one)
        if code is None:
            code = self.codes[one] = len(self.ids)
            self.ids.append(one)
        return code

    def coded(self, ones: Iterable[UUID | None]) -> list[int]:
        """Return the numbers of many, in their order."""
        codes = self.codes
        found = [NOBODY if one is None else codes.setdefault(one, len(codes)) for one in ones]
        self.ids.extend(islice(codes, len(self.ids), None))
        return found

    def listed(self, ones: Iterable[UUID]) -> npt.NDArray[np.bool_]:
        """Return, by number, who is among these; nobody never is."""
        listed = np.zeros(len(self.ids) + 1, bool)
        listed[[code for code in map(self.codes.get, ones) if code is not None]] = True
        return listed
