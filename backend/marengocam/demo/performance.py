"""One run of the demo: the stage is set, events are told as they come, strangers get names, the report is written."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from marengocam.core.clock import SystemClock
from marengocam.demo.backend import DemoError
from marengocam.demo.home.assistant import PASSWORD, USER
from marengocam.demo.narrator import clock_time, sentence
from marengocam.demo.report import Observations, build_report, delay_s
from marengocam.demo.stage import Stage, set_stage
from marengocam.demo.worlds import ANY_CAMERA, World

AWAITED = "person_confirmed"


class Performance:
    """Runs the demo once; `report` holds its report afterwards."""

    def __init__(
        self, world: World, data: Path, hass: Path | None, component: Path | None, stopping: asyncio.Event
    ) -> None:
        self._world = world
        self._data = data
        self._hass = hass
        self._component = component
        self._stopping = stopping
        self._reached = asyncio.Event()
        self._seen = Observations()
        self._strangers = dict(world.stranger_names)
        self._clock = SystemClock()
        self.set = False  # True once everything runs
        self.report: dict[str, Any] = {}

    async def run(self, once_limit_s: float | None) -> str:
        """Run until stopped, or with a limit until the awaited event; return why that was not reached, or ''."""
        if self._hass is not None and self._component is None:
            raise DemoError("The integration's folder is not known: start the demo with ./script/demo.")
        component = self._component or Path()
        async with set_stage(self._world, self._data, self._hass, component, self._seen, self._say) as stage:
            self._announce(stage)
            self.set = True
            listeners = [asyncio.create_task(self._follow_backend(stage))]
            if stage.home is not None:
                listeners.append(asyncio.create_task(self._follow_home(stage)))
            try:
                return await self._wait(listeners, once_limit_s)
            finally:
                for listener in listeners:
                    listener.cancel()
                await asyncio.gather(*listeners, return_exceptions=True)
                self._say("writing the report (every recorded frame is decoded)")
                self.report = await build_report(stage.backend, self._data / "media", self._seen, self._world.title)

    async def _wait(self, listeners: list[asyncio.Task[None]], once_limit_s: float | None) -> str:
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(self._stopping.wait())]
        if once_limit_s is not None:
            ends.append(asyncio.create_task(self._reached.wait()))
        done, pending = await asyncio.wait(
            [*ends, *listeners], timeout=once_limit_s, return_when=asyncio.FIRST_COMPLETED
        )
        for task in set(ends) & pending:
            task.cancel()
        for task in set(listeners) & done:
            await task
        if once_limit_s is None or self._reached.is_set():
            return ""
        if self._stopping.is_set():
            return "it was stopped before a person was confirmed"
        return f"no person was confirmed within {once_limit_s:.0f} s; see {self._data / 'logs'}"

    def _announce(self, stage: Stage) -> None:
        print(f"\n  API and page    {stage.backend.address}  (token in {self._data / 'token'})")
        if stage.home is not None:
            print(f"  Home Assistant  {stage.home.address}  user {USER}, password {PASSWORD}")
            print(f"  Dashboard       {stage.dashboard_url}")
        print(f"  Logs            {self._data / 'logs'}\n  Stop with Ctrl-C\n", flush=True)

    async def _follow_backend(self, stage: Stage) -> None:
        info = await stage.backend.call("GET", "/info")
        async for event in stage.backend.events(after=info["last_event_number"]):
            self._say(f"#{event['number']} {sentence(event)}", clock_time(event["occurred_at"]))
            if event["type"] == "person_unknown":
                await self._name_stranger(stage, event)
            if event["type"] == AWAITED and stage.home is None:
                self._reached.set()

    async def _name_stranger(self, stage: Stage, event: dict[str, Any]) -> None:
        camera = event["camera_name"] if event["camera_name"] in self._strangers else ANY_CAMERA
        name = self._strangers.get(camera)
        if name is None or event["identity_id"] is None:
            return
        del self._strangers[camera]
        persons = (await stage.backend.call("GET", "/persons"))["persons"]
        known = {person["name"]: person["person_id"] for person in persons}
        body = {"person_id": known[name]} if name in known else {"name": name}
        await stage.backend.call("POST", f"/identities/{event['identity_id']}/name", body)
        self._seen.named.append(name)
        self._say(f"the owner names this stranger {name}")

    async def _follow_home(self, stage: Stage) -> None:
        assert stage.home is not None
        started = asyncio.Event()
        async for event in stage.home.events(started):
            if event["event_type"] == "automation_triggered":
                self._seen.automations += 1
                self._say(f"Home Assistant ran the automation {event['data'].get('name')!r}")
                continue
            self._seen.home_events.append(event)
            if event["event_type"] == f"marengocam_{AWAITED}":
                await self._measure(stage, event)
                self._reached.set()

    async def _measure(self, stage: Stage, event: dict[str, Any]) -> None:
        with contextlib.suppress(DemoError):
            track = await stage.backend.call("GET", f"/tracks/{event['data']['local_track_id']}")
            delay = delay_s(track["first_seen_at"], event["time_fired"])
            self._seen.delays_s.append(delay)
            person = event["data"].get("person")
            self._say(f"Home Assistant knows that {person} is here, {delay:.1f} s after the first sight")

    def _say(self, text: str, at: str | None = None) -> None:
        print(f"{at or self._clock.now().strftime('%H:%M:%S')}  {text}", flush=True)
