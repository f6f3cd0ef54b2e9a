"""pm4py's directly-follows graph, measured by `with_pm4py` in an environment of pm4py's own.

Not a part of the package `benchmarks`: it runs by its path and finds only pm4py and what it needs.
Reads sorted columns from a folder; then, for each line that comes in, finds the graph once.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd


def main(folder: Path) -> None:
    """Answer on what was standard output; what pm4py prints there goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import pm4py  # type: ignore[import-not-found]  # greets when imported

    columns = {name: np.load(folder / f"{name}.npy") for name in ("opportunity", "state", "time")}
    # Its functions take identifiers and activities as texts only.
    log = pd.DataFrame(
        {
            "case:concept:name": columns["opportunity"].astype(str),
            "concept:name": columns["state"].astype(str),
            "time:timestamp": columns["time"].view("datetime64[us]"),
        }
    )
    print(json.dumps("ready"), file=answers, flush=True)
    for _ in sys.stdin:
        graph, _starts, _ends = pm4py.discover_dfg(log)
        rows = [[int(source), int(target), int(n)] for (source, target), n in graph.items()]
        print(json.dumps(rows), file=answers, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
