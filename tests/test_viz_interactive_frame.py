import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from test_viz_style import contrast

from bertmini.viz.interactive.frame import POLICY, STYLE, Frame
from bertmini.viz.style import Picture

WORDS = 'Heads of "a < b" & c. Two of them.'
INSIDE = """<p title="it's">1 &lt; 2</p><script>document.title = "<b>" + '</' + "script>"</script>"""


def picture() -> Picture:
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().plot([1, 3, 2])
    return Picture(figure, "A line, up and down again")


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_notebook_gets_frame_picture_and_words() -> None:
    view = Frame(INSIDE, picture(), WORDS, 123, title='A "view"')
    bundle = view._repr_mimebundle_()
    assert list(bundle) == ["text/html", "text/plain", "image/png"]
    assert bundle["text/plain"] == WORDS
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    elements = Elements(bundle["text/html"]).found
    assert [tag for tag, _ in elements] == ["iframe", "details", "summary", "img"]
    frame, image = elements[0][1], elements[3][1]
    assert frame["title"] == 'A "view"'
    assert frame["sandbox"] == "allow-scripts"
    assert frame["srcdoc"] == view.page()
    assert "height:123px" in str(frame["style"])
    assert image["alt"] == "A line, up and down again"
    assert image["src"] == "data:image/png;base64," + bundle["image/png"]


def test_heights_by_width_are_told_by_the_box_around_the_frame() -> None:
    bundle = Frame(INSIDE, picture(), WORDS, {320: 90, 800: 40, 1000: 50})._repr_mimebundle_()
    (box, style), (frame, attributes), *_ = Elements(bundle["text/html"]).found
    assert (box, style["style"], frame) == ("div", "container-type:inline-size", "iframe")
    steps = "calc(50px + clamp(0px,(800px - 100cqw)*999,50px) - clamp(0px,(1000px - 100cqw)*999,10px))"
    assert f"height:90px;height:{steps};" in str(attributes["style"])


def test_the_page_holds_the_view_and_forbids_requests() -> None:
    page = Frame(INSIDE, None, WORDS, 1).page()
    assert f"<main>{INSIDE}</main>" in page
    assert f'content="{POLICY}"' in page
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert [name for name, allowed in rules.items() if allowed == "'none'"] == [
        "default-src",
        "form-action",
        "base-uri",
    ]
    assert "http" not in POLICY.replace("http-equiv", "")
    assert "<title>Heads of &quot;a &lt; b&quot; &amp; c</title>" in page  # the first sentence, for want of a title


def test_only_a_view_that_asks_may_offer_downloads() -> None:
    bundle = Frame(INSIDE, None, WORDS, 1, downloads=True)._repr_mimebundle_()
    assert 'sandbox="allow-scripts allow-downloads"' in bundle["text/html"]
    assert "image/png" not in bundle
    assert "<details>" not in bundle["text/html"]


def test_a_page_of_its_own(tmp_path: Path) -> None:
    Frame(INSIDE, picture(), WORDS, 1, title="Heads").save(tmp_path / "view.html")
    page = (tmp_path / "view.html").read_text(encoding="utf-8")
    tags = [tag for tag, _ in Elements(page).found]
    assert "iframe" not in tags
    assert tags.index("main") < tags.index("h1") < tags.index("script") < tags.index("details") < tags.index("img")
    assert not re.search(r"(src|href)=.https?:", page)
    with pytest.raises(ValueError, match=r"saved as a page, not as 'view.png': name it view.html"):
        Frame(INSIDE, None, WORDS, 1).save(tmp_path / "view.png")


def test_the_picture_is_an_output_of_its_own_before_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda thing, **options: shown.append((thing, options)))
    view = Frame(INSIDE, picture(), WORDS, 1)
    view._ipython_display_()
    (first, options), (second, _) = shown
    assert options == {"raw": True}
    assert list(first) == ["text/html", "text/plain"]
    assert first["text/plain"] == "[Picture: A line, up and down again]"
    assert second["text/html"].endswith(f"{first['text/html']}</details>")


def test_inks_can_be_read_on_their_paper_in_both_themes() -> None:
    for theme in re.findall(r":root \{(.*?)\}", STYLE):
        colours = dict(re.findall(r"--(\w+): (#\w{6})", theme))
        assert set(colours) == {"ink", "paper", "line", "soft", "accent"}
        for ground in ("paper", "soft"):
            assert contrast(colours["ink"], colours[ground]) > 7
            assert contrast(colours["accent"], colours[ground]) > 4.5
    assert STYLE.count(":root {") == 2


def test_no_view_without_words() -> None:
    with pytest.raises(ValueError, match="the alt text is empty"):
        Frame(INSIDE, None, " ", 1)
