"""The command line: the same use cases as the page, for terminals, scripts and the page's own workers."""

import contextlib
import dataclasses
import json
import os
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    SampleReady,
    StepDone,
    TrainEvent,
    ValidationDone,
    Warned,
    to_json,
)
from aigc_demo.core.files.atomic import new_file, write_atomically
from aigc_demo.core.files.manifest import step_of
from aigc_demo.core.files.paths import checked_path
from aigc_demo.core.process import interrupts
from aigc_demo.core.process.console import (
    finish_printing,
    not_printed,
    prepare_console,
    printable_json,
    readable,
    reader_is_behind,
    reader_is_gone,
)
from aigc_demo.core.process.output_queue import stop_waiting
from aigc_demo.core.process.stop_signals import ignore_interrupts, stop_on_signals
from aigc_demo.core.process.worker import write_problem
from aigc_demo.core.run_directory import LOGGER, RunDirectory
from aigc_demo.core.sentences import ENGLISH
from aigc_demo.generators.kinds import KINDS
from aigc_demo.studio.models.arguments import checked_text
from aigc_demo.training.recipes import RECIPES
from aigc_demo.training.tracking import Tracker, check_tracker, tracking

if TYPE_CHECKING:
    from aigc_demo.training.start import Order

app = typer.Typer(
    help="Generative models from scratch, beside their library and pretrained peers.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, the last one the result.")]
