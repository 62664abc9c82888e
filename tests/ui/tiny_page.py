"""Serve the page with tiny random models: `python -m tests.ui.tiny_page FOLDER`.

A process of its own, as a user starts it; the models are made in FOLDER. One is slow, so that there is time
to press Stop, one is broken, and the pretrained ones are out of reach.
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

LETTERS = "ROMEO: abcdefghijklmnopqrstuvwxyz.,!?'\nABCDEFGHIJKLMNPQSTUVWXYZ春眠不觉晓处闻啼鸟"
SLOW_SECONDS, HELD_SECONDS = 0.03, 0.3
HELD = "held"  # as long as there is a file FOLDER/held, diffusion is slow after its third step, "slow" slower
TINY_GAN = {"num_pictures": 64, "batch_size": 8, "num_features": 8, "checkpoint_every": 5}
PREDICTORS = ("bert-tiny-world", "bert-library-tiny-world", "qa-tiny-world", "qa-tiny-world-from-nothing")
ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("page_worker.py")


def make_models(folder):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from aigc_demo.data.text.tokenizer import train_tokenizer
    from aigc_demo.nets.text.transformer import Decoder, TransformerConfig

    torch.manual_seed(0)
    tokenizer = train_tokenizer(LETTERS, "characters")
    shape = {"context_length": 64, "num_layers": 2, "num_heads": 2, "hidden_size": 16}
    ours = folder / "gpt-shakespeare"
    Decoder(TransformerConfig(vocab_size=tokenizer.vocab_size, **shape)).save_pretrained(ours)
    tokenizer.save(ours)
    library = folder / "gpt2-shakespeare"
    size = tokenizer.vocab_size
    config = GPT2Config(
        vocab_size=size,
        n_positions=64,
        n_embd=16,
        n_layer=2,
        n_head=2,
        bos_token_id=1,
        eos_token_id=1,
        recipe="gpt2",
    )
    GPT2LMHeadModel(config).save_pretrained(library)
    tokenizer.save(library)
    broken = folder / "broken"
    Decoder(TransformerConfig(vocab_size=tokenizer.vocab_size, **shape)).save_pretrained(broken)
    tokenizer.save(broken)


def make_predictors(folder):
    """Encoders and encoder-decoders with random weights, under the names of the shipped ones."""
    from tests.generators.conftest import save_answers, save_encoder, save_library_encoder

    size = {"context_length": 400, "text": LETTERS + "白日依山尽黄河入海流，。"}
    save_encoder(folder / "bert-tiny-world", **size)
    save_library_encoder(folder / "bert-library-tiny-world", **size)
    save_answers(folder / "qa-tiny-world", **size)
    save_answers(folder / "qa-tiny-world-from-nothing", seed=1, **size)


def make_run(folder):
    """A run that has ended, with three checkpoints whose models differ; it belongs to nobody here."""
    from aigc_demo.core.events import CheckpointSaved, RunFinished, RunStarted, StepDone
    from aigc_demo.core.run_directory import RunDirectory
    from aigc_demo.data.text.tokenizer import train_tokenizer
    from aigc_demo.nets.text.transformer import Decoder, TransformerConfig

    run = RunDirectory(folder / "an-old-run")
    data = {"name": "letters.txt", "sha256": "5" * 64}
    run.create({"recipe": "gpt", "source": "letters.txt", "data": data, "steps": 30, "settings": {}})
    tokenizer = train_tokenizer(LETTERS, "characters")
    shape = {"context_length": 64, "num_layers": 1, "num_heads": 1, "hidden_size": 8}
    run.append(RunStarted(step=0))
    for step in (10, 20, 30):
        run.append(StepDone(step, 5 / step, {"seconds": step / 10}))
        beside = run.begin_checkpoint(step)
        Decoder(TransformerConfig(vocab_size=tokenizer.vocab_size, **shape)).save_pretrained(beside)
        tokenizer.save(beside)
        run.finish_checkpoint(step)
        run.append(CheckpointSaved(step, f"checkpoints/step-{step:06d}"))
    run.append(RunFinished(30, "finished"))


def fill_catalog(folder):
    """The tiny models under the names that the page expects, and no shipped ones."""
    from aigc_demo.generators import catalog
    from tests.studio import illustrators
    from tests.studio.painters import entry, make_gan

    pretrained = {entry.name: entry for entry in catalog.PRETRAINED}
    shipped = {entry.name: entry for entry in catalog.shipped(folder)}
    # Offline, this one shows what the page offers for gpt2 and distilgpt2: the weights on our network.
    shipped["gpt2-shakespeare"] = replace(shipped["gpt2-shakespeare"], runs_on_ours=True)
    for name in ("gpt", "gpt2"):
        shipped[f"{name}-tang"] = replace(
            shipped[f"{name}-shakespeare"], name=f"{name}-tang", runs_on_ours=False
        )
    shipped["slow"] = replace(shipped["gpt-shakespeare"], name="slow")
    shipped["broken"] = replace(catalog.folder_entry(folder / "broken", "broken"), licence="MIT")
    image_models = [entry("ddpm-tiny-world", "ddpm", family="library"), entry("broken-gan")]
    shipped |= {one.name: one for one in (make_gan(folder / "dcgan-tiny-world"), *image_models)}
    caption_models = [
        illustrators.entry("text2image-tiny-world"),
        illustrators.entry(
            "text2image-diffusion-tiny-world", recipe="text2image-diffusion", family="library"
        ),
        illustrators.entry("clip-tiny-world", "matches", "clip"),
        *(illustrators.entry(f"{name}-tiny-world", "mends", name) for name in ("colorize", "inpaint")),
    ]
    predictors = [catalog.folder_entry(folder / name, name) for name in PREDICTORS]
    checker = catalog.folder_entry(ROOT / "assets" / "checker-tiny-world", "checker-tiny-world")
    shipped |= {one.name: one for one in (*caption_models, *predictors, checker)}
    (folder / "broken" / "model.safetensors").write_bytes(b"not a model at all")
    catalog.CATALOG, catalog.ASSETS = {**shipped, **pretrained}, folder


def slow_down(model, held):
    """The same model, which takes its time for each token, and ten times as much while a file is there."""
    begin = model.begin

    def slowly(ids):
        session = begin(ids)
        push = session.push

        def wait_and_push(index):
            time.sleep(HELD_SECONDS if held.exists() else SLOW_SECONDS)
            return push(index)

        session.push = wait_and_push
        return session

    model.begin = slowly
    return model


def main():
    folder = Path(sys.argv[1])
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    make_models(folder)
    make_predictors(folder)
    make_run(folder / "runs")
    fill_catalog(folder)

    from aigc_demo.data.images.corpus import ImageSettings
    from aigc_demo.generators.answers.model import load_answers
    from aigc_demo.generators.images.loading import load_image_model
    from aigc_demo.generators.text.loading import load_text_model
    from aigc_demo.generators.text.masked_words import load_masked_words
    from aigc_demo.generators.text_to_image.matching import load_reader
    from aigc_demo.studio.images.real_images import TrainingImages
    from aigc_demo.studio.runs.job import Job
    from aigc_demo.training import recipes
    from aigc_demo.ui.app import new_studio, serve
    from tests.studio import illustrators
    from tests.studio.painters import SlowSteps

    caption_models = illustrators.of_the_page()
    loaders = {"reads": load_reader, "masks": load_masked_words, "answers": load_answers}

    def load(name, report):
        choice = studio.cache.catalog.choice(name)
        if name == "ddpm-tiny-world":
            return SlowSteps(name, 0.02, folder / HELD)
        if choice.entry.kind == "pictures":
            return load_image_model(choice.entry)
        if name in caption_models:
            return caption_models[name]
        if choice.entry.kind in loaders:
            return loaders[choice.entry.kind](choice.entry)
        model = load_text_model(choice.entry, on_ours=choice.on_ours, progress=report)
        return slow_down(model, folder / HELD) if name == "slow" else model

    # Trainings are pretended, so that a test sees within seconds what takes minutes.
    # Those that draw are real ones, so small that they take as little.
    real = Job.executed.fget
    Job.executed = property(  # type: ignore
        lambda job: real(job) if job.recipe == "dcgan" else [sys.executable, str(WORKER), *job.arguments]
    )
    recipes.RECIPES["dcgan"] = replace(recipes.RECIPES["dcgan"], small=TINY_GAN)
    # Twenty thousand images are drawn in ten seconds, which a test has not.
    TrainingImages.settings = lambda training, choice: ImageSettings(num_pictures=60)  # type: ignore
    studio = new_studio(folder / "runs", load)
    serve(studio)


if __name__ == "__main__":
    main()
