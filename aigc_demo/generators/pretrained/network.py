"""A library's network from an untrusted folder, validated before it is loaded.

The configuration is rebuilt from the list of allowed settings, the network is made without memory first, its
tensors are compared with the headers of the files, and only then the weights are read. No class is named by
the folder, no code of it runs, and nothing else in it is opened.
"""

import copy
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import (
    TensorFacts,
    check_tensors,
    read_header,
    read_json,
    weights_files,
)
from aigc_demo.core.library_errors import library_errors
from aigc_demo.core.memory import check_fits
from aigc_demo.generators.network_folder import load_weights
from aigc_demo.generators.pretrained.config_keys import DIFFUSERS, ROPE, SCHEDULERS, TRANSFORMERS
from aigc_demo.generators.pretrained.folder import BUFFER, DIFFUSION_WEIGHTS
from aigc_demo.generators.pretrained.untrusted_config import check_rest, taken

# While transformers loads, it changes switches of the whole process and puts back what it found: two loads
# in two threads could put back each other's.
ONE_AT_A_TIME = threading.Lock()
ROPE_SETTINGS = ("rope_parameters", "rope_scaling", "rope_theta")
# Networks of before 2023 name the parts of an attention otherwise; the library renames them, and so do we.
OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
# Parts that a network of the kind may have been trained with, and that nothing here asks.
UNUSED = ("cls.seq_relationship.", "bert.pooler.", "text_projection.")


def transformers_config(folder: Path, architecture: str) -> Any:
    """A configuration of transformers, rebuilt from the allowed settings of a folder's config.json.

    Args:
        folder: of the network.
        architecture: transformers' `model_type`.

    Raises:
        InputError: a setting is missing, out of bounds, or asks for what is not supported here.
    """
    config = read_json(folder / "config.json")
    if architecture == "encoder-decoder":
        return _encoder_decoder_config(config, str(folder))
    if architecture != "clip":
        return _configured(architecture, config, str(folder))
    parts = {
        f"{part}_config": _configured(
            f"clip_{part}_model", config.get(f"{part}_config") or {}, str(folder)
        ).to_dict()
        for part in ("text", "vision")
    }
    return _configured("clip", config, str(folder), parts)


def _encoder_decoder_config(config: Mapping[str, Any], path: str) -> Any:
    """The configuration of two BERTs, the second one with cross-attention to the first."""
    whole = {"encoder": {}, "decoder": {"is_decoder": True, "add_cross_attention": True}}
    parts = {}
    for part, more in whole.items():
        given = config.get(part)
        if not isinstance(given, dict):
            raise InputError("broken_model", path=path, detail=f"{part} in config.json")
        parts[part] = _configured("bert", given, path, more).to_dict()
    return _configured("encoder-decoder", config, path, parts)


def _configured(
    architecture: str, config: Mapping[str, Any], path: str, more: Mapping[str, Any] | None = None
) -> Any:
    from transformers import AutoConfig

    keys, more = TRANSFORMERS[architecture], more or {}
    usual = AutoConfig.for_model(architecture).to_dict()
    found = taken(config, keys, path)
    check_rest(config, {*keys, *more, *ROPE_SETTINGS}, usual, path)
    rope = _rope(config, path) if "rope_theta" in keys else {}
    found.pop("rope_theta", None)
    words = found.get("vocab_size")
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):  # some name tokens of another vocabulary
        if name in keys and words is not None and not _within(found.get(name, usual[name]), words):
            found[name] = None
    with library_errors("broken_model", path=path, detail="config.json"):
        return AutoConfig.for_model(architecture, **found, **rope, **more)


def _within(value: Any, words: int) -> bool:
    return all(token is None or token < words for token in (value if isinstance(value, list) else [value]))


