"""Optimizers: Muon for matrices, AdamW for the rest, and the schedule of the learning rates."""

# Shapes: N matrices of one shape, R rows, K columns.

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from aigc_demo.training.sharding import local, parts_of_matrices, whole_matrices

# The odd polynomial a x + b x^3 + c x^5, applied five times, brings every singular value near 1.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
# From so many columns to a row on it pays to iterate on the small product of a matrix with itself.
WIDE = 8

# How a weight holds its matrices, each [out, in]: their number, and whether it stores them transposed.
LAYOUT = {"parts": 1, "transposed": False}


def orthogonalize(
    matrices_NRK: Tensor, num_iterations: int = 5, dtype: torch.dtype = torch.bfloat16
) -> Tensor:
    """Replace each matrix U S V^T by about U V^T: every direction gets the same share of a step.

    Args:
        matrices_NRK: a stack of matrices.
        num_iterations: Newton-Schulz iterations; singular values end between about 0.7 and 1.2.
        dtype: of the computation. bfloat16 is enough for a direction, but its rounding turns the last bit
            of a gradient into a difference that shows.

    Returns:
        [N, R, K] in that dtype.

    Source:
        Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
    """
    a, b, c = NEWTON_SCHULZ
    x = matrices_NRK.to(dtype)
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    if x.shape[-1] >= WIDE * x.shape[-2]:
        x = _orthogonalized_wide(x.float(), num_iterations).to(dtype)
        return x.mT if tall else x
    for _ in range(num_iterations):
        gram = x @ x.mT
        # a x + (b gram + c gram^2) x, each sum within its product
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def _orthogonalized_wide(x: Tensor, num_iterations: int) -> Tensor:
    """The same polynomials for matrices [N, R, K] with R much smaller than K, which are touched only twice.

    An iteration multiplies x from the left by a polynomial f of x x^T. All of these commute, so their product
    is gathered from x x^T alone, which an iteration turns into f x x^T f: products of R by R instead of R by
    K. In float32, since singular values stand there squared.
    """
    a, b, c = NEWTON_SCHULZ
    gram = x @ x.mT
    gathered = torch.eye(x.shape[-2], dtype=x.dtype, device=x.device).expand_as(gram)
    for iteration in range(num_iterations):
        factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal(dim1=-2, dim2=-1).add_(a)
        gathered = factor @ gathered if iteration else factor
        if iteration + 1 < num_iterations:
            gram = factor @ gram @ factor
    return gathered @ x


class Muon(Optimizer):
    """Momentum, orthogonalized: for the weight matrices inside a network.

    m <- mu m + g;  w <- (1 - lr decay) w - lr sqrt(max(1, R / K)) orthogonalize(g + mu m)

    Matrices of one shape are worked on as one stack, which on a CPU costs a fraction of one by one. Sharded
    ones (FSDP) are put together first, each process orthogonalizes some of them, and takes back its part.

    Args:
        matrices: parameters with two dimensions, or kernels of a convolution with four, of which each row is
            the whole kernel of a feature map. One that holds several matrices on top of each other, as
            the projection to queries, keys and values does, carries their number in a group's `parts`; one
            that is stored transposed, its matrices side by side, is in a group with `transposed`.
        lr: size of a step, as a spectral norm.
        momentum: mu.
        weight_decay: share of lr by which weights shrink each step.
        dtype: in which directions are computed (`orthogonalize`).

    Source:
        Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
    """

    def __init__(
        self,
        matrices: Iterable,
        *,
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        dtype: torch.dtype = torch.bfloat16,
    ):
        self.dtype = dtype
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, **LAYOUT})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take one step along the gradients that are there; a closure is not supported."""
        for group in self.param_groups:
            same_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    same_shape[weight.shape].append(weight)
            for weights in same_shape.values():
                self._step_together(weights, group)

    def _step_together(self, weights: list[Tensor], group: dict) -> None:
        """Step along weights of one shape; of sharded ones, along the part that this process holds."""
        for weight in weights:
            state = self.state[weight]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(weight)
        momenta = [local(self.state[weight]["momentum"]) for weight in weights]
        gradients = [local(weight.grad) for weight in weights if weight.grad is not None]
        torch._foreach_mul_(momenta, group["momentum"])
        torch._foreach_add_(momenta, gradients)
        ahead = torch._foreach_add(gradients, momenta, alpha=group["momentum"])
        whole = whole_matrices(torch.stack(ahead), weights[0])
        direction = parts_of_matrices(self._directions(whole, group), weights[0], len(weights))
        rows, columns = _size_of_matrices(weights[0].shape, group)
        size = group["lr"] * math.sqrt(max(1.0, rows / columns))
        held = [local(weight) for weight in weights]
        torch._foreach_mul_(held, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(held, list(direction.unbind(0)), alpha=-size)

    def _directions(self, whole: Tensor, group: dict) -> Tensor:
        """Orthogonalise a stack of weights, each of their matrices on its own; in the weights' layout."""
        rows, columns = _size_of_matrices(whole.shape[1:], group)
        upright = whole.mT if group["transposed"] else whole
        matrices = upright.reshape(len(whole) * group["parts"], rows, columns)
        direction = orthogonalize(matrices, dtype=self.dtype).to(whole.dtype).reshape(upright.shape)
        return direction.mT if group["transposed"] else direction


