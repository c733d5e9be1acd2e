"""E-coupons. Not opened yet; named so that the import contracts already hold."""
