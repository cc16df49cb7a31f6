"""The real backend in processes of its own: tests/support/backend_process.py, run by the backend's Python."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PYTHON_VARIABLE = "MARENGOCAM_BACKEND_PYTHON"
STOP_LIMIT_S = 30.0


def backend_python() -> str:
    """Return the backend's Python; its environment is made by script/setup."""
    return os.environ.get(PYTHON_VARIABLE) or str(ROOT / ".venv" / "bin" / "python")


@dataclass
class RealBackend:
    """A running database and web service, and what a test may do to them."""

    process: "subprocess.Popen[str]"
    address: str
    token: str = ""

    @classmethod
    def start(cls) -> "RealBackend":
        command = [backend_python(), "-m", "tests.support.backend_process"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the backend did not start; see the lines above"
        backend = cls(process, json.loads(line)["address"])
        backend.token = backend.do("token", scopes=["read", "write"])
        return backend

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(STOP_LIMIT_S)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def do(self, order: str, **values: Any) -> Any:
        """Have something done on the backend's side and return its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": order, **values}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["ok"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Use the public API as the owner's own page would."""
        return self.do("call", method=method, path=path, token=self.token, body=body)
