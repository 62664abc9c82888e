"""The objectives of adversarial training, as functions of the discriminator's scores.

A score is a logit: D(x) = sigmoid(score) is the probability that the discriminator gives an image of being
real. The losses are computed from logits, since log(1 - sigmoid(s)) of a large s is -inf in floating point
and -softplus(s) is not.
"""

# Shapes: B batch, C channels, H rows, W columns.

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from aigc_demo.nets.options import GAN_LOSSES


def discriminator_loss(
    real_score_B: Tensor, fake_score_B: Tensor, kind: str = "non-saturating", label_smoothing: float = 0.0
) -> Tensor:
    """The discriminator's loss.

    minimax and non-saturating: -E[log D(x)] - E[log(1 - D(G(z)))], the negative of the minimax value. With
    label smoothing s the targets of real images are 1 - s: -(1 - s) E[log D(x)] - s E[log(1 - D(x))].
    hinge: E[max(0, 1 - score(x))] + E[max(0, 1 + score(G(z)))].

    Args:
        real_score_B: logits of real images.
        fake_score_B: logits of generated images.
        kind: one of GAN_LOSSES.
        label_smoothing: s, 0 to 1, for real images only; hinge has none.

    Returns:
        A scalar; 2 log 2 where D is 1/2 everywhere, 2 for hinge.

    Raises:
        ValueError: there is no such loss.

    Source:
        Goodfellow et al. 2014, arXiv:1406.2661, eq. 1; one-sided smoothing: Salimans et al. 2016,
        arXiv:1606.03498, section 3.4; hinge: Miyato et al. 2018, arXiv:1802.05957, eq. 16.
    """
    return _real_term(real_score_B, kind, label_smoothing) + _fake_term(fake_score_B, kind)


def matching_terms(
    real_score_B: Tensor,
    fake_score_B: Tensor,
    wrong_score_B: Tensor,
    kind: str = "non-saturating",
    label_smoothing: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """The three terms of the loss of a matching-aware discriminator, whose condition is a caption.

    With t the caption of x, and w a wrong one: -E[log D(x, t)], -E[log(1 - D(G(z, t), t))] / 2 and
    -E[log(1 - D(x, w))] / 2. The third term makes it check the caption too, and not the image alone.

    Args:
        real_score_B: logits of real images with their captions.
        fake_score_B: logits of generated images with the captions that they were generated from.
        wrong_score_B: logits of real images with wrong captions.
        kind: one of GAN_LOSSES.
        label_smoothing: as in `discriminator_loss`.

    Returns:
        Three scalars; log 2, and half of it twice, where D is 1/2 everywhere.

    Raises:
        ValueError: there is no such loss.

    Source:
        Reed et al. 2016, arXiv:1605.05396, algorithm 1.
    """
    real = _real_term(real_score_B, kind, label_smoothing)
    return real, _fake_term(fake_score_B, kind) / 2, _fake_term(wrong_score_B, kind) / 2


def generator_loss(fake_score_B: Tensor, kind: str = "non-saturating") -> Tensor:
    """The generator's loss.

    minimax: E[log(1 - D(G(z)))]. It saturates: where D(G(z)) is near 0, as at the start, its gradient is
    near 0 too.
    non-saturating: -E[log D(G(z))], with the same fixed point and a large gradient where minimax saturates.
    hinge: -E[score(G(z))].

    Args:
        fake_score_B: logits of generated images.
        kind: one of GAN_LOSSES.

    Returns:
        A scalar.

    Raises:
        ValueError: there is no such loss.

    Source:
        Goodfellow et al. 2014, arXiv:1406.2661, section 3, eq. 1 and the paragraph after it; hinge: Miyato et
        al. 2018, arXiv:1802.05957, eq. 17.
    """
    return generator_terms(fake_score_B, kind).mean()


def generator_terms(fake_score_B: Tensor, kind: str = "non-saturating") -> Tensor:
    """`generator_loss` of each image, before the mean; with p = D(G(z)) = sigmoid(score).

    minimax: log(1 - p) = -softplus(score). non-saturating: -log p = softplus(-score). hinge: -score.

    Args:
        fake_score_B: logits of generated images.
        kind: one of GAN_LOSSES.

    Returns:
        [B].

    Raises:
        ValueError: there is no such loss.
    """
    _check(kind)
    if kind == "minimax":
        return -F.softplus(fake_score_B)
    return F.softplus(-fake_score_B) if kind == "non-saturating" else -fake_score_B


def generator_gradients(fake_score_B: Tensor, kind: str = "non-saturating") -> Tensor:
    """The gradient of each of `generator_terms` with respect to its score; with p = sigmoid(score).

    minimax: -p, which vanishes where the discriminator rejects an image (p near 0). non-saturating: p - 1,
    which is -1 there and vanishes where the discriminator is fooled (p near 1). hinge: -1 everywhere.

    Args:
        fake_score_B: logits of generated images.
        kind: one of GAN_LOSSES.

    Returns:
        [B].

    Raises:
        ValueError: there is no such loss.

    Source:
        Goodfellow et al. 2014, arXiv:1406.2661, section 3, in words.
    """
    _check(kind)
    if kind == "minimax":
        return -fake_score_B.sigmoid()
    return -(-fake_score_B).sigmoid() if kind == "non-saturating" else -torch.ones_like(fake_score_B)


def value_terms(real_score_B: Tensor, fake_score_B: Tensor) -> tuple[Tensor, Tensor]:
    """The two terms of the minimax value V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))].

    The discriminator maximizes V, the generator minimizes it.

    Args:
        real_score_B: logits of real images.
        fake_score_B: logits of generated images.

    Returns:
        Two scalars; log 1/2 each where D is 1/2 everywhere.

    Source:
        Goodfellow et al. 2014, arXiv:1406.2661, eq. 1.
    """
    return -F.softplus(-real_score_B).mean(), -F.softplus(fake_score_B).mean()


def r1_penalty(discriminator: Callable[[Tensor], Tensor], real_BCHW: Tensor) -> Tensor:
    """The R1 penalty: mean squared gradient norm of the score at real images, E[|d score / d x|^2].

    gamma / 2 times this is added to the discriminator's loss. It keeps the gradient near real images small,
    without which adversarial training need not converge.

    Args:
        discriminator: from images to scores.
        real_BCHW: real images.

    Returns:
        A scalar, at least 0, differentiable with respect to the discriminator's weights.

    Source:
        Mescheder et al. 2018, arXiv:1801.04406, eq. 9.
    """
    real_BCHW = real_BCHW.detach().requires_grad_(True)
    score = discriminator(real_BCHW).sum()
    (gradient_BCHW,) = torch.autograd.grad(score, real_BCHW, create_graph=True)
    return gradient_BCHW.float().square().sum(dim=(1, 2, 3)).mean()


def _real_term(real_score_B: Tensor, kind: str, label_smoothing: float) -> Tensor:
    _check(kind)
    if kind == "hinge":
        return F.relu(1 - real_score_B).mean()
    real = (1 - label_smoothing) * F.softplus(-real_score_B) + label_smoothing * F.softplus(real_score_B)
    return real.mean()


def _fake_term(fake_score_B: Tensor, kind: str) -> Tensor:
    _check(kind)
    return (F.relu(1 + fake_score_B) if kind == "hinge" else F.softplus(fake_score_B)).mean()


def _check(kind: str) -> None:
    if kind not in GAN_LOSSES:
        raise ValueError(f"no loss named {kind!r}; there are {', '.join(GAN_LOSSES)}")
