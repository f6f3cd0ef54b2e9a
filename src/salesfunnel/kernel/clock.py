"""Times from entry to entry, from packed keys or from a column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.linking import Rows
from salesfunnel.kernel.packing import CHUNK
from salesfunnel.kernel.sums import Adder, ExactSums


class Clock:
    """Differences of time between entries of one opportunity.

    Where the state alone is below the time in packed keys, the keys themselves are the clock: their
    differences are too large by the differences of the states, which only depend on the pair.
    Elsewhere what is below the time is cut off first.

    Attributes
    ----------
    longest : int
        The largest difference there can be.
    unit : int
        Microseconds in a difference of one, where no state is in it.
    """

    def __init__(self, entries: Entries, n_cells: int, *, grouped: bool) -> None:
        packed = entries.packed
        self._ticks = entries.time if packed is None else packed.key
        self._shift = self._state_bits = 0
        self.unit = 1
        first, last = entries.time_bounds or (0, 0)
        if packed is not None:
            layout = packed.layout
            self.unit = layout.unit
            self._shift = layout.low_bits
            steps = (last - first) // layout.unit
            longest = (steps + 1) << self._shift
            # By group there are so many sums to put right that cutting off is less work.
            if entries.state_in_key and not grouped and Adder.fits(n_cells, longest, len(entries)):
                self._shift, self._state_bits = 0, layout.low_bits
        self.longest = ((last - first) // self.unit + bool(self._state_bits)) << self._state_bits
        self._shifted = np.empty(CHUNK + 1, np.int64)
        self._differences = np.empty(CHUNK, np.int64)

    def differences(self, rows: Rows) -> NDArray[np.int64]:
        """Return the differences between consecutive ones of some rows, until asked again."""
        clock = self._ticks[rows]
        if self._shift:
            clock = np.right_shift(clock, self._shift, out=self._shifted[: len(clock)])
        return np.subtract(clock[1:], clock[:-1], out=self._differences[: len(clock) - 1])

    def within(self, rows: Rows, new: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return `differences` within opportunities, and zero where a new one begins."""
        found = self.differences(rows)
        # All bits of one less than zero are set, and none of one less than one.
        same = np.subtract(new.view(np.int8), 1, out=self._shifted[: len(new)], dtype=np.int64)
        return np.bitwise_and(found, same, out=found)

    def in_microseconds(self, elapsed: Adder, counts: NDArray[np.int64]) -> ExactSums:
        """Return sums of differences as sums of durations, given how often each pair occurs."""
        if not self._state_bits:
            return elapsed.total(self.unit)
        state = np.arange(counts.shape[-1])
        excess = (counts * (state - state[:, None])).reshape(-1)
        return elapsed.total(self.unit, excess, self._state_bits)
