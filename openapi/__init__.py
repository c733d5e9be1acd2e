"""The API for tills, ERP and partners: signed requests, each write once (docs/open-api.md)."""
