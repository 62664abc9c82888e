"""Pretrained models from the Hugging Face Hub: what is in the local cache, and fetching what is not."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.hub_address import check_way_to_hub, hub_problem
from aigc_demo.generators.catalog import find
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.kinds import KINDS, check_kind

TIMEOUT_SECONDS = 5
# The client reads these when it is imported; a user's own values stay.
os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", str(TIMEOUT_SECONDS))
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def cached_folder(entry: CatalogEntry) -> Path | None:
    """The folder of a pretrained model in the local Hub cache; None if it is incomplete."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(
            entry.location,
            revision=entry.revision,
            allow_patterns=list(KINDS[entry.kind].wanted),
            local_files_only=True,
        )
    except LocalEntryNotFoundError:
        return None
    folder = Path(found)
    return folder if KINDS[entry.kind].is_whole(folder) else None


def is_cached(entry: CatalogEntry) -> bool:
    """Whether a model can be loaded without a network."""
    return not entry.on_hub or cached_folder(entry) is not None


def fetch(entry: CatalogEntry, progress: Callable[[int, int], None] | None = None) -> Path:
    """The folder of a pretrained model, fetched if it is not on this machine yet.

    Only configuration, tokenizer and safetensors are fetched, at the entry's exact commit.

    Args:
        entry: on the Hub; for one in a folder, that folder is returned.
        progress: called with (bytes fetched, bytes in all), from other threads, while it is fetched.

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


def folder_of(
    name_or_entry: str | CatalogEntry, kind: str, progress: Callable[[int, int], None] | None = None
) -> Path:
    """The folder of a model of a kind.

    Args:
        name_or_entry: what `catalog.find` takes, or what it gave.
        kind: a row of `kinds`.
        progress: as in `fetch`.

    Raises:
        InputError: there is no such model, or it is of another kind.
        DemoError: it is on the Hub, which cannot be reached.
    """
    entry = find(name_or_entry) if isinstance(name_or_entry, str) else name_or_entry
    check_kind(entry.name, entry.kind, kind)
    return fetch(entry, progress)


def _size_on_hub(entry: CatalogEntry) -> int:
    """Bytes of the files to be fetched. One quick request shows whether the Hub can be reached."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
    from huggingface_hub.utils import filter_repo_objects

    try:
        info = HfApi().model_info(
            entry.location, revision=entry.revision, files_metadata=True, timeout=TIMEOUT_SECONDS
        )
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise InputError("not_on_hub", location=entry.location, revision=entry.revision) from error
    except connection_errors() as error:
        raise hub_problem(error) or DemoError("not_reachable", name=entry.name) from error
    files = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    wanted = list(filter_repo_objects(files, allow_patterns=list(KINDS[entry.kind].wanted)))
    if not any(name.endswith(".safetensors") for name in wanted):
        raise InputError("not_in_safetensors", name=entry.name)
    return sum(files[name] for name in wanted)


def _download(entry: CatalogEntry, bar: type) -> None:
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(
            entry.location,
            revision=entry.revision,
            allow_patterns=list(KINDS[entry.kind].wanted),
            etag_timeout=TIMEOUT_SECONDS,
            max_workers=2,
            tqdm_class=bar,
        )
    except connection_errors() as error:
        if isinstance(error, OSError) and error.filename:  # such as in a home that takes nothing
            detail = error.strerror or type(error).__name__
            raise DemoError("cannot_write", path=str(error.filename), detail=detail) from error
        broke_off = DemoError("fetch_broke_off", name=entry.name, detail=type(error).__name__)
        raise hub_problem(error) or broke_off from error


def connection_errors() -> tuple[type[Exception], ...]:
    """Exceptions of the Hub's client where fetching fails: its own, the transport's, the disk's."""
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
