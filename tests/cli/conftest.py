"""The command line as a fixture."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.command import Command, Run

from salesfunnel.cli import main


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """Return a function that runs a command, in a folder of the test's own and no language set."""
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: str) -> Run:
        try:
            code = main(arguments)
        except SystemExit as stop:  # of argparse
            code = int(stop.code or 0)
        return Run(code, *capsys.readouterr())

    return command
