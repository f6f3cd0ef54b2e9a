"""CRMs → logs: what Salesforce, HubSpot and Jiandaoyun (简道云) export. Nothing is fetched."""

from salesfunnel.crm import hubspot, salesforce

__all__ = ["hubspot", "salesforce"]
