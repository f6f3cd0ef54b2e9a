"""Golden cases: for each sentence of the definitions, a few deals and what they come to, by hand.

The numbers were worked out from the sentence that a case quotes, never by running anything. A case
says only what it is about: ``expected`` holds the quantities to compare, each of them whole.

Deals are written as they are told: ``deal("A", "0 1 2@5 L")`` enters stage 0 at hour 0, stage 1 at
hour 1, stage 2 at hour 5 and is lost at hour 6; ``W`` is WON, ``L`` is LOST.
"""

from __future__ import annotations

from golden.case import HOUR, Case, Expected, Options, Row, state_letter
from golden.metrics import METRICS
from golden.modes import MODES
from golden.order_of_work import ORDER_OF_WORK
from golden.status import FURTHEST, STATUS

CASES = [*ORDER_OF_WORK, *STATUS, *FURTHEST, *MODES, *METRICS]

__all__ = ["CASES", "HOUR", "Case", "Expected", "Options", "Row", "state_letter"]
