"""What a model on the Hub does, by its first file, before the rest of it is fetched."""

from pathlib import Path
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.files.weights_file import read_json
from aigc_demo.core.hub_address import check_way_to_hub, hub_problem
from aigc_demo.generators.hub import TIMEOUT_SECONDS, connection_errors
from aigc_demo.generators.kinds import ANSWERS, MASKED_WORDS, TEXT_GENERATOR, sentences
from aigc_demo.generators.pretrained.folder import KNOWN, PIPELINES, SINGLE
from aigc_demo.generators.trained_folder import FOLDERS, GENERATOR

FIRST_FILES = ("config.json", "model_index.json", f"{GENERATOR}/config.json")
HEADS = {
    "gpt2": ("GPT2LMHeadModel", "GPT2DoubleHeadsModel", "GPT2Model"),  # its output layer is its embedding
    "llama": ("LlamaForCausalLM",),
    "qwen2": ("Qwen2ForCausalLM",),
    "bert": ("BertForPreTraining", "BertForMaskedLM"),
    "clip": ("CLIPModel",),
}
"""The classes of transformers whose weights have what a model of the kind needs."""
PUSHED = (TEXT_GENERATOR, MASKED_WORDS, ANSWERS)
"""Kinds whose models, trained here and pushed, are used by their address on the Hub."""


def kind_on_hub(name: str, location: str, revision: str) -> tuple[str, str]:
    """The kind of a model on the Hub, a row of `kinds`, and the recipe that made it, "" for others' models.

    One small file is fetched, if it is not in the cache.

    Args:
        name: to show.
        location: owner/name.
        revision: the full commit.

    Raises:
        InputError: there is no such model, or it is none that can be used.
        DemoError: it is neither in the cache nor can the Hub be reached.
    """
    for file in FIRST_FILES:
        path = _cached_or_fetched(name, location, revision, file)
        if path is not None:
            return _kind_of(read_json(path), name)
    raise InputError("foreign_model", path=name, detail="no config.json", expected=KNOWN)


def _kind_of(config: dict[str, Any], name: str) -> tuple[str, str]:
    recipe = config.get("recipe")
    if isinstance(recipe, str) and recipe in FOLDERS:
        kind = FOLDERS[recipe].kind
        if kind not in PUSHED:
            detail = f"its recipe is {recipe}"
            raise InputError("foreign_model", path=name, detail=detail, expected=sentences(PUSHED))
        return kind, recipe
    type_ = config.get("model_type") or config.get("_class_name")
    layouts = {**SINGLE, **PIPELINES}
    if not isinstance(type_, str) or type_ not in layouts:
        detail = f"its kind is {shown(type_) if type_ else 'not named'}"
        raise InputError("foreign_model", path=name, detail=detail, expected=KNOWN)
    classes, usable = config.get("architectures"), HEADS.get(type_)
    if usable and isinstance(classes, list) and classes and classes[0] not in usable:
        detail = f"its kind is {shown(classes[0])}"
        raise InputError("foreign_model", path=name, detail=detail, expected=KNOWN)
    return layouts[type_].kind, ""


def _cached_or_fetched(name: str, location: str, revision: str, file: str) -> Path | None:
    """A file of a model on this machine; None where the model has none of that name."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import (
        LocalEntryNotFoundError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    cached = try_to_load_from_cache(location, file, revision=revision)
    if cached is not None:
        return Path(cached) if isinstance(cached, str) else None  # else it is known not to be there
    check_way_to_hub()
    try:
        return Path(hf_hub_download(location, file, revision=revision, etag_timeout=TIMEOUT_SECONDS))
    except RemoteEntryNotFoundError:
        return None
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise InputError("not_on_hub", location=location, revision=revision) from error
    except LocalEntryNotFoundError as error:
        raise hub_problem(error) or DemoError("not_reachable", name=name) from error
    except connection_errors() as error:
        raise hub_problem(error) or DemoError("not_reachable", name=name) from error
