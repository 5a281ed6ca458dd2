"""What is reconstructed from gradients that torch itself has computed, against the embeddings that went in."""

import inspect

import numpy as np
import pytest
import torch
from torch.nn import functional

from candor.federated.engines.loop import LoopEngine
from candor.federated.engines.stacked import StackedMlpEngine
from candor.federated.local import Local, Work
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.emotion import Pooled
from candor.federated.workloads.mlp import Mlp
from candor.leakage.dense_gradients import DenseNetwork
from candor.leakage.inversion import Inversion, invert, restored_labels
from candor.leakage.likeness import compare, without_inversion
from candor.tables.precisions import decode, encode

DIMENSIONS, CLASSES = 40, 4
CLASS_NAMES = ["angry", "happy", "neutral", "sad"]
SETTINGS = Inversion(iterations=100, starts=2, seed=3)


def embeddings(count, seed):
    """Embeddings as they are: a few directions carry most of what tells them apart, and all people share these."""
    directions = torch.randn(8, DIMENSIONS, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 8, generator=generator) @ directions / 3 + 0.5 * torch.randn(
        count, DIMENSIONS, generator=generator
    )


SHADOW = embeddings(60, seed=99)


class Client:
    """A model, a client's examples, and the gradient that torch computes of them, with dropout as in training."""

    def __init__(self, examples, hidden=(128, 64), dropout=0.2, seed=1):
        torch.manual_seed(seed)
        self.model = Mlp(DIMENSIONS, hidden, CLASSES, dropout)
        self.dropout = dropout
        self.inputs = embeddings(examples, seed)
        self.labels = torch.randint(0, CLASSES, (examples,))
        functional.cross_entropy(self.model.train()(self.inputs.clone()), self.labels).backward()
        self.gradients = {name: own.grad.clone() for name, own in self.model.named_parameters()}

    @property
    def network(self):
        return DenseNetwork.of(self.model.state_dict(), self.dropout)

    def inverted(self, gradients=None, settings=SETTINGS):
        return invert(self.network, gradients or self.gradients, len(self.inputs), SHADOW, settings)

    def without(self):
        return without_inversion(self.gradients, len(self.inputs), SHADOW, seed=0)


def in_half_precision(gradients):
    """Return gradients as a history that keeps float16 returns them."""
    kept = {}
    for name, values in gradients.items():
        encoded = encode(values.numpy(), "float16")
        kept[name] = decode(encoded.data.tobytes(), encoded.precision, encoded.scale, tuple(values.shape))
    return kept


@pytest.mark.parametrize("hidden", [(32,), (48, 24), (40, 24, 16)])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_the_only_example_of_a_client_is_found_exactly(hidden, dropout):
    client = Client(1, hidden, dropout)
    found = client.inverted()
    assert torch.allclose(found.embeddings, client.inputs, rtol=1e-3, atol=1e-5)
    assert torch.equal(found.labels, client.labels)
    assert found.exact.tolist() == [True]
    assert found.loss < 1e-8


@pytest.mark.parametrize("hidden", [(128, 64), (128, 64, 16)])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("examples", [2, 5, 20])
def test_several_examples_are_found_exactly_with_their_labels(examples, dropout, hidden):
    client = Client(examples, hidden, dropout)
    found = client.inverted()
    match = compare(found.embeddings, client.inputs)
    assert found.exact.all()
    assert torch.allclose(found.embeddings[match.assignment], client.inputs, rtol=1e-2, atol=1e-3)
    assert torch.equal(found.labels[match.assignment], client.labels)
    assert found.loss < 1e-4
    assert all(compare(guess, client.inputs).mean < 0.7 for guess in client.without().values())


def test_dropout_makes_it_easier():
    exact = {}
    for dropout in (0.0, 0.4):
        client = Client(40, (128, 64), dropout)
        exact[dropout] = float(client.inverted().exact.float().mean())
    assert exact[0.4] > exact[0.0]


def test_half_precision_is_no_protection():
    client = Client(10)
    found = client.inverted(in_half_precision(client.gradients))
    match = compare(found.embeddings, client.inputs)
    assert match.cosines.min() > 0.999
    assert torch.equal(found.labels[match.assignment], client.labels)


