"""Rotary positions against numbers worked out by hand."""

import math

import pytest
import torch

from aigc_demo.nets.text.rotary import apply_rotary, rotary_angles


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_rotation_keeps_length_and_depends_on_distance_only() -> None:
    cos, sin = rotary_angles(23, 6)
    q, k = draw(6), draw(6, seed=1)
    rotated = apply_rotary(q.expand(23, 6), cos, sin)
    torch.testing.assert_close(rotated.norm(dim=-1), q.norm().expand(23))
    products = rotated @ apply_rotary(k.expand(23, 6), cos, sin).T
    torch.testing.assert_close(products[3, 1], products[20, 18], atol=1e-5, rtol=1e-5)
    assert not torch.isclose(products[3, 1], products[3, 2])


def test_rotation_by_hand() -> None:
    # Two features have one frequency, 1: position 1 is rotated by one radian.
    cos, sin = rotary_angles(2, 2)
    rotated = apply_rotary(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), cos, sin)
    torch.testing.assert_close(rotated, torch.tensor([[1.0, 0.0], [math.cos(1), math.sin(1)]]))


def test_angles_by_hand() -> None:
    """Frequency i of D features is base^(-2 i / D): 1 and 1/10 for four features and a base of 100."""
    assert rotary_angles(2, 4)[0][1, 1].item() == pytest.approx(math.cos(1 / 100)), "the base is 10,000"
    cos, sin = rotary_angles(4, 4, base=100.0)
    angles = [3.0, 0.3]
    assert cos[3].tolist() == pytest.approx([math.cos(angle) for angle in angles] * 2)
    assert sin[3].tolist() == pytest.approx(
        [-math.sin(angle) for angle in angles] + [math.sin(angle) for angle in angles]
    )
