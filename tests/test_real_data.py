"""Real data: the loan applications of the BPI Challenge 2012, with numbers counted elsewhere."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import salesfunnel as sf

STAGES = ("A_SUBMITTED", "A_PREACCEPTED", "A_ACCEPTED", "A_FINALIZED")
NO_STAGES = ("A_PARTLYSUBMITTED", "A_REGISTERED", "A_ACTIVATED")
STAGE_MAP = {
    **dict.fromkeys(NO_STAGES),
    "A_APPROVED": "won",
    "A_DECLINED": "lost",
    "A_CANCELLED": "lost",
}


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared_data / "bpic2012/expected.json").read_text())
    return content


@pytest.fixture(scope="module")
def log(shared_data: Path) -> sf.StageLog:
    raise NotImplementedError
