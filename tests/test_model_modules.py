"""What PyTorch's users do to modules works on both paths, for every path calls them."""

import copy
import os
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
import torch.multiprocessing
from small_models import CONFIG, MASKS, a_batch, assert_within, gradients, shaken
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize, prune
from torch.utils.checkpoint import checkpoint

from bertmini.model.encoder import EncoderLayer
from bertmini.model.pretrained import Pretrained
from bertmini.model.pretraining import BertForMaskedLM, BertForPreTraining
from bertmini.model.tasks import (
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
)

SMALL = replace(CONFIG, num_hidden_layers=2)
HEADS = [
    BertForPreTraining,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertForQuestionAnswering,
]


def a_model(loose: bool, head: type[Pretrained] = BertForPreTraining) -> Any:
    """One of our models, on one of its two paths."""
    model = shaken(head(SMALL))
    cast(Any, model).bert.loose = loose
    return model


def scored_batch() -> dict[str, Tensor]:
    """Padded rows, some tokens of which are scored, and pairs with labels."""
    batch = a_batch(MASKS["right"])
    scored = (torch.arange(7) % 3 == 1) & (batch["attention_mask"] > 0)
    labels = torch.where(scored, batch["input_ids"], -100)
    return batch | {"labels": labels, "next_sentence_label": torch.tensor([0, 1, 1])}


class LowRank(nn.Module):
    """A wrapped linear map: frozen, with a product of two thin matrices beside it (Hu et al. 2021)."""

    def __init__(self, wrapped: nn.Linear) -> None:
        super().__init__()
        self.wrapped = wrapped.requires_grad_(requires_grad=False)
        self.down = nn.Parameter(torch.randn(2, wrapped.in_features) / 5)
        self.up = nn.Parameter(torch.randn(wrapped.out_features, 2) / 5)

    def forward(self, hidden: Tensor) -> Tensor:
        return cast(Tensor, self.wrapped(hidden)) + hidden @ self.down.T @ self.up.T

    def merged(self) -> nn.Linear:
        merged = copy.deepcopy(self.wrapped)
        merged.weight.data += self.up.data @ self.down.data
        return merged


@pytest.mark.parametrize("loose", [True, False])
def test_lora_by_wrapping(loose: bool) -> None:
    torch.manual_seed(1)
    model, batch = a_model(loose), scored_batch()
    before = model(**batch).loss
    model.requires_grad_(requires_grad=False)
    names = ("attention.query", "attention.value", "intermediate")
    for layer in model.bert.layers:
        for name in names:
            layer.set_submodule(name, LowRank(layer.get_submodule(name)))
    output = model(**batch)
    assert abs(output.loss.item() - before.item()) > 1e-3
    torch.autograd.backward(output.loss)
    for name, parameter in model.named_parameters():
        if name.endswith((".down", ".up")):
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 1e-6, name
        else:
            assert parameter.grad is None, name
    for layer in model.bert.layers:
        for name in names:
            layer.set_submodule(name, layer.get_submodule(name).merged())
    merged = model(**batch)
    assert_within(1e-5, merged.prediction_logits, output.prediction_logits)
    assert_within(1e-5, merged.loss, output.loss)


@pytest.mark.parametrize("loose", [True, False])
@pytest.mark.parametrize("head", HEADS)
def test_forward_hooks_fire_once(loose: bool, head: type[Pretrained]) -> None:
    model, batch = a_model(loose, head), a_batch(MASKS["right"])
    if head in (BertForPreTraining, BertForMaskedLM):
        batch["labels"] = scored_batch()["labels"]
    fired: Counter[str] = Counter()
    for name, module in model.named_modules():
        module.register_forward_hook(lambda *_, name=name: fired.update([name]))
    model(**batch)
    # A list is no layer. A layer's dropout is used for both of its updates, attention's only in the formula.
    often = {name: 1 for name, _ in model.named_modules() if not name.endswith("layers")}
    often |= {name: 2 for name in often if name.endswith(("0.dropout", "1.dropout"))}
    assert {name: fired[name] for name in often if "attention.dropout" not in name} == {
        name: count for name, count in often.items() if "attention.dropout" not in name
    }


