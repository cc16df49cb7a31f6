"""A human's word about identities and persons: carried out at once, audited, undoable, never overruled (I6)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from marengocam.core.errors import BadInputError, ConflictError, NotFoundError
from marengocam.core.ids import new_id
from marengocam.core.person_names import person_name
from marengocam.db.database import Connection, Database
from marengocam.db.deadlocks import begun_anew
from marengocam.db.events import Events
from marengocam.db.forsaken import let_go
from marengocam.db.persons import CHANNEL, TRACK_CHANNEL
from marengocam.db.queries import load, rows
from marengocam.db.resolution import TURN_KEY
from marengocam.db.word_changes import (
    Speaker,
    Word,
    WordKind,
    called,
    finish,
    identities,
    identities_of,
    identities_of_tracks,
    living,
    look_at_alike,
    make_person,
    move,
    must_belong,
    note,
    person_or_new,
    person_row,
    restore,
    sights,
)

NEVER, AGAIN = "Nothing is told about", "It is told again about"
_QUERIES = load("words")


class Words:
    """`hub.words`: each call is one transaction that waits for the resolver's turn to end.

    All raise NotFoundError for what is not there (any more), ConflictError for what clashes.
    """

    def __init__(self, database: Database, events: Events) -> None:
        self._database = database
        self._events = events

    @begun_anew
    async def name(self, identity_id: UUID, who: UUID | str, speaker: Speaker) -> Word:
        """Say who an identity is, by a person's id or by a name, which may be new; its faces join the gallery."""
        async with self._saying() as connection:
            identity_id = await living(connection, identity_id)
            (identity,) = await identities(connection, [identity_id])
            person, made = await person_or_new(connection, who, speaker.at)
            person_id = person["person_id"]
            summary = f"{called(identity)} is {person['name']}."
            word = await note(connection, WordKind.NAME, speaker, summary, [identity_id], [person_id], made=made)
            await make_person(connection, [identity_id], person_id, speaker.at)
        return word

    @begun_anew
    async def name_tracks(self, local_track_ids: Sequence[UUID], who: UUID | str, speaker: Speaker) -> Word:
        """Say who these tracks are, by id or name, whatever the rest of their identities is."""
        async with self._saying() as connection:
            sources = await identities_of_tracks(connection, local_track_ids)
            person, made = await person_or_new(connection, who, speaker.at)
            person_id = person["person_id"]
            own = await identities_of(connection, person_id)
            identity_id = own[0] if own else new_id(speaker.at)
            summary = f"{sights(local_track_ids)} shown to be {person['name']}."
            touched = [*sources, *own[:1]]
            word = await note(
                connection, WordKind.NAME, speaker, summary, touched, [person_id], also=[identity_id], made=made
            )
            await move(connection, local_track_ids, identity_id, speaker.at, exists=bool(own))
            await _QUERIES.set_person(connection, identity_ids=[identity_id], person_id=person_id)
            await _QUERIES.say_after_all(connection, person_id=person_id)
            await _QUERIES.pin_tracks(connection, local_track_ids=list(local_track_ids), at=speaker.at)
            await finish(connection, [*touched, identity_id], person_id, speaker.at)
        return word

    @begun_anew
    async def enrolled(self, person_id: UUID, at: datetime) -> None:
        """Have the resolver look again at whoever of the last days is like somebody whose face was added."""
        async with self._saying() as connection:
            await look_at_alike(connection, person_id, at)
            await _QUERIES.notify(connection, channel=TRACK_CHANNEL, payload="")

    @begun_anew
    async def confirm(self, local_track_ids: Sequence[UUID], speaker: Speaker) -> Word:
        """Say that the present decision on these tracks is right."""
        async with self._saying() as connection:
            sources = await identities_of_tracks(connection, local_track_ids)
            found = await identities(connection, sources)
            summary = f"{sights(local_track_ids)} confirmed: {', '.join(sorted({called(one) for one in found}))}."
            persons = sorted({one["person_id"] for one in found if one["person_id"] is not None})
            word = await note(connection, WordKind.CONFIRM, speaker, summary, sources, persons)
            await _QUERIES.pin_tracks(connection, local_track_ids=list(local_track_ids), at=speaker.at)
            await finish(connection, sources, None, speaker.at)
        return word

    @begun_anew
    async def deny(
        self, identity_id: UUID, person_id: UUID, speaker: Speaker, local_track_ids: Sequence[UUID] = ()
    ) -> tuple[Word, UUID]:
        """Say that an identity, or some of its tracks, is not that person; return the identity they have now."""
        async with self._saying() as connection:
            (identity,) = await identities(connection, [identity_id])
            person = await person_row(connection, person_id)
            apart = new_id(speaker.at) if local_track_ids else identity_id
            if local_track_ids:
                await must_belong(connection, local_track_ids, identity_id)
            whose = sights(local_track_ids) if local_track_ids else called(identity)
            summary = f"{whose}: not {person['name']}."
            word = await note(connection, WordKind.DENY, speaker, summary, [identity_id], [person_id], also=[apart])
            if local_track_ids:
                await move(connection, local_track_ids, apart, speaker.at, exists=False)
            elif identity["person_id"] == person_id:
                await _QUERIES.set_person(connection, identity_ids=[apart], person_id=None)
            await _QUERIES.disown_faces(connection, identity_ids=[apart], person_id=person_id)
            await _QUERIES.deny(connection, identity_id=apart, person_id=person_id, word_id=word.word_id)
            await _QUERIES.pin(connection, identity_ids=[identity_id, apart], at=speaker.at)
            await finish(connection, [identity_id, apart], person_id, speaker.at)
        return word, apart

    @begun_anew
    async def split(self, identity_id: UUID, local_track_ids: Sequence[UUID], speaker: Speaker) -> tuple[Word, UUID]:
        """Say that some tracks of an identity are somebody else; return the identity they have now."""
        async with self._saying() as connection:
            (identity,) = await identities(connection, [identity_id])
            await must_belong(connection, local_track_ids, identity_id)
            apart = new_id(speaker.at)
            verb = "is" if len(set(local_track_ids)) == 1 else "are"
            summary = f"{sights(local_track_ids)} of {called(identity)} {verb} somebody else."
            persons = [identity["person_id"]] if identity["person_id"] is not None else []
            word = await note(connection, WordKind.SPLIT, speaker, summary, [identity_id], persons, also=[apart])
            await move(connection, local_track_ids, apart, speaker.at, exists=False)
            for person_id in persons:
                await _QUERIES.disown_faces(connection, identity_ids=[apart], person_id=person_id)
                await _QUERIES.deny(connection, identity_id=apart, person_id=person_id, word_id=word.word_id)
            # Both sides: else the resolver would join what it had joined before.
            await _QUERIES.pin(connection, identity_ids=[identity_id, apart], at=speaker.at)
            await finish(connection, [identity_id, apart], persons[0] if persons else None, speaker.at)
        return word, apart

    @begun_anew
    async def merge(self, identity_id: UUID, into_id: UUID, speaker: Speaker) -> Word:
        """Say that two identities are one; two persons are merged by `merge_persons` instead."""
        if identity_id == into_id:
            raise BadInputError("An identity cannot be merged into itself: give two different ones.")
        async with self._saying() as connection:
            found = {one["identity_id"]: one for one in await identities(connection, [identity_id, into_id])}
            one, into = found[identity_id], found[into_id]
            persons = {one["person_id"], into["person_id"]} - {None}
            if len(persons) > 1:
                raise ConflictError(
                    f"{one['person_name']} and {into['person_name']} are two persons: merge the persons if they are "
                    "one, or split off the tracks that are somebody else's."
                )
            for person_id in persons:
                if await _QUERIES.denied(connection, identity_ids=[identity_id, into_id], person_id=person_id):
                    raise ConflictError("Somebody said that one of them is not that person: take that back first.")
            summary = f"{called(one)} is the same as {called(into)}."
            word = await note(connection, WordKind.MERGE, speaker, summary, [identity_id, into_id], sorted(persons))
            await _QUERIES.move_assignments(connection, identity_id=identity_id, into_id=into_id)
            await _QUERIES.move_gallery(connection, identity_id=identity_id, into_id=into_id)
            await _QUERIES.hand_on_denials(connection, identity_id=identity_id, into_id=into_id, word_id=word.word_id)
            await _QUERIES.merge_identity(connection, identity_id=identity_id, into_id=into_id)
            if persons:
                await make_person(connection, [into_id], persons.pop(), speaker.at)
            else:
                await _QUERIES.pin(connection, identity_ids=[into_id], at=speaker.at)
                await finish(connection, [into_id], None, speaker.at)
        return word

    @begun_anew
    async def merge_persons(self, person_id: UUID, into_id: UUID, speaker: Speaker) -> Word:
        """Say that two persons are one; the first one's name goes."""
        if person_id == into_id:
            raise BadInputError("A person cannot be merged into itself: give two different ones.")
        async with self._saying() as connection:
            person, into = await person_row(connection, person_id), await person_row(connection, into_id)
            summary = f"{person['name']} is {into['name']}."
            own = await identities_of(connection, person_id)
            both, gone = [person_id, into_id], [person_id]
            word = await note(connection, WordKind.MERGE_PERSONS, speaker, summary, own, both, changed=gone, given=gone)
            await _QUERIES.set_person(connection, identity_ids=own, person_id=into_id)
            await _QUERIES.give_gallery(connection, person_id=person_id, into_id=into_id)
            await _QUERIES.give_denials(connection, person_id=person_id, into_id=into_id)
            await _QUERIES.say_after_all(connection, person_id=into_id)
            await _QUERIES.drop_person(connection, person_id=person_id)
            await _QUERIES.pin(connection, identity_ids=own, at=speaker.at)
            await finish(connection, own, into_id, speaker.at)
            await _QUERIES.notify(connection, channel=CHANNEL, payload=str(person_id))
        return word

    @begun_anew
    async def rename(self, person_id: UUID, name: str, speaker: Speaker) -> Word:
        """Give a person another name; raises ConflictError when it is taken, BadInputError when it is none."""
        name = person_name(name)
        try:
            async with self._saying() as connection:
                person = await person_row(connection, person_id)
                summary = f"{person['name']} is called {name}."
                word = await note(connection, WordKind.RENAME, speaker, summary, [], [person_id], changed=[person_id])
                await _QUERIES.rename(connection, person_id=person_id, person_name=name)
                await _QUERIES.notify(connection, channel=CHANNEL, payload=str(person_id))
        except ConflictError as error:
            raise ConflictError(f"There is a person called {name!r} already.") from error
        return word

    @begun_anew
    async def ignore_person(self, person_id: UUID, speaker: Speaker, *, ignored: bool) -> Word:
        """Say whether anything shall be told about a person."""
        async with self._saying() as connection:
            person = await person_row(connection, person_id)
            summary = f"{NEVER if ignored else AGAIN} {person['name']}."
            word = await note(connection, WordKind.IGNORE, speaker, summary, [], [person_id], changed=[person_id])
            await _QUERIES.ignore_person(connection, person_id=person_id, ignored=ignored)
            await _QUERIES.notify(connection, channel=CHANNEL, payload=str(person_id))
        return word

    @begun_anew
    async def ignore_identity(self, identity_id: UUID, speaker: Speaker, *, ignored: bool) -> Word:
        """Say whether anything shall be told about an identity, such as a poster."""
        async with self._saying() as connection:
            identity_id = await living(connection, identity_id)
            (identity,) = await identities(connection, [identity_id])
            summary = f"{NEVER if ignored else AGAIN} {called(identity)}."
            word = await note(connection, WordKind.IGNORE, speaker, summary, [identity_id], [])
            await _QUERIES.ignore_identity(connection, identity_id=identity_id, ignored=ignored)
        return word

    @begun_anew
    async def undo(self, word_id: UUID, speaker: Speaker) -> None:
        """Take a word back: what it changed is as before, and is decided on again.

        Whom words had made that do not hold goes, unless something else is of them by now.

        Raises ConflictError when it was taken back, is for good, or a later word about the same still holds.
        """
        async with self._saying() as connection:
            word = await _QUERIES.word_for_undo(connection, word_id=word_id)
            if word is None:
                raise NotFoundError("Nobody said that; see the list of words.")
            if word["undone_at"] is not None:
                raise ConflictError("That was taken back already.")
            if word["before"] is None:
                raise ConflictError("That was for good: biometric data that were erased cannot come back.")
            later = await _QUERIES.later_word(
                connection, word_id=word_id, changed=list(word["changed"]), said_at=word["said_at"]
            ) or await _QUERIES.merged_away(connection, word_id=word_id, before=word["before"])
            if later is not None and later["for_good"]:
                raise ConflictError("Somebody it is about was erased since: it cannot be taken back any more.")
            if later is not None:
                raise ConflictError(f"Something was said about it later: first undo {later['summary']!r}.")
            subjects = list(word["subjects"])
            names = await _QUERIES.names_in(connection, subjects=subjects, before=word["before"])
            await restore(connection, word, speaker.at)
            await _QUERIES.mark_undone(connection, word_id=word_id, at=speaker.at, undone_by=speaker.name, names=names)
            await let_go(connection, self._events, subjects, word_id)

    async def list(self, limit: int, subject: UUID | None = None, before: datetime | None = None) -> list[Word]:
        """Return what was said, newest first."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.list_words(connection, subject=subject, before_at=before, most=limit))
        return [
            Word(**(dict(row) | {"kind": WordKind(row["kind"]), "subjects": tuple(row["subjects"])})) for row in found
        ]

    @asynccontextmanager
    async def _saying(self) -> AsyncIterator[Connection]:
        async with self._database.transaction() as connection:
            await _QUERIES.take_turn(connection, key=TURN_KEY)
            yield connection
