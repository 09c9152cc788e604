"""The package of an executable textbook on BERT."""
