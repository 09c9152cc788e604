"""The views in JupyterLab and in nbconvert's HTML, with every request refused that is not to the server itself."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest
from browsing import PATIENCE, Visit, visit
from nbconvert import HTMLExporter
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Browser

from tools.notebooks import ROOT, kernel_environment, read, run

CHAPTER = ROOT / "chapters" / "13_seeing_attention.ipynb"
SETUP = """
import torch
from bertmini import BertConfig, BertModel, WordPieceTokenizer
from bertmini.inside import attend, listen
from bertmini.viz import head_view, model_view, neuron_view

torch.manual_seed(0)
tokenizer = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat"])
sizes = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=8)
model = BertModel(BertConfig(vocab_size=8, **sizes))
attended = attend(model, tokenizer, "the cat", "sat")
"""
CELLS = (
    "head_view(*attended)",
    "head_view(*attended, layer=1, heads=[0, 2])",
    "model_view(*attended)",
    'neuron_view(*listen(model, tokenizer, "the cat", "sat"))',
)
LINES = ("#attention line",) * 2 + ("svg line", "#collapsed line")  # what each view draws
COUNTS = (3 * 6 * 6, 3 * 6 * 6, 2 * 3 * 6 * 6, 6 * 6)
HIGH = 5000  # pixels: JupyterLab draws what is in sight


class Lab(NamedTuple):
    """A running JupyterLab: its address and the folder that it serves."""

    address: str
    folder: Path


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """A notebook with four views, run from top to bottom."""
    cells = [new_code_cell(source.strip()) for source in (SETUP, *CELLS)]
    return run(new_notebook(cells=cells), tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def lab(executed: nbformat.NotebookNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab with nobody's settings, serving one notebook that it trusts and one that it does not."""
    folder, private = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    (private / "data").mkdir()
    notary = NotebookNotary(data_dir=str(private / "data"))
    for name, notebook in {"trusted": executed, "chapter": read(CHAPTER) if CHAPTER.exists() else None}.items():
        if notebook is not None:
            nbformat.write(notebook, folder / f"{name}.ipynb")
            notary.sign(read(folder / f"{name}.ipynb"))
    stranger = new_notebook(cells=[*executed.cells, new_markdown_cell("From a stranger")], metadata=executed.metadata)
    nbformat.write(stranger, folder / "untrusted.ipynb")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    names = ("CONFIG", "DATA", "RUNTIME")
    settings = {f"JUPYTER_{name}_DIR": str(private / name.lower()) for name in names}
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
            *(f"--ServerApp.root_dir={folder}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
            *("--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=", "--LabApp.extension_manager=readonly"),
        ],
        env=os.environ | kernel_environment() | settings | {"HOME": str(private)},
        stdout=subprocess.DEVNULL,
        stderr=(private / "log").open("w"),
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/api", server, private / "log")
        yield Lab(f"http://127.0.0.1:{port}", folder)
    finally:
        server.terminate()
        server.wait()


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(PATIENCE // 100):
        try:
            urlopen(address).close()
        except URLError:
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"JupyterLab did not start: {log.read_text()}")


def assert_all_drawn(seen: Visit) -> None:
    """Each of the four views has all its lines."""
    seen.page.wait_for_selector("iframe >> nth=3", state="attached")
    for view, lines, count in zip(seen.views(), LINES, COUNTS, strict=True):
        view.wait_for_selector(lines, state="attached")
        assert view.locator(lines).count() == count


def test_a_stored_trusted_notebook_shows_its_views_and_so_does_run_all(browser: Browser, lab: Lab) -> None:
    with visit(browser, f"{lab.address}/doc/tree/trusted.ipynb", height=HIGH) as seen:
        page = seen.page
        assert_all_drawn(seen)
        head = seen.views()[0]
        head.locator("#left text").nth(1).hover()
        assert head.locator("line[visibility=visible]").count() == 3 * 6
        head.select_option("#layer", "1")
        assert seen.views()[1].locator("line[visibility=visible]").count() == 0
        pictures = page.locator(".jp-RenderedHTMLCommon > img")
        assert pictures.count() == 4  # the still pictures, each an output of its own
        assert all(str(picture.get_attribute("alt")).startswith(("Grid", "Layer")) for picture in pictures.all())
        page.evaluate("jupyterapp.commands.execute('editmenu:clear-all')")
        page.wait_for_selector("iframe", state="detached")
        page.evaluate("jupyterapp.commands.execute('runmenu:run-all')")
        assert_all_drawn(seen)
        assert seen.refused == []


def test_an_untrusted_notebook_shows_the_still_pictures(browser: Browser, lab: Lab) -> None:
    with visit(browser, f"{lab.address}/doc/tree/untrusted.ipynb", height=HIGH) as seen:
        page = seen.page
        page.wait_for_selector(".jp-RenderedMarkdown >> text=From a stranger")
        page.wait_for_selector("details >> nth=3", state="attached")
        assert page.locator("iframe").count() == 0
        shown = page.locator(".jp-RenderedHTMLCommon > img")
        assert shown.count() == 4
        assert all(picture.is_visible() for picture in shown.all())
        folded = page.locator("details > img")
        assert [picture.get_attribute("alt") for picture in folded.all()] == [
            picture.get_attribute("alt") for picture in shown.all()
        ]
        page.locator("summary").first.click()
        assert folded.first.is_visible()
        assert folded.first.evaluate("picture => picture.naturalWidth") > 100
        assert seen.refused == []


@pytest.mark.skipif(not CHAPTER.exists(), reason=f"{CHAPTER.name} is not written yet")
def test_the_chapter_opens_as_stored(browser: Browser, lab: Lab) -> None:
    frames = sum('srcdoc="' in str(output) for cell in read(CHAPTER).cells for output in cell.get("outputs", []))
    assert frames >= 3
    with visit(browser, f"{lab.address}/doc/tree/chapter.ipynb", height=40_000) as seen:
        seen.page.wait_for_selector(f"iframe >> nth={frames - 1}", state="attached")
        for view in seen.views():
            view.wait_for_selector("main svg, main canvas, main table", state="attached")
        assert len(seen.views()) == frames
        assert seen.refused == []


def test_exported_html_works_from_the_disk(browser: Browser, executed: nbformat.NotebookNode, tmp_path: Path) -> None:
    exporter = HTMLExporter()
    html, _ = exporter.from_notebook_node(executed)
    (tmp_path / "notebook.html").write_text(html, encoding="utf-8")
    with visit(browser, tmp_path / "notebook.html") as seen:
        assert_all_drawn(seen)
        seen.views()[0].locator("#left text").nth(1).hover()
        assert seen.views()[0].locator("line[visibility=visible]").count() == 3 * 6
        nbconverts_own = (
            exporter.require_js_url,
            exporter.mathjax_url,
            exporter.jquery_url,
        )  # for notebooks with formulas
        assert [url for url in seen.refused if not url.startswith(nbconverts_own)] == []
