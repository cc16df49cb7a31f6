"""Named queries of the `.sql` files beside this module, and how rows are read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiosql
import numpy as np

from marengocam.core.model import Embedding, Vector
from marengocam.db.notices import NotingAdapter

_HALFVEC_HEAD_BYTES = 4  # its length, and two spare bytes
# Of numbers from 1e-4 to 1e5 by their size: what makes whole numbers of six digits of them, and those ones of 1e-10.
_FRACTIONS = 10.0 ** np.arange(-4, 6)
_SIX_DIGITS = 10.0 ** np.arange(10, 0, -1)
_REST = 10 ** np.arange(10, dtype=np.int64)
_ENCODER = json.JSONEncoder(separators=(",", ":"))  # made once: `json.dumps` makes one for each value
SQL_FOLDER = Path(__file__).parent / "sql"


def load(name: str) -> Any:
    """Return the queries of `sql/<name>.sql`, one method each."""
    return aiosql.from_path(SQL_FOLDER / f"{name}.sql", NotingAdapter, mandatory_parameters=False)


async def rows(found: Any) -> list[Any]:
    """Return all rows of a query that yields many."""
    return [row async for row in found]


def embedding_from(model: str | None, vector: Sequence[float] | None, quality: float | None) -> Embedding | None:
    """Return an embedding from its three columns, or None when there is none; a vector in bytes is `halfvec_send`'s."""
    if model is None or vector is None:
        return None
    values = vector_from(vector) if isinstance(vector, bytes) else np.asarray(vector, dtype=np.float32)
    return Embedding(model, values, 1.0 if quality is None else quality)


def vector_from(sent: bytes) -> Vector:
    """Return the vector that the server's `halfvec_send` wrote: much cheaper to read than a list of numbers."""
    return np.frombuffer(sent, ">f2", offset=_HALFVEC_HEAD_BYTES).astype(np.float32)


def vectors_from(sent: bytes, count: int) -> Vector:
    """Return vectors of one size, a row each, that `halfvec_send` wrote one after another."""
    return np.frombuffer(sent, ">f2").reshape(count, -1)[:, _HALFVEC_HEAD_BYTES // 2 :].astype(np.float32)


def vector_text(vector: Vector | None) -> str | None:
    """Return a vector as pgvector reads it: six digits of each number, more than a halfvec keeps.

    As whole numbers of 1e-10, which takes less than half of the time that it takes to write fractions.
    """
    if vector is None:
        return None
    values = np.asarray(vector, np.float64)
    sizes = np.abs(values)
    if not len(values) or not sizes.max() < _FRACTIONS[-1]:  # also where one is no number, which the server refuses
        return f"[{','.join(['%.6g'] * len(values))}]" % tuple(values.tolist())
    place = _FRACTIONS.searchsorted(sizes, side="right")
    whole = np.rint(values * _SIX_DIGITS.take(place)).astype(np.int64) * _REST.take(place)
    return str(whole.tolist()).replace(",", "e-10,").replace("]", "e-10]")


def to_json(value: Any) -> str:
    """Return JSON text for a jsonb column."""
    return _ENCODER.encode(value)


def from_json(text: str | None) -> Any:
    """Return the value of a jsonb column that was read as text."""
    return None if text is None else json.loads(text)
