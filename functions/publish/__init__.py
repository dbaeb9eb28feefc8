"""Delivers chunks of rows to the CRM."""
