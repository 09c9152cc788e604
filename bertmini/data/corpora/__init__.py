"""Where documents come from: text files, docstrings, data sets; a corpus hands them out a portion at a time."""
