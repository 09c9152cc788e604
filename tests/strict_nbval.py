"""A pytest plugin that makes nbval strict where it is blind, and lenient only where machines honestly differ.

nbval runs each cell in a kernel and compares the new outputs with the stored ones. This plugin changes three things:

- Text: a decimal number may differ by two units in its last printed place, because sums are rounded in another order on
  another processor. Words and whole numbers must be the same.
- Pictures, which nbval never compares, must have the same size and no more than 0.2 % of pixels that are far off. Two
  pictures that name two versions of matplotlib are not compared: fonts and ticks move between versions.
- Under another arithmetic than the stored one, a cell that depends on a training run may declare a tolerance in its
  metadata, `"bertmini": {"tolerance": 0.02, "because": ...}`: decimals may differ by as much, percents by as many
  hundredths, and what is drawn may move by as much of the picture's height. Under the stored arithmetic the tolerance
  counts for nothing.

It is loaded by name, and only `strict_run` names it, so no other test is collected or run differently.
"""

import base64
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from nbval.plugin import IPyNbCell
from PIL import Image

from tools import arithmetic
from tools.notebooks import CELL_TIMEOUT, ROOT, kernel_environment

# ----------------------------------------------------------------------------------------------------------- text

# Blanks belong to the number, since a minus sign takes one's place. "1.4.2", "d0.5" and "1." are not decimals.
DECIMAL = re.compile(r"([ ]*(?<![\w.])[-+−]?\d*\.\d+(?:[eE][-+]?\d+)?(?!\d|\.\d))")
PERCENT = re.compile(r"[ ]*(?<![\w.,])([-+−]?)(\d+)(?=[ ]?%)")
UNITS = 2
PNG_URI = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")
LONG_BASE64 = re.compile(r"[A-Za-z0-9+/]{200,}={0,2}")  # the packed weights of an interactive view
VIEW_DATA = re.compile(r"(?<=application/json')(?:>|&gt;).*?(?=(?:<|&lt;)/script)", re.DOTALL)  # all that one was given


class TolerantText(str):
    """Text that equals another when the words are the same and the decimals are within `UNITS` of the last place,
    or within `tolerance` if that is more."""

    tolerance = 0.0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and same_text(str(self), str(other), self.tolerance)

    def __ne__(self, other: object) -> bool:
        return not self == other


def comparable(output: str) -> str:
    """An output without pictures and the data of views, which may differ by a rounding."""
    return LONG_BASE64.sub("(base64)", PNG_URI.sub("(picture)", VIEW_DATA.sub("(data)", output)))


def same_text(stored: str, fresh: str, tolerance: float = 0.0) -> bool:
    """Whether two outputs say the same, up to the last places of their decimals or to the tolerance."""
    if tolerance:  # 57 % is 0.57 to the hundredth
        stored, fresh = (
            PERCENT.sub(lambda found: f" {found[1]}{int(found[2]) / 100:.2f}", text) for text in (stored, fresh)
        )
    # Split by a pattern with one group, the even parts are the words and the odd ones the decimals.
    old, new = DECIMAL.split(stored), DECIMAL.split(fresh)
    return old[::2] == new[::2] and all(
        _close(*numbers, tolerance) for numbers in zip(old[1::2], new[1::2], strict=True)
    )


def _close(stored: str, fresh: str, tolerance: float) -> bool:
    (old, unit), (new, other_unit) = _value_and_unit(stored), _value_and_unit(fresh)
    if re.search("[eE]", stored) is None and unit != other_unit:
        return False  # printed with another number of places: not the same statement
    return abs(old - new) <= (1 + 1e-6) * max(UNITS * unit, UNITS * other_unit, tolerance)


def _value_and_unit(number: str) -> tuple[float, float]:
    """A printed decimal's value, and one unit in its last printed place."""
    mantissa, _, exponent = number.strip().replace("−", "-").lower().partition("e")
    scale = 10.0 ** int(exponent or 0)
    return float(mantissa) * scale, 10.0 ** -len(mantissa.partition(".")[2]) * scale


def declared_tolerance(cell: Any, *, elsewhere: bool) -> float:
    """By how much a cell's decimals may differ, beyond the last places."""
    return float(cell.metadata.get("bertmini", {}).get("tolerance", 0.0)) if elsewhere else 0.0


# ------------------------------------------------------------------------------------------------------- pictures

FAR_OFF = 64  # of 255, in any channel: more than a line's soft edge shifts
FAR_OFF_SHARE = 0.002


def pictures(outputs: Iterable[Any]) -> Iterator[bytes]:
    """Every PNG in the outputs, whether an output of its own or inside HTML, in order."""
    for output in outputs:
        data = output.get("data", {})
        encoded = [data["image/png"]] if "image/png" in data else []
        for text in encoded + PNG_URI.findall("".join(data.get("text/html", ""))):
            yield base64.b64decode(text)


