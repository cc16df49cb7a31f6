"""HLS playlists as text: segments, the parts of the newest ones, and where a recording does not go on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from marengocam.media.mp4.fragments import Fragment

GAP_S = 1.0  # between segments: longer is a discontinuity
PARTED_SEGMENTS = 2  # whole ones whose parts are listed too: a player may have begun them by parts
HELD_BACK_PARTS = 3  # a player stays so many parts behind the newest (RFC 8216bis: three at least)
UrlFor = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one recording from a keyframe to the next, or to where it has grown."""

    file: Path
    recorded_from: datetime  # the recording's beginning
    fragments: tuple[Fragment, ...]
    init_key: str  # equal for recordings with the same codec parameters
    whole: bool = True
    after_gap: bool = False

    @property
    def started_at(self) -> datetime:
        return self.recorded_from + timedelta(seconds=self.fragments[0].start_s)

    @property
    def duration_s(self) -> float:
        return self.fragments[-1].start_s + self.fragments[-1].duration_s - self.fragments[0].start_s

    @property
    def ended_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.duration_s)

    @property
    def name(self) -> str:
        """How it is called in addresses: hour, chunk and place, all checked again when it is asked for."""
        return self._name_of(self.fragments[0].offset, self.fragments[-1].end)

    def part_name(self, number: int) -> str:
        """How one of its fragments is called."""
        return self._name_of(self.fragments[number].offset, self.fragments[number].end)

    def _name_of(self, start: int, end: int) -> str:
        stem = self.file.name.removesuffix(".part").removesuffix(".mp4")
        return f"{stem}_{start}_{end - start}.m4s"


def with_gaps(found: Sequence[Segment]) -> list[Segment]:
    """Mark the segments that do not go on where the one before ended."""
    marked = list(found[:1])
    for before, segment in pairwise(found):
        apart_s = abs((segment.started_at - before.ended_at).total_seconds())
        marked.append(replace(segment, after_gap=apart_s > GAP_S or segment.init_key != before.init_key))
    return marked


def recorded_text(found: Sequence[Segment], url_for: UrlFor) -> str:
    """Return the playlist of what was recorded; at least one segment."""
    head = ["#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-PLAYLIST-TYPE:VOD"]
    return _text([*_head(found, 7), *head, *_entries(found, url_for, parted_from=len(found)), "#EXT-X-ENDLIST"])


def live_text(found: Sequence[Segment], url_for: UrlFor, *, sequence: int, gaps_left: int) -> str:
    """Return the playlist of a live view, its newest segments in parts, the last of which may still grow."""
    parted_from = len([one for one in found if one.whole]) - PARTED_SEGMENTS
    longest_s = max(part.duration_s for segment in found[max(0, parted_from) :] for part in segment.fragments)
    head = [
        f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={HELD_BACK_PARTS * longest_s:.3f}",
        f"#EXT-X-PART-INF:PART-TARGET={longest_s:.3f}",
        f"#EXT-X-MEDIA-SEQUENCE:{sequence}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{gaps_left}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    return _text([*_head(found, 9), *head, *_entries(found, url_for, parted_from=parted_from)])


def _head(found: Sequence[Segment], version: int) -> list[str]:
    longest_s = max(segment.duration_s for segment in found)
    return ["#EXTM3U", f"#EXT-X-VERSION:{version}", f"#EXT-X-TARGETDURATION:{max(1, round(longest_s + 0.499))}"]


def _entries(found: Sequence[Segment], url_for: UrlFor, *, parted_from: int) -> list[str]:
    lines: list[str] = []
    init_key = None
    for number, segment in enumerate(found):
        if segment.after_gap:
            lines.append("#EXT-X-DISCONTINUITY")
        if segment.init_key != init_key or segment.after_gap:
            lines.append(f'#EXT-X-MAP:URI="{url_for("init_" + segment.part_name(0))}"')
            init_key = segment.init_key
        stamp = segment.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{stamp}")
        if number >= parted_from:
            lines += _parts(segment, url_for)
        if segment.whole:
            lines += [f"#EXTINF:{segment.duration_s:.5f},", url_for(segment.name)]
    return lines


def _parts(segment: Segment, url_for: UrlFor) -> list[str]:
    return [
        f'#EXT-X-PART:DURATION={part.duration_s:.5f},URI="{url_for(segment.part_name(number))}"'
        f"{',INDEPENDENT=YES' if part.keyframe else ''}"
        for number, part in enumerate(segment.fragments)
    ]


def _text(lines: Sequence[str]) -> str:
    return "\n".join([*lines, ""])
