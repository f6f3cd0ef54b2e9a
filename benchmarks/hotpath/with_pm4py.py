"""pm4py in a process and an environment of its own, so that what it pins binds nobody else."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.data import Entries
from benchmarks.hotpath.answer import Answer, from_rows
from benchmarks.hotpath.contest import CannotTakePartError

_ENVIRONMENT = Path(__file__).parents[2] / "build" / "pm4py"
_PROGRAM = Path(__file__).with_name("pm4py_process.py")


class Process:
    """A process that holds sorted entries and finds their directly-follows graph when asked.

    Raises
    ------
    CannotTakePartError
        If there is no environment with pm4py, and none can be made.
    """

    def __init__(self, ordered: Entries) -> None:
        python = _environment()
        with TemporaryDirectory() as folder:
            for name, column in ordered._asdict().items():
                np.save(Path(folder, f"{name}.npy"), column)
            self._process = subprocess.Popen(
                [python, _PROGRAM, folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            self._read()

    def graph(self) -> list[list[int]]:
        """Return rows of source, target and count; asking for them takes next to no time."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        rows: list[list[int]] = self._read()
        return rows

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"pm4py's process ended with status {self._process.wait()}; to see why, run "
                f"{_PROGRAM.name} in build/pm4py by hand"
            )
        return json.loads(line)


def answer(rows: list[list[int]]) -> Answer:
    """Return the answer of a directly-follows graph."""
    return from_rows(*zip(*rows, strict=True))


def versions() -> dict[str, str]:
    """Return the versions of pm4py and of the pandas that it uses; none if not installed."""
    folders = [str(folder) for folder in _ENVIRONMENT.glob("lib/python*/site-packages")]
    found = {package.name: package.version for package in distributions(path=folders)}
    if "pm4py" not in found:
        return {}
    return {"pm4py": found["pm4py"], "pandas of pm4py": found["pandas"]}


def _environment() -> Path:
    """Return the interpreter of the environment; made once, or again if it was left half made."""
    python = _ENVIRONMENT / "bin" / "python"
    complete = _ENVIRONMENT / "complete"
    if not complete.exists():
        print("making an environment with pm4py in build/pm4py …", file=sys.stderr, flush=True)
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(_ENVIRONMENT)],
            [str(python), "-m", "pip", "install", "--quiet", "pm4py"],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
                raise CannotTakePartError(f"could not be installed: {said[-1]}")
        complete.touch()
    return python
