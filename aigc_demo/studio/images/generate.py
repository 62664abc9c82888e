"""Images by one model, for the command line and evaluation."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_demo.core.files.atomic import atomic_path, check_place

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GeneratedImages:
    """Images and how long they took.

    Attributes:
        images: uint8 [N, C, H, W].
        seeds: of each.
        seconds: for all, without loading the model.
    """

    images: "Tensor"
    seeds: tuple[int, ...]
    seconds: float


def generate_images(
    model: str, *, seeds: Sequence[int], settings: Mapping[str, Any], caption: str = ""
) -> GeneratedImages:
    """One image for each seed.

    Args:
        model: a name that the catalog finds, hf: names included.
        seeds: of the noise.
        settings: of `ImageSampling`, or of `TextSampling` for a model that draws captions.
        caption: what such a model is to draw; the others have no use for it.

    Raises:
        DemoError: the model cannot be had, a setting does not fit, or the caption says nothing.
    """
    from aigc_demo.core.device import set_threads
    from aigc_demo.generators.catalog import find
    from aigc_demo.generators.kinds import KINDS, check_kind
    from aigc_demo.studio.text_to_image.compare import check_known, checked_caption

    entry = find(model, allow_hub=True)
    set_threads()
    row = KINDS[entry.kind]
    check_kind(entry.name, entry.kind, *(kind for kind, one in KINDS.items() if one.makes_images))
    sampling = row.sampling_of(settings)
    texts = [checked_caption(caption)] * len(seeds) if row.takes_captions else None
    loaded = row.loader()(entry)
    if texts is not None:
        check_known(loaded, texts[0])
    started = time.perf_counter()
    images = loaded.make(seeds, sampling) if texts is None else loaded.make(texts, seeds, sampling)
    return GeneratedImages(images, tuple(seeds), round(time.perf_counter() - started, 4))


def write_images(drawn: GeneratedImages, out: Path) -> list[Path]:
    """Each image as a PNG: one under this very name, several with their seed before its ending.

    Raises:
        DemoError: the disk does not take them; then none of them is there.
    """
    from PIL import Image

    if len(drawn.seeds) == 1:
        files = [out]
    else:
        files = [out.with_name(f"{out.stem}-{seed}{out.suffix or '.png'}") for seed in drawn.seeds]
    for file in files:
        check_place(file)
    with contextlib.ExitStack() as beside:
        for image, file in zip(drawn.images, files, strict=True):
            place = beside.enter_context(atomic_path(file))
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(place, format="PNG")
    return files
