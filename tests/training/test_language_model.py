"""The loop: it learns, it resumes exactly, it stops when told, it keeps the last good checkpoint."""

import math
from pathlib import Path

import pytest
import torch

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
from aigc_demo.core.run_directory import RunDirectory, broken
from aigc_demo.data.sources import load_text
from aigc_demo.data.text import TextSettings, prepare_text
from aigc_demo.nets.transformer import Decoder
from aigc_demo.training.batches import Batches
from aigc_demo.training.language_model import Budget
from aigc_demo.training.recipes import Order, train
from tests.training.conftest import TINY


def order(text_file: Path, run_dir: Path, **changes) -> Order:
    settings = {**TINY, **changes.pop("settings", {})}
    given = {"recipe": "gpt", "steps": 20, **changes}
    return Order(source=str(text_file), run_dir=run_dir, settings=settings, **given)


def losses(events: list[TrainEvent]) -> list[float]:
    return [event.loss for event in events if isinstance(event, StepDone)]


@pytest.mark.parametrize("recipe", ["gpt", "gpt2"])
def test_it_learns(text_file: Path, tmp_path: Path, recipe: str) -> None:
    settings = {"learning_rate": 1e-2}
    events = list(train(order(text_file, tmp_path / "run", recipe=recipe, steps=60, settings=settings)))
    first, *_, last = [event.loss for event in events if isinstance(event, ValidationDone)]
    assert first == pytest.approx(math.log(22), abs=0.4)  # it knows nothing of the 22 or so characters
    assert last < 0.8 * first
    assert isinstance(events[0], RunStarted)
    assert events[-1] == RunFinished(60, "finished", last, last, 60)


@pytest.mark.parametrize("recipe", ["gpt", "gpt2"])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
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


def test_killed_between_checkpoints_it_does_those_steps_again(text_file: Path, tmp_path: Path) -> None:
    whole = losses(list(train(order(text_file, tmp_path / "a"))))
    running = train(order(text_file, tmp_path / "b"))
    for event in running:
        if isinstance(event, StepDone) and event.step == 17:
            running.close()  # as a kill does, it leaves what is on disk: a checkpoint at step 10
            break
    rest = losses(list(train(order(text_file, tmp_path / "b", resume=True))))
    assert rest == whole[10:]
    assert losses(list(RunDirectory(tmp_path / "b").events())) == whole


def test_accumulated_parts_equal_the_whole_batch(text_file: Path, tmp_path: Path) -> None:
    whole = losses(list(train(order(text_file, tmp_path / "a"))))
    parts = losses(list(train(order(text_file, tmp_path / "b", settings={"gradient_accumulation_steps": 4}))))
    assert parts == pytest.approx(whole, abs=1e-4)


def test_told_to_stop_it_saves_and_says_so(text_file: Path, tmp_path: Path) -> None:
    done: list[TrainEvent] = []
    running = train(order(text_file, tmp_path / "run"), should_stop=lambda: len(losses(done)) >= 7)
    done.extend(running)  # grows event by event, and should_stop looks at it
    assert done[-1].reason == "stopped"
    assert done[-2] == CheckpointSaved(7, "checkpoints/step-000007")
    assert not broken(tmp_path / "run/checkpoints/step-000007", read_all=True)


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
    assert all(sample.text.startswith("the cat") and len(sample.text) == 7 + 12 for sample in samples)


@pytest.mark.parametrize("recipe", ["gpt", "gpt2"])
def test_init_goes_on_from_a_model(text_file: Path, tmp_path: Path, recipe: str) -> None:
    settings = {"learning_rate": 1e-2}
    first = list(train(order(text_file, tmp_path / "a", recipe=recipe, steps=40, settings=settings)))
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
