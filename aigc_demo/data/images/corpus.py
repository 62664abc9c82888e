"""The preprocessing of images: read, resize, drop duplicates, split, augment.

Images are uint8 everywhere outside of networks; a network's inputs and outputs are float, from -1 to 1.
"""

import hashlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aigc_demo.core.config import Settings, setting, shown
from aigc_demo.core.errors import InputError
from aigc_demo.data.hub.tables import PREFIX, HubSource
from aigc_demo.data.images.image_files import ReadImages, read_folder
from aigc_demo.data.preparation import PreparationStep
from aigc_demo.data.sources import TINY_WORLD
from aigc_demo.data.tiny_world.image import (
    GROUPS,
    NUM_MODES,
    SCENES,
    caption,
    mode_name,
    mode_of,
    render,
    subjects,
)
from aigc_demo.data.tiny_world.scene import Thing

if TYPE_CHECKING:
    import torch
    from torch import Tensor

TINY_WORLD_SEED = 0
IMAGES = "pictures"  # unit in the report
IMAGE_KINDS = (*NUM_MODES, SCENES, GROUPS)
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: weights of red, green and blue in the luma


@dataclass(frozen=True)
class ImageSettings(Settings):
    """Source size, validation split and augmentation.

    Crop, flip and colour are off by default: flipping or recolouring may change the label, as in the tiny
    world, where colour is part of a mode and captions name left and right.
    """

    image_size: int = setting(32, "side of an image in pixels", choices=(32, 64))
    pictures: str = setting(
        "shapes",
        "subject of a tiny-world image: one shape, one thing, a scene, a few shapes",
        choices=IMAGE_KINDS,
    )
    num_pictures: int = setting(20_000, "number of tiny-world images", low=10, high=60_000)
    validation_fraction: float = setting(0.1, "share of the images kept for validation", low=0.0, high=0.9)
    crop: float = setting(0.0, "how far training images are shifted, as a share of the side", low=0, high=0.5)
    flip: bool = setting(False, "flip half of the training images horizontally")
    colour: float = setting(
        0.0, "how far brightness, contrast and saturation of training images vary", low=0, high=0.9
    )


@dataclass(frozen=True, eq=False)
class ImageCorpus:
    """A dataset of images, split for training and validation.

    Args:
        name: of the source.
        sha256: of the shape and pixels of all prepared images, before the split.
        train: [N, 3, S, S] uint8.
        validation: [M, 3, S, S] uint8; may be empty; no image is in both.
        train_labels: [N] int64, mode (tiny world) or class (subfolder), or None.
        validation_labels: [M] int64, or None.
        mode_names: by label; empty without labels.
        train_texts: N captions, "" where one is missing; or None.
        validation_texts: M captions, or None.
        report: one entry per step.
    """

    name: str
    sha256: str
    train: "Tensor"
    validation: "Tensor"
    train_labels: "Tensor | None"
    validation_labels: "Tensor | None"
    mode_names: tuple[str, ...]
    train_texts: tuple[str, ...] | None
    validation_texts: tuple[str, ...] | None
    report: tuple[PreparationStep, ...]

    @property
    def num_modes(self) -> int:
        """Number of labels; 0 for images without."""
        return len(self.mode_names)


@dataclass(frozen=True, eq=False)
class _RawImages:
    """Images before deduplication and split.

    Args:
        name: of the source.
        pixels: [N, 3, S, S] uint8.
        labels: [N] int64, or None.
        mode_names: by label.
        texts: N captions, or None.
        step: the report of reading.
    """

    name: str
    pixels: np.ndarray
    labels: np.ndarray | None
    mode_names: tuple[str, ...]
    texts: tuple[str, ...] | None
    step: PreparationStep


