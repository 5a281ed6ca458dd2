from itertools import product

import pytest
import torch
from torch import nn

from candor.models.heads.build import KINDS, HeadError, build_head
from candor.models.heads.cnn import CnnHead
from candor.models.heads.dropout import Dropout, ReluDropout
from candor.models.heads.pooling import POOLINGS
from candor.models.heads.transformer import positions
from models.heads.reference import SeedCnn, padded, pool

DIMENSIONS, OUTPUTS = 6, 3
LENGTHS = torch.tensor([5, 1, 12, 3])
EVERY = list(product(KINDS, POOLINGS))


def build(kind, pooling="mean", seed=0, **changed):
    options = {"hidden_size": 8, "conv_layers": 2, "num_layers": 2, "dropout": 0.2} | changed
    torch.manual_seed(seed)
    return build_head(kind, DIMENSIONS, OUTPUTS, pooling=pooling, **options)


def frames(dtype=torch.float32):
    return torch.randn(int(LENGTHS.sum()), DIMENSIONS, generator=torch.Generator().manual_seed(1), dtype=dtype)


def count(head):
    return sum(parameter.numel() for parameter in head.parameters())


@pytest.fixture(autouse=True)
def _deterministic():
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(("kind", "pooling"), EVERY)
def test_what_is_said_of_an_utterance_does_not_depend_on_the_others(kind, pooling):
    head = build(kind, pooling).eval()
    with torch.no_grad():
        together = head(frames(), LENGTHS)
        alone = torch.cat([head(own, torch.tensor([len(own)])) for own in frames().split(LENGTHS.tolist())])
        order = [2, 0, 3, 1]
        parts = frames().split(LENGTHS.tolist())
        shuffled = head(torch.cat([parts[number] for number in order]), LENGTHS[order])
    assert together.shape == (4, OUTPUTS)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(together[order], shuffled, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("kind", "pooling"), EVERY)
def test_nothing_is_random_in_evaluation_and_dropout_is_in_training(kind, pooling):
    head = build(kind, pooling)
    with torch.no_grad():
        assert torch.equal(head.eval()(frames(), LENGTHS), head(frames(), LENGTHS))
        head.train()
        same = torch.equal(head(frames(), LENGTHS), head(frames(), LENGTHS))
    assert same == (kind == "linear")


@pytest.mark.parametrize(("kind", "pooling"), EVERY)
def test_training_and_evaluation_agree_without_dropout(kind, pooling):
    head = build(kind, pooling, dropout=0.0)
    with torch.no_grad():
        torch.testing.assert_close(head.train()(frames(), LENGTHS), head.eval()(frames(), LENGTHS))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("kind", "pooling"), EVERY)
def test_gradients_reach_every_frame_and_every_parameter(kind, pooling, training):
    head = build(kind, pooling, dropout=0.01).train(training)
    own = frames().requires_grad_()
    before = own.detach().clone()
    nn.functional.cross_entropy(head(own, LENGTHS), torch.tensor([0, 1, 2, 0])).backward()
    assert torch.equal(own, before)
    assert (own.grad.abs().sum(dim=1) > 0).all()
    for name, parameter in head.named_parameters():
        assert torch.isfinite(parameter.grad).all()
        # A softmax does not see the bias of its scores, nor a head the scores of a mean over equals.
        assert name == "pooling.score.bias" or parameter.grad.abs().sum() > 0


@pytest.mark.parametrize(("kind", "pooling"), EVERY)
def test_gradients_of_the_frames_are_right(kind, pooling):
    head = build(kind, pooling, hidden_size=4).double().eval()
    lengths = torch.tensor([2, 3])
    own = frames(torch.float64)[:5].requires_grad_()
    assert torch.autograd.gradcheck(lambda values: head(values, lengths), (own,))


