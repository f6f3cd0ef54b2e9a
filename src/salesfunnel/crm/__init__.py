"""CRMs → logs: what Salesforce, HubSpot and Jiandaoyun (简道云) export. Nothing is fetched."""

from salesfunnel.crm import hubspot, jiandaoyun, salesforce

__all__ = ["hubspot", "jiandaoyun", "salesforce"]
