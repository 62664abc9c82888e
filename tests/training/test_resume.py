"""Resuming a run (`--resume`): data known by content, one process at a time, longer runs where equal.

And training on from a model (`--init`): tokens that it does not know are reported first.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import RunStarted, StepDone, TrainEvent, Warned
from aigc_demo.core.process.worker import RECORD
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import PairCorpus, caption_tokenizer
from aigc_demo.training import start
from aigc_demo.training.contrastive.recipe import ClipSettings
from aigc_demo.training.gan.recipe import GanSettings
from aigc_demo.training.initial_weights import unknown_share
from aigc_demo.training.language_model.recipe import LanguageModelSettings
from aigc_demo.training.loops.loop import TrainingLoop
from aigc_demo.training.optimizers import rate_factor
from aigc_demo.training.preflight import preflight
from aigc_demo.training.restoration.recipe import RestorationSettings
from aigc_demo.training.settings import spread_over_the_run
from aigc_demo.training.start import Order, train
from aigc_demo.training.text_to_image.recipe import TextToImageSettings
from tests.training.conftest import TINY

SMALL_GAN = {"num_features": 8, "latent_size": 8, "batch_size": 4, "num_pictures": 40, "sample_pictures": 1}
SMALL_GAN |= {"image_size": 32, "mixed_precision": "no", "validate_every": 100, "schedule": "constant"}


def order(source: Path | str, run_dir: Path, **changes) -> Order:
    settings = {**TINY, **changes.pop("settings", {})}
    return Order(
        **{"recipe": "gpt", "steps": 20, **changes}, source=str(source), run_dir=run_dir, settings=settings
    )


def losses(events: list[TrainEvent]) -> list[float]:
    return [event.loss for event in events if isinstance(event, StepDone)]


def test_data_that_were_moved_are_known_by_their_content(text_file: Path, tmp_path: Path) -> None:
    whole = losses(list(train(order(text_file, tmp_path / "whole"))))
    run = RunDirectory(tmp_path / "run")
    first = losses(list(train(order(text_file, run.path, stop_after=10))))
    moved = text_file.rename(tmp_path / "elsewhere.txt")
    assert first + losses(list(train(order(moved, run.path, resume=True)))) == whole
    assert run.config()["source"] == str(moved)  # where evaluate and publish find them


@pytest.mark.parametrize("place", ["the same", "another"])
def test_other_data_are_refused_wherever_they_lie(text_file: Path, tmp_path: Path, place: str) -> None:
    run = RunDirectory(tmp_path / "run")
    list(train(order(text_file, run.path, stop_after=2)))
    changed = text_file if place == "the same" else tmp_path / "other.txt"
    changed.write_text(text_file.read_text().replace("red", "der"))
    before = (run.path / "config.json").read_bytes(), run.events_path.read_bytes()
    with pytest.raises(InputError, match="content, not where they are") as refused:
        next(train(order(changed, run.path, resume=True)))
    assert refused.value.key == "data_changed"
    assert ((run.path / "config.json").read_bytes(), run.events_path.read_bytes()) == before


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is at work in run/ until its input ends."""
    (tmp_path / "run").mkdir()
    code = (
        "import sys\nfrom pathlib import Path\nfrom aigc_demo.core.process.worker import worker_lock\n"
        "with worker_lock(Path(sys.argv[1])):\n    print('at work', flush=True)\n    sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as worker:
        assert worker.stdout and worker.stdout.readline() == b"at work\n"
        yield worker
        worker.kill()


@pytest.mark.parametrize("resume", [True, False])
def test_another_process_that_trains_is_named(
    text_file: Path, tmp_path: Path, busy: subprocess.Popen[bytes], resume: bool
) -> None:
    for begin in (lambda asked: next(train(asked)), preflight):  # before there is a checkpoint, too
        with pytest.raises(InputError, match="another process is training") as refused:
            begin(order(text_file, tmp_path / "run", resume=resume))
        assert refused.value.values["pid"] == busy.pid
    busy.kill()  # its record stays
    busy.wait()
    asked = order(text_file, tmp_path / "run", resume=resume)
    if resume:
        with pytest.raises(InputError, match="holds no run to resume"):
            next(train(asked))
        return
    *_, last = train(asked)
    assert last.reason == "finished"


def test_what_another_process_did_meanwhile_is_gone_on_from(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second command that was still preparing when the first one ended takes the run as it is then."""
    constant = {**TINY, "schedule": "constant"}
    folder = tmp_path / "run"
    list(train(Order("gpt", str(text_file), folder, steps=9, stop_after=2, settings=constant)))
    real = start.worker_lock

    def late(path: Path) -> AbstractContextManager[None]:
        monkeypatch.setattr(start, "worker_lock", real)
        list(train(Order("gpt", str(text_file), folder, resume=True)))  # the other one, from 2 to 9
        return real(path)

    monkeypatch.setattr(start, "worker_lock", late)
    *events, last = train(Order("gpt", str(text_file), folder, resume=True, steps=12))
    assert (last.step, last.reason) == (12, "finished")
    assert [event.step for event in events if isinstance(event, StepDone)] == [10, 11, 12]


def test_a_resumed_run_that_fails_at_once_ended_where_it_stood(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(train(order(text_file, tmp_path / "run", stop_after=2)))

    def fails(*_: object, **__: object) -> None:
        raise FileNotFoundError("the state is gone")

    monkeypatch.setattr(TrainingLoop, "events", fails)
    with pytest.raises(FileNotFoundError):
        list(train(order(text_file, tmp_path / "run", resume=True)))
    last = json.loads((tmp_path / "run" / "events.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["step"], last["reason"]) == ("finish", 2, "failed")


def test_a_number_that_went_to_another_process_is_nobody(text_file: Path, tmp_path: Path) -> None:
    list(train(order(text_file, tmp_path / "run", stop_after=2)))
    stale = {"pid": 1, "born": 1.0, "command": ["python"]}
    (tmp_path / "run" / RECORD).write_text(json.dumps(stale))
    *_, last = train(order(text_file, tmp_path / "run", resume=True, stop_after=4))
    assert last.step == 4


def test_a_constant_rate_is_level_whatever_the_run_s_length() -> None:
    assert {rate_factor(done, schedule="constant") for done in (0, 1e-6, 0.005, 0.5, 1)} == {1.0}
    assert rate_factor(0.005, schedule="linear") == 0.5


RARELY = {"validate_every": 1000, "checkpoint_every": 1000}


@pytest.mark.parametrize("recipe", ["gpt", "dcgan"])
def test_more_steps_equal_a_run_that_was_longer_from_the_start(
    text_file: Path, tmp_path: Path, recipe: str
) -> None:
    # 10 and 110: a warm-up over a hundredth of the run would show at the second step of the longer one.
    steps, more, settings = (10, 110, {"schedule": "constant", "dropout": 0.2})
    source = str(text_file)
    if recipe == "dcgan":
        steps, more, source = 3, 7, "tiny-world"
    settings = SMALL_GAN if recipe == "dcgan" else {**TINY, **settings, **RARELY}

    def ordered(name: str, steps: int, resume: bool = False) -> list[TrainEvent]:
        given = {} if resume else settings
        return list(train(Order(recipe, source, tmp_path / name, steps=steps, resume=resume, settings=given)))

    whole = losses(ordered("whole", more))
    first = ordered("parts", steps)
    rest = ordered("parts", more, resume=True)
    assert losses(first) + losses(rest) == whole
    assert (rest[-1].reason, rest[-1].step) == ("finished", more)  # type: ignore[union-attr]
    run = RunDirectory(tmp_path / "parts")
    assert run.config()["steps"] == more
    assert [event.kind for event in run.events()].count("finish") == 1
    weights = "generator/model.safetensors" if recipe == "dcgan" else "model.safetensors"
    ended = [RunDirectory(tmp_path / name).checkpoint() / weights for name in ("whole", "parts")]
    assert ended[0].read_bytes() == ended[1].read_bytes()


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_where_the_rate_is_spread_over_the_run_the_cure_is_init(
    text_file: Path, tmp_path: Path, schedule: str
) -> None:
    run = RunDirectory(tmp_path / "run")
    list(train(order(text_file, run.path, settings={"schedule": schedule})))
    with pytest.raises(InputError, match="--init") as refused:
        next(train(order(text_file, run.path, steps=30, resume=True)))
    assert refused.value.values["spread"] == f"schedule={schedule}"
    assert (refused.value.values["old"], refused.value.values["new"]) == (20, 30)
    assert run.config()["steps"] == 20
    *_, last = train(order(text_file, tmp_path / "next", steps=3, init=str(run.path)))
    assert last.step == 3


def test_fewer_steps_and_more_minutes(text_file: Path, tmp_path: Path) -> None:
    level = {"schedule": "constant"}
    list(train(order(text_file, tmp_path / "run", settings=level, stop_after=5)))
    with pytest.raises(InputError, match="started with steps = 20, not 10"):
        next(train(order(text_file, tmp_path / "run", steps=10, resume=True)))
    by_minutes = {"steps": None, "settings": level}
    list(train(order(text_file, tmp_path / "timed", minutes=5.0, stop_after=2, **by_minutes)))
    again = {"resume": True, "minutes": 6.0, "stop_after": 4}
    *_, last = train(order(text_file, tmp_path / "timed", **by_minutes, **again))
    assert last.step == 4
    assert RunDirectory(tmp_path / "timed").config()["minutes"] == 6.0


@pytest.mark.parametrize(
    ("settings", "spread"),
    [
        (LanguageModelSettings(schedule="constant"), ""),
        (LanguageModelSettings(), "schedule=linear"),
        (GanSettings(), ""),
        (GanSettings(schedule="cosine"), "schedule=cosine"),
        (ClipSettings(schedule="constant"), "noise=0.7"),  # it rises over the first part of the run
        (ClipSettings(schedule="constant", noise=0.0), ""),
        (TextToImageSettings(schedule="constant"), "copying=0.6"),
        (TextToImageSettings(schedule="constant", copying=0.0), ""),
        (RestorationSettings(schedule="constant"), ""),  # its noise is the same in every step
    ],
)
def test_what_is_spread_over_a_run(settings, spread: str) -> None:
    assert spread_over_the_run(settings) == spread


@pytest.fixture
def of_ab(tmp_path: Path) -> Path:
    """A model whose vocabulary is a, b and the line's end."""
    source = tmp_path / "ab.txt"
    source.write_text("abba\n" * 200)
    list(train(order(source, tmp_path / "ab", steps=2)))
    return tmp_path / "ab"


@pytest.mark.parametrize(
    ("line", "share"), [("abcc\n", 0.4), ("abba\n", 0.0), ("abbaabbaabbaabbaabba\n", 0.0)]
)
def test_what_a_model_does_not_know_is_said_before_it_learns(
    of_ab: Path, tmp_path: Path, line: str, share: float
) -> None:
    source = tmp_path / "new.txt"
    source.write_text(line * 200)
    events = list(train(order(source, tmp_path / "run", steps=3, init=str(of_ab))))
    assert isinstance(events[0], RunStarted)
    assert events[0].facts["unknown_token_share"] == pytest.approx(share, abs=1e-6)
    warned = [number for number, event in enumerate(events) if isinstance(event, Warned)]
    assert warned == ([1] if share else [])  # nothing was measured or trained before
    if share:
        assert events[1] == Warned(0, "unknown_tokens", {"model": "ab", "share": "40.0", "source": "new.txt"})
    fresh = next(train(order(source, tmp_path / "fresh", steps=3)))
    assert "unknown_token_share" not in fresh.facts  # type: ignore[union-attr]


def test_of_captions_their_words_count(tmp_path: Path) -> None:
    corpus = object.__new__(PairCorpus)
    captions = {
        "train_captions": (("a red ball", "a blue cat"), ("a red ball",)),
        "validation_captions": (("a dog",),),
    }
    for name, value in captions.items():
        object.__setattr__(corpus, name, value)
    known = caption_tokenizer([["a red ball"]])
    # Of 3 + 3 + 3 + 2 words blue, cat and dog are new.
    assert unknown_share(SimpleNamespace(corpus=corpus, tokenizer=known)) == pytest.approx(3 / 11)
    assert unknown_share(SimpleNamespace(corpus=object())) == 0
    for name in captions:
        object.__setattr__(corpus, name, (("",),))
    assert unknown_share(SimpleNamespace(corpus=corpus, tokenizer=known)) == 0, "captions without a word"