def _size_of_matrices(shape: torch.Size, group: dict) -> tuple[int, int]:
    """Rows and columns, [out, in], of the matrices that a weight of this shape holds."""
    rows, columns = shape[0], math.prod(shape[1:])
    if group["transposed"]:
        rows, columns = columns, rows
    return rows // group["parts"], columns


def optimizers_of_network(
    network: nn.Module,
    *,
    kind: str,
    learning_rate: float,
    muon_learning_rate: float,
    betas: tuple[float, float],
    weight_decay: float = 0.0,
    muon_momentum: float = 0.8,
    muon_dtype: torch.dtype = torch.bfloat16,
) -> list[Optimizer]:
    """The optimizers of a network on images: a network of a GAN, an encoder, a U-Net.

    Args:
        network: any of them.
        kind: "adam" or "adamw": everything by AdamW, which without decay is Adam; "muon": matrices and
            kernels by Muon, the rest by AdamW. A kernel of one row, such as the last of a discriminator, is a
            vector and stays with AdamW. "sgd": everything by plain stochastic gradient descent.
        learning_rate: AdamW's or SGD's peak.
        muon_learning_rate: Muon's peak.
        betas: AdamW's.
        weight_decay: of matrices and kernels that AdamW has; vectors and Muon's are never decayed.
        muon_momentum: less than for language by default, since in adversarial training the loss of one
            network changes with the other one.
        muon_dtype: in which Muon computes its directions.

    Returns:
        One or two optimizers; each group carries its peak learning rate as `peak_lr`.
    """
    if kind == "sgd":
        return _sgd(network, learning_rate, weight_decay)
    turned: dict[int, list] = defaultdict(list)
    matrices: list[Tensor] = []
    vectors: list[Tensor] = []
    for name, weight in network.named_parameters():
        if kind == "muon" and weight.dim() > 1 and min(len(weight), weight[0].numel()) > 1:
            turned[_num_parts(name)].append(weight)
        else:
            (matrices if weight.dim() > 1 else vectors).append(weight)
    groups = [
        {"params": weights, "weight_decay": decay}
        for weights, decay in ((matrices, weight_decay), (vectors, 0.0))
        if weights
    ]
    found: list[Optimizer] = [AdamW(groups, lr=learning_rate, betas=betas, fused=True)]
    if turned:
        kernels = [{"params": weights, "parts": parts} for parts, weights in turned.items()]
        found.append(Muon(kernels, lr=muon_learning_rate, momentum=muon_momentum, dtype=muon_dtype))
    return _with_peak_rates(found)


def optimizers_for(
    model: nn.Module,
    *,
    kind: str,
    learning_rate: float,
    muon_learning_rate: float,
    weight_decay: float,
    muon_dtype: torch.dtype = torch.bfloat16,
) -> list[Optimizer]:
    """The optimizers of a Transformer.

    Args:
        model: ours or a library's.
        kind: "muon": the matrices inside the blocks by Muon, embeddings, head, norms and biases by AdamW;
            "adamw": everything by AdamW. Of these two no vector is decayed. "sgd": everything by plain
            stochastic gradient descent, in one group.
        learning_rate: AdamW's or SGD's peak.
        muon_learning_rate: Muon's peak.
        weight_decay: for matrices; with SGD for vectors too.
        muon_dtype: in which Muon computes its directions.

    Returns:
        One or two optimizers; each group carries its peak learning rate as `peak_lr`.
    """
    if kind == "sgd":
        return _sgd(model, learning_rate, weight_decay)
    inside, matrices, vectors = _sorted_parameters(model)
    groups = [{"params": vectors, "weight_decay": 0.0}]
    if kind == "adamw":
        groups.append({"params": matrices + [weight for group in inside for weight in group["params"]]})
        inside = []
    else:
        # Embeddings and head see few tokens each: decay would pull rare characters to nothing.
        groups.append({"params": matrices, "weight_decay": 0.0})
    groups = [group for group in groups if group["params"]]
    adamw = AdamW(groups, lr=learning_rate, betas=(0.9, 0.95), weight_decay=weight_decay, fused=True)
    found: list[Optimizer] = [adamw]
    if inside:
        found.append(Muon(inside, lr=muon_learning_rate, weight_decay=weight_decay, dtype=muon_dtype))
    return _with_peak_rates(found)


