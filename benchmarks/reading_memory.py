"""How much memory it takes to read a CSV file, beside its size.

Files of several sizes are generated, each is read in a process of its own, and the peak of resident
memory above that of the imports is printed. With ``--limit`` the script fails where a file takes
more than that share of its size.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

_STAGES = ("lead", "demo", "quote", "won", "lost")
_READ = """
import sys, time
import salesfunnel as sf
from benchmarks.hotpath.memory import peak
funnel = sf.Funnel(["lead", "demo", "quote"])
columns = {"opportunity": "id", "stage": "stage", "entered_at": "at", "attributes": ["owner"]}
small, large = sys.argv[1:]
sf.read_csv(small, funnel, **columns)
before, start = peak(), time.perf_counter()
log = sf.read_csv(large, funnel, **columns)
print(len(log), peak() - before, time.perf_counter() - start)
"""


def write(path: Path, n_rows: int) -> None:
    """Write a history with 18-character identifiers, ISO times and long notes."""
    random = Random(7)
    with path.open("w", encoding="utf-8") as out:
        out.write("id,stage,at,owner,note\n")
        for row in range(n_rows):
            deal = random.randrange(max(1, n_rows // 4))
            day = f"2026-{1 + row % 12:02d}-{1 + row % 28:02d}"
            at = f"{day}T09:{row % 60:02d}:{row * 7 % 60:02d}+08:00"
            out.write(f"006{deal:015d},{_STAGES[row % 5]},{at},owner{deal % 50},{'x' * 100}\n")


def main() -> int:
    """Measure, print, and return 1 where a file took more memory than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--limit", type=float, help="share of the file's size, such as 0.8")
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.csv"
        write(small, 1_000)
        print("file MB     rows  seconds  peak MB  of the file  bytes a row")
        for megabytes in options.megabytes:
            path = Path(folder) / "large.csv"
            write(path, megabytes * 1_000_000 // 159)
            done = subprocess.run(
                [sys.executable, "-c", _READ, str(small), str(path)],
                capture_output=True,
                text=True,
                check=True,
            )
            rows, used, seconds = (float(number) for number in done.stdout.split())
            share = used / path.stat().st_size
            failed |= options.limit is not None and share > options.limit
            print(
                f"{path.stat().st_size / 1e6:7.0f} {rows:9,.0f} {seconds:7.1f} {used / 1e6:8.0f} "
                f"{share:11.0%} {used / rows:12.0f}"
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
