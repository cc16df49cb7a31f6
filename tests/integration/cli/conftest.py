"""The command line, run as an owner runs it."""

import asyncio
import os
import sys

import pytest
from tests.support.ingest_service import environment_of


@pytest.fixture
def marengocam(hub_settings):
    async def run(*arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "marengocam.cli",
            *arguments,
            env=os.environ | environment_of(hub_settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            said, complained = await process.communicate()
        return process.returncode or 0, said.decode(), complained.decode()

    return run
