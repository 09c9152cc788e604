import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_models import CONFIG
from torch import nn

from bertmini import BertForPreTraining
from bertmini.training.checkpoint import read_checkpoint, restore_checkpoint, save_checkpoint
from bertmini.training.muon import hidden_matrices, orthogonalize
from bertmini.training.optim import make_optimizer, set_learning_rate


class Stack(nn.Module):
    """An embedding, a stack of two odd layers, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 6)
        self.layers = nn.ModuleList([nn.Linear(6, 9), nn.Linear(9, 6)])
        self.head = nn.Linear(6, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        hidden = self.embedding(ids)
        for layer in self.layers:
            hidden = layer(hidden).tanh()
        scores: torch.Tensor = self.head(hidden)
        return scores


def backward(model: nn.Module, seed: int) -> None:
    ids = torch.randint(11, (5, 7), generator=torch.Generator().manual_seed(seed))
    model(ids).square().sum().backward()


@given(st.integers(1, 7), st.integers(1, 9), st.integers(0, 5))
def test_singular_values_come_near_one(rows: int, columns: int, seed: int) -> None:
    matrices = torch.randn(3, rows, columns, generator=torch.Generator().manual_seed(seed))
    left, values, right = torch.linalg.svd(matrices, full_matrices=False)
    clear = values / values.norm(dim=1, keepdim=True) > 0.02  # five rounds do not reach what is nearly 0
    found = torch.linalg.svdvals(orthogonalize(matrices))
    assert found[clear].min() > 0.6
    assert found.max() < 1.25
    if rows == columns == 1:
        assert orthogonalize(matrices).sign().equal(matrices.sign())
    same_directions = (left.mT @ orthogonalize(matrices) @ right.mT).diagonal(dim1=1, dim2=2)
    assert same_directions[clear].min() > 0.6  # the directions stay, only their lengths change


def test_only_a_stack_of_matrices_can_be_made_orthogonal() -> None:
    with pytest.raises(ValueError, match=r"shape \(4, 3\) is no stack of matrices"):
        orthogonalize(torch.ones(4, 3))


def test_the_matrices_of_the_layers_and_no_others() -> None:
    model = BertForPreTraining(replace(CONFIG, num_hidden_layers=2))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = sorted(names[id(matrix)] for matrix in hidden_matrices(model))
    parts = ("attention.key", "attention.output", "attention.query", "attention.value", "intermediate", "output")
    assert found == [f"bert.layers.{layer}.{part}.weight" for layer in (0, 1) for part in parts]
    model.bert.layers[0].requires_grad_(False)
    assert len(hidden_matrices(model)) == 6


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch.optim.Muon came with torch 2.9")
def test_the_matrices_move_as_torchs_muon_moves_them() -> None:
    ours = Stack()
    theirs = copy.deepcopy(ours)
    matrices = [layer.weight for layer in theirs.layers]
    optimizer = make_optimizer(ours, name="muon", weight_decay=0.1)
    oracle = torch.optim.Muon(
        matrices, lr=0.02, weight_decay=0.1, momentum=0.9, nesterov=True, adjust_lr_fn="match_rms_adamw"
    )
    set_learning_rate(optimizer, 0.02)
    for seed in range(3):
        for model in (ours, theirs):
            model.zero_grad()
            backward(model, seed)
        before = [matrix.detach().clone() for matrix in matrices]
        for layer, matrix in zip(ours.layers, matrices, strict=True):  # only one step at a time is compared
            layer.weight.data.copy_(matrix.data)
        optimizer.step()
        oracle.step()
        theirs.embedding.load_state_dict(ours.embedding.state_dict())
        theirs.head.load_state_dict(ours.head.state_dict())
        for number, layer in enumerate(ours.layers):
            theirs.layers[number].bias.data.copy_(layer.bias.data)
            moved, expected = layer.weight - before[number], matrices[number] - before[number]
            # torch computes in bf16, in which small singular values come out a few per cent differently
            assert torch.cosine_similarity(moved.flatten(), expected.flatten(), dim=0) > 0.98
            assert moved.norm().item() == pytest.approx(expected.norm().item(), rel=0.05)


def test_all_else_moves_as_adamw_moves_it() -> None:
    ours = Stack()
    theirs = copy.deepcopy(ours)
    with_muon, plain = make_optimizer(ours, name="muon"), make_optimizer(theirs)
    for model, optimizer in ((ours, with_muon), (theirs, plain)):
        set_learning_rate(optimizer, 0.01)
        backward(model, 0)
        optimizer.step()
    assert ours.embedding.weight.equal(theirs.embedding.weight)
    assert ours.head.weight.equal(theirs.head.weight)
    assert ours.layers[0].bias.equal(theirs.layers[0].bias)
    assert not ours.layers[0].weight.equal(theirs.layers[0].weight)


def test_its_state_goes_into_a_checkpoint_and_comes_back(tmp_path: Path) -> None:
    def step(model: Stack, optimizer: torch.optim.Optimizer, seed: int) -> None:
        optimizer.zero_grad()
        backward(model, seed)
        optimizer.step()

    model = Stack()
    optimizer = make_optimizer(model, name="muon")
    set_learning_rate(optimizer, 0.01)
    step(model, optimizer, 0)
    folder = save_checkpoint(tmp_path, 1, model, optimizer, {})
    twin = Stack()
    restored = make_optimizer(twin, name="muon")
    set_learning_rate(restored, 0.01)
    restore_checkpoint(read_checkpoint(folder), twin, restored)
    for seed in (1, 2):
        step(model, optimizer, seed)
        step(twin, restored, seed)
    for name, weight in model.state_dict().items():
        assert weight.equal(twin.state_dict()[name]), name


def test_what_it_cannot_do_is_said() -> None:
    with pytest.raises(ValueError, match="optimizer is 'lamb': expected one of adamw, muon"):
        make_optimizer(Stack(), name="lamb")
    with pytest.raises(ValueError, match="takes no closure"):
        make_optimizer(Stack(), name="muon").step(lambda: 0.0)
