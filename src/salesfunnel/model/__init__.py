"""What a funnel is: stages, loss reasons, funnels, opportunities and their history."""
