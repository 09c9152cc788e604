"""Draw all concept drawings again: `python -m figures`."""

import importlib
from pathlib import Path

NOT_DRAWINGS = {"__main__", "drawing", "outline"}


def names() -> list[str]:
    """The scripts that draw."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_DRAWINGS)


if __name__ == "__main__":
    for name in names():
        script = importlib.import_module(f"figures.{name}")
        script.draw().save(script.__file__)
        print(f"figures/{name}.svg")
