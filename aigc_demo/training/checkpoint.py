"""Saving and resuming a run: the model as a Hub folder, the training state by accelerate."""

import contextlib
import copy
import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from safetensors import SafetensorError
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.atomic import disk_errors
from aigc_demo.core.files.manifest import STATE, invalid_file, step_of
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.text.corpus import PreparationSettings, Tokenizer
from aigc_demo.training.sharding import load_sharded_state, save_sharded_state, whole_weights

# Tied embeddings are one tensor under two names; accelerate warns at every save that it writes it once.
logging.getLogger("accelerate.utils.other").setLevel(logging.ERROR)

PROGRESS = "progress.json"


@dataclass(frozen=True)
class Trained:
    """What a checkpoint holds of a training.

    Attributes:
        accelerator: holds the random states.
        model: as the accelerator gave it back, which may have sharded it.
        optimizers: likewise.
        writable: made of the model by `writable_copy` before the accelerator took it; None in processes that
            write nothing.
        tokenizer: goes with the weights.
        preparation: likewise; how the text was cleaned and cut.
    """

    accelerator: Accelerator
    model: nn.Module
    optimizers: list[Optimizer]
    writable: nn.Module | None
    tokenizer: Tokenizer
    preparation: PreparationSettings


def unwrapped(model: nn.Module) -> nn.Module:
    """The network itself, without what accelerate put around it for several processes.

    accelerate's own unwrapping looks for compiled models too, and imports torch's compiler for that, which
    takes a second.
    """
    return model.module if isinstance(model, DistributedDataParallel) else model


def writable_copy(model: nn.Module) -> nn.Module:
    """The model in half precision (2 bytes a weight): weights are put into it to be written.

    A model that was sharded can be neither copied nor written.
    """
    return copy.deepcopy(model).half()


def save_checkpoint(run: RunDirectory, step: int, trained: Trained, progress: dict[str, Any]) -> Path:
    """Write a whole checkpoint: weights in half precision, what made their text, and what resuming needs.

    Args:
        run: where.
        step: optimizer steps done.
        trained: what is saved. All processes save together.
        progress: numbers that the loop needs to resume.

    Returns:
        The checkpoint's folder.

    Raises:
        DemoError: it could not be written; older checkpoints are whole.
    """
    accelerator = trained.accelerator
    with checkpoint_folder(run, step, accelerator) as folder:
        weights = whole_weights(unwrapped(trained.model))
        if trained.writable is not None:
            trained.writable.load_state_dict(weights)
        if accelerator.is_fsdp2:
            save_sharded_state(folder / STATE, accelerator, weights, trained.optimizers)
        else:
            accelerator.save_state(str(folder / STATE))  # every process adds its own random state
        if trained.writable is not None:
            save_model(folder, trained.writable, trained.tokenizer)
            trained.preparation.save(folder)
            write_progress(folder, progress)
    return folder.with_name(f"step-{step:06d}")


@contextlib.contextmanager
def checkpoint_folder(run: RunDirectory, step: int, accelerator: Accelerator) -> Iterator[Path]:
    """A folder that all processes fill together, and that takes its place as a checkpoint afterwards.

    Raises:
        DemoError: it could not be written; nothing is left of it, and older checkpoints are whole.
    """
    if accelerator.is_main_process:
        run.begin_checkpoint(step)
    accelerator.wait_for_everyone()
    folder = run.unfinished_checkpoint(step)
    with disk_errors(folder):
        try:
            yield folder
        except (OSError, RuntimeError, SafetensorError) as error:
            # A full disk has three names here: the system's, torch's and safetensors'.
            shutil.rmtree(folder, ignore_errors=True)
            raise OSError(0, str(error).splitlines()[0][:80]) from error
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        run.finish_checkpoint(step)
    accelerator.wait_for_everyone()


def write_progress(folder: Path, progress: dict[str, Any]) -> None:
    """Keep the loop's own numbers beside the state of its optimizers."""
    (folder / STATE / PROGRESS).write_text(json.dumps(progress))


def read_progress(checkpoint: Path) -> dict[str, Any]:
    """Those numbers again, with the checkpoint's step.

    Raises:
        InputError: another version of this project wrote them.
    """
    progress = json.loads((checkpoint / STATE / PROGRESS).read_text())
    if not isinstance(progress.get("validation"), dict):
        raise InputError("broken_checkpoint", path=str(checkpoint), detail=f"{PROGRESS} of an older version")
    return {"step": step_of(checkpoint), **progress}


def save_model(folder: Path, model: nn.Module, tokenizer: Tokenizer) -> None:
    """The model in the Hub's layout, with its tokenizer."""
    model.save_pretrained(folder)  # type: ignore[operator]
    tokenizer.save(folder)


def last_state(run: RunDirectory) -> Path:
    """The checkpoint to resume from: the newest that is whole, by size and hash of every file.

    Raises:
        InputError: none is.
    """
    checkpoints = run.resumable()
    for checkpoint in reversed(checkpoints):
        if not invalid_file(checkpoint, read_all=True):
            return checkpoint
    if checkpoints:
        detail = invalid_file(checkpoints[-1], read_all=True)
        raise InputError("broken_checkpoint", path=str(checkpoints[-1]), detail=detail)
    raise InputError("nothing_to_resume", name=run.path.name)


def load_state(checkpoint: Path, trained: Trained) -> dict[str, Any]:
    """Restore model, optimizers and random states; returns the loop's own numbers.

    Raises:
        InputError: another version of this project wrote those numbers.
    """
    progress = read_progress(checkpoint)
    if trained.accelerator.is_fsdp2:
        load_sharded_state(checkpoint / STATE, trained.accelerator, trained.model, trained.optimizers)
    else:
        trained.accelerator.load_state(str(checkpoint / STATE))
    return progress
