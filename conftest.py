"""Set-up of the tests: hypothesis, what a machine may lack, examples in the documentation."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import hypothesis
import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser

ROOT = Path(__file__).parent

# Deadlines measure the machine, not the code; in CI every run tries the same examples.
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if "CI" in os.environ else "dev")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the project; without it the test is skipped."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data: there is no ../shared/data")
    return folder


@pytest.fixture(scope="session")
def require_program() -> Callable[[str], str]:
    """Return a function from a program's name to its path.

    Where the program is missing the test is skipped, or fails if SALESFUNNEL_REQUIRE_SYSTEM is 1.
    """

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is not None:
            return path
        if os.environ.get("SALESFUNNEL_REQUIRE_SYSTEM") == "1":
            pytest.fail(
                f"{program} is not installed, and SALESFUNNEL_REQUIRE_SYSTEM asks for it",
                pytrace=False,
            )
        pytest.skip(f"{program} is not installed")

    return find


# Examples read and write files, so those of each page and module run in a folder of their own.


def _enter_folder(namespace: dict[str, Any]) -> None:
    namespace["__came_from__"] = Path.cwd()
    os.chdir(mkdtemp(prefix="salesfunnel-docs-"))


def _leave_folder(namespace: dict[str, Any]) -> None:
    folder = Path.cwd()
    os.chdir(namespace.pop("__came_from__"))
    shutil.rmtree(folder)


pages = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["docs/*.md", "docs/*/*.md", "docs/*/*/*.md"],
    filenames=["README.md", "README.zh-CN.md"],
    setup=_enter_folder,
    teardown=_leave_folder,
)
docstrings = Sybil(
    parsers=[DocTestParser()],
    patterns=["src/salesfunnel/*.py", "src/salesfunnel/*/*.py", "src/salesfunnel/*/*/*.py"],
    setup=_enter_folder,
    teardown=_leave_folder,
)
pytest_collect_file = (pages + docstrings).pytest()
