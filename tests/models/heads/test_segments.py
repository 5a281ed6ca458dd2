import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from candor.models.heads.segments import pad, reverse, segment_sum, spread, unpad

LENGTHS = torch.tensor([4, 1, 7, 2])
FRAMES = torch.randn(14, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
PARTS = FRAMES.split(LENGTHS.tolist())
ROWS = torch.randn(4, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
PADDED = torch.randn(4, 7, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def test_values():
    torch.testing.assert_close(segment_sum(FRAMES, LENGTHS), torch.stack([own.sum(dim=0) for own in PARTS]))
    assert torch.equal(
        spread(ROWS, LENGTHS), torch.cat([row.expand(len(own), -1) for row, own in zip(ROWS, PARTS, strict=True)])
    )
    assert torch.equal(pad(FRAMES, LENGTHS), pad_sequence(list(PARTS), batch_first=True))
    assert torch.equal(unpad(pad(FRAMES, LENGTHS), LENGTHS), FRAMES)
    assert torch.equal(reverse(FRAMES, LENGTHS), torch.cat([own.flip(0) for own in PARTS]))


@pytest.mark.parametrize(
    ("function", "values"), [(segment_sum, FRAMES), (spread, ROWS), (pad, FRAMES), (unpad, PADDED), (reverse, FRAMES)]
)
def test_gradients_are_right_also_twice(function, values):
    values = values.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda own: function(own, LENGTHS), (values,))
    assert torch.autograd.gradgradcheck(lambda own: function(own.square(), LENGTHS), (values,))


def test_lengths_that_do_not_add_up_are_refused():
    with pytest.raises(RuntimeError, match="sum exactly to 14"):
        segment_sum(FRAMES, LENGTHS[:3])
