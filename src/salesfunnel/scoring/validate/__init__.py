"""Does a score work? Held against outcomes: order, probability, and whether there are enough."""
