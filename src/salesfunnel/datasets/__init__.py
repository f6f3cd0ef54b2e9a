"""Generated sample data: the reference table as a log, realistic pipelines, the export of a CRM.

Nobody's data: every name is made up. People work on weekdays from nine to six, Shanghai time, and
amounts are in yuan (CNY).
"""

from __future__ import annotations

from salesfunnel.datasets.export import sample_csv
from salesfunnel.datasets.market import OWNER_SKILL, PRODUCTS, REGIONS, SOURCE_QUALITY, Product
from salesfunnel.datasets.pipeline import make_pipeline
from salesfunnel.datasets.reference import reference_pipeline

__all__ = [
    "OWNER_SKILL",
    "PRODUCTS",
    "REGIONS",
    "SOURCE_QUALITY",
    "Product",
    "make_pipeline",
    "reference_pipeline",
    "sample_csv",
]
