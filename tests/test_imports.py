"""What importing the package brings in, and what it offers."""

from __future__ import annotations

import subprocess
import sys

import salesfunnel

# six and tzdata are dateutil's own dependencies (of 2.9 and of 4).
CORE = {"attr", "attrs", "dateutil", "numpy", "six", "tzdata"}


def modules_loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter loads for one statement."""
    script = f"import sys; known = {{*sys.modules}}; {statement}; print(*{{*sys.modules}} - known)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_only_its_core_dependencies() -> None:
    loaded = modules_loaded_by("import salesfunnel")

    assert "salesfunnel" in loaded
    foreign = {
        name
        for name in loaded - sys.stdlib_module_names - {"salesfunnel"}
        # The standard library's own, named after the platform.
        if not name.startswith("_sysconfigdata")
    }
    assert foreign <= CORE


def test_every_public_name_resolves() -> None:
    missing = [name for name in salesfunnel.__all__ if not hasattr(salesfunnel, name)]

    assert salesfunnel.__all__
    assert missing == []


def test_dir_lists_every_public_name() -> None:
    assert set(salesfunnel.__all__) <= set(dir(salesfunnel))


def test_no_public_name_is_listed_twice() -> None:
    assert len(set(salesfunnel.__all__)) == len(salesfunnel.__all__)
