"""Turns the records of experiments and a narrative into a report in several languages."""