@pytest.mark.parametrize(("kind", "pooling"), EVERY)
def test_initial_weights_are_those_of_the_seed(kind, pooling):
    first, again, other = (torch.cat([p.flatten() for p in build(kind, pooling, s).parameters()]) for s in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_layers_of_a_transformer_start_differently():
    first, second = build("transformer").layers
    assert not torch.equal(first.linear1.weight, second.linear1.weight)


@pytest.mark.parametrize(("kind", "pooling"), EVERY)
def test_a_step_downhill_is_one(kind, pooling):
    head = build(kind, pooling)
    labels = torch.tensor([0, 1, 2, 0])
    loss = lambda: nn.functional.cross_entropy(head(frames(), LENGTHS), labels)  # noqa: E731
    before = loss().item()
    optimiser = torch.optim.Adam(head.parameters(), 0.02)
    for _ in range(12):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert loss().item() < 0.8 * before


@pytest.mark.parametrize(
    ("hidden", "convolutions", "dense", "pooling"), list(product([8, 20], [1, 2, 3], [1, 2, 3], POOLINGS))
)
def test_the_size_of_a_cnn_follows_its_options(hidden, convolutions, dense, pooling):
    width = {"mean": hidden, "std": 2 * hidden, "att": hidden}[pooling]
    wanted = DIMENSIONS * hidden + hidden + (convolutions - 1) * (hidden * hidden + hidden)
    wanted += hidden + 1 if pooling == "att" else 0
    for _ in range(dense - 1):
        wanted += width * hidden + hidden
        width = hidden
    wanted += width * OUTPUTS + OUTPUTS
    head = build("cnn", pooling, hidden_size=hidden, conv_layers=convolutions, num_layers=dense)
    assert count(head) == wanted


@pytest.mark.parametrize(("hidden", "layers", "pooling"), list(product([8, 20], [1, 2, 3], POOLINGS)))
def test_the_sizes_of_the_others_follow_their_options(hidden, layers, pooling):
    def ending(width):
        score = width + 1 if pooling == "att" else 0
        return score + (2 * width if pooling == "std" else width) * OUTPUTS + OUTPUTS

    options = {"hidden_size": hidden, "num_layers": layers}
    inputs = [DIMENSIONS] + [2 * hidden] * (layers - 1)
    gru = sum(2 * 3 * (width * hidden + hidden * hidden + 2 * hidden) for width in inputs)
    assert count(build("gru", pooling, **options)) == gru + ending(2 * hidden)
    attention = 4 * (hidden * hidden + hidden)
    forward = 2 * 4 * hidden * hidden + 4 * hidden + hidden
    layer = attention + forward + 2 * 2 * hidden
    projection = DIMENSIONS * hidden + hidden
    assert count(build("transformer", pooling, **options)) == projection + layers * layer + 2 * hidden + ending(hidden)
    assert count(build("linear", pooling, **options)) == ending(DIMENSIONS)


def as_seed(head, seed):
    """Copy the weights of the seed's head over."""
    sources = [m for m in [*seed.conv, *seed.out] if isinstance(m, nn.Conv1d | nn.Linear)]
    with torch.no_grad():
        for own, source in zip([*head.convolutions, *head.dense], sources, strict=True):
            own.weight.copy_(source.weight.reshape(own.weight.shape))
            own.bias.copy_(source.bias)
        if hasattr(head.pooling, "score"):
            head.pooling.score.load_state_dict(seed.score.state_dict())


@pytest.mark.parametrize(("pooling", "convolutions"), list(product(POOLINGS, [1, 2, 3])))
def test_the_cnn_is_the_seeds(pooling, convolutions):
    torch.manual_seed(0)
    seed = SeedCnn(40, 4, hidden=256, convolutions=convolutions).eval()
    if pooling == "std":
        seed.out[0] = nn.Linear(512, 256)
    head = CnnHead(40, 4, POOLINGS[pooling](256), hidden_size=256, conv_layers=convolutions).eval()
    as_seed(head, seed)
    assert pooling == "std" or count(head) == count(seed) - (257 if pooling == "mean" else 0)
    lengths = torch.tensor([30, 1, 80])
    own, theirs = (torch.randn(111, 40, generator=torch.Generator().manual_seed(2)).requires_grad_() for _ in "ab")
    ours, wanted = head(own, lengths), seed(theirs, lengths, pooling)
    torch.testing.assert_close(ours, wanted, atol=1e-5, rtol=1e-4)
    ours.square().sum().backward()
    wanted.square().sum().backward()
    torch.testing.assert_close(own.grad, theirs.grad, atol=1e-5, rtol=1e-4)
    for layer, source in ((head.convolutions[0], seed.conv[0]), (head.dense[-1], seed.out[-1])):
        torch.testing.assert_close(
            layer.weight.grad, source.weight.grad.reshape(layer.weight.shape), rtol=1e-3, atol=1e-5
        )


def test_in_training_the_cnn_is_the_seeds_on_average():
    torch.manual_seed(0)
    seed = SeedCnn(8, 4)
    head = CnnHead(8, 4, POOLINGS["mean"](256), hidden_size=256)
    as_seed(head, seed)
    own, lengths = torch.randn(9, 8), torch.tensor([3, 6])
    with torch.no_grad():
        ours, theirs = (torch.stack([model.train()(own, lengths) for _ in range(200)]) for model in (head, seed))
    error = (ours.var(dim=0) / 200 + theirs.var(dim=0) / 200).sqrt()
    assert ((ours.mean(dim=0) - theirs.mean(dim=0)).abs() < 4.5 * error).all()
    assert (ours.std(dim=0) / theirs.std(dim=0) - 1).abs().max() < 0.3


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_gru_is_torchs_over_each_utterance_alone(pooling):
    head = build("gru", pooling).eval()
    oracle = nn.GRU(DIMENSIONS, 8, num_layers=2, bidirectional=True)
    weights = {
        name.replace("_l0", f"_l{layer}{end}"): values
        for modules, end in ((head.ahead, ""), (head.back, "_reverse"))
        for layer, module in enumerate(modules)
        for name, values in module.state_dict().items()
    }
    oracle.load_state_dict(weights)
    with torch.no_grad():
        states = [oracle(own[:, None])[0][:, 0] for own in frames().split(LENGTHS.tolist())]
        pooled = pool(pooling, *padded(torch.cat(states), LENGTHS), getattr(head.pooling, "score", None))
        torch.testing.assert_close(head(frames(), LENGTHS), head.dense(pooled))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_transformer_is_torchs_encoder(pooling):
    head = build("transformer", pooling).train()  # not torch's own fast path of evaluation
    for module in head.modules():
        if isinstance(module, Dropout):
            module.dropout = 0.0
    layer = nn.TransformerEncoderLayer(8, 4, 32, 0.0, batch_first=True, norm_first=True)
    oracle = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(8), enable_nested_tensor=False)
    oracle.load_state_dict(
        {k: v for k, v in head.state_dict().items() if k.startswith("layers.")}
        | {f"norm.{k}": v for k, v in head.norm.state_dict().items()}
    )
    with torch.no_grad():
        together, real = padded(frames(), LENGTHS)
        states = oracle(head.project(together) + positions(12, 8), src_key_padding_mask=~real)
        pooled = pool(pooling, states, real, getattr(head.pooling, "score", None))
        torch.testing.assert_close(head(frames(), LENGTHS), head.dense(pooled), atol=1e-5, rtol=1e-5)


