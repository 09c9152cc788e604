"""Examination papers whose numbers, and so whose answers, are in nobody's repository."""
