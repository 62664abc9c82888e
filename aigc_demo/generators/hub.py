"""Pretrained models from the Hugging Face Hub: what is in the local cache, and fetching what is not."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.hub_address import check_way_to_hub, hub_problem
from aigc_demo.generators.catalog import CatalogEntry

# Exact names where they are known: a pattern such as *.safetensors would take copies in other formats along.
WANTED = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-?????-of-?????.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
    "preparation.json",  # of a model that was trained here and pushed
)
NEEDED = ("config.json", "tokenizer.json")
# Of a model that draws, in the layout of diffusers: in folders of their own, or all in one.
WANTED_OF_PICTURES = (
    "model_index.json",
    "config.json",
    "scheduler_config.json",
    "diffusion_pytorch_model.safetensors",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "scheduler/scheduler_config.json",
)
# Of a text-to-image model; its own decoder, large and slow, is left where it is.
WANTED_OF_TEXT_TO_IMAGE = (
    "model_index.json",
    *(f"tokenizer/{name}" for name in ("vocab.json", "merges.txt", "tokenizer_config.json")),
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "scheduler/scheduler_config.json",
)
WANTED_OF_CLIP = (*WANTED, "preprocessor_config.json")
WANTED_BY_KIND = {
    "pictures": WANTED_OF_PICTURES,
    "text-to-image": WANTED_OF_TEXT_TO_IMAGE,
    "matches": WANTED_OF_CLIP,
    "decodes": ("config.json", "diffusion_pytorch_model.safetensors"),
}
# What has to be there of each kind before it counts as cached; of all others as NEEDED and WANTED say.
NEEDED_BY_KIND = {
    "text-to-image": (
        "model_index.json",
        "tokenizer/vocab.json",
        "text_encoder/model.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "scheduler/scheduler_config.json",
    ),
    "matches": ("config.json", "model.safetensors", "vocab.json", "preprocessor_config.json"),
    "decodes": ("config.json", "diffusion_pytorch_model.safetensors"),
}

TIMEOUT_SECONDS = 5
# The client reads these when it is imported; a user's own values stay.
os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", str(TIMEOUT_SECONDS))
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def cached_folder(entry: CatalogEntry) -> Path | None:
    """Where a pretrained model lies in the Hub's cache on this machine; None if it is not all there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(
            entry.location, revision=entry.revision, allow_patterns=_wanted(entry), local_files_only=True
        )
    except LocalEntryNotFoundError:
        return None
    folder = Path(found)
    return folder if _is_whole(entry, folder) else None


def _is_whole(entry: CatalogEntry, folder: Path) -> bool:
    if entry.kind in NEEDED_BY_KIND:
        return all((folder / name).is_file() for name in NEEDED_BY_KIND[entry.kind])
    if entry.kind == "pictures":
        files = [list(folder.rglob(name)) for name in ("scheduler_config.json", "diffusion*.safetensors")]
        return all(files)
    return all((folder / name).is_file() for name in NEEDED) and any(folder.glob("model*.safetensors"))


def _wanted(entry: CatalogEntry) -> list[str]:
    return list(WANTED_BY_KIND.get(entry.kind, WANTED))


def is_cached(entry: CatalogEntry) -> bool:
    """Whether a model can be loaded without a network."""
    return not entry.on_hub or cached_folder(entry) is not None


def fetch(entry: CatalogEntry, progress: Callable[[int, int], None] | None = None) -> Path:
    """The folder of a pretrained model, fetched if it is not on this machine yet.

    Only configuration, tokenizer and safetensors are fetched, at the entry's exact commit.

    Args:
        entry: on the Hub; for one in a folder, that folder is returned.
        progress: told (bytes fetched, bytes in all), from other threads, while it is fetched.

    Raises:
        DemoError: the Hub cannot be reached, or the fetch broke off; what was fetched is kept and the next
            try goes on from there.
        InputError: the Hub has no such model at that commit, or it has no weights in safetensors, or
            HF_ENDPOINT is no address, or the proxy that leads there is none or says nothing.
    """
    if not entry.on_hub:
        return Path(entry.location)
    folder = cached_folder(entry)
    if folder is not None:
        return folder
    check_way_to_hub()
    total = _size_on_hub(entry)
    _download(entry, _progress_bar(progress or (lambda *_: None), total))
    folder = cached_folder(entry)
    if folder is None:
        raise DemoError("fetch_broke_off", name=entry.name, detail="files are missing")
    return folder


def _size_on_hub(entry: CatalogEntry) -> int:
    """Bytes of the files that will be fetched. One quick question shows whether the Hub can be reached."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
    from huggingface_hub.utils import filter_repo_objects

    try:
        info = HfApi().model_info(
            entry.location, revision=entry.revision, files_metadata=True, timeout=TIMEOUT_SECONDS
        )
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise InputError("not_on_hub", location=entry.location, revision=entry.revision) from error
    except _connection_errors() as error:
        raise hub_problem(error) or DemoError("not_reachable", name=entry.name) from error
    files = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    wanted = list(filter_repo_objects(files, allow_patterns=_wanted(entry)))
    if not any(name.endswith(".safetensors") for name in wanted):
        raise InputError("not_in_safetensors", name=entry.name)
    return sum(files[name] for name in wanted)


def _download(entry: CatalogEntry, bar: type) -> None:
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(
            entry.location,
            revision=entry.revision,
            allow_patterns=_wanted(entry),
            etag_timeout=TIMEOUT_SECONDS,
            max_workers=2,
            tqdm_class=bar,
        )
    except _connection_errors() as error:
        if isinstance(error, OSError) and error.filename:  # such as in a home that takes nothing
            detail = error.strerror or type(error).__name__
            raise DemoError("cannot_write", path=str(error.filename), detail=detail) from error
        broke_off = DemoError("fetch_broke_off", name=entry.name, detail=type(error).__name__)
        raise hub_problem(error) or broke_off from error


def _connection_errors() -> tuple[type[Exception], ...]:
    """What the Hub's client raises when something is in the way: its errors, the transport's, the disk's."""
    from huggingface_hub.errors import HfHubHTTPError

    # The transport's family stands above the client's own error; its module has changed its name before.
    transport = next(base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError")
    return (transport, OSError, ValueError)


def _progress_bar(progress: Callable[[int, int], None], total: int) -> type:
    """A class that the Hub's client takes for its progress bars; it shows nothing and reports the bytes."""
    from huggingface_hub.utils import tqdm

    class Reporter(tqdm):
        def __init__(self, *args: Any, **arguments: Any):
            # Of the client's bars, only the one that counts bytes from the network is passed on.
            self.counts = str(arguments.pop("name", "")).endswith("transfer")
            self.done = 0
            super().__init__(*args, **{**arguments, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            if self.counts and n:
                self.done += int(n)
                progress(min(self.done, total), total)
            return None

    return Reporter
