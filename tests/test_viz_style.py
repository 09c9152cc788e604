import base64
import html
import io
import itertools
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from bertmini.viz import MEANINGS, Picture, png, save, use_style
from bertmini.viz.style import HEAT, INK, PAPER, SHOWN_DPI, SPARE, STYLE

# Machado, Oliveira and Fernandes, 2009: what is seen without one of the three kinds of cone, in linear RGB.
LACKING = {
    "none": np.eye(3),
    "long": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "medium": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "short": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(1)


def linear(colour: object) -> NDArray[np.float64]:
    values = np.array(to_rgb(colour))  # type: ignore[arg-type]
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: object, other: object) -> float:
    """WCAG 2.1's contrast ratio."""
    dark, light = sorted(float(linear(colour) @ TO_XYZ[1]) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def seen(colour: str, lacking: str) -> NDArray[np.float64]:
    """The colour in CIELAB, where distances are about as large as they look."""
    xyz = TO_XYZ @ np.clip(LACKING[lacking] @ linear(colour), 0, 1) / WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


COLOURS = sorted({colour for colour, _ in (*MEANINGS.values(), *SPARE)})


def test_the_yardsticks_are_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # WCAG's own example
    assert seen("#ffffff", "none") == pytest.approx([100, 0, 0], abs=0.01)
    assert np.linalg.norm(seen("#ff0000", "medium") - seen("#6b8000", "medium")) < 25  # far apart with all cones:
    assert np.linalg.norm(seen("#ff0000", "none") - seen("#6b8000", "none")) > 100


@pytest.mark.parametrize("lacking", LACKING)
def test_any_two_colours_stay_apart_without_a_kind_of_cone(lacking: str) -> None:
    distances = {
        (one, other): np.linalg.norm(seen(one, lacking) - seen(other, lacking))
        for one, other in itertools.combinations(COLOURS, 2)
    }
    assert len(distances) == 28
    assert min(distances.values()) > 20


@pytest.mark.parametrize("colour", [*COLOURS, INK])
def test_every_colour_may_colour_text(colour: str) -> None:
    assert contrast(colour, PAPER) >= 4.5


def test_one_thing_has_one_colour() -> None:
    assert MEANINGS["model"] == MEANINGS["training"]
    assert MEANINGS["floor"] == MEANINGS["ceiling"] == ("#000000", "dashed")
    assert MEANINGS["from scratch"] == MEANINGS["untrained"]
    assert MEANINGS["frozen"] == SPARE[0]  # the one spare look that has a name, and is then not spare: test_viz_plots
    meant = {colour for name, (colour, _) in MEANINGS.items() if name != "frozen"}
    assert not meant & {colour for colour, _ in SPARE}
    assert len(set(SPARE)) == len(SPARE)


def test_the_heat_goes_from_white_to_blue_in_twenty_steps() -> None:
    shades = [HEAT(value) for value in np.linspace(0, 1, 1001)]
    assert len(set(shades)) == 20
    assert contrast(shades[0][:3], "white") < 1.1
    lightness = [float(linear(shade[:3]) @ TO_XYZ[1]) for shade in shades]
    assert lightness == sorted(lightness, reverse=True)


def test_use_style_sets_the_rc_params() -> None:
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        use_style()
        assert matplotlib.rcParams["figure.dpi"] == 144
        assert matplotlib.rcParams["figure.facecolor"] == "#ffffff"
        assert matplotlib.rcParams["axes.prop_cycle"].by_key()["color"][0] == MEANINGS["model"][0]


def test_letters_are_eight_points_or_more_at_the_width_of_a_page() -> None:
    page = 700  # pixels; a figure is as wide
    scale = min(1, page / (STYLE["figure.figsize"][0] * SHOWN_DPI))
    assert (
        min(
            value
            for name, value in STYLE.items()
            if name.endswith("size") and "marker" not in name and name != "figure.figsize"
        )
        * scale
        >= 8
    )


def drawing() -> Figure:
    figure = Figure(figsize=(3, 2))
    figure.add_subplot().plot([1, 3, 2], color=MEANINGS["model"][0])
    return figure


WORDS = 'A line "up" & down: 1 < 3 > 2, naïve 字'


def test_a_notebook_gets_an_img_tag_with_the_words() -> None:
    bundle = Picture(drawing(), WORDS + "\nand on").__class__(drawing(), WORDS)._repr_mimebundle_()
    assert bundle["text/plain"] == f"[Picture: {WORDS}]"
    attributes = r'alt="([^"]*)" src="data:image/png;base64,([^"]*)" width="(\d+)" style="([^"]*)"'
    tag = re.fullmatch(f"<img {attributes}>", bundle["text/html"])
    assert tag is not None
    assert html.unescape(tag[1]) == WORDS
    assert "background:#ffffff" in tag[4]
    image = Image.open(io.BytesIO(base64.b64decode(tag[2])))
    assert image.format == "PNG"
    assert abs(image.width - 432) < 40
    assert int(tag[3]) == round(image.width * 110 / 144)


def test_the_file_carries_the_words_few_colours_and_the_maker(tmp_path: Path) -> None:
    save(Picture(drawing(), WORDS), tmp_path / "line.png")
    assert [path.name for path in tmp_path.iterdir()] == ["line.png"]
    image = Image.open(tmp_path / "line.png")
    image.load()
    assert image.text["Description"] == WORDS  # type: ignore[attr-defined]
    assert image.text["Software"] == f"Matplotlib {matplotlib.__version__}"  # type: ignore[attr-defined]
    assert image.mode == "P"
    assert len(image.getcolors() or []) <= 64
    assert [round(resolution) for resolution in image.info["dpi"]] == [144, 144]
    assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_the_same_figure_gives_the_same_bytes_and_a_smaller_file() -> None:
    assert png(Picture(drawing(), WORDS)) == png(Picture(drawing(), WORDS))
    plain = io.BytesIO()
    drawing().savefig(plain, dpi=144)
    assert len(png(Picture(drawing(), WORDS))) < 0.7 * len(plain.getvalue())


def test_no_picture_without_words() -> None:
    with pytest.raises(ValueError, match="the alt text is empty: say in a sentence or two"):
        Picture(drawing(), " \n")


@pytest.mark.parametrize(("name", "found"), [("line.jpg", ".jpg"), ("line", "without an ending")])
def test_pictures_are_png(tmp_path: Path, name: str, found: str) -> None:
    with pytest.raises(ValueError, match=rf"written as PNG, not {found}: name it line.png"):
        save(Picture(drawing(), WORDS), tmp_path / name)
