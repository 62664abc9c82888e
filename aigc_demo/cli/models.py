"""The commands about models: list and fetch."""

import dataclasses
from pathlib import Path

from aigc_demo.cli.options import (
    AsJson,
    Model,
)
from aigc_demo.cli.output import print_columns, print_result
from aigc_demo.core.process.console import (
    readable,
)


def models(json_: AsJson = False) -> None:
    """List the models that can be used by name."""
    from aigc_demo.generators import catalog
    from aigc_demo.studio.models.catalog import is_at_hand

    listed = [
        {
            **dataclasses.asdict(dataclasses.replace(entry, problem=None)),
            "available": is_at_hand(entry),
            "problem": None if entry.problem is None else str(entry.problem),
        }
        for entry in catalog.listed().values()
    ]
    if json_:
        print_result({"models": listed}, json_)
        return
    rows = []
    for entry in listed:
        size = f"{entry['num_parameters'] / 1e6:,.1f} M" if entry["num_parameters"] else "?"
        there = "" if entry["available"] else f"(python -m aigc_demo fetch {entry['name']})"
        there = f"({entry['problem']})" if entry["problem"] else there
        languages = ", ".join(entry["languages"])
        rows.append((readable(entry["name"]), entry["family"], f"{size:>9}", languages, there))
    print_columns(rows)


def fetch(model: Model, json_: AsJson = False) -> None:
    """Download a pretrained model of the catalog, so that it works offline from then on."""
    from aigc_demo.generators import hub
    from aigc_demo.generators.catalog import find

    entry = find(model, allow_hub=True)
    path = hub.fetch(entry) if entry.on_hub else Path(entry.location)
    print_result({"model": model, "path": str(path)}, json_)
