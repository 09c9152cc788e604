"""What can be done with a BERT from beginning to end, as functions that return results and print nothing."""
