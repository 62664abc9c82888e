"""The commands that use models: generate, compare and evaluate."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from aigc_demo.cli.options import (
    A_PATH,
    AsJson,
    Data,
    Model,
    Seed,
    Set,
    settings_of,
    text_of,
)
from aigc_demo.cli.output import print_line, print_result, print_text
from aigc_demo.cli.predict import PREDICTIONS, predict, predict_side_by_side
from aigc_demo.core.files.atomic import new_file, write_atomically
from aigc_demo.core.process.console import (
    reader_is_gone,
)
from aigc_demo.generators.kinds import KINDS


def generate(
    model: Model,
    prompt: Annotated[str, typer.Option(help="What the text begins with.")] = "",
    num: Annotated[int, typer.Option(help="How many texts; each has the next seed.", min=1, max=10_000)] = 1,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            **A_PATH, help="Write the texts to this file; of images, each to one beside it with its seed."
        ),
    ] = None,
    set_: Set = [],  # noqa: B006
    json_: AsJson = False,
) -> None:
    """Continue a prompt with one model, or make images: of the prompt, where the model draws captions.

    A model that predicts masked words fills in each <mask> of the prompt, or says whether the text given by
    --set second=TEXT can follow it. A model that answers a text answers the prompt, or a question about the
    story given by --set story=TEXT.
    """
    kind, prompt = _kind(model), text_of("prompt", prompt)
    if kind in PREDICTIONS:
        predict(model, kind, prompt, num, seed, settings_of(set_), json_)
        return
    if KINDS[kind].makes_images:
        _draw(model, prompt, num, seed, out, set_, json_)
        return
    from aigc_demo.studio.text.generate import write_texts

    texts = []
    with contextlib.nullcontext() if out is None else new_file(out):
        for text in write_texts(model, prompt, num=num, seed=seed, settings=settings_of(set_)):
            texts.append(text["text"])
            if num > 1 and json_:
                print_result(text, json_)
            elif not json_ and out is None:
                print_text(text["text"] + "\n")
            if out is None and reader_is_gone():
                break
        if out is not None:
            write_atomically(out, "\n\n".join(texts) + "\n")
    result = {"model": model, "text": texts[0], "seed": seed, "seconds": text["seconds"], "num": num}
    print_result({**result, **({"files": [str(out)]} if out else {})}, json_)


def _kind(model: str) -> str:
    from aigc_demo.generators.catalog import find

    return find(model, allow_hub=True).kind


def _draw(
    model: str, prompt: str, num: int, seed: int, out: Path | None, set_: list[str], json_: bool
) -> None:
    """Make images and write each to a file of its own: out.png, or out-SEED.png where there are several."""
    from aigc_demo.studio.images.generate import generate_images, write_images

    seeds, target = range(seed, seed + num), out or Path("picture.png")
    with new_file(target):
        drawn = generate_images(model, seeds=seeds, settings=settings_of(set_), caption=prompt)
        files = write_images(drawn, target)
    result = {"model": model, "files": [str(file) for file in files], "seed": seed, "num": num}
    print_result({**result, "seconds": drawn.seconds}, json_)


def compare(
    models: Annotated[list[str], typer.Argument(help="Two or more models.")],
    prompt: Annotated[str, typer.Option(help="What the texts begin with.")] = "",
    seed: Seed = 0,
    set_: Set = [],  # noqa: B006
    json_: AsJson = False,
) -> None:
    """Continue one prompt with several models, on the same random numbers.

    Models that predict masked words, or that answer a text, take the prompt and settings as in `generate`.
    """
    from aigc_demo.studio.text.generate import write_texts

    prompt, kinds = text_of("prompt", prompt), [_kind(model) for model in models]
    if kinds[0] in PREDICTIONS and len(set(kinds)) == 1:
        predict_side_by_side(models, kinds[0], prompt, seed, settings_of(set_), json_)
        return
    if all(KINDS[kind].makes_images for kind in kinds):
        _generate_side_by_side(models, prompt, seed, set_, json_)
        return
    columns = []
    for model in models:
        (text,) = write_texts(model, prompt, num=1, seed=seed, settings=settings_of(set_))
        columns.append({"model": model, **text})
        if not json_:
            print_text(f"--- {model} ({text['tokens_per_second']:,.0f} tokens/s)\n{text['text']}\n")
        if reader_is_gone():
            break
    if json_:
        print_result({"prompt": prompt, "seed": seed, "columns": columns}, json_)


def _generate_side_by_side(models: list[str], prompt: str, seed: int, set_: list[str], json_: bool) -> None:
    """One image of each model from one seed, and of one caption where they draw captions."""
    from aigc_demo.studio.images.generate import generate_images, write_images

    columns = []
    for model in models:
        drawn = generate_images(model, seeds=(seed,), settings=settings_of(set_), caption=prompt)
        files = write_images(drawn, Path(f"{Path(model).name}.png"))
        columns.append({"model": model, "files": [str(files[0])], "seed": seed, "seconds": drawn.seconds})
        if not json_:
            print_line(f"{model}: {files[0]} ({drawn.seconds:.3f} s)")
    if json_:
        print_result({"prompt": prompt, "seed": seed, "columns": columns}, json_)


def evaluate(
    model: Model,
    data: Data,
    split: Annotated[
        str, typer.Option(help="validation, by the same cut as in training, or all.")
    ] = "validation",
    samples: Annotated[
        int,
        typer.Option(
            help="Let it write so many paragraphs and measure them too; for encoders and models that answer, "
            "how many items they are measured on.",
            min=0,
            max=10_000,
        ),
    ] = 0,
    seed: Seed = 0,
    set_: Set = [],  # noqa: B006
    json_: AsJson = False,
) -> None:
    """Measure a model on a source: bits per byte on text that it has not seen, and what it writes itself."""
    from aigc_demo.studio.evaluate import dispatcher

    found = dispatcher.evaluate(
        model, data, split, settings=settings_of(set_), samples=samples, seed=seed, allow_hub=True
    )
    print_result(found, json_)
