"""Scores learnt from outcomes: logistic regression, naive Bayes, calibration, and what leaks."""
