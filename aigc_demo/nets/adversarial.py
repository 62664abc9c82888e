"""The game that a generator and a discriminator play, as formulas on the discriminator's scores.

A score is a logit: D(x) = sigmoid(score) is how sure the discriminator is that a picture is real. All losses
are computed from scores, since log(1 - sigmoid(s)) of a large s is -inf in floating point and -softplus(s)
is not.
"""

# Shapes: B pictures, C channels, H rows, W columns.

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from aigc_demo.nets.options import GAN_LOSSES


def discriminator_loss(
    real_score_B: Tensor, fake_score_B: Tensor, kind: str = "non-saturating", label_smoothing: float = 0.0
) -> Tensor:
    """What the discriminator makes small.

    minimax and non-saturating: -E[log D(x)] - E[log(1 - D(G(z)))], that is, it makes the value of the game
    as large as it can. With label smoothing s the real pictures count as real by 1 - s alone:
    -(1 - s) E[log D(x)] - s E[log(1 - D(x))].
    hinge: E[max(0, 1 - score(x))] + E[max(0, 1 + score(G(z)))].

    Args:
        real_score_B: logits of real pictures.
        fake_score_B: logits of the generator's.
        kind: one of GAN_LOSSES.
        label_smoothing: s, on the real side alone; hinge has none.

    Returns:
        A single number; 2 log 2 for a discriminator that cannot tell them apart, 2 for hinge.

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
    """The three terms of which a discriminator that is given captions makes the sum small.

    With t the caption of x, and w another: -E[log D(x, t)], -E[log(1 - D(G(z, t), t))] / 2 and
    -E[log(1 - D(x, w))] / 2. So it is not enough to know real pictures: they have to fit the caption.

    Args:
        real_score_B: logits of real pictures with their captions.
        fake_score_B: of the generator's with the captions that they were made for.
        wrong_score_B: of real pictures with wrong captions.
        kind: one of GAN_LOSSES.
        label_smoothing: as in `discriminator_loss`.

    Returns:
        Three single numbers; log 2, and half of it twice, where nothing can be told.

    Raises:
        ValueError: there is no such loss.

    Source:
        Reed et al. 2016, arXiv:1605.05396, algorithm 1.
    """
    real = _real_term(real_score_B, kind, label_smoothing)
    return real, _fake_term(fake_score_B, kind) / 2, _fake_term(wrong_score_B, kind) / 2


def generator_loss(fake_score_B: Tensor, kind: str = "non-saturating") -> Tensor:
    """What the generator makes small.

    minimax: E[log(1 - D(G(z)))], its own side of the same game. Where the discriminator is sure (D(G(z))
    near 0, as at the start) this is flat, so the generator learns nothing.
    non-saturating: -E[log D(G(z))], the same fixed point and steep where minimax is flat.
    hinge: -E[score(G(z))].

    Args:
        fake_score_B: logits of the generator's pictures.
        kind: one of GAN_LOSSES.

    Returns:
        A single number.

    Raises:
        ValueError: there is no such loss.

    Source:
        Goodfellow et al. 2014, arXiv:1406.2661, section 3, eq. 1 and the paragraph after it; hinge: Miyato et
        al. 2018, arXiv:1802.05957, eq. 17.
    """
    return generator_terms(fake_score_B, kind).mean()


def generator_terms(fake_score_B: Tensor, kind: str = "non-saturating") -> Tensor:
    """What each picture adds to `generator_loss`, before the mean; with p = D(G(z)) = sigmoid(score).

    minimax: log(1 - p) = -softplus(score). non-saturating: -log p = softplus(-score). hinge: -score.

    Args:
        fake_score_B: logits of the generator's pictures.
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
    """How much of a picture's score reaches the generator: the derivative of `generator_terms` by the score.

    minimax: -p, nothing where the discriminator is sure that a picture is made up (p near 0).
    non-saturating: p - 1, everything there, and nothing where it is fooled. hinge: -1 everywhere.

    Args:
        fake_score_B: logits of the generator's pictures.
        kind: one of GAN_LOSSES.

    Returns:
        [B].

    Raises:
        ValueError: there is no such loss.

    Source:
        Goodfellow et al. 2014, arXiv:1406.2661, section 3, which says so in words.
    """
    _check(kind)
    if kind == "minimax":
        return -fake_score_B.sigmoid()
    return -(-fake_score_B).sigmoid() if kind == "non-saturating" else -torch.ones_like(fake_score_B)


def value_terms(real_score_B: Tensor, fake_score_B: Tensor) -> tuple[Tensor, Tensor]:
    """The two parts of the value of the game, V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))].

    The discriminator makes V large, the generator makes it small.

    Args:
        real_score_B: logits of real pictures.
        fake_score_B: logits of the generator's.

    Returns:
        Two single numbers; log 1/2 twice for a discriminator that cannot tell them apart.

    Source:
        Goodfellow et al. 2014, arXiv:1406.2661, eq. 1.
    """
    return -F.softplus(-real_score_B).mean(), -F.softplus(fake_score_B).mean()


def r1_penalty(discriminator: Callable[[Tensor], Tensor], real_BCHW: Tensor) -> Tensor:
    """How steep the discriminator is at real pictures: E[|d score / d x|^2].

    Half of gamma times this is added to the discriminator's loss: it takes away the pull away from pictures
    that are right already, so that the game can come to rest.

    Args:
        discriminator: from pictures to scores.
        real_BCHW: real pictures; what is returned can be differentiated by the discriminator's weights.

    Returns:
        A single number, at least 0.

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