def prepare_images(source: str, settings: ImageSettings) -> ImageCorpus:
    """Read, deduplicate and split the images of a source.

    Args:
        source: "tiny-world", the path of a folder of images, or hf:owner/name[@commit][:config].
        settings: of the preprocessing.

    Raises:
        InputError: the source does not exist, has too many images, or none that can be used.
    """
    import torch  # imported late: the page needs only the settings

    raw = _read(source, settings)
    kept, digests = unique_images(raw.pixels)
    dropped = len(raw.pixels) - len(kept)
    train, validation = split(digests, settings.validation_fraction)
    parts = kept[train], kept[validation]
    sha256 = hashlib.sha256(str((len(kept), *raw.pixels.shape[1:])).encode())
    for place in kept:
        sha256.update(raw.pixels[place].tobytes())
    shares: dict[str, int | float | str] = {
        "train_pictures": len(train),
        "validation_pictures": len(validation),
    }
    report = (
        raw.step,
        PreparationStep("clean", len(kept), dropped, {"repeated": dropped}, IMAGES),
        PreparationStep("split", len(kept), 0, shares, IMAGES),
    )
    pixels = [torch.from_numpy(raw.pixels[part]) for part in parts]
    labels = [None if raw.labels is None else torch.from_numpy(raw.labels[part]) for part in parts]
    texts = [None if raw.texts is None else tuple(raw.texts[place] for place in part) for part in parts]
    return ImageCorpus(
        name=raw.name,
        sha256=sha256.hexdigest(),
        train=pixels[0],
        validation=pixels[1],
        train_labels=labels[0],
        validation_labels=labels[1],
        mode_names=raw.mode_names,
        train_texts=texts[0],
        validation_texts=texts[1],
        report=report,
    )


def unique_images(pixels: np.ndarray) -> tuple[np.ndarray, list[bytes]]:
    """Indices of the first occurrence of each distinct image, ascending, and their SHA-256 digests."""
    digests = [hashlib.sha256(image.tobytes()).digest() for image in pixels]
    kept = np.sort(np.unique(np.array(digests), return_index=True)[1])
    return kept, [digests[place] for place in kept]


