"""The catalog of models, as plain data: nothing here loads a model or imports its library.

Of a model that is named by its address on the Hub, one small file is fetched, which says what it does.
"""

import contextlib
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.paths import reason
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.kinds import ANSWERS
from aigc_demo.generators.pretrained import folder as pretrained_folder
from aigc_demo.generators.pretrained.models import PRETRAINED, SMALL_DECODER
from aigc_demo.generators.shipped import SHIPPED, STARTED_FROM
from aigc_demo.generators.trained_folder import folder_entry

ASSETS = Path(__file__).resolve().parents[2] / "assets"
HUB_PREFIX = "hf:"
HUB_NAME = re.compile(r"hf:(?P<id>[\w.-]{1,96}/[\w.-]{1,96})@(?P<revision>[0-9a-f]{40})")


def shipped(assets: Path | None = None, known: Collection[str] = ()) -> list[CatalogEntry]:
    """The models trained by this project whose folders are there and whole, less those that are known."""
    entries = []
    for name, data in SHIPPED.items():
        if name in known:
            continue
        with contextlib.suppress(InputError):  # a folder that is missing or half there is not listed
            entry = folder_entry((assets or ASSETS) / name, name)
            started_from = STARTED_FROM.get(name, "" if entry.kind == ANSWERS else None)
            entry = replace(entry, licence="MIT", languages=data.languages, started_from=started_from)
            entries.append(replace(entry, training_data=data.title, data_sha256=data.sha256))
    return entries


CATALOG: dict[str, CatalogEntry] = {entry.name: entry for entry in (*shipped(), *PRETRAINED)}
"""What was there when this was imported; `listed` looks again."""


def listed() -> dict[str, CatalogEntry]:
    """The current catalog, ours and the library's first; includes models published since the start.

    Models of the folder that AIGC_DEMO_MODELS names stand for those of the Hub with the same name, if they
    are the same: they are nearer.
    """
    new = {entry.name: entry for entry in shipped(known=CATALOG)}
    found = {**CATALOG, **new}
    for entry in pretrained_folder.offered():
        own = _with_facts(entry)
        found[own.name] = own
    return dict(sorted(found.items(), key=lambda item: item[1].family == "pretrained"))


def _with_facts(entry: CatalogEntry) -> CatalogEntry:
    """A model of a folder with what the catalog knows of it; another one of that name gets a new name."""
    for known in (*PRETRAINED, SMALL_DECODER):
        names = (known.name.lower(), known.location.rpartition("/")[2].lower())
        same = (
            entry.kind == known.kind
            and abs((entry.num_parameters or 0) / (known.num_parameters or 1) - 1) < 0.05
        )
        if entry.name.lower() in names and same:
            found = replace(known, revision=None, location=entry.location)
            return replace(found, num_parameters=entry.num_parameters, size_mib=entry.size_mib)
    taken = entry.name in CATALOG or entry.name in SHIPPED or entry.name == SMALL_DECODER.name
    return replace(entry, name=f"{entry.name}-folder") if taken else entry


def small_decoder() -> CatalogEntry:
    """The small decoder: of the folder of models where it is there, else of the Hub."""
    there = (entry for entry in listed().values() if entry.architecture == SMALL_DECODER.architecture)
    return next((entry for entry in there if entry.problem is None), SMALL_DECODER)


def find(name: str, *, allow_hub: bool = False) -> CatalogEntry:
    """The catalog entry of a name.

    Args:
        name: a name from the catalog; a run directory, for its latest whole checkpoint; a model's folder;
            or hf:owner/name@commit with the full commit of 40 hexadecimal digits.
        allow_hub: whether hf: names are taken; the page offers the catalog alone.

    Raises:
        InputError: there is no such model, or the folder holds none that can be read, or the one on the Hub
            is none that can be used.
        DemoError: the Hub, where it is, cannot be reached.
    """
    entry = listed().get(name)
    if entry is not None and entry.problem is not None:
        raise entry.problem
    if entry is not None:
        return entry
    if name.startswith(HUB_PREFIX) and allow_hub:
        return _hub_entry(name)
    folder = _folder(name)
    if folder is None:
        raise InputError("unknown_model", name=shown(name))
    try:
        return _folder_or_run(folder, name)
    except OSError as error:  # it may not be looked into
        raise InputError("broken_model", path=shown(name), detail=reason(error)) from error


def _folder_or_run(folder: Path, name: str) -> CatalogEntry:
    run = RunDirectory(folder)
    if (folder / "checkpoints").is_dir():
        checkpoints = run.checkpoints()
        if not checkpoints:
            raise InputError("broken_model", path=shown(name), detail="the run has no whole checkpoint yet")
        return replace(folder_entry(checkpoints[-1], name), data_sha256=_data_sha256(run))
    return folder_entry(folder, name)


def _data_sha256(run: RunDirectory) -> str:
    """Of what a run was trained on; "" where its record does not say."""
    data = run.known_config().get("data")
    found = data.get("sha256") if isinstance(data, dict) else None
    return found if isinstance(found, str) else ""


def _folder(name: str) -> Path | None:
    try:
        return Path(name) if name and Path(name).is_dir() else None
    except (OSError, ValueError):  # a name that no file could have
        return None


def _hub_entry(name: str) -> CatalogEntry:
    match = HUB_NAME.fullmatch(name)
    if match is None:
        raise InputError("hub_name", name=shown(name))
    # Late, as these look models up here.
    from aigc_demo.generators.hub import fetch
    from aigc_demo.generators.hub_kind import kind_on_hub

    kind, recipe = kind_on_hub(name, match["id"], match["revision"])
    entry = CatalogEntry(
        name=name,
        family="pretrained",
        kind=kind,
        recipe="",
        location=match["id"],
        revision=match["revision"],
        licence="see its model card",
    )
    return folder_entry(fetch(entry), name) if recipe else entry
