"""CRMs → logs: what Salesforce, HubSpot and Jiandaoyun (简道云) export. Nothing is fetched."""

from salesfunnel.crm import salesforce

__all__ = ["salesforce"]
