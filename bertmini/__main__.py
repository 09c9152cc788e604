"""`python -m bertmini`, see `bertmini.cli`."""

import signal
import sys


def main() -> int:
    """Run the command line. SIGTERM is Ctrl-C here: a training step ends, is saved, and the program says so."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from bertmini.cli import main  # here, for it may be interrupted, too

        return main()
    except KeyboardInterrupt:
        print("\nbertmini: stopped before it was done", file=sys.stderr)  # noqa: T201
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