def test_nothing_but_what_was_sent_and_is_known_goes_in():
    assert list(inspect.signature(invert).parameters) == ["network", "gradients", "examples", "shadow", "settings"]


@pytest.mark.parametrize("examples", [2, 4])
def test_with_a_single_hidden_layer_examples_are_matched(examples):
    client = Client(examples, (64,), dropout=0.0)
    found = client.inverted()
    assert not found.exact.any()
    assert compare(found.embeddings, client.inputs).mean > 0.95
    assert torch.equal(found.labels, client.labels.sort().values)


@pytest.mark.parametrize(("examples", "hidden", "dropout"), [(8, (64,), 0.2), (30, (64, 24), 0.0), (6, (9, 8), 0.0)])
def test_where_examples_cannot_be_solved_for_matching_beats_guessing(examples, hidden, dropout):
    client = Client(examples, hidden, dropout)
    found = client.inverted()
    assert found.embeddings.shape == client.inputs.shape
    assert not found.exact.any()
    guesses = [compare(guess, client.inputs).mean for guess in client.without().values()]
    assert compare(found.embeddings, client.inputs).mean > max(guesses) + 0.02


@pytest.mark.parametrize("counts", [(9, 0, 1, 2), (0, 12, 0, 0), (3, 3, 3, 3)])
def test_planted_counts_of_classes_are_restored_from_an_untrained_model(counts):
    client = Client(sum(counts))
    labels = torch.repeat_interleave(torch.arange(CLASSES), torch.tensor(counts))
    client.model.zero_grad()
    functional.cross_entropy(client.model(client.inputs.clone()), labels).backward()
    biases = len(labels) * client.model.dense[-1].bias.grad.double()
    found = restored_labels(client.network, biases, len(labels), SHADOW.double())
    assert torch.bincount(found, minlength=CLASSES).tolist() == list(counts)


def test_the_same_seed_finds_the_same():
    client = Client(12, (64, 24))
    one, again = client.inverted(), client.inverted()
    assert torch.equal(one.embeddings, again.embeddings)
    assert one.loss == again.loss


def test_of_a_gradient_that_says_nothing_others_are_as_good_a_guess_as_any():
    client = Client(3)
    found = client.inverted({name: torch.zeros_like(own) for name, own in client.gradients.items()})
    assert not found.exact.any()
    assert all(any(torch.equal(own, other) for other in SHADOW) for own in found.embeddings)


@pytest.mark.parametrize("engine", [LoopEngine, StackedMlpEngine])
def test_what_a_client_of_fed_sgd_sends_is_inverted(engine):
    inputs, labels = embeddings(30, seed=7), torch.arange(30) % CLASSES
    workload = Pooled(CLASS_NAMES, labels, inputs, (128, 64), dropout=0.2)
    torch.manual_seed(5)
    model = workload.make()
    layout = Layout.of(model)
    weights = Weights.of(model, layout)
    own = list(range(3, 15))
    work = [Work(0, [own], 11, [labels[own]])]
    [returned] = engine(workload, layout, Local("none", 0.1)).run(weights, work)
    [sent] = returned.updates
    gradients = {
        piece.name: sent[piece.start : piece.end].view(piece.shape).numpy().copy() for piece in layout.parameters
    }
    tensors = {name: tensor.numpy() for name, tensor in weights.named(layout).items()}
    found = invert(DenseNetwork.of(tensors, 0.2), gradients, returned.examples[0], SHADOW, SETTINGS)
    assert found.exact.all()
    assert compare(found.embeddings, inputs[own]).cosines.min() > 0.999


def test_one_thread_is_used_and_given_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        Client(2).inverted()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_what_cannot_be_inverted_is_refused():
    client = Client(2)
    only_first = {name: own for name, own in client.gradients.items() if name.startswith("dense.0")}
    with pytest.raises(ValueError, match=r"gradients of all layers; missing: dense.1.weight, dense.1.bias, dense.2"):
        client.inverted(only_first)
    broken = {name: own * np.nan for name, own in client.gradients.items()}
    with pytest.raises(ValueError, match="not finite"):
        client.inverted(broken)
    with pytest.raises(ValueError, match="nothing to find of 0 examples"):
        invert(client.network, client.gradients, 0, SHADOW, SETTINGS)
