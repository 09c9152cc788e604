"""What the rows say is what they were given."""

import numpy as np
import pytest

from bertmini.viz.scores import score_page, score_rows

TOKENS = ["[CLS]", "a", "<b>", "$c$"]
SCORES = {"shares": [0.1, 0.6, 0.25, 0.05], "nats": np.array([0.0, -2.0, 1.4, -0.001])}


def test_the_picture_prints_every_number_and_says_the_strongest() -> None:
    picture = score_rows(SCORES, TOKENS, title="Why")
    (axes,) = picture.figure.axes
    printed = [text.get_text() for text in axes.texts]
    assert printed == ["0.10", "0.60", "0.25", "0.05", "0.00", "-2.00", "1.40", "0.00"]
    assert picture.alt == (
        "Why. A row for each method, a column for each token. shares: a 0.60, <b> 0.25, [CLS] 0.10; "
        "nats: a -2.00, <b> 1.40, $c$ 0.00."
    )
    image = axes.images[0].get_array()
    assert np.allclose(image[0], np.array(SCORES["shares"]) / 0.6)  # each row has its own scale
    assert np.allclose(image[1], np.array(SCORES["nats"]) / 2)


def test_the_page_holds_the_same_numbers() -> None:
    page = score_page(SCORES, TOKENS, title="Why").page(heading=True)
    for number in ("0.60", "0.25", "-2.00", "1.40"):
        assert f">{number}</td>" in page
    assert "<th scope=col>&lt;b&gt;</th>" in page
    assert "http" not in page.replace("http-equiv", "")


def test_nothing_but_zeros_is_white() -> None:
    assert score_rows({"none": [0, 0, 0, 0]}, TOKENS).alt.count("0.00") == 3


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"scores \['nats'\]: expected one number for each of the 3 tokens"):
        score_rows({"shares": [1, 2, 3], "nats": [1, 2]}, TOKENS[:3])
    with pytest.raises(ValueError, match="of no method"):
        score_page({}, TOKENS, title="Why")
