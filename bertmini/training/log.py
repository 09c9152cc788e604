"""What a run leaves behind: a row per step, in memory and in `log.csv`; and a progress bar.

Asking a GPU for a number waits for all the work it was given. So the loop hands its numbers over as tensors, and
`Journal` keeps them and reads them together, every few steps and always before anything is evaluated or saved.

The bar redraws itself only on a terminal. Elsewhere, in a notebook or a file, it would leave a trail of its past:
there it is written as a line, at most every ten seconds and at the end.

Taught in chapter 07.
"""

import csv
import io
import math
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import torch
from torch import Tensor
from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0
COLUMNS = ("step", "loss", "learning_rate", "grad_norm", "tokens", "seconds")


@dataclass
class History:
    """One row per step, and row 0, if there is one, for the untrained model's evaluation.

    A row has `step`, `loss` (for BERT: nats per scored token), `learning_rate`, `grad_norm`
    (before clipping), `tokens` (real ones, this step's), `seconds` (so far, training only), and what was evaluated.
    """

    rows: list[dict[str, float]] = field(default_factory=list)

    def column(self, name: str) -> tuple[list[int], list[float]]:
        """The steps whose rows have this column, and its values there: ready to draw.

        >>> History([{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.0, "held_out": 2.25}]).column("held_out")
        ([2], [2.25])
        """
        rows = [row for row in self.rows if name in row]
        if not rows:
            names = sorted({key for row in self.rows for key in row})
            raise ValueError(f"the history has no column {name!r}; it has {', '.join(names) or 'no rows yet'}")
        return [int(row["step"]) for row in rows], [row[name] for row in rows]


class Journal:
    """Writes the history down as it grows.

    The log starts with the rows that a resumed run brings along and no others: what an interrupted run logged after its
    last checkpoint will be run, and logged, again.
    """

    def __init__(self, history: History, steps: int, folder: Path | None, *, progress: bool) -> None:
        """Open `folder/log.csv` and the bar; `close` closes them."""
        self.history = history
        done = int(history.rows[-1]["step"]) if history.rows else 0
        # Step, learning rate, seconds, and the rest, which is on the device.
        self._pending: list[tuple[int, float, float, Tensor]] = []
        self._columns: list[str] = []
        self._file: TextIO | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._path = folder / "log.csv"
            self._path.unlink(missing_ok=True)  # were it a link, we would write to wherever it leads
            # A line at a time, so that whoever watches the file sees each row as it comes.
            self._file = self._path.open("x", buffering=1, newline="", encoding="utf-8")
        self._written = 0
        self._tokens = 0.0
        self._seconds = self._opened = history.rows[-1].get("seconds", 0.0) if history.rows else 0.0
        self._redrawn = sys.stderr is not None and sys.stderr.isatty()
        canvas = sys.stderr if self._redrawn else io.StringIO()
        self._bar = tqdm(
            total=steps,
            initial=done,
            unit="step",
            disable=not progress or sys.stderr is None,
            dynamic_ncols=True,
            file=canvas,
            mininterval=0.1 if self._redrawn else math.inf,
        )
        self._line_written = time.monotonic()
        self.write()
        self.restart_clock()

    def close(self) -> None:
        """Show the bar a last time and close whatever is open."""
        if not self._redrawn:
            self._write_line()
        self._bar.close()
        if self._file is not None:
            self._file.close()
            if not self._path.exists():  # somebody has removed the folder meanwhile
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("x", newline="", encoding="utf-8") as file:
                    self._columns = []
                    self._write_csv(file, self.history.rows)

    def restart_clock(self) -> None:
        """Leave out the time since the last step: it went into evaluating or saving."""
        self._clock = time.perf_counter()

    def _tick(self) -> float:
        now = time.perf_counter()
        self._seconds, self._clock = self._seconds + now - self._clock, now
        return self._seconds

    def record(self, step: int, learning_rate: float, loss: Tensor, grad_norm: Tensor, tokens: Tensor) -> None:
        """Keep one step's numbers (the tensors are 0-d, on one device) without waiting for them."""
        numbers = torch.stack([loss.float(), grad_norm.float(), tokens.float()])  # (3,)
        self._pending.append((step, learning_rate, self._tick(), numbers))

    def read(self) -> list[dict[str, float]]:
        """Wait for the device, turn what was recorded into rows of the history, and return these rows."""
        values = torch.stack([numbers for *_, numbers in self._pending]).tolist()  # the one wait
        rows = [
            dict(zip(COLUMNS, (step, loss, learning_rate, grad_norm, int(tokens), seconds), strict=True))
            for (step, learning_rate, seconds, _), (loss, grad_norm, tokens) in zip(self._pending, values, strict=True)
        ]
        self._pending.clear()
        self._tokens += sum(row["tokens"] for row in rows)
        self.history.rows.extend(rows)
        self._tick()
        return rows

    def write(self) -> None:
        """Bring log and bar up to date with the history."""
        rows = self.history.rows[self._written :]
        if self._file is not None:
            self._write_csv(self._file, rows)
        self._written = len(self.history.rows)
        if self._tokens:
            speed = self._tokens / max(self._seconds - self._opened, 1e-9)
            self._bar.set_postfix_str(f"loss {rows[-1]['loss']:.3f}, {speed:,.0f} tokens/s", refresh=False)
            self._bar.update(rows[-1]["step"] - self._bar.n)
        if not self._redrawn and time.monotonic() - self._line_written >= SECONDS_BETWEEN_LINES:
            self._write_line()

    def _write_line(self) -> None:
        if not self._bar.disable:
            with suppress(OSError):  # nobody reads it any more, which is no reason to stop training
                print(self._bar, file=sys.stderr, flush=True)  # noqa: T201 (it is the bar)
        self._line_written = time.monotonic()

    def _write_csv(self, file: TextIO, rows: list[dict[str, float]]) -> None:
        """Append the rows; when one brings a new column (a first evaluation), the whole log is written anew."""
        if not {*COLUMNS, *(name for row in rows for name in row)}.issubset(self._columns):
            rows = self.history.rows
            self._columns = list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]))
            file.seek(0)
            file.truncate()
            csv.writer(file).writerow(self._columns)
        csv.DictWriter(file, self._columns).writerows(rows)
