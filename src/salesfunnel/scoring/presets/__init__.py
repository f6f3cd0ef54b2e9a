"""Rubrics that are ready made: a module for each."""
