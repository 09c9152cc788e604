"""What the command line does, as functions that return results; printing is `bertmini.__main__`'s."""
