"""Damaged archives of runs and damaged model folders: is each refused in one sentence, or does it work?

Small runs of many recipes are trained and exported, small pretrained models are saved as their libraries do,
and hundreds of damaged copies are made (`mutations`), the same ones for a seed. An archive is imported as the
page does it. One that is taken is watched, listed, used, scrubbed, evaluated, trained on from, and exported
again; a model folder is listed, loaded, used, evaluated and trained on from.

A fault is whatever is no DemoError; an answer that holds a path of this machine or cannot be sent; what a
refusal leaves on the disk; a list that breaks; a refusal that lasts longer than a second or takes more than
50 MB. The cases run in child processes, one for each group of kinds. Time is by the clock, and where others
keep the machine busy that of the processor; memory is how far the peak of the child's resident memory (VmHWM,
reset before) rises meanwhile, without the process that decodes images. Of a refusal that took too much the
least of three tries counts.

    python benchmarks/mutated_archives.py [--seed N] [--count N] [--json]
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # it runs from the clone, nothing is installed

import argparse
import contextlib
import json
import logging
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from types import SimpleNamespace
from typing import Any

from benchmarks.mutations import Files, mutated_content, mutated_zip, packed

MOST_SECONDS, MOST_MIB = 1.0, 50 * 10**6 / 2**20
USE_SECONDS, TRIES = 60, 3
CAPTION = "a red ball"
PAIRS = {
    "image_size": 32,
    "num_pictures": 64,
    "batch_size": 8,
    "validation_fraction": 0.25,
    "mixed_precision": "no",
    "validate_every": 5,
    "checkpoint_every": 5,
}
IMAGES = {name: value for name, value in PAIRS.items() if name != "image_size"}
TEXT = {
    "context_length": 16,
    "num_layers": 1,
    "num_heads": 2,
    "hidden_size": 16,
    "batch_size": 8,
    "mixed_precision": "no",
    "validate_every": 5,
    "checkpoint_every": 5,
    "sample_tokens": 4,
}
GAN = {**IMAGES, "num_features": 8, "latent_size": 8, "sample_pictures": 4}
WORDS = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "phrasings": 1}
RECIPES: dict[str, dict[str, Any]] = {
    "gpt": TEXT,
    "gpt2": TEXT,
    "dcgan": GAN,
    "stylegan": {**GAN, "width": 8, "style_size": 8, "num_mapping_layers": 1},
    "classifier": {**IMAGES, "width": 8, "feature_size": 16},
    "ddpm": {**IMAGES, "base_channels": 8, "sample_steps": 2, "sample_pictures": 4},
    "clip": {**PAIRS, **WORDS, "width": 8, "embedding_size": 16},
    "checker": {**PAIRS, "width": 8},
    "colorize": {**PAIRS, "width": 4},
    "text2image": {
        **PAIRS,
        **WORDS,
        "copying": 0.0,
        "choices": 1,
        "likeness_weight": 0.0,
        "num_features": 8,
        "latent_size": 8,
        "sample_pictures": 4,
        "guide": "own",
    },
    "text2image-diffusion": {**PAIRS, **WORDS, "base_channels": 8, "noise_steps": 20, "sample_pictures": 4},
}
PRETRAINED = ("text-gpt2", "text-llama", "text-qwen2", "masks", "matches", "pictures", "text-to-image")
OWN_FOLDERS = ("gpt", "gpt2", "dcgan", "clip")
# Which kinds share a child process: what loads the same libraries.
GROUPS: tuple[tuple[str, ...], ...] = (
    ("archive gpt", "archive gpt2", "archive gpt", "archive classifier", "archive colorize"),
    ("archive dcgan", "archive stylegan", "archive checker", "archive clip", "archive text2image"),
    ("archive ddpm", "archive text2image-diffusion"),
    (
        *(f"folder {name}" for name in OWN_FOLDERS),
        "folder text-gpt2",
        "folder text-llama",
        "folder text-qwen2",
    ),
    ("folder masks", "folder matches", "folder pictures", "folder text-to-image"),
)
SHARES = (90, 80, 40, 60, 30)
"""How many of 300 cases each group has."""


@dataclass
class Outcome:
    """What became of one damaged copy.

    Attributes:
        kind: of the archive or folder.
        change: what was done to it.
        refused: the sentence, where it was; "" where it was taken.
        seconds: of the refusal.
        mib: of memory that the refusal took.
        faults: what must not be, each in a few words.
        steps: how each step ended after it was taken.
    """

    kind: str
    change: str
    refused: str = ""
    seconds: float = 0.0
    mib: float = 0.0
    faults: list[str] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)


# ---- good archives and folders


def make_good(place: Path) -> None:
    """Train, export and save all that is then damaged: archives/RECIPE.zip and folders/NAME."""
    from aigc_demo.core.run_directory import RunDirectory
    from aigc_demo.studio.runs.export.archive import export_run
    from aigc_demo.training.start import train
    from tests.generators.foreign_folders import SAVERS

    for part in ("archives", "folders", "runs"):
        (place / part).mkdir(parents=True)
    (place / "text.txt").write_text("the cat sat on the mat. a red dog sees the blue cat.\n" * 200)
    for recipe in RECIPES:
        run = RunDirectory(place / "runs" / recipe)
        list(train(_order(place, recipe, run.path, 2)))
        export_run(run, "# a card", place / "archives" / f"{recipe}.zip")
        if recipe in OWN_FOLDERS:
            shutil.copytree(
                run.checkpoint(), place / "folders" / recipe, ignore=shutil.ignore_patterns("state")
            )
    shutil.rmtree(place / "runs")
    for name in PRETRAINED:
        SAVERS[name](place / "folders" / name)


def _order(place: Path, recipe: str, run_dir: Path, steps: int, init: str | None = None) -> Any:
    from aigc_demo.training.order import Order

    source = str(place / "text.txt") if recipe in ("gpt", "gpt2") else "tiny-world"
    return Order(recipe, source, run_dir, steps=steps, init=init, settings=RECIPES[recipe])


# ---- one damaged copy


def damaged(rng: random.Random, files: Files, archive: bool) -> tuple[str, Files | bytes]:
    """A copy with one thing changed: files, or where the zip itself is damaged its bytes."""
    from aigc_demo.core.files.manifest import MANIFEST

    if archive and rng.random() < 0.35:
        return mutated_zip(rng, files)
    name = rng.choice(sorted(files))
    manifest = next((known for known in files if known.endswith(MANIFEST)), None)
    if rng.random() < 0.06:
        change, changed = f"{name} is missing", {known: old for known, old in files.items() if known != name}
    else:
        what, content = mutated_content(rng, name, files[name])
        change, changed = f"{name}: {what}", {**files, name: content}
    if manifest is not None and name != manifest and rng.random() < 0.85:
        changed[manifest] = _honest(changed, manifest)
    return change, changed


def _honest(files: Files, manifest: str) -> bytes:
    """A manifest that names the files beside it as they are now."""
    import hashlib

    folder = manifest.rpartition("/")[0]
    beside = {
        name.removeprefix(f"{folder}/") if folder else name: content
        for name, content in files.items()
        if name.startswith(folder) and name != manifest
    }
    listed = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in beside.items()
    }
    return json.dumps(listed).encode()


def files_of(path: Path) -> Files:
    """What an archive or a folder holds."""
    if path.is_dir():
        return {
            found.relative_to(path).as_posix(): found.read_bytes()
            for found in sorted(path.rglob("*"))
            if found.is_file()
        }
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


class Judge:
    """Tries a damaged copy and notes what must not be.

    Args:
        place: where good copies lie and work may be done.
        outcome: filled.
    """

    def __init__(self, place: Path, outcome: Outcome):
        self.place, self.outcome = place, outcome

    def fault(self, words: str) -> None:
        """Note one."""
        self.outcome.faults.append(words[:400])

    def tries(self, step: str, work: Callable[[], Any]) -> Any:
        """Do a step; a DemoError is an answer, everything else a fault.

        Returns:
            What it gave, or the DemoError.
        """
        from aigc_demo.core.errors import DemoError

        try:
            with _alarm(USE_SECONDS):
                value = work()
        except DemoError as error:
            self.check_sentence(step, error)
            self.outcome.steps[step] = error.key
            return error
        except BaseException as error:  # a panic of a library is no Exception
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            self.fault(f"{step}: {type(error).__name__}: {error}")
            self.outcome.steps[step] = "fault"
            return None
        self.outcome.steps[step] = "works"
        if isinstance(value, (str, list)):  # what is given out, and no object of ours
            self.shown(step, value)
        return value

    def check_sentence(self, step: str, error: Any) -> str:
        """Look at the sentence that a visitor would read, in every language."""
        from aigc_demo.core.languages import LANGUAGES
        from aigc_demo.ui.words.wording import sentence

        if error.key in ("column_failed", "unexpected"):
            self.fault(f"{step}: {error}")
        reported = ""
        for language in LANGUAGES:
            try:
                reported = sentence(error.key, error.values, language)
            except Exception as failure:
                self.fault(f"{step}: {error.key} cannot be said in {language}: {failure!r}")
                continue
            self.shown(step, reported)
            if "\n" in reported or len(reported) > 700:
                self.fault(f"{step}: not one sentence: {reported[:100]!r}")
        return sentence(error.key, error.values, "en")

    def shown(self, step: str, answer: Any) -> None:
        """Look for places of this machine in what is given out."""
        import orjson

        try:  # as gradio sends it
            words = orjson.dumps(answer, default=lambda _: "", option=orjson.OPT_NON_STR_KEYS).decode()
        except TypeError as error:
            self.fault(f"{step}: an answer that cannot be sent: {error}")
            return
        for known in (tempfile.gettempdir(), str(self.place), str(ROOT), sys.prefix, str(Path.home())):
            if known in words:
                begin = words.index(known)
                self.fault(f"{step}: a path: {words[max(0, begin - 40) : begin + 60]!r}")
                return


@contextlib.contextmanager
def _alarm(seconds: int) -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise TimeoutError(f"longer than {seconds} seconds")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def _resident(name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def measured(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What a piece of work gave or raised, its seconds, and the MiB of memory that it took at most."""
    from aigc_demo.core.errors import DemoError

    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak is now what there is
    before, began, worked = _resident("VmRSS"), time.perf_counter(), sum(os.times()[:4])
    try:
        value = work()
    except DemoError as error:
        value = error
    seconds, worked = time.perf_counter() - began, sum(os.times()[:4]) - worked
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    return value, min(seconds, worked) if busy else seconds, _resident("VmHWM") - before


