"""Jiandaoyun (简道云): the records of a form, and what is pushed when they change → a log.

The names here are public: `load` and `Stream`. What is read are responses of the API v5 (parsed
JSON, a page or a list of them), the events of a data push, exports (CSV, UTF-8 or GB18030), and
dataframes of any of these. Nothing is fetched.
"""

from salesfunnel.crm.jiandaoyun.loading import load
from salesfunnel.crm.jiandaoyun.stream import Stream

__all__ = ["Stream", "load"]
