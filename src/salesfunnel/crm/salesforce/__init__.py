"""Salesforce: opportunities, their history and their stages → a log.

The names here are public: `load` and `funnel`. What is read are responses of the REST API (parsed
JSON, a page or a list of them), results of Bulk queries (CSV), exports and reports (CSV), and
dataframes of any of these. Fields are known by their API names; case, blanks and underscores do not
count, so that ``StageName``, ``STAGENAME`` and ``stage_name`` are one. Nothing is fetched.
"""

from salesfunnel.crm.salesforce.loading import load
from salesfunnel.crm.salesforce.stages import funnel

__all__ = ["funnel", "load"]
