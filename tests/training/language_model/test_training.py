"""The loop: it learns, it resumes exactly, it stops when told, it keeps the last good checkpoint."""

import json
import math
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    SampleReady,
    StepDone,
    TrainEvent,
    ValidationDone,
)
from aigc_demo.core.files.manifest import MANIFEST, invalid_file, step_of
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.sources import load_text
from aigc_demo.data.text.corpus import PreparationSettings, TextSettings, prepare_text
from aigc_demo.nets.text.transformer import Decoder
from aigc_demo.training import start
from aigc_demo.training.language_model import validation
from aigc_demo.training.language_model.batches import Batches
from aigc_demo.training.language_model.networks import NETWORKS, build_gpt
from aigc_demo.training.language_model.recipe import LanguageModelSettings
from aigc_demo.training.language_model.training import LanguageModelTraining, write_sample
from aigc_demo.training.loops.loop import InterruptedValidationError
from aigc_demo.training.loops.validation import Validation
from aigc_demo.training.recipes import RECIPES
from aigc_demo.training.settings import Budget
from aigc_demo.training.start import Order, train
from tests.training.conftest import TINY


def order(text_file: Path, run_dir: Path, **changes) -> Order:
    settings = {**TINY, **changes.pop("settings", {})}
    given = {"recipe": "gpt", "steps": 20, **changes}
    return Order(source=str(text_file), run_dir=run_dir, settings=settings, **given)


def losses(events: list[TrainEvent]) -> list[float]:
    return [event.loss for event in events if isinstance(event, StepDone)]


@pytest.fixture(scope="module")
def whole(words: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[TrainEvent]]:
    """A run of 20 steps that nothing interrupted, and what it recorded; no test changes its directory."""
    run = tmp_path_factory.mktemp("whole") / "run"
    return run, list(train(order(words, run)))


@pytest.mark.parametrize("recipe", ["gpt", "gpt2"])
def test_it_learns(text_file: Path, tmp_path: Path, recipe: str) -> None:
    settings = {"learning_rate": 1e-2}
    events = list(train(order(text_file, tmp_path / "run", recipe=recipe, steps=60, settings=settings)))
    first, *_, last = [event.loss for event in events if isinstance(event, ValidationDone)]
    assert first == pytest.approx(math.log(22), abs=0.4)  # it knows nothing of the 22 or so characters
    assert last < 0.8 * first
    assert isinstance(events[0], RunStarted)
    assert events[-1] == RunFinished(60, "finished", last, last, 60, last)


@pytest.mark.parametrize(("recipe", "dropout"), [*product(["gpt", "gpt2"], [0.0, 0.2]), ("word-lm", 0.2)])
def test_resumed_equals_uninterrupted(text_file: Path, tmp_path: Path, recipe: str, dropout: float) -> None:
    settings = {"dropout": dropout}
    whole = list(train(order(text_file, tmp_path / "a", recipe=recipe, settings=settings)))
    halves = [
        *train(order(text_file, tmp_path / "b", recipe=recipe, stop_after=9, settings=settings)),
        *train(order(text_file, tmp_path / "b", recipe=recipe, resume=True, settings=settings)),
    ]
    assert losses(halves) == losses(whole)
    recorded = list(RunDirectory(tmp_path / "b").events())
    assert losses(recorded) == losses(whole)
    assert recorded[-1] == whole[-1]


def test_killed_between_checkpoints_it_does_those_steps_again(
    words: Path, tmp_path: Path, whole: tuple[Path, list[TrainEvent]]
) -> None:
    expected = losses(whole[1])
    running = train(order(words, tmp_path / "b"))
    for event in running:
        if isinstance(event, StepDone) and event.step == 17:
            running.close()  # as a kill does, it leaves what is on disk: a checkpoint at step 10
            break
    rest = losses(list(train(order(words, tmp_path / "b", resume=True))))
    assert rest == expected[10:]
    assert losses(list(RunDirectory(tmp_path / "b").events())) == expected


