"""README promises only what is there: chapters, files and commands."""

import re
from pathlib import Path

from bertmini.cli import make_parser
from figures.outline import CHAPTERS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_chapter_is_listed_and_every_written_one_is_linked() -> None:
    for chapter in CHAPTERS:
        assert f"{chapter.number} {chapter.title}" in README
        assert chapter.question in README
        file = f"chapters/{chapter.name}.ipynb"
        assert (f"({file})" in README) == (ROOT / file).is_file(), file


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(targets) > 5
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_commands_are_those_of_the_command_line() -> None:
    (commands,) = (action.choices for action in make_parser()._subparsers._group_actions)  # type: ignore[union-attr]
    shown = set(re.findall(r"python -m bertmini ([a-z-]+)", README))
    assert shown == set(commands or {})


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


def test_jupyterlab_serves_the_whole_project_so_that_chapters_find_their_figures() -> None:
    """A folder behind `jupyter lab` becomes its root, and `../figures` in a chapter leads out of it."""
    guides = [README, *((ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", "TEACHING.md"))]
    arguments = [
        words for guide in guides for words in re.findall(r"bin/jupyter lab([^#\n]*)|BIN\)/jupyter lab(.*)", guide)
    ]
    assert len(arguments) == 3
    assert all(word.startswith("--") for words in arguments for word in " ".join(words).split())
