from pathlib import Path

import pytest
from small_models import CONFIG

from bertmini import BertForPreTraining
from bertmini.runs.info import info


def test_it_counts_every_parameter_by_its_part(tmp_path: Path) -> None:
    model = BertForPreTraining(CONFIG)
    model.save_pretrained(tmp_path)
    config, counts = info(tmp_path)
    assert config == CONFIG
    assert counts.total() == sum(parameter.numel() for parameter in model.parameters())
    width, layers = CONFIG.hidden_size, CONFIG.num_hidden_layers
    assert counts["layers: attention"] == layers * (4 * (width * width + width) + 2 * width)
    assert counts["embeddings: word"] == CONFIG.vocab_size * width
    assert counts["nsp"] == 2 * width + 2


def test_it_names_what_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is not a checkpoint: it has no config\.json"):
        info(tmp_path)