def _rope(config: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Settings of the rotary embedding in the current form; older files have two settings for it."""
    given = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(given, dict):
        raise InputError("broken_model", path=path, detail="rope_parameters in config.json")
    usual = {"rope_type": given.get("type", "default"), "rope_theta": config.get("rope_theta", 10_000.0)}
    rope = {name: value for name, value in {**usual, **given}.items() if name != "type"}
    if not rope.keys() <= ROPE.keys():
        raise InputError("broken_model", path=path, detail="rope_parameters in config.json")
    return {"rope_parameters": taken(rope, ROPE, path)}


def load_transformers(kind: str, folder: Path, architecture: str, dtype: torch.dtype = torch.float32) -> Any:
    """A network of transformers with its weights, in evaluation mode.

    Args:
        kind: the name of its class.
        folder: config.json and safetensors.
        architecture: transformers' `model_type`.
        dtype: of the weights in memory.

    Raises:
        InputError: the folder is broken, holds another kind of model, or one too large for this machine.
    """
    import transformers
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    network_class: Any = getattr(transformers, kind)
    config = transformers_config(folder, architecture)
    files = weights_files(folder)
    # A copy of the configuration, since the library writes into it.
    empty = _empty(lambda: network_class(copy.deepcopy(config)), folder)
    names = _names(files, empty, network_class.base_model_prefix, folder)
    with library_errors("broken_model", path=str(folder), detail="its weights"), ONE_AT_A_TIME:
        network = network_class.from_pretrained(
            None, config=config, state_dict=_read(files, names), dtype=dtype
        )
    return network.eval()


def _empty(make: Callable[[], nn.Module], folder: Path) -> nn.Module:
    """The network on the meta device, if this machine has memory for its weights."""
    with library_errors("broken_model", path=str(folder), detail="config.json"), torch.device("meta"):
        empty = make()
    check_fits(folder.name, sum(weight.numel() for weight in empty.parameters()))
    return empty


def _names(files: Sequence[Path], empty: nn.Module, prefix: str, folder: Path) -> dict[str, str]:
    """Maps names in the files to the network's, after checking the shapes of the tensors."""
    expected = {name: tuple(weight.shape) for name, weight in empty.state_dict().items()}
    found, names = _headers(files, folder), {}
    for name in found:
        own = name.replace(".gamma", ".weight").replace(".beta", ".bias")
        choices = (own, f"{prefix}.{own}", own.removeprefix(f"{prefix}."), own.removeprefix("text_model."))
        fitting = next((choice for choice in choices if choice in expected), own)
        if fitting in expected or not (BUFFER.fullmatch(name) or own.startswith(UNUSED)):
            names[name] = fitting
    tied = getattr(empty, "all_tied_weights_keys", None) or ()
    check_tensors({own: found[name] for name, own in names.items()}, expected, str(folder), optional=tied)
    return names


def _headers(files: Sequence[Path], folder: Path) -> dict[str, TensorFacts]:
    """The merged headers of all weight files.

    Raises:
        InputError: a part is broken, or two hold the same tensor.
    """
    found: dict[str, TensorFacts] = {}
    for file in files:
        header = read_header(file)
        if found.keys() & header.keys():
            raise InputError("broken_model", path=str(folder), detail="a tensor stands in two of its files")
        found |= header
    return found


def _read(files: Sequence[Path], names: Mapping[str, str]) -> dict[str, Tensor]:
    read = {name: tensor for file in files for name, tensor in load_weights(file).items()}
    return {own: read[name] for name, own in names.items()}


def load_diffusers(kind: str, folder: Path) -> nn.Module:
    """A network of diffusers with its weights, in evaluation mode, float32.

    Args:
        kind: the name of its class, one of `DIFFUSERS`.
        folder: config.json and safetensors.

    Raises:
        InputError: the folder is broken, holds another kind of network, or one too large for this machine.
    """
    config = diffusers_config(kind, folder)
    empty = _empty(lambda: _class(kind).from_config(config), folder)
    files = weights_files(folder, DIFFUSION_WEIGHTS)
    found = _headers(files, folder)
    names = {name: _new_name(name) for name in found}
    expected = {name: tuple(weight.shape) for name, weight in empty.state_dict().items()}
    check_tensors({names[name]: facts for name, facts in found.items()}, expected, str(folder))
    with library_errors("broken_model", path=str(folder), detail="its weights"):
        network: nn.Module = _class(kind).from_config(config)
        network.load_state_dict(_read(files, names))
    return network.float().eval()


def diffusers_config(kind: str, folder: Path) -> dict[str, Any]:
    """The allowed settings of a folder's config.json.

    Raises:
        InputError: it is of another class, a setting is out of bounds, or asks for what is not supported.
    """
    config = read_json(folder / "config.json")
    named = config.get("_class_name")
    if named != kind:
        expected = f"is a {kind} of diffusers"
        detail = f"its network is {named if named in DIFFUSERS else 'another one'}"
        raise InputError("foreign_model", path=str(folder), detail=detail, expected=expected)
    return _allowed(config, DIFFUSERS[kind], kind, folder, "config.json")


def load_scheduler(folder: Path) -> Any:
    """The noise scheduler in a folder, one of `SCHEDULERS`.

    Raises:
        InputError: the folder does not say which, or nonsense.
    """
    config = read_json(folder / "scheduler_config.json")
    kind = config.get("_class_name")
    if not isinstance(kind, str) or kind not in SCHEDULERS:
        detail, expected = "its scheduler is another one", f"has one of {', '.join(SCHEDULERS)}"
        raise InputError("foreign_model", path=str(folder), detail=detail, expected=expected)
    settings = _allowed(config, SCHEDULERS[kind], kind, folder, "scheduler_config.json")
    with library_errors("broken_model", path=str(folder), detail="scheduler_config.json"):
        return _class(kind)(**settings)


def _allowed(config: Mapping[str, Any], keys: Any, kind: str, folder: Path, name: str) -> dict[str, Any]:
    found = taken(config, keys, str(folder), name)
    usual = inspect.signature(_class(kind).__init__).parameters
    defaults = {setting: parameter.default for setting, parameter in usual.items() if setting != "self"}
    check_rest(config, keys, defaults, str(folder), name)
    return found


def _class(kind: str) -> Any:
    import diffusers

    return getattr(diffusers, kind)


def _new_name(name: str) -> str:
    """A weight's name as the library has it now."""
    if ".attentions." not in name:
        return name
    for old, new in OLD_ATTENTION.items():
        name = name.replace(old, new)
    return name
