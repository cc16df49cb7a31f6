"""A page that needs nothing else, pictures included: what differs between two sides."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from marengocam.core.rules.place import Place
from marengocam.replay.difference import Difference, EventPair, Pair
from marengocam.replay.sides import SideEvent, SideTrack
from marengocam.replay.summary import Clock, summary

CUES_SHOWN = 6
_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:72rem;margin:0 auto;padding:1rem}
pre{white-space:pre-wrap;background:color-mix(in srgb,currentColor 8%,transparent);padding:.75rem;border-radius:.5rem}
article{display:flex;gap:1rem;flex-wrap:wrap;border-top:1px solid color-mix(in srgb,currentColor 25%,transparent);
padding:.75rem 0}figure{margin:0;max-width:16rem}figure img{max-width:100%;max-height:14rem;border-radius:.25rem}
figcaption,small{font-size:.85rem;opacity:.85}table{border-collapse:collapse;font-size:.85rem}
td,th{padding:.1rem .6rem .1rem 0;text-align:left;vertical-align:top}h2{margin-top:2rem}.wide{max-width:100%}
.wide img{max-height:none;max-width:100%}
"""


def difference_page(difference: Difference, place: Place) -> str:
    """Return the whole difference: every item with its picture and both sides' evidence, times by the owner's clock."""
    articles = _Articles(place.local)
    tracks = {track.track_id: track for track in (*difference.before.tracks, *difference.after.tracks)}
    backwards = {was: now for now, was in difference.matched.items()}

    def sides_of(event: SideEvent, *, added: bool) -> tuple[SideTrack | None, SideTrack | None]:
        mine = tracks.get(event.track_id)
        other = tracks.get((difference.matched if added else backwards).get(event.track_id, ""))
        return (other, mine) if added else (mine, other)

    parts = [
        _section("Tracks found", (articles.pair(None, track) for track in difference.found)),
        _section("Tracks lost", (articles.pair(track, None) for track in difference.lost)),
        _section("Somebody else", (articles.renamed(pair) for pair in difference.renamed)),
        _section("Boxes moved", (articles.moved(pair) for pair in difference.moved)),
        _section("Events added", (articles.event(one, *sides_of(one, added=True)) for one in difference.added)),
        _section("Events missing", (articles.event(one, *sides_of(one, added=False)) for one in difference.missing)),
        _section(
            "Events changed", (articles.changed(pair, *sides_of(pair.after, added=True)) for pair in difference.changed)
        ),
    ]
    title = f"{difference.after.name} against {difference.before.name}"
    return whole_page(title, [f"<pre>{escape(summary(difference, place))}</pre>", *parts])


def whole_page(title: str, parts: Iterable[str]) -> str:
    """Return a page of its own."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = f"<h1>{escape(title)}</h1>{''.join(parts)}"
    return f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>'


def _section(title: str, articles: Iterable[str]) -> str:
    content = list(articles)
    return f"<section><h2>{escape(title)} ({len(content)})</h2>{''.join(content)}</section>" if content else ""


@dataclass(frozen=True, slots=True)
class _Articles:
    """What differs, item by item."""

    clock: Clock

    def pair(self, before: SideTrack | None, after: SideTrack | None, note: str = "") -> str:
        text = f"<div>{escape(note)}</div>" if note else ""
        return f"<article>{text}{self._side('before', before)}{self._side('after', after)}</article>"

    def renamed(self, pair: Pair) -> str:
        return self.pair(
            pair.before, pair.after, f"{pair.before.who or 'unknown'} is now {pair.after.who or 'unknown'}"
        )

    def moved(self, pair: Pair) -> str:
        return self.pair(pair.before, pair.after, f"The boxes overlap by {pair.mean_iou:.2f} in the mean.")

    def event(self, event: SideEvent, before: SideTrack | None, after: SideTrack | None) -> str:
        what = " ".join(part for part in (event.type, event.who, event.zone) if part)
        return self.pair(before, after, f"{self.clock(event.occurred_at):%Y-%m-%d %H:%M:%S} {what}")

    def changed(self, pair: EventPair, before: SideTrack | None, after: SideTrack | None) -> str:
        return self.pair(
            before, after, f"{self.clock(pair.after.occurred_at):%Y-%m-%d %H:%M:%S} {pair.after.type}: {pair.how}"
        )

    def _side(self, name: str, track: SideTrack | None) -> str:
        if track is None:
            return f"<figure><figcaption>{name}: nothing</figcaption></figure>"
        who = f"{track.who or 'unknown'}" + (f" ({track.probability:.3f})" if track.probability is not None else "")
        stretch = f"{self.clock(track.first_seen_at):%H:%M:%S} to {self.clock(track.last_seen_at):%H:%M:%S}"
        caption = (
            f"{name}: {track.label} {track.score:.2f}, {stretch}{', ' + ', '.join(track.zones) if track.zones else ''}"
        )
        person = f"<div>{escape(who)}</div>{_evidence(track.evidence)}" if track.label == "person" else ""
        return f"<figure>{image_of(track.picture())}<figcaption>{escape(caption)}{person}</figcaption></figure>"


def image_of(jpeg: bytes | None) -> str:
    """Return a picture that the page carries with it."""
    if jpeg is None:
        return "<small>no picture</small>"
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'


def _evidence(evidence: Mapping[str, Any] | None) -> str:
    cues = (evidence or {}).get("cues") or []
    if not cues:
        return "<small>no cue spoke</small>"
    rows = "".join(
        f"<tr><td>{escape(str(cue['cue']))}</td><td>{float(cue['log_ratio']):+.2f}</td></tr>"
        for cue in cues[:CUES_SHOWN]
    )
    return f"<table>{rows}</table>"
