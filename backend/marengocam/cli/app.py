"""Commands that only the Home Assistant app itself calls (addon/rootfs/usr/lib/marengocam)."""

import argparse
import os
from collections.abc import Coroutine
from typing import Any

from marengocam.cli.opening import Subparsers
from marengocam.settings import Settings

STEPS = {
    "prepare": "folders, accounts and the services' options, at each start",
    "database": "find, make, restore or upgrade the database's cluster, and print its folder",
    "schema": "bring the schema and the services' roles up to date, after a dump",
    "announce": "tell Home Assistant of the app and take its MQTT broker, until told to end",
    "watch": "have processes killed that hang, until told to end",
    "backup-begin": "dump the database for a hot backup",
    "backup-end": "remove that dump",
    "rest": "name the cluster as one that does not run",
}


def add_commands(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `app`."""
    parser = commands.add_parser("app", help="what the Home Assistant app does inside its container")
    parser.add_argument("step", choices=list(STEPS))
    parser.set_defaults(command=run_step)


def run_step(settings: Settings, arguments: argparse.Namespace) -> "int | Coroutine[Any, Any, object]":
    from marengocam.app import announce, clusters, prepare, schema, watch  # noqa: PLC0415 - loaded when needed
    from marengocam.app.layout import Layout  # noqa: PLC0415 - loaded when needed
    from marengocam.runtime.logs import start_logging  # noqa: PLC0415 - loaded when needed

    layout = Layout()
    step: str = arguments.step
    name = {"database": "postgres", "prepare": "init", "rest": "init"}.get(step, step)
    start_logging(name, settings.log_level, as_json=settings.log_json, secrets=settings.secrets)
    if step == "announce":
        return announce.keep_announced(settings, layout)
    if step == "watch":
        return watch.watch(settings, layout)
    if step == "schema":
        return _quietly(schema.bring_up_to_date(settings, layout))
    if step == "database":
        print(clusters.ready_cluster(layout))
    elif step == "prepare":
        prepare.prepare(layout, os.environ)
    elif step == "backup-begin":
        schema.begin_backup(layout)
    elif step == "backup-end":
        schema.end_backup(layout)
    else:
        clusters.put_to_rest(layout)
    return 0


async def _quietly(job: "Coroutine[Any, Any, object]") -> None:
    """Do a job whose outcome is in the log."""
    await job
