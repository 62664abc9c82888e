"""Postprocessing and inpainting of a generated image, and its cross-attention maps."""

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import RESTORATION, TEXT_TO_IMAGE
from aigc_demo.nets.options import COLORIZE, INPAINT
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.generators.text_to_image.restoration import ImageRestoration


def postprocessed(
    cache: ModelCache, image: "Tensor", settings: Mapping[str, Any]
) -> "list[tuple[str, Tensor]]":
    """An image before, and after each step of postprocessing.

    Args:
        cache: where the networks are.
        image: uint8 [C, H, W].
        settings: of PostProcessing, loose.

    Raises:
        InputError: a setting does not fit, or there is no network for this size.
    """
    from aigc_demo.data.images.pixels import to_float, to_uint8
    from aigc_demo.generators.text_to_image.postprocess import PostProcessing, post_processed
    from aigc_demo.nets.images.restoration import grey

    wanted = PostProcessing.from_mapping(settings)
    steps = [("made", image)]
    for name, after in post_processed(
        image[None], wanted, lambda recipe: restoration_for(cache, recipe, image.shape[-1])
    ):
        if name == COLORIZE:
            shades = to_uint8(grey(to_float(steps[-1][1][None])))
            steps.append(("grey", shades.expand(-1, 3, -1, -1)[0]))
        steps.append((name, after[0]))
    return steps


def restored(cache: ModelCache, image: "Tensor", hole: "Tensor") -> "list[tuple[str, Tensor]]":
    """An image, the same with the mask left out, and inpainted.

    Args:
        cache: where the network is.
        image: uint8 [C, H, W].
        hole: [H, W], true where it was painted over.

    Raises:
        InputError: nothing or everything was painted over, or there is no network for this size.
    """
    from aigc_demo.generators.text_to_image.postprocess import repaired

    whole = repaired(image, hole, restoration_for(cache, INPAINT, image.shape[-1]))
    return [("made", image), ("hole", image.masked_fill(hole, 128)), ("repaired", whole)]


def painted(mask: Any, size: int) -> "Tensor":
    """The mask that was painted in the browser, [H, W].

    Args:
        mask: base64 of a bit for each pixel, row by row, the first in each byte's highest place; "" for none.
        size: rows and columns.

    Raises:
        InputError: it is something else.
    """
    import numpy as np
    import torch

    expected = f"base64 of {size} by {size} bits"
    try:
        held = base64.b64decode(mask, validate=True) if mask else bytes(size * size // 8)
    except (binascii.Error, ValueError, TypeError):
        raise InputError("setting_type", name="mask", expected=expected, got=shown(mask)) from None
    if len(held) != size * size // 8:
        raise InputError("setting_type", name="mask", expected=expected, got=f"{len(held)} bytes")
    bits = np.unpackbits(np.frombuffer(held, dtype=np.uint8))
    return torch.from_numpy(bits.astype(bool)).view(size, size)


def restoration_for(cache: ModelCache, recipe: str, size: int) -> "ImageRestoration":
    """The restoration network of a recipe for images of this size.

    Raises:
        InputError: there is none.
    """
    name = _fitting(cache.catalog, recipe, size)
    if name is None:
        raise InputError("no_restoration_network", recipe=recipe, size=size)
    found: ImageRestoration = cache.get(name)
    return found


def words_in_image(
    cache: ModelCache, name: Any, caption: str, seed: int, truncation: float
) -> "tuple[list[str], Tensor] | None":
    """Cross-attention maps of the words of a caption.

    Args:
        cache: where the model is.
        name: of the model.
        caption: what was drawn.
        seed: of the image.
        truncation: that it was made with.

    Returns:
        "" for the caption as a whole and its words, and what each place took of each in each block
        [blocks, P, 1 + T]; None for a model that does not tell.

    Raises:
        InputError: there is no such model.
    """
    from aigc_demo.data.captions.pairs import caption_words

    model = cache.get(cache.catalog.checked(name, TEXT_TO_IMAGE))
    if not hasattr(model, "looks"):
        return None
    taken = model.looks(caption, seed, truncation)
    return ["", *caption_words(caption)], taken


def _fitting(catalog: Catalog, recipe: str, size: int) -> str | None:
    fitting = (
        choice.value
        for choice in catalog.choices(RESTORATION)
        if choice.entry.recipe == recipe and choice.entry.image_size == size
    )
    return next(fitting, None)