def least(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """As `measured`; of a refusal that took too much the least of three tries: machines are shared."""
    value, seconds, mib = measured(work)
    for _ in range(TRIES - 1):
        if isinstance(value, Exception) and (seconds > MOST_SECONDS or mib > MOST_MIB):
            _, again, mib_again = measured(work)
            seconds, mib = min(seconds, again), min(mib, mib_again)
    return value, seconds, mib


# ---- archives


def try_archive(judge: Judge, files: Files | bytes) -> None:
    """Import it as the page does, and use what was taken."""
    from aigc_demo.core.errors import DemoError
    from aigc_demo.studio.runs.export.archive import import_run

    work = judge.place / "work"
    shutil.rmtree(work, ignore_errors=True)
    (work / "runs").mkdir(parents=True)
    path = work / "upload.zip"
    path.write_bytes(files if isinstance(files, bytes) else packed(files))
    before = _left(work)

    def take() -> Any:
        return import_run(path, work / "runs", "secret")

    def import_measured() -> Any:
        value, judge.outcome.seconds, judge.outcome.mib = least(take)
        if isinstance(value, DemoError):
            raise value
        return value

    name = judge.tries("import", import_measured)
    if not isinstance(name, str):
        if isinstance(name, DemoError):
            _note_refusal(judge, name)
        if left := _left(work) - before:
            judge.fault(f"left: {sorted(left)[:3]}")
        return
    judge.outcome.seconds = judge.outcome.mib = 0.0
    use_run(judge, work / "runs", name)


def _left(work: Path) -> set[str]:
    return {str(path) for place in (work, Path(tempfile.gettempdir())) for path in place.rglob("*")}


def _note_refusal(judge: Judge, error: Any) -> None:
    judge.outcome.refused = str(error)
    if judge.outcome.seconds > MOST_SECONDS:
        judge.fault(f"refused after {judge.outcome.seconds:.2f} s")
    if judge.outcome.mib > MOST_MIB:
        judge.fault(f"refused with {judge.outcome.mib:.0f} MiB")


def use_run(judge: Judge, runs: Path, name: str) -> None:
    """What a visitor does with a run: all of it has to work, or to be refused in a sentence."""
    from aigc_demo.core.errors import DemoError
    from aigc_demo.studio.models.catalog import Catalog
    from aigc_demo.studio.models.model_cache import ModelCache
    from aigc_demo.studio.runs.export.archive import export_card, export_run, import_run
    from aigc_demo.studio.runs.run_queue import RunQueue
    from aigc_demo.studio.runs.watch import RunWatches
    from aigc_demo.ui.train import view as run_view
    from aigc_demo.ui.train.scrubber import slider_value

    queue = RunQueue(runs)
    catalog, watches = Catalog(queue), RunWatches(queue)
    recipe = judge.outcome.kind.removeprefix("archive ")
    judge.tries(
        "list", lambda: [queue.names(), [str(state) for state in queue.states(queue.names()).values()]]
    )
    listed = judge.tries("pickers", lambda: _offered(catalog))
    if isinstance(listed, DemoError) or (listed is not None and not any(name in one for one in listed)):
        judge.fault("pickers: the run is not in its list")
    view = judge.tries("view", lambda: watches.view(name))
    if view is not None and not isinstance(view, DemoError):
        judge.tries("card", lambda: [run_view.run_card(view), run_view.samples(view), slider_value(view)])
        judge.tries("curves", lambda: _curves(view))
        judge.tries("answer", lambda: _reported(watches, catalog, view))
    cache = ModelCache(catalog=catalog)
    judge.tries("use", lambda: _use(judge, cache, recipe, name))
    judge.tries("scrubber", lambda: _scrub(judge, cache, watches, name))
    checkpoint = runs / name
    judge.tries("evaluate", lambda: _evaluate(judge, recipe, str(checkpoint)))
    judge.tries("init", lambda: _train_on(judge, recipe, str(checkpoint)))
    again = runs.parent / "again.zip"
    if judge.tries(
        "export", lambda: export_run(queue.run(name), export_card(watches.view(name)), again).name
    ):
        judge.tries("import again", lambda: import_run(again, runs.parent / "there", "s"))


def _offered(catalog: Any) -> list[str]:
    from aigc_demo.generators.kinds import KINDS
    from aigc_demo.ui.model_picker import picker_choices

    return [str(value) for kind in KINDS for _, value in picker_choices(catalog.choices(kind))]


def _curves(view: Any) -> Any:
    from aigc_demo.studio.runs.run_view import logarithms

    return [[len(rows), len(logarithms(list(rows)))] for rows in view.charts.values()]


def _reported(watches: Any, catalog: Any, view: Any) -> Any:
    from aigc_demo.ui.train.api import TrainApi

    request = SimpleNamespace(headers={}, cookies={}, query_params={}, request=None)
    api: Any = TrainApi(watches, catalog)
    return [api._run_json(view, request), len(api.run_curves(request, view.state.name)["curves"])]


def _use(judge: Judge, cache: Any, recipe: str, name: str) -> str:
    """Write, draw, match or measure with a model, as the page does."""
    from aigc_demo.studio.images.compare import check_images, compare_images
    from aigc_demo.studio.models.cancellation import CancelToken
    from aigc_demo.studio.text.compare import check_request, compare_text
    from aigc_demo.studio.text_to_image.compare import check_text_to_image, compare_text_to_image
    from aigc_demo.studio.text_to_image.retrieval import score_table

    kind, stop, catalog = cache.catalog.choice(name).entry.kind, CancelToken(), cache.catalog
    columns: Any = ()
    if kind == "text":
        asked = check_request(catalog, [name], "the cat", {"max_new_tokens": 6, "seed": 1})
        *_, columns = compare_text(asked, cache, stop)
    elif kind == "pictures":
        settings = {"num_pictures": 2, "num_inference_steps": 2}
        *_, columns = compare_images(check_images(catalog, [name], settings), cache, stop)
    elif kind == "text-to-image":
        settings = {"num_candidates": 2, "num_inference_steps": 2}
        *_, columns = compare_text_to_image(
            check_text_to_image(catalog, [name], CAPTION, settings), cache, stop
        )
    elif kind == "matches":
        model = cache.get(catalog.choice(name).value)
        score_table(cache, [CAPTION, "the cat"], _images(model.image_size), name)
    elif kind == "masks":
        cache.get(name).guesses("the [MASK] sat", 3)
    elif kind == "mends":
        model = cache.get(catalog.choice(name).value)
        model.restored(_images(model.image_size))
    else:
        cache.get(catalog.choice(name).value)
    for column in columns:
        if column.error is not None:
            judge.check_sentence("use", column.error)
            return str(column.error.key)
    return kind


def _images(size: int) -> Any:
    import torch

    return torch.zeros(2, 3, size, size, dtype=torch.uint8)


def _scrub(judge: Judge, cache: Any, watches: Any, name: str) -> str:
    from aigc_demo.studio.models.cancellation import Cancellation
    from aigc_demo.ui.train.scrubber import NO_BASELINE, ScrubHandlers

    handlers: Any = ScrubHandlers(cache, Cancellation(), watches)
    answers = list(handlers.write(None, "ticket", name, None, "the cat", NO_BASELINE, 3))
    if answers:
        judge.shown("scrubber", [column["error"] or column["title"] for column in answers[-1]["columns"]])
    return f"{len(answers)} answers"


def _evaluate(judge: Judge, recipe: str, model: str) -> str:
    from aigc_demo.generators.catalog import find
    from aigc_demo.studio.evaluate.dispatcher import evaluate

    kind = find(model).kind
    if kind in ("pictures", "text-to-image"):  # half a minute each; what it loads was loaded before
        return "left away"
    if kind in ("text", "masks"):
        found = evaluate(model, str(judge.place / "short.txt"), "all")
    else:
        known = {"num_pictures": 64, "validation_fraction": 0.5}
        found = evaluate(model, "tiny-world", settings=known)
    return f"{len(found)} figures"


def _train_on(judge: Judge, recipe: str, model: str) -> str:
    from aigc_demo.training.start import train

    target = judge.place / "work" / "trained-on"
    shutil.rmtree(target, ignore_errors=True)
    created_by = recipe if recipe in RECIPES else "gpt2"
    return f"{len(list(train(_order(judge.place, created_by, target, 1, model))))} events"


# ---- model folders


def try_folder(judge: Judge, files: Files | bytes) -> None:
    """Use it as `generate FOLDER` and --init do, and as a model of the folder of models."""
    from aigc_demo.core.errors import DemoError
    from aigc_demo.generators.catalog import find
    from aigc_demo.studio.models.catalog import Catalog, Choice
    from aigc_demo.studio.models.model_cache import ModelCache, load_model

    assert not isinstance(files, bytes)
    work, kind = judge.place / "work", judge.outcome.kind.removeprefix("folder ")
    shutil.rmtree(work, ignore_errors=True)
    models = work / "models"
    folder = models / "somebodys"
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    before = _left(work)
    entry = judge.tries("find", lambda: find(str(folder)))

    def load() -> str:
        return type(load_model(Choice(entry.name, entry, False), lambda *_: None)).__name__

    def load_measured() -> str:
        value, seconds, mib = least(load)
        if isinstance(value, DemoError):
            judge.outcome.seconds, judge.outcome.mib = seconds, mib
            raise value
        return value

    loaded = entry if isinstance(entry, DemoError) else judge.tries("load", load_measured)
    if isinstance(loaded, DemoError):
        _note_refusal(judge, loaded)
    judge.tries("evaluate", lambda: _evaluate(judge, kind, str(folder)))
    judge.tries("init", lambda: _train_on(judge, kind, str(folder)))
    if isinstance(loaded, DemoError) and (left := _left(work) - before):
        judge.fault(f"left: {sorted(left)[:3]}")
    os.environ["AIGC_DEMO_MODELS"] = str(models)
    try:
        catalog = Catalog()
        listed = judge.tries("pickers", lambda: _offered(catalog))
        if isinstance(listed, list) and kind in PRETRAINED and "somebodys" not in listed:
            judge.fault("pickers: the folder is not in its list")
        if kind in PRETRAINED:
            judge.tries("use", lambda: _use(judge, ModelCache(catalog=catalog), kind, "somebodys"))
    finally:
        del os.environ["AIGC_DEMO_MODELS"]


# ---- child and parent


def run_cases(place: Path, seed: int, group: int, first: int, count: int) -> None:
    """In a child process: try cases of a group one by one, and print a line of JSON for each."""
    import torch

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    for kind in dict.fromkeys(GROUPS[group]):  # the libraries are loaded, and a good copy works
        outcome = _tried(place, kind, "nothing", files_of(_good(place, kind)))
        if outcome.faults or outcome.refused:
            print(json.dumps(asdict(outcome)), flush=True)
    for number in range(first, count):
        kind = GROUPS[group][number % len(GROUPS[group])]
        rng = random.Random(f"{seed}-{group}-{number}")
        change, files = damaged(rng, files_of(_good(place, kind)), kind.startswith("archive"))
        print(json.dumps({"begun": number, "kind": kind, "change": change}), flush=True)
        print(json.dumps(asdict(_tried(place, kind, change, files))), flush=True)


def _good(place: Path, kind: str) -> Path:
    sort, _, name = kind.partition(" ")
    return (
        place
        / ("archives" if sort == "archive" else "folders")
        / (f"{name}.zip" if sort == "archive" else name)
    )


def _tried(place: Path, kind: str, change: str, files: Files | bytes) -> Outcome:
    judge = Judge(place, Outcome(kind, change))
    (try_archive if kind.startswith("archive") else try_folder)(judge, files)
    return judge.outcome


def outcomes(place: Path, seed: int, group: int, count: int) -> Iterator[Outcome]:
    """Have the cases of a group tried; where the child dies, that is a fault, and the next one goes on."""
    first = 0
    while first < count:
        arguments = ["--child", str(place), "--seed", str(seed), "--group", str(group)]
        child = subprocess.Popen(
            [sys.executable, __file__, *arguments, "--first", str(first), "--count", str(count)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(place / "tmp"), "HF_HUB_OFFLINE": "1"},
        )
        assert child.stdout is not None
        started: dict[str, Any] = {}
        for line in child.stdout:
            if not line.startswith("{"):
                continue
            found = json.loads(line)
            if "begun" in found:
                started = found
            else:
                if found["change"] != "nothing":
                    first = started["begun"] + 1
                    started = {}
                yield Outcome(**found)
        if child.wait() and started:
            first = started["begun"] + 1
            yield Outcome(
                started["kind"], started["change"], faults=[f"the process ended with {child.returncode}"]
            )
        elif child.returncode:
            raise RuntimeError(f"the child process ended with {child.returncode} before its first case")


def summary(tried: list[Outcome]) -> dict[str, Any]:
    """The figures of all cases."""
    paths = [one for one in tried if any("a path" in fault for fault in one.faults)]
    uncaught = [one for one in tried if any("a path" not in fault for fault in one.faults)]
    refused = [one for one in tried if one.refused]
    return {
        "cases": len(tried),
        "refused": len(refused),
        "with_other_faults": len(uncaught),
        "with_paths": len(paths),
        "slowest_refusal_seconds": round(max((one.seconds for one in refused), default=0.0), 3),
        "largest_refusal_mib": round(max((one.mib for one in refused), default=0.0), 1),
    }


def main() -> None:
    """Make the copies, try them, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--good", type=Path, help="a folder of good copies, made where it is not there")
    parser.add_argument("--only", type=int, help="one group of kinds alone")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--group", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        run_cases(given.child, given.seed, given.group, given.first, given.count)
    elif given.make:
        make_good(given.make)
    else:
        _report(given)


def _report(given: argparse.Namespace) -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutated-archives-") as folder:
        place = given.good or Path(folder) / "good"
        if not place.exists():
            subprocess.run(
                [sys.executable, __file__, "--make", str(place)], check=True, stdout=subprocess.DEVNULL
            )
        (place / "tmp").mkdir(exist_ok=True)
        (place / "short.txt").write_text("the cat sat on the mat.\n" * 6)
        tried: list[Outcome] = []
        for group, share in enumerate(SHARES):
            if given.only in (None, group):
                tried += outcomes(place, given.seed, group, share * given.count // sum(SHARES))
    for one in tried:
        if one.faults:
            print(
                json.dumps(asdict(one)) if given.json else f"{one.kind}: {one.change}: {one.faults}",
                file=sys.stderr,
            )
    found = {"seed": given.seed, **summary(tried), "seconds": round(time.monotonic() - began)}
    steps = Counter(f"{step} {how}" for one in tried for step, how in one.steps.items() if how == "works")
    if given.json:
        print(json.dumps({**found, "steps": steps}))
    else:
        print("  ".join(f"{name} {value}" for name, value in found.items()))
    sys.exit(1 if found["with_other_faults"] or found["with_paths"] else 0)


if __name__ == "__main__":
    main()