def picture_difference(stored: bytes, fresh: bytes, tolerance: float = 0.0) -> str | None:
    """How two PNGs differ, in words, or None when a reader could not tell them apart.

    What is drawn may move by the tolerance times the picture's height, as a curve does that is trained elsewhere.
    """
    with Image.open(io.BytesIO(stored)) as old, Image.open(io.BytesIO(fresh)) as new:
        makers = [image.info.get("Software") for image in (old, new)]
        if None not in makers and makers[0] != makers[1]:
            return None
        if old.size != new.size:
            return f"stored {old.size[0]} x {old.size[1]} pixels, now {new.size[0]} x {new.size[1]}"
        pixels = [np.asarray(image.convert("RGBA"), dtype=int) for image in (old, new)]
    radius = round(tolerance * pixels[0].shape[0])
    share = max(_far_off(*pixels, radius), _far_off(*reversed(pixels), radius))
    return f"{share:.2%} of the pixels are far off" if share > FAR_OFF_SHARE else None


def _far_off(old: np.ndarray, new: np.ndarray, radius: int) -> float:
    """The share of the new picture's pixels that are like none of the old one's within `radius` pixels."""
    rows, columns = np.nonzero(np.abs(old - new).max(axis=-1) > FAR_OFF)
    missing = np.ones(len(rows), dtype=bool)
    around = np.pad(old, ((radius, radius), (radius, radius), (0, 0)), constant_values=-2 * FAR_OFF)
    for down, right in np.ndindex(2 * radius + 1, 2 * radius + 1):
        distance = np.abs(around[rows[missing] + down, columns[missing] + right] - new[rows[missing], columns[missing]])
        missing[missing] = distance.max(axis=-1) > FAR_OFF
    return float(missing.sum() / (new.shape[0] * new.shape[1]))


# --------------------------------------------------------------------------------------------------------- plugin


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say under which arithmetic the notebooks are run: what they declare depends on it."""
    parser.addoption("--elsewhere", action="store_true", help="allow the tolerances that cells declare")
    parser.addoption("--threads", type=int, default=1, help="put this number into cells that set one thread")


def pytest_configure(config: pytest.Config) -> None:
    """Let nbval compare tolerant texts, without the pictures in them."""
    sanitize = IPyNbCell.sanitize
    elsewhere = config.getoption("elsewhere")

    def tolerant(self: IPyNbCell, text: Any) -> Any:
        clean = sanitize(self, text)
        if not isinstance(clean, str):
            return clean
        text = TolerantText(comparable(clean))
        text.tolerance = declared_tolerance(self.cell, elsewhere=elsewhere)
        return text

    IPyNbCell.sanitize = tolerant


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Chapters set one thread themselves, where a reader may set two."""
    for item in items:
        if isinstance(item, IPyNbCell):
            threads = f"set_num_threads({config.getoption('threads')})"
            item.cell.source = item.cell.source.replace("set_num_threads(1)", threads)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """After nbval has compared a cell's text, compare its pictures."""
    yield
    if not isinstance(item, IPyNbCell) or not item.options["check"] or item.options["skip"]:
        return
    stored, fresh = list(pictures(item.cell.outputs)), list(pictures(item.test_outputs))
    if len(stored) != len(fresh):
        item.raise_cell_error(f"Figures differ: {len(stored)} stored, now {len(fresh)}")
    tolerance = declared_tolerance(item.cell, elsewhere=item.config.getoption("elsewhere"))
    for number, pair in enumerate(zip(stored, fresh, strict=True), start=1):
        if difference := picture_difference(*pair, tolerance):
            item.raise_cell_error(f"Figures differ: figure {number} of the cell: {difference}")


# ------------------------------------------------------------------------------------------------------------ run


class CellFailure(NamedTuple):
    """A cell whose outputs are not the stored ones, and why."""

    notebook: str
    cell: str
    message: str


def strict_run(
    paths: Sequence[Path], report: Path, *, hidden_modules: str = "", rounding: str = arithmetic.PINNED
) -> list[CellFailure]:
    """Run notebooks again and list the cells that no longer say what is stored. `report` is overwritten.

    The network is cut, and the hash seed is not the one that the notebooks were stored with. Declared tolerances count
    if `rounding` is not the pinned arithmetic, or if this machine cannot do that one.
    """
    options = ["-p", "tests.strict_nbval", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]
    options += [f"--nbval-cell-timeout={CELL_TIMEOUT}", "--color=no"]
    options += [f"--junitxml={report}", "--override-ini=junit_family=xunit1"]
    environment = kernel_environment(hash_seed=1, hidden_modules=hidden_modules, rounding=rounding)
    options += [f"--threads={environment['OMP_NUM_THREADS']}"]
    if rounding != arithmetic.PINNED or not arithmetic.is_stored_one():
        options += ["--elsewhere"]
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", *options, *map(os.fspath, paths)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise RuntimeError(f"nbval could not run:\n{done.stdout}\n{done.stderr}")
    return list(_failures(report))


def _failures(report: Path) -> Iterator[CellFailure]:
    for case in ElementTree.parse(report).iter("testcase"):
        for kind in ("failure", "error"):
            for failure in case.iter(kind):
                yield CellFailure(Path(case.attrib["file"]).stem, case.attrib["name"], failure.text or "")
