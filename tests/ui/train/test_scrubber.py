"""The slider over a run's checkpoints, without a page."""

import base64
import io
import re
import threading

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image

from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.answers.model import load_answers
from aigc_demo.generators.images.gan import load_networks
from aigc_demo.generators.text.decoding import SamplingSettings, generate
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.generators.text.masked_words import load_masked_words
from aigc_demo.generators.trained_folder import folder_entry
from aigc_demo.studio.models.cancellation import Cancellation
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.watch import RunWatches
from aigc_demo.ui.language import word
from aigc_demo.ui.train.scrubber import NO_BASELINE, SAMPLING, ScrubHandlers, chosen_step
from tests.generators.conftest import save_answers, save_encoder, save_library_answers, save_library_encoder
from tests.studio.models.test_catalog import DATA, add_checkpoint
from tests.studio.painters import make_gan


@pytest.fixture
def handlers(tmp_path, monkeypatch):
    monkeypatch.setitem(SAMPLING, "max_new_tokens", 12)
    torch.manual_seed(0)
    for name in ("mine", "yours"):
        run = RunDirectory(tmp_path / name)
        run.create({"recipe": "gpt", "source": "mine.txt", "data": DATA, "settings": {}})
        for step in (20, 30):
            add_checkpoint(run, step, scale=6)
    queue = RunQueue(tmp_path)
    return ScrubHandlers(ModelCache(catalog=Catalog(queue)), Cancellation(), RunWatches(queue))


@pytest.mark.parametrize(
    ("value", "step"),
    [
        ({"run": "mine", "steps": [20, 30], "step": 20}, 20),
        ({"run": "mine", "steps": [20, 30], "step": None}, 30),
        ({"run": "mine"}, 30),
        ({"run": "yours", "step": 20}, 30),  # the page has not drawn this run's slider yet
        (None, 30),
        ("20", 30),
    ],
)
def test_the_step_is_the_one_where_the_slider_stands(value, step):
    assert chosen_step(value, "mine", (20, 30)) == step


@pytest.mark.parametrize("step", [True, 20.0, "20", [20], 25, -1, 10**30])
def test_a_forged_step_is_refused(step):
    with pytest.raises(InputError):
        chosen_step({"run": "mine", "step": step}, "mine", (20, 30))


def offered(update):
    return [value for _, value in update["choices"]]


def test_beside_a_run_stands_every_model_but_its_own(handlers):
    assert {"yours@30", "distilgpt2"} <= set(offered(handlers.offer("mine", NO_BASELINE)))
    assert not [value for value in offered(handlers.offer("mine", NO_BASELINE)) if value.startswith("mine")]
    assert "mine@30" in offered(handlers.offer("yours", NO_BASELINE))


@pytest.mark.parametrize(("chosen", "kept"), [("mine@30", ""), ("yours@30", "yours@30"), ("nobody's", "")])
def test_what_is_chosen_beside_stays_unless_it_is_the_run(handlers, chosen, kept):
    assert handlers.offer("mine", chosen)["value"] == kept


def last(handlers, *asked):
    *_, value = handlers.write(None, "a ticket", *asked)
    return [column["title"]["en"] for column in value["columns"]]


def test_the_checkpoint_where_the_slider_stands_writes(handlers):
    slider = {"run": "mine", "step": 20}
    assert last(handlers, "mine", slider, "ab", "yours@30", 1) == ["mine, step 20", "yours, step 30"]
    assert last(handlers, "mine", {}, "ab", NO_BASELINE, 1) == ["mine, step 30"]
    assert last(handlers, "mine", slider, "ab", "mine@30", 1) == ["mine, step 20"], "it is not beside itself"


def test_a_step_that_is_not_there_is_one_sentence(handlers):
    with pytest.raises(gr.Error, match="no whole checkpoint at step 25"):
        next(handlers.write(None, "a ticket", "mine", {"run": "mine", "step": 25}, "ab", NO_BASELINE, 1))


def written(handlers, *asked):
    *_, value = handlers.write(None, "a ticket", *asked)
    return [(column["title"]["en"], column["text"]) for column in value["columns"]]


