"""`python -m bertmini`, see `bertmini.cli`."""

from bertmini.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
