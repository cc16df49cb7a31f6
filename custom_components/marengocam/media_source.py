"""Recordings and visits in Home Assistant's media browser."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from homeassistant.components.media_player import BrowseError, MediaClass, MediaType
from homeassistant.components.media_source import DOMAIN as MEDIA_SOURCE_DOMAIN
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .changes import explained
from .client import MarengoCamClientError, Visit
from .const import DOMAIN, LOGGER, TRACK_PICTURE
from .failures import not_loaded, nothing_there
from .media_folder import CLIP_SUFFIX, MEDIA_SOURCE, kept_files
from .runtime import MarengoCamConfigEntry
from .views import clip_path
from .visits import clock, way
from .words import word

if TYPE_CHECKING:
    from homeassistant.components.media_player import SearchMedia, SearchMediaQuery

VIDEO: Final = "video/mp4"
PIECE: Final = timedelta(minutes=5)
DAYS_SHOWN: Final = 31
VISITS_SHOWN: Final = 100
VISITS_SEARCHED: Final = 500
AROUND: Final = timedelta(seconds=3)  # a visit is shown from a little before until a little after
LONGEST_CLIP: Final = timedelta(hours=1)
RECORDINGS, VISITS, STRANGERS, KEPT = "recordings", "visits", "strangers", "kept"
SEPARATOR: Final = "/"


async def async_get_media_source(hass: HomeAssistant) -> "MarengoCamMedia":
    """Return the one source there is."""
    return MarengoCamMedia(hass)


class MarengoCamMedia(MediaSource):
    """Recordings by camera, day and hour, visits by person, and what actions kept.

    Identifiers: entry/recordings/camera/day/hour, entry/visits/person, entry/kept, entry/clip/camera/from/to.
    """

    name = "MarengoCam"

    def __init__(self, hass: HomeAssistant) -> None:
        super().__init__(DOMAIN)
        self.hass = hass

    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Return where a clip is played; Home Assistant signs the path for whoever asked."""
        match (item.identifier or "").split(SEPARATOR):
            case [entry_id, "clip", camera_id, from_text, to_text]:
                try:
                    from_at, to_at = datetime.fromisoformat(from_text), datetime.fromisoformat(to_text)
                except ValueError:
                    raise nothing_there(Unresolvable, item.identifier) from None
                if self._entry(entry_id) is None:
                    raise not_loaded(Unresolvable)
                return PlayMedia(clip_path(entry_id, camera_id, from_at, to_at), VIDEO)
        raise nothing_there(Unresolvable, item.identifier)

    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """Return one level with what is below it."""
        parts = item.identifier.split(SEPARATOR) if item.identifier else []
        if not parts:
            return self._root()
        entry = self._entry(parts[0])
        if entry is None:
            raise not_loaded(BrowseError)
        match parts[1:]:
            case []:
                return self._backend(entry)
            case ["recordings", *rest]:
                return await self._recordings(entry, rest)
            case ["visits", *rest]:
                return await self._visits(entry, rest)
            case ["kept"]:
                files = await asyncio.to_thread(kept_files, self.hass)
                return folder(f"{entry.entry_id}/{KEPT}", word(self.hass, KEPT), [kept(file) for file in files])
        raise nothing_there(BrowseError, item.identifier)

    async def async_search_media(self, item: MediaSourceItem, query: "SearchMediaQuery") -> "SearchMedia":
        """Return the visits of the last month by who came, where they went, or the day."""
        from homeassistant.components.media_player import SearchMedia  # noqa: PLC0415 - older releases have none

        entries = [
            entry for one in self.hass.config_entries.async_entries(DOMAIN) if (entry := self._entry(one.entry_id))
        ]
        if item.identifier:
            entries = [entry for entry in entries if entry.entry_id == item.identifier.split(SEPARATOR)[0]]
        wanted = query.search_query.casefold().strip()
        found = [
            shown
            for entry in entries
            for visit in await self._past_visits(entry, limit=VISITS_SEARCHED)
            if visit.path and wanted in (shown := self._visit(entry, visit)).title.casefold()
        ]
        return SearchMedia(result=list(found))

    async def _past_visits(
        self, entry: MarengoCamConfigEntry, *, person_id: str | None = None, unknown: bool = False, limit: int
    ) -> tuple[Visit, ...]:
        now = dt_util.utcnow()
        with explained():
            return await entry.runtime_data.client.visits(
                person_id=person_id,
                unknown=unknown,
                from_at=now - timedelta(days=DAYS_SHOWN) + timedelta(minutes=1),
                to_at=now,
                limit=limit,
            )

    def _entry(self, entry_id: str) -> MarengoCamConfigEntry | None:
        entry: MarengoCamConfigEntry | None = self.hass.config_entries.async_get_entry(entry_id)
        return entry if entry and entry.domain == DOMAIN and entry.state is ConfigEntryState.LOADED else None

    def _root(self) -> BrowseMediaSource:
        loaded = [one for one in self.hass.config_entries.async_entries(DOMAIN) if self._entry(one.entry_id)]
        if len(loaded) == 1:
            return self._backend(loaded[0])
        return folder(None, self.name, [folder(entry.entry_id, entry.title) for entry in loaded])

    def _backend(self, entry: MarengoCamConfigEntry) -> BrowseMediaSource:
        below = [folder(f"{entry.entry_id}/{key}", word(self.hass, key)) for key in (RECORDINGS, VISITS, KEPT)]
        return folder(entry.entry_id, entry.title, below)

    async def _recordings(self, entry: MarengoCamConfigEntry, rest: list[str]) -> BrowseMediaSource:
        state = entry.runtime_data.coordinator.data
        root = f"{entry.entry_id}/{RECORDINGS}"
        if not rest:
            cameras = [folder(f"{root}/{one.camera_id}", one.name) for one in state.cameras.values()]
            return folder(root, word(self.hass, RECORDINGS), cameras)
        camera = state.cameras.get(rest[0])
        if camera is None:
            raise nothing_there(BrowseError, f"{root}/{rest[0]}")
        here = f"{root}/{camera.camera_id}"
        try:
            match rest[1:]:
                case []:
                    today = dt_util.start_of_local_day()
                    begin, end = today - timedelta(days=DAYS_SHOWN), today + timedelta(days=1)
                    days = await self._stretches(entry, camera.camera_id, begin, end, dt_util.start_of_local_day)
                    below = [folder(f"{here}/{day:%Y-%m-%d}", f"{day:%Y-%m-%d}") for day in reversed(days)]
                    return folder(here, camera.name, below)
                case [day]:
                    begin = dt_util.start_of_local_day(datetime.fromisoformat(day))
                    end = dt_util.start_of_local_day(begin + timedelta(hours=36))
                    hours = await self._stretches(entry, camera.camera_id, begin, end, _hour)
                    below = [folder(f"{here}/{day}/{hour.isoformat()}", f"{hour:%H:%M}") for hour in hours]
                    return folder(f"{here}/{day}", f"{camera.name}, {day}", below)
                case [day, hour]:
                    begin = datetime.fromisoformat(hour)
                    end = begin + timedelta(hours=1)
                    pieces = await self._stretches(entry, camera.camera_id, begin, end, _piece)
                    visits = await self._visits_between(entry, camera.camera_id, begin, end)
                    below = [self._recorded(entry, camera.camera_id, dt_util.as_local(at), visits) for at in pieces]
                    return folder(f"{here}/{day}/{hour}", f"{camera.name}, {begin:%H:%M}", below)
        except ValueError:
            raise nothing_there(BrowseError, SEPARATOR.join((root, *rest))) from None
        raise nothing_there(BrowseError, SEPARATOR.join((root, *rest)))

    async def _visits_between(
        self, entry: MarengoCamConfigEntry, camera_id: str, begin: datetime, end: datetime
    ) -> tuple[Visit, ...]:
        """Return who came meanwhile; it only adorns what is recorded, which is shown in any case."""
        try:
            return await entry.runtime_data.client.visits(
                camera_id=camera_id, from_at=begin, to_at=end, limit=VISITS_SHOWN
            )
        except MarengoCamClientError as error:
            LOGGER.debug("Who came cannot be shown beside what is recorded: %s", error)
            return ()

    def _recorded(
        self, entry: MarengoCamConfigEntry, camera_id: str, at: datetime, visits: tuple[Visit, ...]
    ) -> BrowseMediaSource:
        """Return a piece of a recording with the names and a picture of who was there."""
        there = [
            visit
            for visit in visits
            if any(one.camera_id == camera_id and one.from_at < at + PIECE and one.to_at >= at for one in visit.path)
        ]
        names = sorted({visit.person_name or word(self.hass, "unknown") for visit in there})
        title = f"{at:%H:%M} {', '.join(names)}".strip()
        picture = next((visit.picture_track_id for visit in there if visit.picture_track_id), None)
        return clip(entry, camera_id, at, at + PIECE, title, _picture(entry, picture))

    async def _stretches(
        self,
        entry: MarengoCamConfigEntry,
        camera_id: str,
        begin: datetime,
        end: datetime,
        start_of: Callable[[datetime], datetime],
    ) -> list[datetime]:
        """Return the starts of those days, hours or pieces in which something is recorded, in order."""
        with explained():
            chunks = await entry.runtime_data.client.chunks(camera_id, begin, end)
        starts = {start_of(dt_util.as_local(chunk.started_at)) for chunk in chunks}
        return sorted(max(start, begin) for start in starts)

    async def _visits(self, entry: MarengoCamConfigEntry, rest: list[str]) -> BrowseMediaSource:
        state = entry.runtime_data.coordinator.data
        root = f"{entry.entry_id}/{VISITS}"
        if not rest:
            people = [folder(f"{root}/{one.person_id}", one.name) for one in state.persons.values()]
            return folder(
                root, word(self.hass, VISITS), [*people, folder(f"{root}/{STRANGERS}", word(self.hass, STRANGERS))]
            )
        strangers = rest[0] == STRANGERS
        person = state.persons.get(rest[0])
        if person is None and not strangers:
            raise nothing_there(BrowseError, f"{root}/{rest[0]}")
        visits = await self._past_visits(
            entry, person_id=None if strangers else rest[0], unknown=strangers, limit=VISITS_SHOWN
        )
        below = [self._visit(entry, visit) for visit in visits if visit.path]
        return folder(f"{root}/{rest[0]}", person.name if person else word(self.hass, STRANGERS), below)

    def _visit(self, entry: MarengoCamConfigEntry, visit: Visit) -> BrowseMediaSource:
        """Return a visit as the clip of its longest stop."""
        state = entry.runtime_data.coordinator.data
        stop = max(visit.path, key=lambda one: one.to_at - one.from_at)
        begin, end = stop.from_at - AROUND, min(stop.to_at + AROUND, stop.from_at - AROUND + LONGEST_CLIP)
        began = dt_util.as_local(visit.first_seen_at)
        who = visit.person_name or word(self.hass, "unknown")
        title = f"{began:%Y-%m-%d} {clock(began)} {who}: {way(state, visit)}"
        return clip(entry, stop.camera_id, begin, end, title, _picture(entry, visit.picture_track_id))