def by_itself(handlers, name, step, prompt, seed):
    """What the model of a checkpoint writes, asked without the page."""
    model = load_text_model(str(handlers._watches.queue.run(name).checkpoint(step)))
    settings = SamplingSettings.from_mapping({**SAMPLING, "seed": seed})
    return "".join(token.text for token in generate(model, prompt, settings))


def test_the_model_of_the_run_and_the_step_writes_by_the_seed_that_was_asked(handlers):
    texts = {
        (name, step, seed): by_itself(handlers, name, step, "ab", seed)
        for name in ("mine", "yours")
        for step in (20, 30)
        for seed in (1, 2)
    }
    assert len(set(texts.values())) == 8, "each has a text of its own"
    for name, other in (("mine", "yours"), ("yours", "mine")):
        for step, another, seed in ((20, 30, 1), (30, 20, 2)):
            slider = {"run": name, "step": step}
            assert written(handlers, name, slider, "ab", f"{other}@{another}", seed) == [
                (f"{name}, step {step}", texts[name, step, seed]),
                (f"{other}, step {another}", texts[other, another, seed]),
            ]


@pytest.mark.parametrize(("seed", "words"), [(-1, "at least 0"), (2**63, "at most"), ("x", "a number")])
def test_what_is_no_seed_is_one_sentence(handlers, seed, words):
    with pytest.raises(gr.Error, match=words):
        next(handlers.write(None, "a ticket", "mine", {}, "ab", NO_BASELINE, seed))


def test_nothing_is_written_where_no_run_is_chosen_or_it_has_no_checkpoint(handlers):
    for nothing in (None, ""):
        with pytest.raises(gr.Error):
            next(handlers.write(None, "a ticket", nothing, {}, "ab", NO_BASELINE, 1))
    RunDirectory(handlers._watches.queue.folder / "begun").create({"recipe": "gpt", "settings": {}})
    with pytest.raises(gr.Error, match="first one"):
        next(handlers.write(None, "a ticket", "begun", {}, "ab", NO_BASELINE, 1))


@pytest.fixture
def image_run(handlers):
    """A GAN's run with the checkpoints 2 and 4, which have networks and sheets of their own."""
    run = RunDirectory(handlers._watches.queue.folder / "gan")
    run.create({"recipe": "dcgan", "source": "tiny-world", "settings": {}})
    for step in (2, 4):
        beside = run.begin_checkpoint(step)
        make_gan(beside, seed=step, scale=8)
        run.finish_checkpoint(step)
        run.write_sample_image(step, Image.new("RGB", (8, 8), (step, 0, 0)))
    return run


def drawn_by_itself(run, step, seed):
    """36 images, six in a row, of the noise of a seed."""
    generator, _ = load_networks(run.checkpoint(step))
    with torch.inference_mode():
        noise = torch.randn(36, generator.config.latent_size, generator=torch.Generator().manual_seed(seed))
        bytes_ = ((generator(noise).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return bytes_.unflatten(0, (6, 6)).permute(0, 1, 3, 4, 2).numpy()


@pytest.mark.parametrize(("step", "seed"), [(2, 1), (2, 7), (4, 1), (4, 7), (None, 7)])
def test_the_generator_of_the_step_draws_by_the_seed_that_was_asked(handlers, image_run, step, seed):
    slider = {"run": "gan", "step": step}
    first, both = handlers.write(None, "a ticket", "gan", slider, "ab", NO_BASELINE, seed)
    assert first["columns"] == both["columns"][:1]
    kept, new = both["columns"]
    assert re.search(rf"/gan/{step or 4}\.png\?key=", kept["picture"])
    assert str(step or 4) in kept["title"]["en"] and str(seed) in new["title"]["en"]
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(new["picture"].partition("base64,")[2]))))
    expected = drawn_by_itself(image_run, step or 4, seed)
    cut = [[sheet[34 * y : 34 * y + 32, 34 * x : 34 * x + 32] for x in range(6)] for y in range(6)]
    others = [(one, other) for one in (2, 4) for other in (1, 7) if (one, other) != (step or 4, seed)]
    for other in (drawn_by_itself(image_run, *one) for one in others):
        assert np.abs(other.astype(int) - expected).max() > 50, "each has a sheet of its own"
    assert np.abs(np.array(cut).astype(int) - expected).max() <= 1


