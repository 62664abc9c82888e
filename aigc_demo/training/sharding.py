"""Sharded training (FSDP): each process holds a part of every weight, its gradient and its momenta.

A part is a DTensor, which knows of which whole it is a part. Here parts are gathered into wholes and wholes
are cut into parts, for checkpoints that are the same whoever wrote them, and for an optimizer that needs
whole matrices.
"""

# Shapes: N matrices of one shape, R rows, K columns; n and r are what this process holds of N and R.

import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import torch
from accelerate import Accelerator, PartialState
from accelerate.checkpointing import load_accelerator_state, save_accelerator_state
from accelerate.utils import SAFE_WEIGHTS_NAME, FullyShardedDataParallelPlugin
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim import Optimizer

from aigc_demo.core.errors import InputError

# torch.distributed.tensor and .fsdp take more than a second to import, so only what is sharded does it.
if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor


def sharding_plugin() -> FullyShardedDataParallelPlugin | None:
    """How accelerate is to shard, as `accelerate launch` says in the environment; None where it does not.

    Weights and gradients travel and are kept in float32, and autocast alone lowers the precision of the
    products, as it does without sharding. accelerate's own choice, bfloat16 throughout, is another curve.

    Raises:
        InputError: version 1 is asked for, which flattens the weights, so that no matrix is left.
    """
    if os.environ.get("ACCELERATE_USE_FSDP", "false").lower() != "true":
        return None
    if os.environ.get("FSDP_VERSION", "1") != "2":
        raise InputError("fsdp_version")
    from torch.distributed.fsdp import MixedPrecisionPolicy

    return FullyShardedDataParallelPlugin(mixed_precision_policy=MixedPrecisionPolicy())


def _is_part(tensor: Any) -> "TypeGuard[DTensor]":
    """Whether this is a DTensor, asked without importing what that is."""
    return isinstance(tensor, Tensor) and hasattr(tensor, "device_mesh")


def local(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor, in the same memory; all of it where it is not sharded."""
    return tensor.to_local() if _is_part(tensor) else tensor


def whole_matrices(stack_NrK: Tensor, like: Tensor) -> Tensor:
    """From parts of all matrices to all of some matrices: every process passes on what others need.

    Args:
        stack_NrK: what this process holds of each matrix, cut along one of its dimensions.
        like: the weight that one of them is for, which says how they are cut.

    Returns:
        [n, R, K], each process other ones of the N; the stack itself where nothing is sharded.
    """
    if not _is_part(like):
        return stack_NrK
    inside, between = _cuts(like)
    return _cut_anew(stack_NrK, like, len(stack_NrK), inside, between)


def parts_of_matrices(stack_nRK: Tensor, like: Tensor, num_matrices: int) -> Tensor:
    """The way back: from `whole_matrices` [n, R, K] to this process's part of all, [N, r, K]."""
    if not _is_part(like):
        return stack_nRK
    inside, between = _cuts(like)
    return _cut_anew(stack_nRK, like, num_matrices, between, inside)


def _cuts(like: "DTensor") -> tuple[list, list]:
    """How a stack of such weights is cut: inside each as they are, or between one and the next."""
    from torch.distributed.tensor import Shard

    inside = [Shard(1 + cut.dim) if isinstance(cut, Shard) else cut for cut in like.placements]
    return inside, [Shard(0) if isinstance(cut, Shard) else cut for cut in inside]


def _cut_anew(stack: Tensor, like: "DTensor", num_matrices: int, old: list, new: list) -> Tensor:
    from torch.distributed.tensor import DTensor

    # Parts need not be of one size, so the size of the whole is given.
    shape = torch.Size((num_matrices, *like.shape))
    stride = torch.empty(shape, device="meta").stride()
    cut = DTensor.from_local(stack.contiguous(), like.device_mesh, old, shape=shape, stride=stride)
    return cut.redistribute(placements=new).to_local()


def whole_weights(model: nn.Module) -> dict[str, Tensor]:
    """A model's weights by name; all processes ask together, and the first one gets whole ones."""
    # The parameters themselves: one that has two names is gathered and written once.
    return _gathered(model.state_dict(keep_vars=True), {})


@torch.no_grad()
def _gathered(held: Any, known: dict[int, Tensor]) -> Any:
    """The same mapping with wholes, on the CPU, in place of parts; without them in all but the first process.

    Args:
        held: what a state_dict gives.
        known: wholes of the parts that were met before, by the part's id.
    """
    if _is_part(held):
        if id(held) not in known:
            whole = held.full_tensor()
            known[id(held)] = whole.cpu() if PartialState().is_main_process else torch.empty(0)
        return known[id(held)]
    if isinstance(held, Mapping):
        return type(held)((name, _gathered(value, known)) for name, value in held.items())  # type: ignore[call-arg]
    return held.detach() if isinstance(held, Tensor) else held


def _part(whole: Tensor, like: Tensor) -> Tensor:
    """A whole cut as a tensor of its shape is cut; what has another shape, as a count of steps, is not."""
    if not _is_part(like) or whole.shape != like.shape:
        return whole
    from torch.distributed.tensor import distribute_tensor

    # Each process has the whole and takes its part of it without asking the others.
    return distribute_tensor(whole.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


class _WholeState:
    """An optimizer whose state accelerate saves and loads whole, though each process holds a part of it."""

    def __init__(self, optimizer: Optimizer):
        self.optimizer = optimizer

    def state_dict(self) -> dict[str, Any]:
        return _gathered(self.optimizer.state_dict(), {})

    def load_state_dict(self, whole: dict[str, Any]) -> None:
        weights = [weight for group in self.optimizer.param_groups for weight in group["params"]]
        state = {
            number: {name: _part(value, weights[number]) for name, value in held.items()}
            for number, held in whole["state"].items()
        }
        self.optimizer.load_state_dict({**whole, "state": state})


def save_sharded_state(
    folder: Path, accelerator: Accelerator, weights: Mapping[str, Tensor], optimizers: Iterable[Optimizer]
) -> None:
    """What `accelerator.save_state` writes without sharding, in the same files; all processes together.

    accelerate's own way under FSDP takes one optimizer for a model, where Muon comes with AdamW, and FSDP
    alone can read what it writes.

    Args:
        folder: where.
        accelerator: holds the random states.
        weights: whole (`whole_weights`).
        optimizers: of the model.
    """
    folder.mkdir(exist_ok=True)
    save_accelerator_state(
        str(folder),
        # A copy: of one tensor under two names accelerate takes one away.
        [OrderedDict(weights)] if accelerator.is_main_process else [],
        [_WholeState(optimizer) for optimizer in optimizers],
        [],
        [],
        accelerator.process_index,
        accelerator.step,
        accelerator.scaler,
    )


def load_sharded_state(
    folder: Path, accelerator: Accelerator, model: nn.Module, optimizers: Iterable[Optimizer]
) -> None:
    """Put back what `save_sharded_state`, or without sharding `accelerator.save_state`, wrote."""
    whole = load_file(folder / SAFE_WEIGHTS_NAME)
    with torch.no_grad():
        for name, weight in model.state_dict(keep_vars=True).items():
            if name in whole:  # one that has two names stands there once
                local(weight).copy_(local(_part(whole[name], weight)))
    states = [_WholeState(optimizer) for optimizer in optimizers]
    load_accelerator_state(str(folder), [], states, [], [], accelerator.process_index, accelerator.scaler)
