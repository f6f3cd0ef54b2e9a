"""What importing the package costs beyond importing its dependencies.

Each measurement is a fresh interpreter, and they take turns. Counted is the time of the statement
alone: with the interpreter's own start, the differences would look smaller than they are. What
works on arrays is imported when it is first used, so that is shown too.

Run it with ``python benchmarks/bench_import.py``, or as a part of ``make bench``.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

DEPENDENCIES = (
    "import attrs, numpy, dateutil.parser, dateutil.relativedelta, dateutil.rrule, dateutil.tz"
)
PACKAGE = "import salesfunnel"
STATEMENTS = {
    "dependencies alone": DEPENDENCIES,
    "salesfunnel": PACKAGE,
    "salesfunnel, first log": f"{PACKAGE}; salesfunnel.StageLog",
}
ROUNDS = 30
AT_MOST = 1.15
"""How many times the dependencies' import the package's may take."""


def milliseconds(statement: str) -> float:
    """Return how long a statement takes in a fresh interpreter."""
    script = (
        "from time import perf_counter\n"
        "started = perf_counter()\n"
        f"{statement}\n"
        "print((perf_counter() - started) * 1e3)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return float(done.stdout)


def main() -> int:
    """Print the comparison; return 0 where the package is light enough, else 1."""
    for statement in STATEMENTS.values():  # compiled and in the file cache from here on
        milliseconds(statement)
    rounds = [
        {name: milliseconds(statement) for name, statement in STATEMENTS.items()}
        for _ in range(ROUNDS)
    ]
    times = {name: median(measured[name] for measured in rounds) for name in STATEMENTS}
    ratios = {name: time / times["dependencies alone"] for name, time in times.items()}
    enough = ratios["salesfunnel"] <= AT_MOST

    print(f"\n{'':28}{'ms':>10}{'ratio':>10}{'at most':>10}")
    for name in STATEMENTS:
        asked = f"{AT_MOST:.2f}" if name == "salesfunnel" else ""
        print(f"{name:28}{times[name]:>10.1f}{ratios[name]:>10.2f}{asked:>10}")
    print(f"median of {ROUNDS} rounds, {'light enough' if enough else 'TOO HEAVY'}")
    return 0 if enough else 1


def test_importing_the_package_is_light_enough() -> None:
    assert main() == 0


if __name__ == "__main__":
    sys.exit(main())