def test_what_takes_many_steps_shows_what_its_training_kept_alone(handlers):
    run = RunDirectory(handlers._watches.queue.folder / "slow")
    run.create({"recipe": "ddpm", "source": "tiny-world", "settings": {}})
    for step in (2, 4):
        (run.begin_checkpoint(step) / "model.safetensors").write_bytes(b"x")
        run.finish_checkpoint(step)
        run.write_sample_image(step, Image.new("RGB", (8, 8)))
    (value,) = handlers.write(None, "a ticket", "slow", {"run": "slow", "step": 2}, "ab", NO_BASELINE, 1)
    (column,) = value["columns"]
    assert "/slow/2.png?key=" in column["picture"]


def test_what_looks_at_images_makes_nothing(handlers):
    run = RunDirectory(handlers._watches.queue.folder / "eye")
    run.create({"recipe": "classifier", "source": "tiny-world", "settings": {}})
    (run.begin_checkpoint(2) / "model.safetensors").write_bytes(b"x")
    run.finish_checkpoint(2)
    assert list(handlers.write(None, "a ticket", "eye", {}, "ab", NO_BASELINE, 1)) == []


def add_run(handlers, name, recipe, save, text):
    """A run with one checkpoint, on the same data as the others."""
    run = RunDirectory(handlers._watches.queue.folder / name)
    run.create({"recipe": recipe, "source": "mine.txt", "data": DATA, "settings": {}})
    save(run.begin_checkpoint(2), text=text)
    run.finish_checkpoint(2)
    return run.checkpoint(2)


POEM = "白日依山尽，黄河入海流。" * 20


@pytest.mark.parametrize(
    ("recipe", "twin", "saves", "prompt", "button"),
    [
        ("bert", "bert-library", (save_encoder, save_library_encoder), "白日依<mask>尽，", "scrub_fill"),
        ("seq2seq", "seq2seq-library", (save_answers, save_library_answers), "白日依山尽，", "scrub_answer"),
    ],
)
def test_what_fills_in_or_answers_stands_beside_its_own_twin(handlers, recipe, twin, saves, prompt, button):
    ours = add_run(handlers, "fills", recipe, saves[0], POEM)
    add_run(handlers, "twin", twin, saves[1], POEM)
    asked, beside, press, _ = handlers.another_run(None, "fills")
    assert (beside["value"], asked["visible"]) == ("twin@2", True)
    assert str(press["value"]) == str(word(button))
    assert str(asked["placeholder"]) == str(word(f"{button}_placeholder"))
    assert {"twin@2", "fills@2"} - set(offered(beside)) == {"fills@2"}
    assert "mine@30" not in offered(beside), "it generates text"
    both = dict(written(handlers, "fills", {"run": "fills", "step": 2}, prompt, "twin@2", 1))
    assert list(both) == ["fills, step 2", "twin, step 2"]
    if recipe == "bert":
        expected = load_masked_words(folder_entry(ours, "ours")).fill(prompt).text
    else:
        model = load_answers(folder_entry(ours, "ours"))
        tokens = model.answer(model.row(prompt), SamplingSettings(temperature=0, max_new_tokens=32))
        expected = "".join(token.text for token in tokens)
    assert both["fills, step 2"].splitlines()[0] == expected
    assert both["twin, step 2"]


def test_of_two_calls_at_once_the_last_one_has_the_last_word(handlers):
    first = handlers.write(None, "a ticket", "mine", {"run": "mine", "step": 20}, "ab", NO_BASELINE, 1)
    next(first)
    second, titles = None, []

    def finish():
        titles.extend(value["columns"][0]["title"]["en"] for value in second)

    second = handlers.write(None, "a ticket", "mine", {"run": "mine", "step": 30}, "ab", NO_BASELINE, 1)
    thread = threading.Thread(target=finish)
    thread.start()
    titles.extend(value["columns"][0]["title"]["en"] for value in first)
    thread.join(30)
    assert not thread.is_alive()
    assert titles == sorted(titles), "the second one waits for the first"
    assert titles[-1] == "mine, step 30"
