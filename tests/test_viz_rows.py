import numpy as np
import pytest

from bertmini.viz.rows import attention_rows, product_map

TOKENS = ["[CLS]", "tea", "[SEP]"]


def test_rows_are_told_by_name_with_what_they_take() -> None:
    rows = [
        ("step 0", TOKENS, 1, np.array([0.3, 0.3, 0.4]), ""),
        ("step 9", TOKENS, 1, np.array([0.01, 0.97, 0.02]), "drank 95 %"),
        ("", ["a", "b"], 0, np.array([0.0, 1.0]), ""),
    ]
    picture = attention_rows(rows, title="Forming")
    assert picture.alt == (
        "Forming. Heat map, a row for each reading. step 0: tea attends to [SEP] 0.40, [CLS] 0.30, tea 0.30; "
        "step 9: tea attends to tea 0.97 (drank 95 %); a attends to b 1.00."
    )
    blocks = [axes for axes in picture.figure.axes if axes.images]
    assert [axes.images[0].get_array().shape for axes in blocks] == [(2, 3), (1, 2)]  # type: ignore[union-attr]
    texts = [text.get_text() for text in blocks[0].texts]
    assert texts == [".30", ".30", ".40", ".97", "", "drank 95 %"]
    assert [label.get_text() for label in blocks[0].get_xticklabels()] == ["[CLS]", "(tea)", "[SEP]"]
    with pytest.raises(ValueError, match="there are no rows"):
        attention_rows([])


def test_products_by_hand() -> None:
    query, keys = np.array([2.0, 0.0, 1.0, 1.0]), np.array([[1.0, 5, 0, 0], [3, 5, 1, 1], [0, 5, 0, -2]])
    picture = product_map(query, keys, TOKENS, 1)
    assert np.array_equal(picture.figure.axes[0].images[0].get_array(), [[2, 0, 0, 0], [6, 0, 1, 1], [0, 0, 0, -2]])
    # scores 1, 4, -1: the sums over the root of 4
    weights = np.exp([1, 4, -1]) / np.exp([1, 4, -1]).sum()
    written = [text.get_text().split() for text in picture.figure.axes[0].texts[:3]]
    assert written == [[f"{score:.2f}", f"{weight:.2f}"] for score, weight in zip((1, 4, -1), weights, strict=True)]
    assert "Largest score: tea 4.00, which gives the weights tea 0.95." in picture.alt
