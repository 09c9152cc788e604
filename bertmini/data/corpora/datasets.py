"""Rows of a Hugging Face data set: from a folder on this machine first, else from the network.

A *mirror* is a folder laid out like the hub, named by `BERTMINI_DATA`: the data set `ann/letters` lies in
`$BERTMINI_DATA/ann/letters/`, as .parquet, .jsonl, .md or .txt, the split's name in the file's or its folder's name
(`data/train-00000-of-00002.parquet`, `test/part1.jsonl`).

Without a mirror the package `datasets` downloads, once, and reads from its own cache after. Left alone it tries an
unreachable network for half a minute; so we knock first, and say at once what can be done.

Left out on purpose: streaming over the network, data sets that need code of their own to be read.
Taught in chapter 20.
"""

import os
import re
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from bertmini.files import walk_files

SUFFIXES = (".parquet", ".jsonl", ".md", ".txt")
SECONDS_TO_ANSWER = 3


class Rows(Protocol):
    """What we use of `datasets.Dataset`."""

    column_names: list[str]

    def __len__(self) -> int:
        """How many rows."""
        ...

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One row, by column names."""
        ...


def mirrored_files(name: str, split: str, config: str | None = None) -> list[Path]:
    """The files of a split in the mirror, sorted; none when there is no mirror or it lacks this data set.

    Raises `ValueError` if the data set is there, but not this split.
    """
    root = os.environ.get("BERTMINI_DATA")
    folder = Path(root, *name.split("/"), *([config] if config else [])) if root else None
    if folder is None or not folder.is_dir():
        return []
    files = walk_files(folder, SUFFIXES)
    names = {path: path.relative_to(folder).as_posix() for path in files}
    chosen = [path for path in files if re.search(rf"(^|[^a-z]){re.escape(split)}([^a-z]|$)", names[path])]
    if not chosen:
        raise ValueError(
            f"no split {split!r} in {str(folder)!r}: it has {', '.join(names.values()) or 'no data files'}; expected "
            f"the split's name in a file's name and one of the suffixes {', '.join(SUFFIXES)}"
        )
    return chosen


def rows_from_parquet(files: Sequence[Path]) -> Rows:
    """The rows of .parquet files, not held in memory."""
    return cast(Rows, _datasets().Dataset.from_parquet([str(file) for file in files]))


def rows_from_network(name: str, split: str, config: str | None = None) -> Rows:
    """The rows of a data set that `datasets` downloads, or has downloaded before.

    Raises `ValueError` if `datasets` is not installed, if the hub does not answer, or if it has no such data set,
    config or split.
    """
    datasets = _datasets()
    if not _told_to_stay_offline() and not _hub_answers():
        raise ValueError(f"the data set {name!r} cannot be loaded: {_endpoint()} does not answer; {_CURES}")
    try:
        return cast(Rows, datasets.load_dataset(name, config, split=split))
    except (OSError, ValueError) as error:
        raise ValueError(f"the data set {name!r} (config {config}, split {split!r}): {error}; {_CURES}") from error


_CURES = (
    "check the spelling; without a network put its files into $BERTMINI_DATA/<owner>/<name>/, or set HF_HUB_OFFLINE=1 "
    "to use what was downloaded before, or take another corpus, e.g. library-docs"
)


def _datasets() -> Any:
    try:
        import datasets
    except ModuleNotFoundError:
        raise ValueError('data sets need the package "datasets": pip install "bertmini[online]"') from None
    return datasets


def _told_to_stay_offline() -> bool:
    names = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
    return any(os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"} for name in names)


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co")


def _hub_answers() -> bool:
    """One request, through the proxy if one is set; an error page is an answer too."""
    try:
        urllib.request.urlopen(urllib.request.Request(_endpoint(), method="HEAD"), timeout=SECONDS_TO_ANSWER).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
