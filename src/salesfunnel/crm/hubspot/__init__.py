"""HubSpot: deals with their history, and pipelines → a log for each pipeline.

The names here are public: `load`, `load_by_pipeline` and `funnels`. What is read are responses of
the CRM API v3 (parsed JSON, a page or a list of them), exports (CSV), and dataframes of any of
these. Nothing is fetched.
"""

from salesfunnel.crm.hubspot.loading import load, load_by_pipeline
from salesfunnel.crm.hubspot.pipelines import funnels

__all__ = ["funnels", "load", "load_by_pipeline"]