def _sgd(network: nn.Module, learning_rate: float, weight_decay: float) -> list[Optimizer]:
    """Stochastic gradient descent without momentum, w <- w - lr (g + decay w), as an example writes it."""
    return _with_peak_rates([SGD(network.parameters(), lr=learning_rate, weight_decay=weight_decay)])


def _with_peak_rates(optimizers: list[Optimizer]) -> list[Optimizer]:
    """The same, each group with its peak learning rate as `peak_lr`, which a schedule multiplies."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak_lr"] = group["lr"]
    return optimizers


def set_rates(optimizers: Iterable[Optimizer], done: float, *, schedule: str) -> float:
    """Set the learning rates for a step.

    Args:
        optimizers: whose groups carry their peak learning rate as `peak_lr`.
        done: as in `rate_factor`.
        schedule: likewise.

    Returns:
        What the rates are, as a share of the largest.
    """
    factor = rate_factor(done, schedule=schedule)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak_lr"] * factor
    return factor


def muon_dtype(mixed_precision: str) -> torch.dtype:
    """In which Muon computes its directions: no finer than a training's other products."""
    return torch.bfloat16 if mixed_precision == "bf16" else torch.float32


def _sorted_parameters(model: nn.Module) -> tuple[list[dict[str, Any]], list, list]:
    """Matrices inside blocks in groups of one layout, other matrices, vectors.

    The blocks are `blocks.N` in our network, `layers.N` in torch's, and in transformers' `layer.N` in BERT
    and `h.N` in GPT-2, whose Conv1D stores its weight as [in, out].
    """
    inside: dict[tuple[int, bool], list] = defaultdict(list)
    matrices, vectors = [], []
    for name, weight in model.named_parameters():
        if weight.dim() < 2:
            vectors.append(weight)
        elif re.search(r"(^|\.)(blocks|layers?|h)\.\d+\.", name):
            owner = model.get_submodule(name.rpartition(".")[0])
            inside[_num_parts(name), type(owner).__name__ == "Conv1D"].append(weight)
        else:
            matrices.append(weight)
    groups = [
        {"params": weights, "parts": parts, "transposed": transposed}
        for (parts, transposed), weights in inside.items()
    ]
    return groups, matrices, vectors


def _num_parts(name: str) -> int:
    """How many matrices the weight of this name holds: a projection to queries, keys and values has three."""
    return 3 if name.endswith(("qkv.weight", "in_proj_weight", "c_attn.weight")) else 1


def rate_factor(done: float, *, schedule: str, warmup: float = 0.01, decay: float = 0.6) -> float:
    """The learning rate at a point of the run, as a share of its largest.

    Args:
        done: how much of the run is done, 0 to 1.
        schedule: "linear": up over the first `warmup`, level, straight down to 0 over the last `decay`;
            "cosine": up likewise, then half a cosine down to a tenth; "constant": level from the first step,
            so that no step depends on how long the run is.
        warmup: share of the run in which the rate rises.
        decay: share of the run in which it falls.

    Returns:
        0 to 1.

    Source:
        Loshchilov and Hutter 2016, arXiv:1608.03983, for the cosine; Haegele et al. 2024,
        arXiv:2405.18392, for the level part with a late straight decay.
    """
    if schedule == "constant":
        return 1.0
    rising = min(1.0, done / warmup) if warmup > 0 else 1.0
    if schedule == "cosine":
        through = max(0.0, done - warmup) / max(1e-9, 1 - warmup)
        return rising * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * min(1.0, through))))
    if schedule == "linear" and done > 1 - decay:
        return rising * max(0.0, 1 - done) / decay
    return rising
