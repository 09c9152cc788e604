import numpy as np
import pytest
import torch

from bertmini.viz.confusion import confusion_map

LABELS = ["cold", "warm", "hot"]
MATRIX = torch.tensor([[8, 2, 0], [1, 3, 0], [5, 0, 1]])


def test_rows_are_true_and_columns_predicted() -> None:
    figure = confusion_map(MATRIX, LABELS, title="Soup").figure
    axes, bar = figure.axes
    assert (axes.get_ylabel(), axes.get_xlabel(), axes.get_title(loc="left")) == ("true", "predicted", "Soup")
    assert [label.get_text() for label in axes.get_yticklabels()] == LABELS
    assert [label.get_text() for label in axes.get_xticklabels()] == LABELS
    assert bar.get_ylabel() == "share of the true class"
    assert np.allclose(axes.images[0].get_array(), [[0.8, 0.2, 0], [0.25, 0.75, 0], [5 / 6, 0, 1 / 6]])
    assert axes.images[0].get_clim() == (0, 1)
    texts = {text.get_position(): (text.get_text(), text.get_color()) for text in axes.texts}
    assert len(texts) == 9
    assert texts[(0, 2)] == ("5", "white")  # column, row: hot taken for cold
    assert texts[(2, 2)] == ("1", "black")


def test_the_words_name_the_worst_mistakes_first() -> None:
    assert confusion_map(MATRIX, LABELS, title="Soup").alt == (
        "Soup. Confusion matrix of 3 classes: 12 of 20 right; hot taken for cold 5 times, cold taken for warm 2 times, "
        "warm taken for cold 1 times."
    )
    assert confusion_map(np.eye(2), ["a", "b"]).alt == "Confusion matrix of 2 classes: 2 of 2 right."


def test_a_class_that_never_occurs_is_an_empty_row() -> None:
    array = confusion_map([[3, 1], [0, 0]], ["a", "b"]).figure.axes[0].images[0].get_array()
    assert np.allclose(array, [[0.75, 0.25], [0, 0]])


def test_many_classes_and_long_names_still_fit() -> None:
    names = [f"class number {i} of the hundred and thirty" for i in range(130)]
    figure = confusion_map(np.eye(130, dtype=int), names).figure
    axes = figure.axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert len(axes.texts) == 0
    assert len(shown) == 44  # every third
    assert shown[1] == "class number 3 of t..."
    assert max(figure.get_size_inches()) < 15


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"shape \(3, 3\): expected a row and a column for 2 labels"):
        confusion_map(MATRIX, ["a", "b"])
    with pytest.raises(ValueError, match="at least one above 0"):
        confusion_map(np.zeros((2, 2)), ["a", "b"])
    with pytest.raises(ValueError, match="at least one above 0"):
        confusion_map([[1, -1], [0, 2]], ["a", "b"])
