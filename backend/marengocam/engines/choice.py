"""The client for an engine's address."""

import aiohttp

from marengocam.core.face_engines import EngineAddress, EngineKind
from marengocam.engines.codeproject import CodeProjectEngine
from marengocam.engines.compreface import CompreFaceEngine
from marengocam.engines.protocol import FaceEngine


def engine_at(address: EngineAddress, session: aiohttp.ClientSession) -> FaceEngine:
    """Return the client that speaks the language of an engine."""
    if address.kind is EngineKind.COMPREFACE:
        return CompreFaceEngine(address, session)
    return CodeProjectEngine(address, session)
