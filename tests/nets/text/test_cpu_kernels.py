"""What is written for the CPU's speed, against the formulas that it stands for."""

import pytest
import torch

from aigc_demo.nets.text.attention import attention, causal_mask, plain_attention
from aigc_demo.nets.text.cpu_kernels import byte_dropout, matmul_attention, prefers_matmul, rotary
from aigc_demo.nets.text.rotary import apply_rotary, rotary_angles
from aigc_demo.nets.text.transformer import Dropout

# A different prime for every dimension, so that no two can be mixed up unnoticed.
B, H, T, S, D = 2, 3, 5, 7, 11


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("masked", [False, True])
def test_matrix_products_in_bfloat16_give_the_numbers_of_the_formula(masked: bool) -> None:
    q, k, v = (draw(B, H, S, D, seed=seed).bfloat16() for seed in range(3))
    mask = causal_mask(S, S) if masked else None
    expected = plain_attention(q.float(), k.float(), v.float(), mask)
    torch.testing.assert_close(attention(q, k, v, mask).float(), expected, atol=0.03, rtol=0.03)
    if masked:
        torch.testing.assert_close(attention(q, k, v, causal=True), attention(q, k, v, mask))


@pytest.mark.parametrize("masked", [False, True])
def test_matrix_products_give_the_numbers_and_gradients_of_the_formula(masked: bool) -> None:
    """In float64, where nothing is rounded away; fewer queries than keys."""
    parts = [draw(B, H, n, D, seed=seed).double().requires_grad_() for seed, n in enumerate((T, S, S))]
    mask = causal_mask(T, S) if masked else None
    found, expected = matmul_attention(*parts, mask), plain_attention(*parts, mask)
    torch.testing.assert_close(found, expected)
    gradient = draw(B, H, T, D, seed=3).double()
    ours, theirs = (torch.autograd.grad(y, parts, gradient) for y in (found, expected))
    torch.testing.assert_close(ours, theirs)


def test_matrix_products_are_taken_in_bfloat16_for_more_than_one_query() -> None:
    q = draw(B, H, T, D).bfloat16()
    assert prefers_matmul(q)
    assert not prefers_matmul(q.float())
    assert not prefers_matmul(q[:, :, :1])


def test_the_gradient_of_a_rotation_is_that_of_its_formula() -> None:
    """Written by hand in `RotaryFunction`; by autograd through the formula, and by differences."""
    cos, sin = (part.double() for part in rotary_angles(T, 6))
    x = draw(B, H, T, 6).double().requires_grad_()
    gradient = draw(B, H, T, 6, seed=1).double()
    torch.testing.assert_close(rotary(x, cos, sin), apply_rotary(x, cos, sin))
    (by_hand,) = torch.autograd.grad(rotary(x, cos, sin), x, gradient)
    (expected,) = torch.autograd.grad(rotated_by_hand(x, cos, sin), x, gradient)
    torch.testing.assert_close(by_hand, expected)
    assert torch.autograd.gradcheck(lambda x: rotary(x, cos, sin), x)


def rotated_by_hand(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Each pair (a, b) as (a cos - b sin, b cos + a sin); the table has -sin, then sin."""
    a, b = x.chunk(2, dim=-1)
    cos, sin = cos.chunk(2, dim=-1)[1], sin.chunk(2, dim=-1)[1]
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


def test_dropout_drops_with_its_probability_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    layer, x = Dropout(0.25), torch.ones(501, 401)
    dropped = layer(x)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.005)
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)
    assert dropped.max().item() == pytest.approx(4 / 3)
    assert torch.equal(layer.eval()(x), x)


def test_bytes_below_the_threshold_are_dropped() -> None:
    """Eight decisions of each 64-bit random number, in order; runs that are resumed rely on them."""
    x = torch.arange(1.0, 2004.0)
    torch.manual_seed(3)
    found = byte_dropout(x, 64 / 256)
    torch.manual_seed(3)
    words = torch.empty(251, dtype=torch.int64).random_(-(2**63), None)
    numbers = b"".join(word.to_bytes(8, "little", signed=True) for word in words.tolist())
    expected = [
        0.0 if number < 64 else value * 256 / 192 for value, number in zip(x.tolist(), numbers, strict=False)
    ]
    assert found.tolist() == pytest.approx(expected)
    assert 64 in numbers and 63 in numbers