@pytest.mark.parametrize("loose", [True, False])
def test_a_hook_can_change_what_a_module_says(loose: bool) -> None:
    model, batch = a_model(loose), scored_batch()
    before = model(**batch).loss
    handle = model.bert.layers[0].attention.value.register_forward_hook(lambda _, __, output: 0 * output)
    assert abs(model(**batch).loss.item() - before.item()) > 1e-3
    handle.remove()
    assert model(**batch).loss.equal(before)


def three_steps(model: nn.Module, batch: dict[str, Tensor]) -> list[float]:
    """Train for three steps and return the losses before each and after the last."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return [*losses, model(**batch).loss.item()]


@pytest.mark.parametrize("loose", [True, False])
def test_pruned_weights_stay_zero_while_training(loose: bool) -> None:
    model, batch = a_model(loose), scored_batch()
    layers = [module for module in model.bert.modules() if isinstance(module, nn.Linear)]
    for layer in layers:
        prune.l1_unstructured(layer, "weight", amount=0.4)
    losses = three_steps(model, batch)
    assert losses[-1] < losses[0]
    for layer in layers:
        assert (layer.weight == 0).double().mean().item() == pytest.approx(0.4, abs=0.01)
        prune.remove(layer, "weight")
    assert model(**batch).loss.item() == pytest.approx(losses[-1], abs=1e-5)


class Symmetric(nn.Module):
    """A matrix that equals its transpose."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight.triu() + weight.triu(1).T


@pytest.mark.parametrize("loose", [True, False])
def test_parametrized_weights_stay_as_they_must_while_training(loose: bool) -> None:
    model, batch = a_model(loose), scored_batch()
    for layer in model.bert.layers:
        parametrize.register_parametrization(layer.attention.key, "weight", Symmetric())
    losses = three_steps(model, batch)
    assert losses[-1] < losses[0]
    weights = [layer.attention.key.weight for layer in model.bert.layers]
    assert all(weight.equal(weight.T) for weight in weights)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("loose", [True, False])
@pytest.mark.parametrize("head", [BertForSequenceClassification, BertForMaskedLM])
def test_dynamic_quantisation(loose: bool, head: type[Pretrained]) -> None:
    model, batch = a_model(loose, head).eval(), a_batch(MASKS["right"])
    labels = torch.tensor([5, 0, 3]) if head is BertForSequenceClassification else scored_batch()["labels"]
    quantised = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    exact, coarse = model(**batch, labels=labels), quantised(**batch, labels=labels)
    assert not coarse.logits.equal(exact.logits)
    assert_within(0.2, coarse.logits, exact.logits)
    assert coarse.loss.item() == pytest.approx(exact.loss.item(), abs=0.05)


@pytest.mark.parametrize("loose", [True, False])
def test_functional_call(loose: bool) -> None:
    model, other, batch = a_model(loose), a_model(loose), scored_batch()
    shaken(other, seed=7)
    called = functional_call(model, dict(other.named_parameters()), kwargs=batch)
    assert called.loss.equal(other(**batch).loss)
    assert not called.loss.equal(model(**batch).loss)


class Recomputed(nn.Module):
    """A layer whose inner states are computed again for the gradient, instead of kept."""

    def __init__(self, layer: EncoderLayer) -> None:
        super().__init__()
        self.layer, self.calls = layer, 0

    def forward(self, hidden: Tensor, meet: Any, *, asking: Tensor | None = None) -> Any:
        self.calls += 1
        return checkpoint(lambda h, a: self.layer(h, meet, asking=a), hidden, asking, use_reentrant=False)


