"""Moving one opportunity through a funnel, under rules."""
