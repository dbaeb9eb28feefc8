"""The way out: what a CRM should know, what it acknowledged, and the deliveries in between."""
