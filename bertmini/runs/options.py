"""A field of a run's settings that says what it means and which values it takes, and what refuses the others.

Settings are frozen dataclasses whose fields are made with `option`; see `bertmini.runs.settings`. Taught in chapter 09.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

MOST_COUNTED = 10**9  # steps, epochs, examples in a batch


def option(
    meaning: str, *, none: str = "", choices: Sequence[str] = (), least: int | None = None, most: int = MOST_COUNTED
) -> dict[str, Any]:
    """Describe a field: what it means, what None means, and which values it takes.

    `least` and `most` are for whole numbers; a share has `most=1`, and begins at 0.
    """
    return {"meaning": meaning, "none": none, "choices": tuple(choices), "least": least, "most": most}


MEANT_BY: dict[Any, Any] = {int: int, float: int | float, str: str, bool: bool, Path: str | os.PathLike, type(None): ()}
SPELLED = {int: "a whole number", float: "a number", str: "text", bool: "true or false", Path: "a path"}


def refuse_impossible(settings: Any) -> None:
    """Compare every field with its description. Raises `ValueError` naming the field and its value."""
    for one in fields(settings):
        name, value = one.name, getattr(settings, one.name)
        choices, least, most = (one.metadata[key] for key in ("choices", "least", "most"))
        kinds = get_args(one.type) or (one.type,)
        if value is None and type(None) in kinds:
            continue
        if not any(isinstance(value, MEANT_BY[kind]) for kind in kinds) or (bool not in kinds and value is True):
            raise ValueError(f"{name} is {value!r}; it must be {SPELLED[kinds[0]]}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} is {value}; it must be a number that is finite")
        if choices and value not in choices:
            raise ValueError(f"{name} is {value!r}; choose one of {', '.join(choices)}")
        if least is not None and value < least:
            raise ValueError(f"{name} is {value}; it must be at least {least}")
        if least is not None and value > most:
            raise ValueError(f"{name} is {value}; it must be at most {most}")
        if most == 1 and not 0 <= value <= most:
            raise ValueError(f"{name} is {value}; a share lies between 0 and {most}")
    if not 0 <= settings.dropout < 1:
        raise ValueError(f"dropout is {settings.dropout}; a rate lies in [0, 1)")