Set = Annotated[list[str], typer.Option("--set", help="name=value, as often as needed.")]
Model = Annotated[
    str, typer.Argument(help="A name that `models` lists, a run, a folder, or hf:owner/name@commit.")
]
Data = Annotated[
    str, typer.Option(help="tiny-world, a .txt file, a folder or .zip of images, or hf:owner/name[:config].")
]
A_PATH: dict[str, Any] = {"parser": checked_path, "metavar": "PATH"}
Runs = Annotated[
    Path | None, typer.Option(**A_PATH, help="Where the runs are; AIGC_DEMO_RUNS, or runs, if left away.")
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result.", min=0, max=2**31 - 1)]

TEXT = "\n\t"  # control characters that a text may have


@app.callback(invoke_without_command=True)
def about(context: typer.Context) -> None:
    """Generative models from scratch, beside their library and pretrained peers."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help=f"What to train: {', '.join(RECIPES)}.")],
    data: Data,
    run_dir: Annotated[Path, typer.Option(**A_PATH, help="Where the run is recorded.")],
    steps: Annotated[int | None, typer.Option(help="The run's last step, also on resume.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Train for so long instead.")] = None,
    stop_after: Annotated[int | None, typer.Option(help="Pause at this step.")] = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --run-dir.")] = False,
    init: Annotated[str | None, typer.Option(help="Start from this model's weights.")] = None,
    track: Annotated[
        Tracker | None, typer.Option(help="Log the run's numbers to this experiment tracker too.")
    ] = None,
    preflight: Annotated[
        bool, typer.Option("--preflight", help="Try a few steps, say what the run will take, keep nothing.")
    ] = False,
    set_: Set = [],  # noqa: B006 (typer wants a plain list)
    json_: Json = False,
) -> None:
    """Train a model; Ctrl-C, SIGTERM, a closed terminal or pipe save a checkpoint and stop."""
    from aigc_demo.core.device import set_threads
    from aigc_demo.training import start

    set_threads(int(os.environ.get("LOCAL_WORLD_SIZE", "1")))  # set by torchrun and accelerate launch
    stop = stop_on_signals()
    if track:
        check_tracker(track)
    order = start.Order(
        recipe=recipe,
        source=data,
        run_dir=run_dir,
        steps=steps,
        minutes=minutes,
        stop_after=stop_after,
        seed=seed,
        resume=resume,
        init=init,
        settings=_settings(set_),
    )
    if preflight:
        _preflight(order, json_)
        return
    finished = _follow(order, stop, json_, track)
    ignore_interrupts(stop)
    result = {"run_dir": str(run_dir), **dataclasses.asdict(finished)}
    if start.speaks():
        _result(result, json_)
    if finished.reason == "non-finite":
        if start.speaks():
            raise DemoError("loss_not_finite", step=finished.step)
        raise typer.Exit(1)


def _preflight(order: "Order", json_: bool) -> None:
    """Print what a training would take; that it does not fit is an answer, not a failure."""
    from aigc_demo.training import start
    from aigc_demo.training.preflight import preflight

    found = preflight(order)
    if not start.speaks():
        return
    problem = found.get("problem")
    if problem and not json_:
        found["problem"] = ENGLISH[problem["key"]].format(**problem["values"])
    _result(found, json_)


def _follow(order: "Order", stop: threading.Event, json_: bool, track: Tracker | None) -> RunFinished:
    """Train, print what happens, and keep the log of the process that speaks in the run."""
    from aigc_demo.training import start

    finished, tracker, run = None, None, RunDirectory(order.run_dir)
    with contextlib.ExitStack() as beside:
        for event in start.train(order, lambda: stop.is_set() or reader_is_gone()):
            if start.speaks():
                if isinstance(event, RunStarted):  # an order that was refused leaves nothing behind
                    beside.enter_context(run.keep_log())
                    if track:
                        tracker = beside.enter_context(tracking(track, run, resumed=order.resume))
                _tell(event, json_)
                warned = tracker.take(event) if tracker else None
                if warned:
                    _tell(warned, json_)
            finished = event if isinstance(event, RunFinished) else None
    assert finished is not None
    return finished


def _tell(event: TrainEvent, json_: bool) -> None:
    """Print an event, and keep it in the log unless it is one of very many: those wait for no reader."""
    if not isinstance(event, StepDone):
        LOGGER.info("%s", _sentence(event))
    elif reader_is_behind():
        return
    if json_:
        print(printable_json(to_json(event)), flush=True)
    else:
        _say(_sentence(event))


def _say(text: str) -> None:
    """Print lines in which nothing but letters, line feeds and tabs reaches a terminal."""
    print(readable(text, keep=TEXT), flush=True)


@app.command()
def generate(
    model: Model,
    prompt: Annotated[str, typer.Option(help="What the text begins with.")] = "",
    num: Annotated[int, typer.Option(help="How many texts; each has the next seed.", min=1, max=10_000)] = 1,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            **A_PATH, help="Write the texts to this file; of pictures, each to one beside it with its seed."
        ),
    ] = None,
    set_: Set = [],  # noqa: B006
    json_: Json = False,
) -> None:
    """Continue a prompt with one model, or make pictures: of the prompt, where the model draws captions.

    A model that guesses hidden words fills in each [MASK] of the prompt.
    """
    kind, prompt = _kind(model), _text("prompt", prompt)
    if kind == "masks":
        _fill_in(model, prompt, num, seed, json_)
        return
    if KINDS[kind].makes_images:
        _draw(model, prompt, num, seed, out, set_, json_)
        return
    from aigc_demo.studio.text.generate import write_texts

    texts = []
    with contextlib.nullcontext() if out is None else new_file(out):
        for text in write_texts(model, prompt, num=num, seed=seed, settings=_settings(set_)):
            texts.append(text["text"])
            if num > 1 and json_:
                _result(text, json_)
            elif not json_ and out is None:
                _say(text["text"] + "\n")
            if out is None and reader_is_gone():
                break
        if out is not None:
            write_atomically(out, "\n\n".join(texts) + "\n")
    result = {"model": model, "text": texts[0], "seed": seed, "seconds": text["seconds"], "num": num}
    _result({**result, **({"files": [str(out)]} if out else {})}, json_)


def _kind(model: str) -> str:
    from aigc_demo.generators.catalog import find

    return find(model, allow_hub=True).kind


def _fill_in(model: str, prompt: str, num: int, seed: int, json_: bool) -> None:
    """The likeliest words behind each mask; as many as asked for, five at least."""
    from aigc_demo.studio.text.generate import fill_in

    found = fill_in(model, prompt, max(num, 5))
    if json_:
        _result({"model": model, "seed": seed, **found}, json_)
        return
    _say(found["text"])
    for place, guesses in enumerate(found["guesses"], start=1):
        _say(f"  {place}: " + ", ".join(f"{one['text']} {one['prob']:.1%}" for one in guesses))


def _draw(
    model: str, prompt: str, num: int, seed: int, out: Path | None, set_: list[str], json_: bool
) -> None:
    """Make pictures and write each to a file of its own: out.png, or out-SEED.png where there are several."""
    from aigc_demo.studio.images.generate import draw_pictures, write_pictures

    seeds, target = range(seed, seed + num), out or Path("picture.png")
    with new_file(target):
        drawn = draw_pictures(model, seeds=seeds, settings=_settings(set_), caption=prompt)
        files = write_pictures(drawn, target)
    result = {"model": model, "files": [str(file) for file in files], "seed": seed, "num": num}
    _result({**result, "seconds": drawn.seconds}, json_)


@app.command()
def evaluate(
    model: Model,
    data: Data,
    split: Annotated[
        str, typer.Option(help="validation, by the same cut as in training, or all.")
    ] = "validation",
    samples: Annotated[
        int, typer.Option(help="Let it write so many paragraphs and measure them too.", min=0, max=10_000)
    ] = 0,
    seed: Seed = 0,
    set_: Set = [],  # noqa: B006
    json_: Json = False,
) -> None:
    """Measure a model on a source: bits per byte on text that it has not seen, and what it writes itself."""
    from aigc_demo.studio.evaluate import evaluate as measuring

    found = measuring.evaluate(
        model, data, split, settings=_settings(set_), samples=samples, seed=seed, allow_hub=True
    )
    _result(found, json_)


@app.command()
def compare(
    models: Annotated[list[str], typer.Argument(help="Two or more models.")],
    prompt: Annotated[str, typer.Option(help="What the texts begin with.")] = "",
    seed: Seed = 0,
    set_: Set = [],  # noqa: B006
    json_: Json = False,
) -> None:
    """Continue one prompt with several models, on the same random numbers."""
    from aigc_demo.studio.text.generate import write_texts

    prompt = _text("prompt", prompt)
    if all(KINDS[_kind(model)].makes_images for model in models):
        _draw_side_by_side(models, prompt, seed, set_, json_)
        return
    columns = []
    for model in models:
        (text,) = write_texts(model, prompt, num=1, seed=seed, settings=_settings(set_))
        columns.append({"model": model, **text})
        if not json_:
            _say(f"--- {model} ({text['tokens_per_second']:,.0f} tokens/s)\n{text['text']}\n")
        if reader_is_gone():
            break
    if json_:
        _result({"prompt": prompt, "seed": seed, "columns": columns}, json_)


def _draw_side_by_side(models: list[str], prompt: str, seed: int, set_: list[str], json_: bool) -> None:
    """One picture of each model from one seed, and of one caption where they draw captions."""
    from aigc_demo.studio.images.generate import draw_pictures, write_pictures

    columns = []
    for model in models:
        drawn = draw_pictures(model, seeds=(seed,), settings=_settings(set_), caption=prompt)
        files = write_pictures(drawn, Path(f"{Path(model).name}.png"))
        columns.append({"model": model, "files": [str(files[0])], "seed": seed, "seconds": drawn.seconds})
        if not json_:
            print(readable(f"{model}: {files[0]} ({drawn.seconds:.3f} s)"))
    if json_:
        _result({"prompt": prompt, "seed": seed, "columns": columns}, json_)


@app.command()
def publish(
    run_dir: Annotated[Path, typer.Argument(**A_PATH, help="A run.")],
    folder: Annotated[Path, typer.Argument(**A_PATH, help="Where the model goes, in the Hub's layout.")],
    title: Annotated[str, typer.Option(help="What the data is.")],
    origin: Annotated[str, typer.Option(help="Where the data is from.")],
    licence: Annotated[str, typer.Option(help="Terms of the data.")],
    language: Annotated[str, typer.Option(help="Its language, such as en or zh, or en, zh.")] = "en",
    step: Annotated[int | None, typer.Option(help="Which checkpoint; the last if left away.")] = None,
    set_: Set = [],  # noqa: B006
    json_: Json = False,
) -> None:
    """Copy a run's model to a folder of its own, measure it, and write its model card.

    --set changes how it is measured, as in evaluate.
    """
    from aigc_demo.studio.evaluate import publish as publishing

    facts = {"title": title, "origin": origin, "licence": licence, "language": language}
    data = {name: _text(name, fact) for name, fact in facts.items()}
    _result(publishing.publish(run_dir, folder, data, step, _settings(set_)), json_)


@app.command()
def save(
    run_dir: Annotated[Path, typer.Argument(**A_PATH, help="A run.")],
    folder: Annotated[Path, typer.Argument(**A_PATH, help="Where the model goes, in the Hub's layout.")],
    step: Annotated[int | None, typer.Option(help="Which checkpoint; the last if left away.")] = None,
    json_: Json = False,
) -> None:
    """Copy a run's model to a folder of its own, with a card of what the run recorded."""
    from aigc_demo.studio.runs.hub_folder import save_model_folder

    run = RunDirectory(run_dir)
    step = step_of(run.checkpoint(step))
    path = save_model_folder(run, folder, step)
    _result({"run_dir": str(run_dir), "step": step, "path": str(path)}, json_)


@app.command()
def push(
    run_dir: Annotated[Path, typer.Argument(**A_PATH, help="A run.")],
    repository: Annotated[str, typer.Argument(help="owner/name on the Hub; made where there is none.")],
    step: Annotated[int | None, typer.Option(help="Which checkpoint; the last if left away.")] = None,
    public: Annotated[bool, typer.Option("--public", help="A new repository is open to everybody.")] = False,
    json_: Json = False,
) -> None:
    """Push a run's model and its card to the Hub, with the token in HF_TOKEN."""
    from aigc_demo.studio.runs.hub_push import push_model, silence_client

    silence_client()
    run = RunDirectory(run_dir)
    step = step_of(run.checkpoint(step))
    url = push_model(run, repository, private=not public, step=step)
    _result({"run_dir": str(run_dir), "step": step, "url": url}, json_)


@app.command()
def models(json_: Json = False) -> None:
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
        _result({"models": listed}, json_)
        return
    for entry in listed:
        size = f"{entry['num_parameters'] / 1e6:,.1f} M" if entry["num_parameters"] else "?"
        there = "" if entry["available"] else f"  (python -m aigc_demo fetch {entry['name']})"
        there = f"  ({entry['problem']})" if entry["problem"] else there
        name, languages = readable(entry["name"]), ", ".join(entry["languages"])
        print(readable(f"{name:<18}{entry['family']:<12}{size:>9}  {languages}{there}"))


@app.command()
def runs(folder: Runs = None, json_: Json = False) -> None:
    """List the runs on this machine."""
    from aigc_demo.studio.runs.listing import list_runs

    listed = list_runs(_runs_folder(folder))
    if json_:
        _result({"runs": listed}, json_)
        return
    for run in listed:
        state = run["reason"] or "not ended"
        line = f"{readable(run['run_dir']):<32}{run['recipe'] or '':<12}step {run['step']:<8}{state}"
        print(readable(line))


@app.command("import")
def import_archive(
    archive: Annotated[
        Path, typer.Argument(**A_PATH, help="A zip file that Download on the page made of a run.")
    ],
    folder: Runs = None,
    json_: Json = False,
) -> None:
    """Bring an exported run back among the runs of this machine.

    It can be watched, used, and gone on from with --init. On the page it is nobody's: whoever can reach this
    machine's disk deletes it there.
    """
    from aigc_demo.core.files.unfinished import remove_leftovers
    from aigc_demo.studio.runs.archive import import_run, unclaimed

    place = _runs_folder(folder)
    remove_leftovers(place)
    name = import_run(archive, place, unclaimed())
    _result({"name": name, "run_dir": str(place / name)}, json_)


@app.command()
def fetch(model: Model, json_: Json = False) -> None:
    """Download a pretrained model of the catalog, so that it works offline from then on."""
    from aigc_demo.generators import hub
    from aigc_demo.generators.catalog import find

    entry = find(model, allow_hub=True)
    path = hub.fetch(entry) if entry.on_hub else Path(entry.location)
    _result({"model": model, "path": str(path)}, json_)


def _runs_folder(folder: Path | None) -> Path:
    """Where the runs are: in the folder that was named, or where the page has them."""
    return folder or checked_path(os.environ.get("AIGC_DEMO_RUNS") or "runs")


def _sentence(event: TrainEvent) -> str:
    """An event as a line for a person."""
    match event:
        case RunStarted(step=step, facts=facts):
            return f"from step {step}: {_facts(facts)}" + "".join(
                f"\n{_prepared(part)}" for part in facts.get("preparation", [])
            )
        case StepDone(step=step, loss=loss, measures=measures):
            return f"step {step}  loss {loss:.4f}  {_rate(measures)}"
        case ValidationDone(step=step, loss=loss, measures=measures):
            full = measures.get("full_loss")
            return f"step {step}  validation loss {loss:.4f}" + (
                "" if full is None else f", over all windows {full:.4f}"
            )
        case SampleReady(file=file, text="") if file.endswith(".png"):
            return f"drew {file}"
        case SampleReady(text=text):
            return f"--- sample\n{text}\n---"
        case CheckpointSaved(path=path):
            return f"saved {readable(path)}"
        case Warned(key=key, values=values):
            return readable(f"warning: {ENGLISH[key].format(**values)}")
        case RunFinished(step=step, reason=reason):
            return f"{reason} at step {step}"


def _rate(measures: dict[str, int | float]) -> str:
    """How fast a step went, in what its recipe learns from."""
    rates = {"tokens": "tokens_per_second", "pictures": "pictures_per_second"}
    return ", ".join(f"{measures[name]:,.0f} {unit}/s" for unit, name in rates.items() if name in measures)


def _facts(facts: dict[str, Any]) -> str:
    """Names and values on one line; what is not known and what is longer than a line left out."""
    plain = {name: value for name, value in facts.items() if not isinstance(value, (dict, list))}
    plain |= facts.get("machine", {})
    return ", ".join(
        f"{name.replace('_', ' ')} {f'{value:,}' if isinstance(value, int) else readable(value)}"
        for name, value in plain.items()
        if value is not None
    )


def _prepared(step: dict[str, Any]) -> str:
    """A line of the preparation report."""
    unit = "tokens" if step["name"] == "encode" else step.get("unit", "characters")
    lost = "unknown" if step["name"] == "encode" else "dropped"
    counted = {name: value for name, value in step["facts"].items() if value != 0}
    said = f"{step['name'].replace('_', ' ')}: {step['kept']:,} {unit}, {step['dropped']:,} {lost}"
    return f"  {said}; {_facts(counted)}" if counted else f"  {said}"


def _settings(pairs: list[str]) -> dict[str, str]:
    """`name=value` pairs as a mapping.

    Raises:
        InputError: a pair has no equals sign.
    """
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise InputError("setting_type", name="--set", expected="name=value", got=pair[:60])
        found[name.strip()] = _text(name.strip(), value)
    return found


def _text(name: str, value: str) -> str:
    """An argument that is no path: as UTF-8, whatever the locale took its bytes for.

    Raises:
        InputError: it is none.
    """
    try:
        return os.fsencode(value).decode("utf-8")
    except UnicodeError:
        return checked_text(name, value)


def _result(result: dict[str, Any], as_json: bool) -> None:
    """The last line of every command."""
    if as_json:
        print(printable_json(json.dumps(result, ensure_ascii=False)), flush=True)
        return
    for name, value in result.items():
        print(f"{name}: {readable(value, keep=TEXT if name == 'text' else '')}")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 for success, 2 for bad input, 1 for a failure, 130 for Ctrl-C.

    Args:
        arguments: in place of those that the process was started with.

    Raises:
        SystemExit: always; an error is one line on standard error, never a stack trace.
    """
    prepare_console()
    try:
        interrupts.raise_in_work()
        _run(arguments)
    except KeyboardInterrupt:
        interrupts.end_at_once_again()
        _interrupted()
    finally:
        interrupts.end_at_once_again()
        finish_printing()


def _run(arguments: list[str] | None) -> NoReturn:
    try:
        status = app(arguments, standalone_mode=False)
        if status == interrupts.EXIT_CODE:  # typer's word for a KeyboardInterrupt
            raise KeyboardInterrupt
        finish_printing()
        if failure := not_printed():
            raise DemoError("cannot_print", detail=failure.strerror or type(failure).__name__)
    except DemoError as error:
        write_problem(error)
        _complain(str(error), error.exit_code)
    except typer.TyperException as error:  # an unknown option, a missing argument, a number that is none
        _complain(f"{error.format_message()} (see --help)", error.exit_code)
    except typer.Abort:
        _interrupted()
    except Exception as error:
        if interrupts.was_interrupted():  # a library made another exception of it
            _interrupted()
        # A mistake of ours: whoever mends it needs the stack trace, whoever meets it does not.
        unexpected = DemoError("unexpected", detail=type(error).__name__, path=_kept_trace())
        write_problem(unexpected)
        _complain(str(unexpected), unexpected.exit_code)
    sys.exit(status)


def _kept_trace() -> str:
    """The file that now holds the stack trace of the exception at hand."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="aigc-demo-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as log:
            traceback.print_exc(file=log)
    except OSError:  # no place for temporary files
        return os.devnull
    return log.name


def _interrupted() -> NoReturn:
    stop_waiting()
    _complain(interrupts.SENTENCE, interrupts.EXIT_CODE)


def _complain(sentence: str, status: int) -> NoReturn:
    print(readable(" ".join(sentence.split())), file=sys.stderr)
    sys.exit(status)
