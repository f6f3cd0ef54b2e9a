"""Many opportunities: their history in sorted columns, and what it adds up to."""
