"""Which cameras one of several ingest processes serves, so that each has its fair share and none is left alone."""

import math
from collections.abc import Collection, Iterable

from marengocam.db.health import ServiceHealth

ALIVE_S = 8.0  # since a heartbeat, of 5 s each; who only seems dead for a moment loses no lease by it
FREE_LIMIT_S = 3.0  # a camera that nobody took for so long is taken by anybody
YIELD_S = 15.0  # a camera that was given up is left to others for so long
NO_STORE = "no_store"  # in a heartbeat's detail: this process cannot record


def able(services: Iterable[ServiceHealth]) -> set[str]:
    """Return the ingest instances that live and can record."""
    return {
        one.instance
        for one in services
        if one.service == "ingest" and one.status != "gone" and one.silent_s <= ALIVE_S and not one.detail.get(NO_STORE)
    }


class Sharing:
    """Remembers what was free and what was given up; asked once a round."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._free_since_s: dict[str, float] = {}
        self._yielded_until_s: dict[str, float] = {}
        self._patient_until_s = float("-inf")

    def surplus(self, held: Collection[str], cameras: int, others: Collection[str], *, can_record: bool) -> set[str]:
        """Return what is to be given up now: one camera at a time, or all when only others can record them."""
        if not others:
            return set()
        if not can_record:
            return set(held)
        share = math.ceil(cameras / (len(others) + 1))
        return {max(held)} if len(held) > share else set()

    def give_up(self, cameras: Iterable[str], now_s: float) -> None:
        """Note that cameras are given up: they are left to others for a while."""
        self._yielded_until_s |= dict.fromkeys(cameras, now_s + YIELD_S)

    def hub_is_away(self, now_s: float) -> None:
        """Note it: all leases may end meanwhile, and whoever records a camera is to renew its own first afterwards."""
        self._patient_until_s = now_s + FREE_LIMIT_S

    def wanted(
        self,
        cameras: Collection[str],
        held: Collection[str],
        leased: Collection[str],
        others: Collection[str],
        now_s: float,
        *,
        can_record: bool,
        recorded: Collection[str] = (),
    ) -> list[str]:
        """Return the cameras to hold or claim: what is held, free ones up to the share, and those nobody takes.

        `recorded` are those that this process records, with a lease or without.
        """
        self._yielded_until_s = {key: until_s for key, until_s in self._yielded_until_s.items() if until_s > now_s}
        free = sorted(set(cameras) - set(leased) - set(held))
        self._free_since_s = {camera: self._free_since_s.get(camera, now_s) for camera in free}
        room = len(cameras) if not others else math.ceil(len(cameras) / (len(others) + 1))
        taken = sorted(held)
        for camera in free:
            left_alone = now_s - self._free_since_s[camera] >= FREE_LIMIT_S
            mine = len(taken) < room and camera not in self._yielded_until_s and (can_record or not others)
            in_turn = camera in recorded or now_s >= self._patient_until_s
            if (mine and in_turn) or left_alone:
                taken.append(camera)
        return taken
