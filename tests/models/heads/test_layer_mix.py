import pytest
import torch

from candor.models.heads import layer_mix
from candor.models.heads.layer_mix import LayerMix


def clips(lengths=(5, 1, 9), layers=3, dimensions=4, dtype=torch.float16):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(layers, n, dimensions, generator=generator).to(dtype) for n in lengths]


def mix_of(layers=3, dtype=torch.float32):
    mix = LayerMix(layers).to(dtype)
    with torch.no_grad():
        mix.logits.copy_(torch.linspace(-1, 1.5, layers))
    return mix


def naive(mix, states, offset=None, scale=None):
    """The formula, in double precision and one number after the other."""
    weights = torch.exp(mix.logits.double()) / torch.exp(mix.logits.double()).sum()
    mixed = []
    for number, own in enumerate(states):
        values = own.double()
        if offset is not None:
            by = lambda table, n=number: table[n] if table.dim() == 3 else table  # noqa: E731
            values = (values - by(offset).double()[:, None]) / by(scale).double()[:, None]
        mixed.append(sum(weights[layer] * values[layer] for layer in range(len(weights))))
    return torch.cat(mixed)


def normalisation(kind, states):
    if kind == "none":
        return None, None
    generator = torch.Generator().manual_seed(1)
    shape = (states[0].shape[0], states[0].shape[2])
    if kind == "own":
        shape = (len(states), *shape)
    return torch.randn(shape, generator=generator), torch.rand(shape, generator=generator) + 0.5


@pytest.fixture(params=["one piece", "many pieces"])
def _pieces(request, monkeypatch):
    if request.param == "many pieces":
        monkeypatch.setattr(layer_mix, "BUFFER", 2 * 3 * 4)  # two frames


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("kind", ["none", "shared", "own"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_values_and_gradient_are_those_of_the_formula(kind, dtype):
    states = clips(dtype=dtype)
    offset, scale = normalisation(kind, states)
    mix = mix_of()
    mixed = mix(states, offset, scale)
    wanted = naive(mix, states, offset, scale)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed.double(), wanted, atol=1e-6, rtol=1e-5)
    towards = torch.randn(mixed.shape, generator=torch.Generator().manual_seed(2))
    (ours,) = torch.autograd.grad((mixed * towards).sum(), mix.logits)
    (theirs,) = torch.autograd.grad((wanted * towards).sum(), mix.logits)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["none", "shared", "own"])
def test_the_gradient_of_the_weights_is_right(kind):
    states = clips()
    offset, scale = (table if table is None else table.double() for table in normalisation(kind, states))
    mix = mix_of(dtype=torch.float64)

    def mixed(logits):
        return torch.func.functional_call(mix, {"logits": logits}, (states, offset, scale))

    assert torch.autograd.gradcheck(mixed, (mix.logits.detach().requires_grad_(),))


@pytest.mark.parametrize("kind", ["none", "shared", "own"])
def test_a_gradient_reaches_states_that_carry_one(kind):
    states = [own.requires_grad_() for own in clips(dtype=torch.float64)]
    offset, scale = normalisation(kind, states)
    mix = mix_of(dtype=torch.float64)
    both = mix(states, offset, scale)
    torch.testing.assert_close(both, naive(mix, states, offset, scale))
    both.square().sum().backward()
    assert all(own.grad is not None and own.grad.abs().sum() > 0 for own in states)
    assert mix.logits.grad is not None

    def mixed(logits, *states):
        return torch.func.functional_call(mix, {"logits": logits}, (states, offset, scale))

    assert torch.autograd.gradcheck(mixed, (mix.logits.detach().requires_grad_(), *states))


def test_states_of_a_tuned_backbone_and_stored_ones_give_the_same():
    states = clips(dtype=torch.float32)
    mix = mix_of()
    torch.testing.assert_close(mix(states), mix([own.clone().requires_grad_() for own in states]))


def test_all_layers_count_the_same_at_first():
    states = clips()
    torch.testing.assert_close(LayerMix(3)(states), torch.cat([own.float().mean(dim=0) for own in states]))
    torch.testing.assert_close(LayerMix(3).weights(), torch.full((3,), 1 / 3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_one_layer_is_passed_on(dtype):
    states = clips(layers=1, dtype=dtype)
    mix = LayerMix(1)
    assert list(mix.parameters()) == []
    assert torch.equal(mix(states), torch.cat([own[0].float() for own in states]))
    offset, scale = normalisation("shared", states)
    wanted = torch.cat([(own[0].float() - offset[0]) / scale[0] for own in states])
    torch.testing.assert_close(mix(states, offset, scale), wanted)


def test_half_a_normalisation_is_refused():
    with pytest.raises(ValueError, match="both offset and scale"):
        LayerMix(3)(clips(), offset=torch.zeros(3, 4))


def test_no_copy_of_all_layers_is_made():
    states = clips(lengths=[400] * 8, layers=12, dimensions=64)
    largest = 0
    real = torch.empty

    def watched(*args, **kwargs):
        nonlocal largest
        made = real(*args, **kwargs)
        largest = max(largest, made.numel())
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "empty", watched)
        patch.setattr(layer_mix, "BUFFER", 2**16)
        mixed = LayerMix(12)(states)
    assert 0 < largest <= max(mixed.numel(), 2**16) < sum(own.numel() for own in states) / 8