def test_positions_are_those_of_the_paper():
    table = positions(50, 8)
    for frame, place in ((0, 0), (7, 2), (49, 6)):
        angle = torch.tensor(frame / 10000 ** (place / 8))
        torch.testing.assert_close(table[frame, place : place + 2], torch.stack([angle.sin(), angle.cos()]))


def test_order_matters_only_to_heads_that_look_at_it():
    turned = frames()[:5].flip(0)
    for kind, matters in (("linear", False), ("cnn", False), ("gru", True), ("transformer", True)):
        head = build(kind).eval()
        with torch.no_grad():
            gap = (head(frames()[:5], torch.tensor([5])) - head(turned, torch.tensor([5]))).abs().max()
        assert (gap > 1e-4) == matters


@pytest.mark.parametrize("shape", [(1000, 300), (3, 7), (1, 1)])
def test_dropout_keeps_the_share_it_should_and_the_mean(shape):
    torch.manual_seed(0)
    values = torch.randn(shape, requires_grad=True)
    given = values + 0
    result = ReluDropout(0.2)(given)
    positive, kept = values > 0, result > 0
    assert result.shape == shape
    assert not (kept & ~positive).any()
    torch.testing.assert_close(result[kept], values[kept] / 0.8, rtol=1e-4, atol=0)
    if positive.sum() > 1000:
        share = (kept.sum() / positive.sum()).item()
        assert share == pytest.approx(0.8, abs=4 * (0.16 / positive.sum().item()) ** 0.5)
        neighbours = kept[:, 1:] & kept[:, :-1]
        assert neighbours.sum() / (positive[:, 1:] & positive[:, :-1]).sum() == pytest.approx(0.64, abs=0.01)
    result.sum().backward()
    torch.testing.assert_close(values.grad, kept / 0.8, rtol=1e-4, atol=0)


