"""What people see: the report, pictures, a progress bar."""

from __future__ import annotations

from salesfunnel.show.bar import ProgressBar, progress

__all__ = ["ProgressBar", "progress"]