def test_accumulated_parts_equal_the_whole_batch(
    words: Path, tmp_path: Path, whole: tuple[Path, list[TrainEvent]]
) -> None:
    parts = losses(list(train(order(words, tmp_path / "b", settings={"gradient_accumulation_steps": 4}))))
    assert parts == pytest.approx(losses(whole[1]), abs=1e-4)


def test_told_to_stop_it_saves_and_says_so(text_file: Path, tmp_path: Path) -> None:
    done: list[TrainEvent] = []
    running = train(order(text_file, tmp_path / "run"), should_stop=lambda: len(losses(done)) >= 7)
    done.extend(running)  # grows event by event, and should_stop looks at it
    assert done[-1].reason == "stopped"
    assert done[-2] == CheckpointSaved(7, "checkpoints/step-000007")
    assert not invalid_file(tmp_path / "run/checkpoints/step-000007", read_all=True)


def test_minutes_end_a_run(text_file: Path, tmp_path: Path) -> None:
    *_, last = train(order(text_file, tmp_path / "run", steps=None, minutes=0.01))
    assert last.reason == "time"
    assert last.step > 1


def test_a_loss_that_is_not_finite_ends_the_run(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, calls = Decoder.forward, []

    def poisoned(self, ids_BT, *rest):
        logits = forward(self, ids_BT, *rest)
        calls.append(self.training)
        return logits * math.nan if sum(calls) == 13 else logits

    monkeypatch.setattr(Decoder, "forward", poisoned)
    run = tmp_path / "run"
    *events, last = train(order(text_file, run))
    assert (last.reason, last.step) == ("non-finite", 13)
    assert math.isnan(events[-1].loss)
    (checkpoint,) = RunDirectory(run).checkpoints()
    assert checkpoint.name == "step-000010"
    assert all(weight.isfinite().all() for weight in Decoder.from_pretrained(checkpoint).parameters())


def test_a_checkpoint_is_a_model_folder(text_file: Path, tmp_path: Path) -> None:
    list(train(order(text_file, tmp_path / "run")))
    folder = tmp_path / "run/checkpoints/step-000020"
    ours = Decoder.from_pretrained(folder)
    assert ours.config.hidden_size == TINY["hidden_size"]
    assert (folder / "model.safetensors").stat().st_size < 2 * ours.num_parameters() + 4096  # 2 bytes each
    states = [path.parent.name for path in sorted((tmp_path / "run/checkpoints").glob("*/state"))]
    assert states == ["step-000010", "step-000020"]


def test_training_state_is_kept_for_the_last_two(text_file: Path, tmp_path: Path) -> None:
    list(train(order(text_file, tmp_path / "run", settings={"checkpoint_every": 5})))
    run = RunDirectory(tmp_path / "run")
    assert [path.name for path in run.checkpoints()] == [f"step-{step:06d}" for step in (5, 10, 15, 20)]
    assert [path.name for path in run.resumable()] == ["step-000015", "step-000020"]


def test_a_damaged_checkpoint_is_passed_over(text_file: Path, tmp_path: Path) -> None:
    whole = losses(list(train(order(text_file, tmp_path / "a"))))
    list(train(order(text_file, tmp_path / "b")))
    state = tmp_path / "b/checkpoints/step-000020/state/model.safetensors"
    content = bytearray(state.read_bytes())
    content[-1] ^= 1
    state.write_bytes(content)
    assert losses(list(train(order(text_file, tmp_path / "b", resume=True)))) == whole[10:]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "gtp"}, "no recipe named gtp"),
        ({"steps": None}, "not both and not neither"),
        ({"minutes": 1.0}, "not both and not neither"),
        ({"steps": 0}, "steps must be more than 0"),
        ({"settings": {"learning_rate": "nan"}}, "learning_rate must be a number"),
        ({"settings": {"num_heads": 3}}, "cannot be shared"),
        ({"settings": {"context_length": 4000}}, "set context_length to"),
        ({"settings": {"width": 3}}, "no setting named width"),
        ({"settings": {"sample_prompt": "the cat sees the dog"}}, "sample_prompt must be at most 15 tokens"),
        ({"settings": {"gradient_accumulation_steps": 3}}, "multiple of 3"),
        ({"resume": True}, "holds no run to resume"),
    ],
)
def test_bad_orders_are_refused_and_write_nothing(
    text_file: Path, tmp_path: Path, changes: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        next(train(order(text_file, tmp_path / "run", **changes)))
    assert not (tmp_path / "run").exists()


def test_a_run_in_a_place_that_can_be_no_folder_is_refused_before_anything_is_loaded(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(start, "family_of", lambda recipe: loaded.append(recipe.name))
    with pytest.raises(InputError, match="Not a directory"):
        next(train(order(text_file, text_file / "run", steps=3)))
    assert loaded == []


def test_a_run_is_not_overwritten_nor_resumed_with_other_settings(text_file: Path, tmp_path: Path) -> None:
    list(train(order(text_file, tmp_path / "run", steps=3)))
    with pytest.raises(InputError, match="already holds a run"):
        next(train(order(text_file, tmp_path / "run", steps=3)))
    with pytest.raises(InputError, match="started with batch_size = 8, not 4"):
        next(train(order(text_file, tmp_path / "run", steps=3, resume=True, settings={"batch_size": 4})))


def test_resume_takes_the_same_command_and_the_same_data_only(text_file: Path, tmp_path: Path) -> None:
    written = {"dropout": "0", "learning_rate": "1e-3", "mlp_size": "none", "tie_embeddings": "false"}
    list(train(order(text_file, tmp_path / "run", steps=6, stop_after=3, settings=written)))
    text = text_file.read_text()
    text_file.write_text(text.replace("red", "der"))
    with pytest.raises(InputError, match="are not those that the run"):
        next(train(order(text_file, tmp_path / "run", steps=6, resume=True, settings=written)))
    text_file.write_text(text)
    *_, last = train(order(text_file, tmp_path / "run", steps=6, resume=True, settings=written))
    assert last.reason == "finished"


@pytest.mark.parametrize("refusal", [OSError(28, "No space left on device"), RuntimeError("write failed")])
def test_a_full_disk_is_one_sentence_and_older_checkpoints_stay(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    save, saved = Decoder.save_pretrained, []

    def fails_the_second_time(self, folder, **more):
        saved.append(folder)
        if len(saved) == 2:
            raise refusal
        return save(self, folder, **more)

    monkeypatch.setattr(Decoder, "save_pretrained", fails_the_second_time)
    run = RunDirectory(tmp_path / "run")
    with pytest.raises(DemoError, match="cannot be written"):
        list(train(order(text_file, run.path)))
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["step-000010"]
    *_, last = run.events()
    assert (last.reason, last.step) == ("failed", 20)


def test_rows_are_a_function_of_the_step(text_file: Path) -> None:
    corpus = prepare_text(load_text(str(text_file)), TextSettings())
    batches = Batches(corpus, context_length=16, batch_size=200, seed=3)
    read, target = batches.rows(5)
    again, _ = batches.rows(5)
    other, _ = batches.rows(6)
    assert torch.equal(read, again)
    assert not torch.equal(read, other)
    begins = read[:, 0] == corpus.tokenizer.start_id
    assert 10 <= begins.sum() <= 45  # one row in eight
    assert torch.equal(read[:, 1:], target[:, :-1])
    starts = {corpus.tokenizer.decode(row.tolist()) for row in target[begins]}
    paragraphs = {part.strip("\n") for part in corpus.train_text.split("\n\n")}
    assert all(any(part.startswith(start.rstrip("\n")[:16]) for part in paragraphs) for start in starts)


def test_how_many_rows_begin_a_paragraph_is_a_setting(text_file: Path, tmp_path: Path) -> None:
    corpus = prepare_text(load_text(str(text_file)), TextSettings())
    for prob in (0.0, 1.0):
        settings = LanguageModelSettings(**TINY, paragraph_start_prob=prob)
        model = build_gpt(settings, corpus.tokenizer.vocab_size)
        run = RunDirectory(tmp_path / str(prob))
        read, _ = LanguageModelTraining(model, corpus, settings, Budget(steps=1), run).batches.rows(0)
        assert (read[:, 0] == corpus.tokenizer.start_id).float().mean() == prob


def test_budget_by_steps_and_by_minutes() -> None:
    assert Budget(steps=10).share_done(5, seconds=1e9) == 0.5
    assert Budget(minutes=2).share_done(5, seconds=30) == 0.25
    assert Budget(minutes=2).share_done(5, seconds=300) == 1


def test_samples_change_nothing_and_come_from_the_checkpoint(text_file: Path, tmp_path: Path) -> None:
    silent = list(train(order(text_file, tmp_path / "a", settings={"dropout": 0.2})))
    spoken = list(
        train(
            order(
                text_file,
                tmp_path / "b",
                settings={"dropout": 0.2, "sample_tokens": 12, "sample_prompt": "the cat"},
            )
        )
    )
    assert losses(silent) == losses(spoken)
    samples = [event for event in spoken if isinstance(event, SampleReady)]
    assert [sample.step for sample in samples] == [10, 20]
    assert [sample.file for sample in samples] == ["samples/step-000010.txt", "samples/step-000020.txt"]
    assert [(tmp_path / "b" / sample.file).read_text() for sample in samples] == [
        sample.text for sample in samples
    ]
    assert all(sample.text.startswith("the cat") and len(sample.text) == 7 + 12 for sample in samples)


@pytest.mark.parametrize("recipe", ["gpt", "gpt2", "word-lm"])
def test_init_goes_on_from_a_model(text_file: Path, tmp_path: Path, recipe: str) -> None:
    settings = {"learning_rate": 1e-2, "validate_every": 10}
    first = list(train(order(text_file, tmp_path / "a", recipe=recipe, steps=10, settings=settings)))
    again = Order(
        recipe,
        str(text_file),
        tmp_path / "b",
        steps=2,
        init=str(tmp_path / "a"),
        settings={"batch_size": 8, "mixed_precision": "no"},
    )
    events = list(train(again))
    start = next(event.loss for event in events if isinstance(event, ValidationDone))
    end = first[-1].validation_loss
    assert start == pytest.approx(end, abs=0.01)  # windows of another length would see another context
    shapes = [RunDirectory(tmp_path / name).config()["settings"]["hidden_size"] for name in "ab"]
    assert shapes[0] == shapes[1] == TINY["hidden_size"]


def test_init_with_another_shape_or_recipe_is_refused(text_file: Path, tmp_path: Path) -> None:
    list(train(order(text_file, tmp_path / "a", steps=2)))
    with pytest.raises(InputError, match="num_layers = 2, not 3"):
        next(train(order(text_file, tmp_path / "b", init=str(tmp_path / "a"), settings={"num_layers": 3})))
    with pytest.raises(InputError, match="made by gpt"):
        next(train(order(text_file, tmp_path / "b", init=str(tmp_path / "a"), recipe="gpt2")))
    assert not (tmp_path / "b").exists()


def test_points_of_the_validation_curve_compare_and_the_end_is_measured_on_all_too(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = []

    def counting(predict, cut, vocab_size):
        measured.append([read.tolist() for read, _ in cut])
        # A model that worsens, and to which the windows beside the usual ones are far easier.
        value = 2.0 + len(measured) if len(cut) == 7 else 0.5
        return torch.full((3,), value / math.log(2), dtype=torch.float64)

    monkeypatch.setattr(validation, "surprise", counting)
    events = list(train(order(text_file, tmp_path / "run", settings={"validation_windows": 7})))
    curve = [event for event in events if isinstance(event, ValidationDone)]
    assert [event.step for event in curve] == [0, 5, 10, 15, 20]
    assert [event.loss for event in curve] == pytest.approx([3, 4, 5, 6, 7])
    assert all(one == measured[0] for one in measured[:5])
    assert len(measured[5]) == events[0].facts["all_validation_windows"] > 50
    assert [event.metrics.get("full_loss") for event in curve] == [None] * 4 + [pytest.approx(0.5)]
    assert {event.metrics["num_windows"] for event in curve} == {7} == {events[0].facts["validation_windows"]}
    last = events[-1]
    assert (last.validation_loss, last.best_validation_loss, last.best_step) == (pytest.approx(7), 3, 0)
    assert last.full_validation_loss == pytest.approx(0.5)


def test_the_best_is_the_first_of_the_least() -> None:
    found = Validation()
    for step, loss in enumerate([math.nan, 3.0, 2.0, math.inf, 2.0]):
        found = found.then(step, loss)
    assert (found.last, found.best, found.best_step) == (2.0, 2.0, 2)
    assert math.isnan(found.full)


def training(text_file: Path, folder: Path, steps: int = 12, **changes) -> LanguageModelTraining:
    settings = LanguageModelSettings(**{**TINY, **changes})
    corpus = prepare_text(load_text(str(text_file)), settings)
    torch.manual_seed(0)
    model = build_gpt(settings, corpus.tokenizer.vocab_size)
    return LanguageModelTraining(model, corpus, settings, Budget(steps=steps), RunDirectory(folder))


@pytest.fixture
def float16(text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """A training as accelerate sets it up for float16 on a GPU, with torch's scaler for the CPU."""

    def prepare(steps: int = 12, products: bool = True, **scaler) -> LanguageModelTraining:
        found = training(text_file, tmp_path / "float16", steps)
        found.accelerator.scaler = torch.amp.GradScaler("cpu", **scaler)
        found.accelerator.native_amp = True
        monkeypatch.setitem(AcceleratorState._shared_state, "_mixed_precision", "fp16")
        if not products:
            monkeypatch.setattr(found.accelerator, "autocast", nullcontext)
        return found

    return prepare


def test_scaling_by_a_power_of_two_changes_nothing(
    text_file: Path, tmp_path: Path, float16: Callable
) -> None:
    """With products in float32 nothing is rounded otherwise; a gradient that is divided twice shows."""
    plain = losses(list(training(text_file, tmp_path / "plain").events()))
    assert losses(list(float16(products=False, init_scale=2.0**20).events())) == plain


def test_products_in_float16_train_as_well(text_file: Path, tmp_path: Path, float16: Callable) -> None:
    plain = losses(list(training(text_file, tmp_path / "plain").events()))
    found = losses(list(float16().events()))
    assert found != plain
    assert found == pytest.approx(plain, abs=0.05)


def test_the_first_overflows_of_a_scaler_are_steps_left_out(float16: Callable) -> None:
    # 3 nats times 2^127 are more than float32 holds: the first step is left out, and the scale halved.
    scaled = float16(products=False, init_scale=2.0**127)
    before, left_out = [weight.clone() for weight in scaled.model.parameters()], []
    for event in scaled.events():
        if isinstance(event, StepDone):
            assert math.isfinite(event.loss)
            left_out.append(not math.isfinite(event.metrics["gradient_norm"]))
            after = [weight.clone() for weight in scaled.model.parameters()]
            assert all(map(torch.equal, before, after)) == left_out[-1]
            before = after
    assert left_out[0]
    assert 6 < left_out.count(False) < 12
    assert scaled.accelerator.scaler.get_scale() == 2.0 ** (127 - left_out.count(True))
    assert (event.reason, event.step) == ("finished", 12)


def test_a_scaler_that_never_comes_down_ends_the_run(float16: Callable) -> None:
    *_, last = float16(steps=30, init_scale=2.0**127, backoff_factor=0.999).events()
    assert (last.reason, last.step) == ("non-finite", 17)


def test_a_whole_validation_that_is_interrupted_leaves_the_shorter_one(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = training(text_file, tmp_path / "run")
    plain.settings = replace(plain.settings, validation_windows=1)
    (expected,) = plain.validate(full=False)
    measured = plain._measured_loss

    def interrupted(most: int | None) -> float:
        if most is None:
            raise InterruptedValidationError
        return measured(most)

    monkeypatch.setattr(plain, "_measured_loss", interrupted)
    (done,) = plain.validate(full=True)
    assert done.loss == expected.loss
    assert done.metrics["num_windows"] == 1
    assert math.isnan(done.metrics["full_loss"])


def test_without_a_scaler_one_gradient_that_is_not_finite_ends_the_run(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = training(text_file, tmp_path / "run")
    monkeypatch.setattr(plain.accelerator, "clip_grad_norm_", lambda *rest: torch.tensor(math.inf))
    *_, last = plain.events()
    assert (last.reason, last.step) == ("non-finite", 1)


def test_resume_takes_its_tokenizer_from_the_checkpoint(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"tokenizer": "bpe", "vocab_size": 300}
    whole = losses(list(train(order(text_file, tmp_path / "a", settings=words))))
    first = losses(list(train(order(text_file, tmp_path / "b", stop_after=10, settings=words))))

    def never(*rest):
        raise AssertionError("the tokenizer was trained again")

    monkeypatch.setattr("aigc_demo.data.text.corpus.train_tokenizer", never)
    rest = losses(list(train(order(text_file, tmp_path / "b", resume=True))))
    assert first + rest == whole


def test_resume_asks_neither_for_the_model_it_began_from_nor_for_another_one(
    text_file: Path, tmp_path: Path
) -> None:
    list(train(order(text_file, tmp_path / "a", steps=2)))
    asked = {"init": str(tmp_path / "a"), "steps": 6, "settings": {"dropout": 0.2}}
    list(train(order(text_file, tmp_path / "b", stop_after=3, **asked)))
    (tmp_path / "a").rename(tmp_path / "elsewhere")
    for name, other in {"init": str(tmp_path / "elsewhere"), "seed": 3}.items():
        with pytest.raises(InputError, match=f"started with {name} = "):
            next(train(order(text_file, tmp_path / "b", resume=True, **{**asked, name: other})))
    *_, last = train(order(text_file, tmp_path / "b", resume=True, **asked))
    assert (last.reason, last.step) == ("finished", 6)


def test_a_checkpoint_of_an_older_version_is_refused_plainly(text_file: Path, tmp_path: Path) -> None:
    list(train(order(text_file, tmp_path / "run", steps=2)))
    checkpoint = tmp_path / "run/checkpoints/step-000002"
    progress = checkpoint / "state/progress.json"
    progress.write_text('{"seconds": 1.0, "validation": 2.0, "best": 2.0, "best_step": 0}')
    run = RunDirectory(tmp_path / "run")
    beside = checkpoint.with_name(".step-000002.partial")
    checkpoint.rename(beside)
    run.finish_checkpoint(2)  # with a manifest that fits
    with pytest.raises(InputError, match="of an older version"):
        list(train(order(text_file, tmp_path / "run", steps=2, resume=True)))


def test_a_run_says_how_its_text_was_prepared_and_on_which_machine(text_file: Path, tmp_path: Path) -> None:
    settings = {"min_line_length": 30, "validation_fraction": 0.25}
    list(train(order(text_file, tmp_path / "run", steps=1, settings=settings)))
    start = next(RunDirectory(tmp_path / "run").events())
    assert isinstance(start, RunStarted)
    report = {step["name"]: step for step in start.facts["preparation"]}
    short = [line for line in text_file.read_text().split("\n") if line and len(line) < 30]
    assert report["drop_lines"]["facts"]["short_lines"] == len(short) > 10
    assert report["drop_lines"]["dropped"] == sum(len(line) + 1 for line in short)
    shares = report["split"]["facts"]
    assert shares["validation_characters"] == -(-report["split"]["kept"] // 4)
    assert start.facts["machine"]["cores"] >= 1
    assert start.facts["machine"]["processor"]


@pytest.mark.parametrize("recipe", ["gpt", "gpt2"])
def test_the_preparation_travels_with_the_model(text_file: Path, tmp_path: Path, recipe: str) -> None:
    settings = {"drop_repeated_lines": "true", "max_line_length": 33, "validation_fraction": 0.2}
    list(train(order(text_file, tmp_path / "run", recipe=recipe, steps=1, settings=settings)))
    found = PreparationSettings.load(tmp_path / "run/checkpoints/step-000001")
    assert found == PreparationSettings(
        drop_repeated_lines=True, max_line_length=33, validation_fraction=0.2, min_line_length=0
    )


@pytest.mark.parametrize(("stop_step", "owed"), [(0, 0), (10, 10), (7, None)])
def test_a_measurement_cut_short_by_a_stop_is_done_on_resume(
    words: Path, tmp_path: Path, whole: tuple[Path, list[TrainEvent]], stop_step: int, owed: int | None
) -> None:
    _, expected = whole
    done: list[TrainEvent] = []

    def stop() -> bool:
        """From the end of that step on, so while its validation is measured."""
        return bool(done) and done[-1].step >= stop_step

    done.extend(train(order(words, tmp_path / "b"), stop))
    assert (done[-1].reason, done[-1].step) == ("stopped", stop_step)
    assert [path.name for path in RunDirectory(tmp_path / "b").resumable()][-1] == f"step-{stop_step:06d}"
    assert not [event for event in done if isinstance(event, ValidationDone) and event.step == owed]
    done += train(order(words, tmp_path / "b", resume=True))
    assert losses(done) == losses(expected)
    measured = [
        [event for event in events if isinstance(event, ValidationDone)] for events in (expected, done)
    ]
    assert measured[0] == measured[1]
    assert done[-1] == expected[-1]


def test_once_a_stop_is_asked_for_no_further_windows_are_measured(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict, measured = LanguageModelTraining._logits, []

    def counted(training: LanguageModelTraining, ids_BT: torch.Tensor) -> torch.Tensor:
        if not torch.is_grad_enabled():
            measured.append(len(ids_BT))
        return predict(training, ids_BT)

    monkeypatch.setattr(LanguageModelTraining, "_logits", counted)
    settings = {"validation_fraction": 0.5, "validation_windows": 1000}
    list(train(order(text_file, tmp_path / "whole", steps=1, settings=settings)))
    assert len(measured) >= 2 * 3  # before the step and after it
    measured.clear()
    stopped = order(text_file, tmp_path / "stopped", steps=1, settings=settings)
    *_, last = train(stopped, lambda: len(measured) >= 2)
    assert (last.reason, last.step, len(measured)) == ("stopped", 0, 2)


def test_once_a_stop_is_asked_for_a_sample_is_not_written_on(text_file: Path, tmp_path: Path) -> None:
    list(train(order(text_file, tmp_path / "run", steps=1)))
    settings, asked = LanguageModelSettings.from_mapping({**TINY, "sample_tokens": 9}), []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 4

    checkpoint = tmp_path / "run/checkpoints/step-000001"
    assert len(write_sample(settings, checkpoint)) == 9
    assert len(write_sample(settings, checkpoint, stop)) == 4


def saved_at(events: list[TrainEvent]) -> list[int]:
    return [event.step for event in events if isinstance(event, CheckpointSaved)]


def test_fifteen_checkpoints_by_steps_also_across_a_stop(text_file: Path, tmp_path: Path) -> None:
    settings = {"checkpoint_every": None, "validate_every": 1000}
    whole = list(train(order(text_file, tmp_path / "a", steps=30, settings=settings)))
    assert saved_at(whole) == list(range(2, 31, 2))
    halves = list(train(order(text_file, tmp_path / "b", steps=30, stop_after=13, settings=settings)))
    halves += train(order(text_file, tmp_path / "b", steps=30, resume=True, settings=settings))
    assert saved_at(halves) == sorted([*range(2, 31, 2), 13])  # and the one where it stopped
    assert list(map(step_of, RunDirectory(tmp_path / "b").checkpoints())) == saved_at(halves)
    few = list(train(order(text_file, tmp_path / "c", steps=4, settings=settings)))
    assert saved_at(few) == [1, 2, 3, 4]


def test_fifteen_checkpoints_by_minutes_also_across_a_stop(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each step takes a second by this clock, so a run of half a minute has 30.
    monkeypatch.setattr(LanguageModelTraining, "_mean_seconds", lambda self, seconds: 1.0)
    settings = {"checkpoint_every": None, "validate_every": 1000}
    by_minutes = {"steps": None, "minutes": 0.5, "settings": settings}
    whole = list(train(order(text_file, tmp_path / "a", **by_minutes)))
    assert saved_at(whole) == list(range(2, 31, 2))
    assert (whole[-1].reason, whole[-1].step) == ("time", 30)
    halves = list(train(order(text_file, tmp_path / "b", stop_after=13, **by_minutes)))
    halves += train(order(text_file, tmp_path / "b", resume=True, **by_minutes))
    assert saved_at(halves) == sorted([*range(2, 31, 2), 13])


def flip(checkpoint: Path) -> None:
    weights = checkpoint / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)


def truncate(checkpoint: Path) -> None:
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def lose_a_file(checkpoint: Path) -> None:
    (checkpoint / "state/progress.json").unlink()


def empty_the_manifest(checkpoint: Path) -> None:
    (checkpoint / MANIFEST).write_text("")


def swap_for_a_model_from_elsewhere(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint)
    checkpoint.mkdir()
    (checkpoint / "model.safetensors").write_bytes(b"of somebody else")
    (checkpoint / "config.json").write_text("{}")


def swap_the_state_of_another_run(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint / "state")
    shutil.copytree(
        checkpoint.parents[2] / "other/checkpoints" / checkpoint.name / "state", checkpoint / "state"
    )


@pytest.mark.parametrize(
    "damage",
    [
        flip,
        truncate,
        lose_a_file,
        empty_the_manifest,
        swap_for_a_model_from_elsewhere,
        swap_the_state_of_another_run,
    ],
)
def test_resume_takes_the_checkpoint_before_a_damaged_one(
    words: Path, tmp_path: Path, whole: tuple[Path, list[TrainEvent]], damage: Callable[[Path], None]
) -> None:
    run, expected = whole
    shutil.copytree(run, tmp_path / "run")
    if damage is swap_the_state_of_another_run:
        list(train(order(words, tmp_path / "other", seed=5)))
    damage(tmp_path / "run/checkpoints/step-000020")
    events = list(train(order(words, tmp_path / "run", resume=True)))
    assert events[0].step == 10
    assert losses(events) == losses(expected)[10:]
    assert not invalid_file(tmp_path / "run/checkpoints/step-000020", read_all=True)  # written anew
    manifest = json.loads((tmp_path / "run/checkpoints/step-000020" / MANIFEST).read_text())
    assert "state/progress.json" in manifest


@pytest.mark.parametrize("recipe", sorted(NETWORKS))
def test_the_shape_that_a_recipe_names_is_its_networks(recipe: str) -> None:
    assert set(RECIPES[recipe].shape) == {*NETWORKS[recipe].shape, "tokenizer"}
