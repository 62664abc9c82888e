"""The commands about runs: list, import, save, push and publish."""

from pathlib import Path
from typing import Annotated

import typer

from aigc_demo.cli.options import A_PATH, AsJson, Runs, Set, runs_folder, settings_of, text_of
from aigc_demo.cli.output import print_columns, print_result
from aigc_demo.core.files.manifest import step_of
from aigc_demo.core.process.console import (
    readable,
)
from aigc_demo.core.run_directory import RunDirectory


def publish(
    run_dir: Annotated[Path, typer.Argument(**A_PATH, help="A run.")],
    folder: Annotated[Path, typer.Argument(**A_PATH, help="Where the model goes, in the Hub's layout.")],
    title: Annotated[str, typer.Option(help="What the data is.")],
    origin: Annotated[str, typer.Option(help="Where the data is from.")],
    licence: Annotated[str, typer.Option(help="Terms of the data.")],
    language: Annotated[str, typer.Option(help="Its language, such as en or zh, or en, zh.")] = "en",
    step: Annotated[int | None, typer.Option(help="Which checkpoint; the last if left away.")] = None,
    set_: Set = [],  # noqa: B006
    json_: AsJson = False,
) -> None:
    """Copy a run's model to a folder of its own, measure it, and write its model card.

    --set changes how it is measured, as in evaluate.
    """
    from aigc_demo.studio.evaluate import publish as publishing

    facts = {"title": title, "origin": origin, "licence": licence, "language": language}
    data = {name: text_of(name, fact) for name, fact in facts.items()}
    print_result(publishing.publish(run_dir, folder, data, step, settings_of(set_)), json_)


def save(
    run_dir: Annotated[Path, typer.Argument(**A_PATH, help="A run.")],
    folder: Annotated[Path, typer.Argument(**A_PATH, help="Where the model goes, in the Hub's layout.")],
    step: Annotated[int | None, typer.Option(help="Which checkpoint; the last if left away.")] = None,
    json_: AsJson = False,
) -> None:
    """Copy a run's model to a folder of its own, with a card of what the run recorded."""
    from aigc_demo.studio.runs.export.hub_folder import save_model_folder

    run = RunDirectory(run_dir)
    step = step_of(run.checkpoint(step))
    path = save_model_folder(run, folder, step)
    print_result({"run_dir": str(run_dir), "step": step, "path": str(path)}, json_)


def push(
    run_dir: Annotated[Path, typer.Argument(**A_PATH, help="A run.")],
    repository: Annotated[str, typer.Argument(help="owner/name on the Hub; made where there is none.")],
    step: Annotated[int | None, typer.Option(help="Which checkpoint; the last if left away.")] = None,
    public: Annotated[bool, typer.Option("--public", help="A new repository is open to everybody.")] = False,
    json_: AsJson = False,
) -> None:
    """Push a run's model and its card to the Hub, with the token in HF_TOKEN."""
    from aigc_demo.studio.runs.export.hub_push import push_model, silence_client

    silence_client()
    run = RunDirectory(run_dir)
    step = step_of(run.checkpoint(step))
    url = push_model(run, repository, private=not public, step=step)
    print_result({"run_dir": str(run_dir), "step": step, "url": url}, json_)


def runs(folder: Runs = None, json_: AsJson = False) -> None:
    """List the runs on this machine."""
    from aigc_demo.studio.runs.state import list_runs

    listed = list_runs(runs_folder(folder))
    if json_:
        print_result({"runs": listed}, json_)
        return
    print_columns(
        [
            (
                readable(run["run_dir"]),
                run["recipe"] or "",
                f"step {run['step']}",
                run["reason"] or "not ended",
            )
            for run in listed
        ]
    )


def import_archive(
    archive: Annotated[
        Path, typer.Argument(**A_PATH, help="A zip file that Download on the page made of a run.")
    ],
    folder: Runs = None,
    json_: AsJson = False,
) -> None:
    """Bring an exported run back among the runs of this machine.

    It can be watched, used, and gone on from with --init. On the page it is nobody's: whoever can reach this
    machine's disk deletes it there.
    """
    from aigc_demo.core.files.unfinished import remove_leftovers
    from aigc_demo.studio.runs.export.archive import import_run, unclaimed

    place = runs_folder(folder)
    remove_leftovers(place)
    name = import_run(archive, place, unclaimed())
    print_result({"name": name, "run_dir": str(place / name)}, json_)
