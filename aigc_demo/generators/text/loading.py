"""Text models by their names, whatever network they run on."""

from collections.abc import Callable
from pathlib import Path

import torch

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import read_json
from aigc_demo.generators import hub
from aigc_demo.generators.catalog import find
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.kinds import TEXT_GENERATOR, check_kind
from aigc_demo.generators.network_folder import named_after
from aigc_demo.generators.text.model import TextModel
from aigc_demo.generators.trained_folder import FOLDERS, folder_entry, row_of, trained_loader

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "int8": torch.float32,  # the matrices are quantized from there
}


def load_text_model(
    name_or_entry: str | CatalogEntry,
    *,
    on_ours: bool = False,
    dtype: str = "float32",
    allow_hub: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> TextModel:
    """A text model by its name, ready to write.

    Args:
        name_or_entry: what `catalog.find` takes, or what it gave.
        on_ours: run a GPT-2's weights on our own network.
        dtype: of the weights in memory: float32; bfloat16, which halves the memory that each token reads,
            for processors that compute in it; or int8, which quarters it, for our own models.
        allow_hub: whether hf:owner/name@commit is taken.
        progress: called with (bytes fetched, bytes in all) while a pretrained model is fetched.

    Raises:
        InputError: there is no such model, its folder is broken or holds another kind, or it does not fit
            our network.
        DemoError: it is pretrained, and neither on this machine nor can the Hub be reached.
    """
    if dtype not in DTYPES:
        raise InputError("setting_range", name="dtype", expected="one of " + ", ".join(DTYPES), got=dtype)
    entry = find(name_or_entry, allow_hub=allow_hub) if isinstance(name_or_entry, str) else name_or_entry
    check_kind(entry.name, entry.kind, TEXT_GENERATOR)
    if on_ours and not entry.runs_on_ours:
        raise InputError("not_on_ours", name=entry.name)
    row = row_of(entry)
    if dtype == "int8" and not (row and row.quantizes):
        raise InputError("setting_range", name="dtype", expected="float32 or bfloat16 here", got=dtype)
    folder = hub.fetch(entry, progress)
    if row is None and _was_trained_here(folder):  # and pushed since
        entry = folder_entry(folder, entry.name)
    if load := trained_loader(entry):
        trained: TextModel = load(entry, DTYPES[dtype], quantized=dtype == "int8")
        return trained
    # transformers takes seconds to import, and our own models need nothing of it.
    from aigc_demo.generators.text.library import load_transformers_text

    with named_after(entry.name, folder):
        return load_transformers_text(entry, folder, DTYPES[dtype], on_ours=on_ours)


def _was_trained_here(folder: Path) -> bool:
    """Whether a folder's config.json names a recipe of text."""
    recipe = read_json(folder / "config.json").get("recipe")
    row = FOLDERS.get(recipe) if isinstance(recipe, str) else None
    return row is not None and row.kind == TEXT_GENERATOR
