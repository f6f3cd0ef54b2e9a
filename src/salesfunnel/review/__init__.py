"""Reviews of a funnel in sentences: what matters most in the data, and how sure it is."""

from __future__ import annotations

from salesfunnel.review.finding import Finding
from salesfunnel.review.findings import findings

__all__ = ["Finding", "findings"]
