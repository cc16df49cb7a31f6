"""Print the pip requirements of the named Home Assistant integrations and of all they depend on."""

import json
import sys
from pathlib import Path

from homeassistant import components


def requirements(names: list[str], root: Path) -> set[str]:
    """Return the pins of `names` and their dependencies, read from the manifests under `root`."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        manifest = root / name / "manifest.json"
        if name in seen or not manifest.exists():
            continue
        seen.add(name)
        content = json.loads(manifest.read_text())
        found.update(content.get("requirements", []))
        waiting.extend(content.get("dependencies", []))
    return found


if __name__ == "__main__":
    print("\n".join(sorted(requirements(sys.argv[1:], Path(components.__path__[0])))))
