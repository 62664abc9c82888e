"""What a run's checkpoints make; of images, the sheets saved in training, and new ones from another seed."""

import io
from pathlib import Path

from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.data.images.zip_files import PNG_SIGNATURE
from aigc_demo.generators.kinds import ANSWERS, KINDS, MASKED_WORDS, TEXT_GENERATOR
from aigc_demo.studio.models.arguments import check_number
from aigc_demo.training.recipes import RECIPES

MAX_SAMPLE_BYTES = 4 * 2**20
NUM_IMAGES, COLUMNS = 36, 6
KINDS_OF_TEXT = (TEXT_GENERATOR, MASKED_WORDS, ANSWERS)


def sample_path(run: RunDirectory, step: int) -> Path:
    """Where the sheet of a step is, if there is one: by the step alone, whatever the record says."""
    return run.path / "samples" / f"step-{step:06d}.png"


def sample_image(run: RunDirectory, step: int) -> bytes | None:
    """The sheet of a step as PNG; None where there is none to show."""
    path = sample_path(run, step)
    try:
        if path.is_symlink() or path.stat().st_size > MAX_SAMPLE_BYTES:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    return content if content.startswith(PNG_SIGNATURE) else None


def draws(recipe: str) -> bool:
    """Whether the checkpoints of a recipe generate images."""
    return recipe in RECIPES and KINDS[RECIPES[recipe].kind].makes_images


def draws_anew(recipe: str) -> bool:
    """Whether a checkpoint generates fast enough for a slider: a GAN, in one step."""
    return recipe in RECIPES and RECIPES[recipe].family == "gan"


def kind_of_text(recipe: str) -> str | None:
    """What the checkpoints of a recipe do with a text, a row of `generators.kinds`; None for those of images.

    Of a recipe that nobody here knows it is that of a text generator.
    """
    kind = RECIPES[recipe].kind if recipe in RECIPES else TEXT_GENERATOR
    return kind if kind in KINDS_OF_TEXT else None


def new_images(run: RunDirectory, step: int, seed: int) -> bytes:
    """Images of a checkpoint from other noise than in training.

    Args:
        run: of a recipe that makes images.
        step: of the checkpoint.
        seed: of the noise.

    Returns:
        A sheet of 36 images, as PNG.

    Raises:
        InputError: there is no such checkpoint, its model is damaged or no GAN, or the seed is no seed.
    """
    check_number("seed", seed, 0, MAX_SEED, whole=True)
    checkpoint = run.checkpoint(step)
    if RECIPES[str(run.config().get("recipe"))].family != "gan":
        raise InputError("foreign_model", path=run.path.name, detail="no GAN", expected="is a GAN")
    import torch

    from aigc_demo.core.device import seeded
    from aigc_demo.data.images.pixels import grid, to_uint8
    from aigc_demo.generators.images.gan import load_generator

    with torch.inference_mode():
        generator = load_generator(checkpoint)
        latent_size: int = generator.config.latent_size  # type: ignore[union-attr, assignment]
        images_NCHW = generator(torch.randn(NUM_IMAGES, latent_size, generator=seeded(int(seed))))  # noqa: N806
    content = io.BytesIO()
    grid(to_uint8(images_NCHW), COLUMNS).save(content, format="PNG")
    return content.getvalue()