def test_dropout_alone_keeps_negative_values_too():
    torch.manual_seed(0)
    values = torch.randn(300, 400, requires_grad=True)
    result = Dropout(0.3)(values)
    kept = result != 0
    assert kept.float().mean().item() == pytest.approx(0.7, abs=0.006)
    torch.testing.assert_close(result, values * kept / 0.7, rtol=1e-4, atol=0)
    result.sum().backward()
    torch.testing.assert_close(values.grad, kept / 0.7, rtol=1e-4, atol=0)
    assert torch.equal(Dropout(0.3).eval()(values), values)


def test_a_transformer_drops_in_every_layer():
    places = [name for name, module in build("transformer").named_modules() if isinstance(module, Dropout)]
    assert len(places) == 1 + 2 * 3


def test_without_dropout_it_is_relu():
    values = torch.randn(9, 5, requires_grad=True)
    for module in (ReluDropout(0.0), ReluDropout(0.3).eval()):
        assert torch.equal(module(values + 0), torch.relu(values))


def test_dropout_follows_the_seed():
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(ReluDropout(0.5)(torch.ones(100)))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


@pytest.mark.parametrize(
    ("kind", "changed", "message"),
    [
        ("rnn", {}, "downstream_model is 'rnn'; allowed are linear, cnn, gru, transformer"),
        ("cnn", {"pooling": "max"}, "pooling is 'max'; allowed are mean, std, att"),
        ("cnn", {"conv_layers": 0}, "conv_layers is 0; it must be at least 1"),
        ("gru", {"dropout": 1.0}, "dropout is 1.0"),
        ("transformer", {"hidden_size": 30}, "hidden_size is 30; .* multiple of 4"),
    ],
)
def test_what_cannot_be_built_is_said(kind, changed, message):
    with pytest.raises(HeadError, match=message):
        build(kind, **changed)


@pytest.mark.parametrize("kind", KINDS)
def test_the_outputs_are_what_the_last_layer_makes_of_the_embedding(kind):
    torch.manual_seed(0)
    head = build_head(
        kind, 6, 3, hidden_size=8, conv_layers=2, num_layers=2, pooling="mean", dropout=0.5
    ).eval()  # fmt: skip
    frames, lengths = torch.randn(9, 6), torch.tensor([4, 5])
    seen = []
    last = [module for module in head.modules() if isinstance(module, torch.nn.Linear)][-1]
    last.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    outputs = head(frames, lengths)
    embedding = head.embed(frames, lengths)
    assert torch.equal(embedding, seen[0])
    assert torch.equal(head.decide(embedding), outputs)