def split(digests: Sequence[bytes], validation_fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Split images into training and validation by their content alone.

    Those with the smallest hashes are held out: the split does not depend on names or order of the files,
    and adding an image moves at most one other.

    Args:
        digests: of distinct images.
        validation_fraction: share of the second part, rounded down to whole images.

    Returns:
        Two ascending arrays of indices.
    """
    order = sorted(range(len(digests)), key=digests.__getitem__)
    num_held = int(validation_fraction * len(digests))
    return np.array(sorted(order[num_held:]), dtype=int), np.array(sorted(order[:num_held]), dtype=int)


def augment(x_BCHW: "Tensor", settings: ImageSettings, rng: "torch.Generator") -> "Tensor":  # noqa: N803
    """Augment training images; an augmentation that is off uses no random numbers.

    Args:
        x_BCHW: uint8, B images of C channels, height H and width W.
        settings: crop, flip and colour.
        rng: on the CPU.

    Returns:
        uint8, the same shape; the argument itself where everything is off.
    """
    if settings.crop:
        x_BCHW = _shift(x_BCHW, settings.crop, rng)  # noqa: N806
    if settings.flip:
        x_BCHW = _flip(x_BCHW, rng)  # noqa: N806
    if settings.colour:
        x_BCHW = _jitter_colour(x_BCHW, settings.colour, rng)  # noqa: N806
    return x_BCHW


def _shift(x: "Tensor", share: float, rng: "torch.Generator") -> "Tensor":
    """Shift each image by whole pixels, up to a share of its side; edge pixels fill the gap."""
    import torch

    num, channels, height, width = x.shape
    for axis, length in ((2, height), (3, width)):
        most = round(share * length)
        shift = torch.randint(-most, most + 1, (num, 1), generator=rng)
        taken = (torch.arange(length) + shift).clamp(0, length - 1).to(x.device)
        index = taken[:, None, :, None] if axis == 2 else taken[:, None, None, :]
        x = x.gather(axis, index.expand(num, channels, height, width))
    return x


def _flip(x: "Tensor", rng: "torch.Generator") -> "Tensor":
    """Flip each image horizontally with probability 1/2."""
    import torch

    chosen = torch.rand(len(x), 1, 1, 1, generator=rng) < 0.5
    return torch.where(chosen.to(x.device), x.flip(3), x)


def _jitter_colour(x: "Tensor", strength: float, rng: "torch.Generator") -> "Tensor":
    """Scale brightness, contrast and saturation of each image by uniform factors from 1 +- strength."""
    import torch

    factors = 1 + strength * (2 * torch.rand(3, len(x), 1, 1, 1, generator=rng) - 1)
    brightness, contrast, saturation = factors.to(x.device)
    luma = torch.tensor(LUMA, device=x.device)[:, None, None]
    bright = x.float() * brightness
    mean = (bright * luma).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    contrasted = mean + (bright - mean) * contrast
    grey = (contrasted * luma).sum(1, keepdim=True)
    return (grey + (contrasted - grey) * saturation).round().clamp(0, 255).to(torch.uint8)


def _read(source: str, settings: ImageSettings) -> _RawImages:
    if source == TINY_WORLD:
        return _render(settings.pictures, settings.image_size, settings.num_pictures)
    if source.startswith(PREFIX):
        from aigc_demo.data.hub.images import read_hub_images

        return _with_labels(source, read_hub_images(HubSource.parse(source), settings.image_size))
    try:
        is_folder = Path(source).is_dir()
    except (OSError, ValueError):
        is_folder = False
    if not source or not is_folder:
        raise InputError("no_picture_folder", path=shown(source) or '""')
    path = Path(source)
    return _with_labels(shown(path.resolve().name), read_folder(path, settings.image_size))


@lru_cache(maxsize=1)
def _render(kind: str, size: int, count: int) -> _RawImages:
    """Images of the tiny world; deterministic."""
    rng = random.Random(TINY_WORLD_SEED)
    pixels = np.empty((count, 3, size, size), np.uint8)
    labels = np.zeros(count, np.int64)
    texts = []
    for place, subject in enumerate(itertools.islice(subjects(kind, rng), count)):
        pixels[place] = np.asarray(render(subject, size, rng)).transpose(2, 0, 1)
        labels[place] = mode_of(subject) if isinstance(subject, Thing) else -1
        texts.append(caption(subject))
    names = tuple(mode_name(mode) for mode in range(NUM_MODES.get(kind, 0)))
    step = PreparationStep("read", count, 0, {"image_size": size, "modes": len(names)}, IMAGES)
    return _RawImages(TINY_WORLD, pixels, labels if names else None, names, tuple(texts), step)


def _with_labels(name: str, read: ReadImages) -> _RawImages:
    """Images of files; they have labels where every image has a class and there are at least two."""
    names = tuple(sorted({label for label in read.labels if label is not None}))
    has_labels = len(names) > 1 and None not in read.labels
    numbers = {label: number for number, label in enumerate(names)}
    labels = np.array([numbers[label] for label in read.labels if label is not None], np.int64)
    has_texts = any(text is not None for text in read.texts)
    facts: dict[str, int | float | str] = {
        "image_size": read.pixels.shape[-1],
        "bytes": read.num_bytes,
        "without_text": sum(not text for text in read.texts) if has_texts else 0,
        **{f"skipped_{reason}": count for reason, count in sorted(read.skipped.items())},
        **dict(sorted(read.properties.items())),
        **read.metadata,
    }
    return _RawImages(
        name=name,
        pixels=read.pixels,
        labels=labels if has_labels else None,
        mode_names=names if has_labels else (),
        texts=tuple(text or "" for text in read.texts) if has_texts else None,
        step=PreparationStep("read", len(read.pixels), read.skipped.total(), facts, IMAGES),
    )