@pytest.mark.parametrize("loose", [True, False])
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_activation_checkpointing(loose: bool, rate: float) -> None:
    model, batch = a_model(loose), scored_batch()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = rate
    found = []
    for recompute in (False, True):
        if recompute:
            model.bert.layers = nn.ModuleList(Recomputed(layer) for layer in model.bert.layers)
        model.zero_grad()
        torch.manual_seed(4)
        loss = model(**batch).loss
        torch.autograd.backward(loss)
        found.append((loss, [gradient for _, gradient in sorted(gradients(model).items()) if gradient.numel()]))
    assert [layer.calls for layer in model.bert.layers] == [1, 1]
    (plain, expected), (again, recomputed) = found
    assert plain.equal(again)
    assert sum(gradient.abs().sum().item() for gradient in expected) > 1
    ours = sorted(gradient.double().norm().item() for gradient in expected)
    assert sorted(gradient.double().norm().item() for gradient in recomputed) == pytest.approx(ours, rel=1e-12)


def one_of_two(rank: int, port: int, folder: str) -> None:
    """Compute the gradients of one process's row, on both paths."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    batch = {name: tensor[[rank]] for name, tensor in scored_batch().items()}
    for loose in (True, False):
        model = nn.parallel.DistributedDataParallel(a_model(loose).double())
        model(**batch).loss.backward()
        torch.save(gradients(model.module), Path(folder) / f"{rank} {loose}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_share_their_gradients(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(one_of_two, (port, str(tmp_path)), nprocs=2)
    for loose in (True, False):
        first, second = (torch.load(tmp_path / f"{rank} {loose}.pt") for rank in (0, 1))
        model = a_model(loose).double()
        for rank in (0, 1):
            loss = model(**{name: tensor[[rank]] for name, tensor in scored_batch().items()}).loss
            torch.autograd.backward(loss / 2)
        assert_within(0.0, first, second)
        assert_within(1e-12, first, gradients(model))


@pytest.fixture
def compiler() -> Iterator[None]:
    """What was compiled before is forgotten, and again afterwards."""
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("loose", [True, False])
def test_compiled_gradients(loose: bool) -> None:
    model, batch = a_model(loose), scored_batch()
    plain = model(**batch)
    torch.autograd.backward(plain.loss)
    expected = gradients(model)
    model.zero_grad()
    compiled = torch.compile(model, backend="aot_eager")(**batch)
    torch.autograd.backward(compiled.loss)
    assert_within(1e-5, compiled.loss, plain.loss)
    assert_within(1e-5, compiled.prediction_logits, plain.prediction_logits)
    assert_within(1e-5, gradients(model), expected)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("loose", [True, False])
def test_export(head: type[Pretrained], loose: bool) -> None:
    model, batch = a_model(loose, head).eval(), a_batch(MASKS["right"])
    size = {0: torch.export.Dim("rows"), 1: torch.export.Dim("columns", max=17)}
    exported = torch.export.export(model, (), batch, dynamic_shapes=dict.fromkeys(batch, size), strict=False).module()
    longer = {name: tensor.repeat(2, 2)[:5, :11] for name, tensor in batch.items()}
    for inputs in (batch, longer):
        expected, found = model(**inputs), exported(**inputs)
        assert [tensor.shape for tensor in found if tensor is not None] == [
            tensor.shape for tensor in expected if tensor is not None
        ]
        for ours, theirs in zip(found, expected, strict=True):
            if theirs is not None:
                assert_within(1e-5, ours, theirs)


def test_onnx_of_a_classifier(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra: pip install -e .[onnx]")
    model, batch = a_model(True, BertForSequenceClassification).eval(), a_batch(MASKS["right"])
    size = {0: torch.export.Dim("rows"), 1: torch.export.Dim("columns", max=17)}
    program = torch.onnx.export(model, (), kwargs=batch, dynamic_shapes=dict.fromkeys(batch, size), dynamo=True)
    program.save(tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    for inputs in (batch, {name: tensor.repeat(2, 2)[:5, :11] for name, tensor in batch.items()}):
        (logits,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
        assert_within(1e-5, torch.from_numpy(logits), model(**inputs).logits)
