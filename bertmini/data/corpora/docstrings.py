"""This machine's own library documentation as a corpus: real English text that needs no download.

The docstrings of the standard library and of the packages that the book installs hold about half a million words of
prose. They are read with `ast`, so nothing is imported and nothing runs, and kept in a cache file whose name carries a
fingerprint of all versions: another package, another Python or other cleaning rules make another file.

Left out on purpose: private folders and tests, documentation that is not in docstrings, and `transformers` and `sympy`,
which would double the waiting and teach mostly formulas.
Taught in chapter 07.
"""

import hashlib
import json
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from platformdirs import user_cache_path

from bertmini.data.corpora import prose, text_files
from bertmini.data.corpora.text_files import Document
from bertmini.files import write_atomically

PACKAGES = (  # the book's direct dependencies and the larger packages that they bring along, in the order of reading
    "torch numpy matplotlib tokenizers safetensors tqdm bertviz nbval jupyterlab jupyterlab-server jupyter-server "
    "jupyter-client jupyter-core jupyter-events nbconvert nbformat nbclient ipykernel ipython traitlets tornado pyzmq "
    "networkx pillow fonttools pyparsing jinja2 prompt-toolkit pygments jedi parso beautifulsoup4 babel psutil "
    "requests httpx anyio fsspec huggingface-hub botocore boto3 jsonschema packaging setuptools"
)

_SKIPPED_FOLDERS = frozenset({"test", "tests", "testing", "idlelib", "lib2to3", "site-packages", "dist-packages"})
# Tables and generated code have fewer triple quotes than one in so many bytes: a seventh of the time, 1 % of the text.
_BYTES_PER_QUOTE = 4_000
_MIN_SENTENCES = 4  # shorter docstrings of a module make one document together


def library_documents(cache_dir: str | Path | None = None) -> list[Document]:
    """Documents from the docstrings on this machine: from the cache, or read (some seconds) and put there.

    The cache file lies in `cache_dir` (None: the folder that `cache_folder` names).
    """
    folder = Path(cache_dir) if cache_dir is not None else cache_folder()
    cached = folder / f"library-docs-{_fingerprint()}.jsonl"
    if documents := _read_cache(cached):
        return documents
    documents = list(read_documents(source_files()))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content = "".join(json.dumps({"sentences": document}) + "\n" for document in documents)
        if documents:
            write_atomically(cached, f"{_checksum(content)}\n{content}")
    except OSError as error:
        warnings.warn(f"the library documentation was not cached, the next start will be slow: {error}", stacklevel=2)
    return documents


def _read_cache(path: Path) -> list[Document]:
    """What was put there; nothing if it is not there, is empty, or is not as it was written: then it is made anew."""
    try:
        first, _, content = path.read_text("utf-8").partition("\n") if path.is_file() else ("", "", "")
    except (OSError, UnicodeDecodeError):
        return []
    if first != _checksum(content):
        return []
    return [json.loads(line)["sentences"] for line in content.splitlines()]


def _checksum(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def cache_folder() -> Path:
    """`$BERTMINI_CACHE`, else this system's place for caches."""
    chosen = os.environ.get("BERTMINI_CACHE")
    return Path(chosen) if chosen else user_cache_path("bertmini", appauthor=False)


def source_files() -> Iterator[Path]:
    """The public Python files of the standard library, then of each installed package of `PACKAGES`."""
    library = Path(sysconfig.get_path("stdlib"))
    yield from sorted(path for path in library.rglob("*.py") if _is_public(path.relative_to(library).parts))
    for name in PACKAGES.split():
        try:
            files = metadata.files(name) or []
        except metadata.PackageNotFoundError:
            continue
        yield from sorted(Path(str(file.locate())) for file in files if file.suffix == ".py" and _is_public(file.parts))


def _is_public(parts: tuple[str, ...]) -> bool:
    return not any(part in _SKIPPED_FOLDERS or part.startswith("_") for part in parts[:-1])


def read_documents(paths: Iterable[Path]) -> Iterator[Document]:
    """Each docstring's prose as a document; short ones join the others of their module. No sentence comes twice."""
    seen: set[str] = set()
    short: Document = []
    for path in paths:
        try:
            source = path.read_bytes()
            if len(source) > _BYTES_PER_QUOTE * (source.count(b'"""') + source.count(b"'''")):
                continue
            found = list(prose.docstrings(source))
        except (OSError, SyntaxError, ValueError):
            continue  # a file for another Python, or a template
        for docstring in found:
            new = [sentence for sentence in dict.fromkeys(prose.sentences(docstring)) if sentence not in seen]
            seen.update(new)
            if len(new) >= _MIN_SENTENCES:
                yield new
            else:
                short += new
        if len(short) >= _MIN_SENTENCES:
            yield short
            short = []
    if short:
        yield short


def _fingerprint() -> str:
    """Changes with Python, with any package, and with the rules in this file and the two that it uses."""
    found = [sys.version]
    for name in PACKAGES.split():
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} missing")
    rules = [Path(file).read_text("utf-8") for file in (__file__, prose.__file__, text_files.__file__)]
    return hashlib.sha256("\n".join(found + rules).encode()).hexdigest()[:16]
