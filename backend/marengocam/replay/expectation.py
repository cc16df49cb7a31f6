"""What an owner expects to be seen, in words: `person`, `person:Alice`, `unknown`, `nothing`, `car zone:Drive`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marengocam.core.camera_options import KNOWN_LABELS
from marengocam.core.errors import BadInputError

PERSON, UNKNOWN, NOTHING, MOVEMENT = "person", "unknown", "nothing", "movement"
_HELP = "Say nothing, person, person:NAME, unknown, movement or a label such as car; zone:NAME may follow."


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a stretch should show; `label` None: no track at all."""

    label: str | None
    name: str | None = None  # a person's
    unknown: bool = False
    zone: str | None = None


def parse(text: str) -> Expectation:
    """Return the expectation of a text; raises BadInputError that says what can be said."""
    what, _, rest = text.strip().partition(" zone:")
    zone = rest.strip() or None
    if " zone:" in text and zone is None:
        raise BadInputError(f"zone: needs a zone's name. {_HELP}")
    if what == NOTHING:
        if zone is not None:
            raise BadInputError(f"Nothing can be expected in a zone only by naming what. {_HELP}")
        return Expectation(None)
    if what == UNKNOWN:
        return Expectation(PERSON, unknown=True, zone=zone)
    if what.startswith(f"{PERSON}:") and what.removeprefix(f"{PERSON}:").strip():
        return Expectation(PERSON, name=what.removeprefix(f"{PERSON}:").strip(), zone=zone)
    if what in KNOWN_LABELS or what == MOVEMENT:
        return Expectation(what, zone=zone)
    raise BadInputError(f"{text!r} cannot be expected. {_HELP}")


def judge(expected: Expectation, report: Mapping[str, Any], from_at: datetime, to_at: datetime) -> tuple[bool, str]:
    """Return whether a report shows what is expected between two moments, and what it shows."""
    tracks = [
        track
        for track in report["tracks"]
        if datetime.fromisoformat(track["first_seen_at"]) < to_at
        and datetime.fromisoformat(track["last_seen_at"]) >= from_at
    ]
    told = ", ".join(_told(track) for track in tracks) or NOTHING
    if expected.label is None:
        return not tracks, told
    return any(_fits(expected, track) for track in tracks), told


def _fits(expected: Expectation, track: Mapping[str, Any]) -> bool:
    return (
        track["label"] == expected.label
        and (expected.name is None or track["person_name"] == expected.name)
        and not (expected.unknown and track["person_name"] is not None)
        and (expected.zone is None or expected.zone in track["zones"])
    )


def _told(track: Mapping[str, Any]) -> str:
    zones: Sequence[str] = track["zones"]
    who = f":{track['person_name']}" if track["person_name"] else ""
    return f"{track['label']}{who} {track['score']:.2f}" + (f" in {', '.join(zones)}" if zones else "")
