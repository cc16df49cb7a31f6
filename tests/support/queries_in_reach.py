"""Which queries the code of a service can come to: followed from name to name through the source, running nothing."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marengocam.db.hub import Hub
from marengocam.db.queries import SQL_FOLDER, load

BACKEND = Path(__file__).resolve().parents[2] / "backend"
DB = "marengocam.db."
# Prepared by the owner's account before any service has work to do.
NOT_FOR_SERVICES = {"app", "migration", "roles", "grants", "reference"}
# A replay's own tables, of its own session: what the resolver's queries do to them is nobody's right.
ISOLATED, OF_ISOLATION = "marengocam.db.isolation", "isolation"


@dataclass(frozen=True, slots=True)
class Query:
    """One named query with its text as the driver sends it."""

    file: str
    name: str
    sql: str


@dataclass(slots=True)
class _Module:
    name: str
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    units: dict[str, ast.AST] = field(default_factory=dict)  # top-level names, and Class.method in rooms of the hub
    queries: dict[str, str] = field(default_factory=dict)  # variable -> file of queries


def queries_in_reach(service: str) -> set[Query]:
    """Return all queries that a service's process may send; `service` may be any package of ours."""
    modules = _modules()
    package = f"marengocam.{service}"
    todo = [
        (name, unit)
        for name, module in modules.items()
        if name == package or name.startswith(f"{package}.")
        for unit in module.units
    ]
    todo.append(("marengocam.runtime.service", "run_service"))
    if service == "ingest":  # it replays recordings in a child process of its own account
        todo.append(("marengocam.replay.__main__", "carry_out"))
    seen: set[tuple[str, str]] = set()
    found = {Query("migration", "applied", _loaded("migration").applied.sql)}  # each looks whether the schema is ready
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        module = modules[place[0]]
        if module.name == ISOLATED:
            found |= {query for unit in module.units.values() for query in _queries(module, unit) if _apart(query)}
            continue
        found |= set(_queries(module, module.units[place[1]]))
        todo.extend(_references(modules, module, place[1]))
    return found


def _apart(query: Query) -> bool:
    return query.file == OF_ISOLATION


def _queries(module: _Module, tree: ast.AST) -> Iterator[Query]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        file = module.queries.get(node.value.id)
        if file is not None and file not in NOT_FOR_SERVICES:
            yield Query(file, node.attr, getattr(_loaded(file), node.attr).sql)


def _references(modules: dict[str, _Module], module: _Module, unit: str) -> Iterator[tuple[str, str]]:
    owner, _, method = unit.partition(".")
    aggregates = _aggregates()
    for node in ast.walk(module.units[unit]):
        if isinstance(node, ast.Name):
            yield from _named(modules, module, node.id)
        if not isinstance(node, ast.Attribute):
            continue
        if method and isinstance(node.value, ast.Name) and node.value.id == "self":
            yield from _known(modules, module.name, f"{owner}.{node.attr}")
        holder = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        if holder.lstrip("_") in aggregates:
            place, name = aggregates[holder.lstrip("_")]
            yield from _known(modules, place, f"{name}.{node.attr}")


def _named(modules: dict[str, _Module], module: _Module, name: str) -> Iterator[tuple[str, str]]:
    """Follow a name to where it is defined.

    Naming a repository is no use of its methods, it comes from the hub; whoever names another class may use all of it.
    """
    place, name = module.imported.get(name, (module.name, name))
    while place in modules and name not in modules[place].units and name in modules[place].imported:
        place, name = modules[place].imported[name]
    yield from _known(modules, place, name)
    if place in modules and (place, name) not in _aggregates().values():
        yield from ((place, unit) for unit in modules[place].units if unit.startswith(f"{name}."))


def _known(modules: dict[str, _Module], place: str, unit: str) -> Iterator[tuple[str, str]]:
    if place in modules and unit in modules[place].units:
        yield place, unit


def _aggregates() -> dict[str, tuple[str, str]]:
    """Return where the hub and each of its attributes are defined."""
    kinds = {"hub": Hub, **Hub.__annotations__}
    return {name: (kind.__module__, kind.__name__) for name, kind in kinds.items()}


@functools.cache
def _modules() -> dict[str, _Module]:
    return {module.name: module for module in map(_read, sorted((BACKEND / "marengocam").rglob("*.py")))}


def _read(file: Path) -> _Module:
    parts = file.relative_to(BACKEND).with_suffix("").parts
    module = _Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("marengocam"):
            for name in node.names:
                module.imported[name.asname or name.name] = (str(node.module), name.name)
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef) and module.name.startswith(DB):
            for inner in statement.body:
                if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    module.units[f"{statement.name}.{inner.name}"] = inner
        elif isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            module.units[statement.name] = statement
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                _read_value(module, target, statement.value)
    return module


def _read_value(module: _Module, target: ast.expr, value: ast.expr | None) -> None:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one_target, one_value in zip(target.elts, value.elts, strict=True):
            _read_value(module, one_target, one_value)
    elif isinstance(target, ast.Name) and value is not None:
        if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "load":
            module.queries[target.id] = str(ast.literal_eval(value.args[0]))
        else:
            module.units[target.id] = value


@functools.cache
def _loaded(file: str) -> Any:
    return load(file)


def all_queries() -> set[tuple[str, str]]:
    """Return file and name of every query that there is, but for those of the owner's account."""
    files = (file.stem for file in SQL_FOLDER.glob("*.sql"))
    return {
        (file, name)
        for file in files
        if file not in NOT_FOR_SERVICES
        for name in _loaded(file).available_queries
        if not name.endswith("_cursor")
    }
