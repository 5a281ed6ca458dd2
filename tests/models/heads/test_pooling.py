import pytest
import torch

from candor.models.heads.pooling import POOLINGS, Attention, MeanAndDeviation
from models.heads.reference import padded, pool

LENGTHS = torch.tensor([4, 1, 7, 2])


def frames(dtype=torch.float32, dimensions=5):
    return torch.randn(int(LENGTHS.sum()), dimensions, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("name", POOLINGS)
def test_it_is_what_a_padded_batch_with_a_mask_gives(name):
    torch.manual_seed(0)
    pooling = POOLINGS[name](5)
    ours = pooling(frames(), LENGTHS)
    assert ours.shape == (4, pooling.width)
    torch.testing.assert_close(ours, pool(name, *padded(frames(), LENGTHS), getattr(pooling, "score", None)))


@pytest.mark.parametrize("name", POOLINGS)
def test_gradients_are_right(name):
    torch.manual_seed(0)
    pooling = POOLINGS[name](5).double()
    own = frames(torch.float64)
    if name == "std":  # the single frame has no deviation, and no derivative of it
        own, lengths = torch.cat([own[:4], own[5:]]), LENGTHS[[0, 2, 3]]
    else:
        lengths = LENGTHS
    assert torch.autograd.gradcheck(lambda values: pooling(values, lengths), (own.requires_grad_(),))


@pytest.mark.parametrize(
    ("values", "lengths"), [(torch.full((6, 3), 0.1), [6]), (torch.tensor([[0.3, -7.0, 1e4]]), [1])]
)
def test_what_does_not_vary_has_no_deviation_and_a_finite_gradient(values, lengths):
    values.requires_grad_()
    pooled = MeanAndDeviation(3)(values, torch.tensor(lengths))
    torch.testing.assert_close(pooled[:, 3:], torch.zeros(1, 3), atol=1e-7, rtol=0)
    pooled.sum().backward()
    assert torch.isfinite(values.grad).all()


def test_a_single_frame_has_exactly_no_deviation():
    pooled = MeanAndDeviation(5)(frames(), LENGTHS)
    assert torch.equal(pooled[1, 5:], torch.zeros(5))


def test_attention_stands_large_scores():
    pooling = Attention(5)
    with torch.no_grad():
        pooling.score.weight.fill_(1e4)
    own = frames()
    pooled = pooling(own, LENGTHS)
    loudest = torch.stack([part[part.sum(dim=1).argmax()] for part in own.split(LENGTHS.tolist())])
    torch.testing.assert_close(pooled, loudest)


def test_a_long_mean_is_exact():
    values = 100 + torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0))
    pooled = POOLINGS["std"](1)(values, torch.tensor([len(values)]))[0]
    assert pooled[0].item() == pytest.approx(values.double().mean().item(), rel=1e-6)
    assert pooled[1].item() == pytest.approx(values.double().std(correction=0).item(), rel=1e-5)