def folder(identifier: str | None, title: str, children: list[BrowseMediaSource] | None = None) -> BrowseMediaSource:
    """Return something that is opened."""
    made = BrowseMediaSource(
        domain=DOMAIN,
        identifier=identifier,
        media_class=MediaClass.DIRECTORY,
        media_content_type=MediaType.VIDEO,
        title=title,
        can_play=False,
        can_expand=True,
    )
    made.children = children
    made.can_search = True  # older releases do not ask
    return made


def clip(
    entry: MarengoCamConfigEntry, camera_id: str, from_at: datetime, to_at: datetime, title: str, thumbnail: str | None
) -> BrowseMediaSource:
    """Return something that is played."""
    span = SEPARATOR.join(dt_util.as_utc(at).isoformat() for at in (from_at, to_at))
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=f"{entry.entry_id}/clip/{camera_id}/{span}",
        media_class=MediaClass.VIDEO,
        media_content_type=VIDEO,
        title=title,
        can_play=True,
        can_expand=False,
        thumbnail=thumbnail,
    )


def kept(file: Path) -> BrowseMediaSource:
    """Return a file of the media folder, which Home Assistant plays itself."""
    is_clip = file.suffix == CLIP_SUFFIX
    return BrowseMediaSource(
        domain=MEDIA_SOURCE_DOMAIN,
        identifier=f"{MEDIA_SOURCE}/{DOMAIN}/{file.name}",
        media_class=MediaClass.VIDEO if is_clip else MediaClass.IMAGE,
        media_content_type=VIDEO if is_clip else "image/jpeg",
        title=file.stem,
        can_play=True,
        can_expand=False,
        thumbnail=None,
    )


def _picture(entry: MarengoCamConfigEntry, local_track_id: str | None) -> str | None:
    return TRACK_PICTURE.format(entry.entry_id, local_track_id) if local_track_id else None


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _piece(at: datetime) -> datetime:
    return at.replace(minute=at.minute - at.minute % (PIECE.seconds // 60), second=0, microsecond=0)
