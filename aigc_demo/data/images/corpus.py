"""The preprocessing of a network of pictures: read, resize, drop what is there twice, split, augment.

Pictures are bytes (uint8) on disk and between rooms; only inside a network are they numbers from -1 to 1.
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
    draw,
    mode_name,
    mode_of,
    subjects,
)
from aigc_demo.data.tiny_world.scene import Thing

if TYPE_CHECKING:
    import torch
    from torch import Tensor

TINY_WORLD_SEED = 0
PICTURES = "pictures"  # what the report counts
IMAGE_KINDS = (*NUM_MODES, SCENES, GROUPS)
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: how bright red, green and blue are


@dataclass(frozen=True)
class ImageSettings(Settings):
    """Which pictures, how many are held out, and how those for training are varied.

    Crop, flip and colour are off by default: a mirrored or recoloured thing may be another one, as in the
    tiny world, where colour is part of a mode and left is not right.
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
    """Pictures that a network can be trained on.

    Args:
        name: what they are called.
        sha256: of the size and all pictures as they were prepared, before the split.
        train: [N, 3, S, S] uint8.
        validation: [M, 3, S, S] uint8; may be empty; no picture is in both.
        train_labels: [N] int64, which mode (tiny world) or class (subfolder) a picture shows, or None.
        validation_labels: [M] int64, or None.
        mode_names: what the labels mean; empty where there are none.
        train_texts: N captions, "" where one is missing; or None.
        validation_texts: M captions, or None.
        report: what every step kept and dropped.
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
        """How many labels there are; 0 where pictures have none."""
        return len(self.mode_names)


@dataclass(frozen=True, eq=False)
class _Read:
    """Pictures before they are cleaned and split.

    Args:
        name: what they are called.
        pixels: [N, 3, S, S] uint8.
        labels: [N] int64, or None.
        mode_names: what the labels mean.
        texts: N captions, or None.
        step: what was read and what was skipped.
    """

    name: str
    pixels: np.ndarray
    labels: np.ndarray | None
    mode_names: tuple[str, ...]
    texts: tuple[str, ...] | None
    step: PreparationStep


def prepare_images(source: str, settings: ImageSettings) -> ImageCorpus:
    """Everything between a source and the bytes that a network is trained on.

    Args:
        source: "tiny-world", the path of a folder of pictures, or hf:owner/name[@commit][:config].
        settings: how to prepare them.

    Raises:
        InputError: there is no such source, or it holds too many pictures, or none that can be used.
    """
    import torch  # here: whoever only wants the settings, as a page does, does not wait for it

    read = _read(source, settings)
    kept, digests = unique_images(read.pixels)
    dropped = len(read.pixels) - len(kept)
    train, validation = split(digests, settings.validation_fraction)
    parts = kept[train], kept[validation]
    sha256 = hashlib.sha256(str((len(kept), *read.pixels.shape[1:])).encode())
    for place in kept:
        sha256.update(read.pixels[place].tobytes())
    shares: dict[str, int | float | str] = {
        "train_pictures": len(train),
        "validation_pictures": len(validation),
    }
    report = (
        read.step,
        PreparationStep("clean", len(kept), dropped, {"repeated": dropped}, PICTURES),
        PreparationStep("split", len(kept), 0, shares, PICTURES),
    )
    pixels = [torch.from_numpy(read.pixels[part]) for part in parts]
    labels = [None if read.labels is None else torch.from_numpy(read.labels[part]) for part in parts]
    texts = [None if read.texts is None else tuple(read.texts[place] for place in part) for part in parts]
    return ImageCorpus(
        name=read.name,
        sha256=sha256.hexdigest(),
        train=pixels[0],
        validation=pixels[1],
        train_labels=labels[0],
        validation_labels=labels[1],
        mode_names=read.mode_names,
        train_texts=texts[0],
        validation_texts=texts[1],
        report=report,
    )


def unique_images(pixels: np.ndarray) -> tuple[np.ndarray, list[bytes]]:
    """Where each different picture is met first, in ascending order, and the hashes of these."""
    digests = [hashlib.sha256(picture.tobytes()).digest() for picture in pixels]
    kept = np.sort(np.unique(np.array(digests), return_index=True)[1])
    return kept, [digests[place] for place in kept]


def split(digests: Sequence[bytes], validation_fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Which pictures to train on and which to validate on, by their content alone.

    Those with the smallest hashes are held out: however the files are named and ordered, the same pictures
    are, and a picture that is added moves at most one other.

    Args:
        digests: of pictures that all differ.
        validation_fraction: share of the second part, rounded down to whole pictures.

    Returns:
        Two ascending arrays of positions.
    """
    order = sorted(range(len(digests)), key=digests.__getitem__)
    num_held = int(validation_fraction * len(digests))
    return np.array(sorted(order[num_held:]), dtype=int), np.array(sorted(order[:num_held]), dtype=int)


def augment(x_BCHW: "Tensor", settings: ImageSettings, rng: "torch.Generator") -> "Tensor":  # noqa: N803
    """Vary training pictures as the settings say; those that are switched off cost no random numbers.

    Args:
        x_BCHW: uint8, B pictures of C channels, H high and W wide.
        settings: crop, flip and colour.
        rng: on the CPU.

    Returns:
        uint8, the same shape; the argument itself where everything is switched off.
    """
    if settings.crop:
        x_BCHW = _moved(x_BCHW, settings.crop, rng)  # noqa: N806
    if settings.flip:
        x_BCHW = _flipped(x_BCHW, rng)  # noqa: N806
    if settings.colour:
        x_BCHW = _recoloured(x_BCHW, settings.colour, rng)  # noqa: N806
    return x_BCHW


def _moved(x: "Tensor", share: float, rng: "torch.Generator") -> "Tensor":
    """Each picture moved by whole pixels, up to a share of its side; its edge fills the gap."""
    import torch

    num, channels, height, width = x.shape
    for axis, length in ((2, height), (3, width)):
        most = round(share * length)
        shift = torch.randint(-most, most + 1, (num, 1), generator=rng)
        taken = (torch.arange(length) + shift).clamp(0, length - 1).to(x.device)
        index = taken[:, None, :, None] if axis == 2 else taken[:, None, None, :]
        x = x.gather(axis, index.expand(num, channels, height, width))
    return x


def _flipped(x: "Tensor", rng: "torch.Generator") -> "Tensor":
    """Half of the pictures, left and right exchanged."""
    import torch

    chosen = torch.rand(len(x), 1, 1, 1, generator=rng) < 0.5
    return torch.where(chosen.to(x.device), x.flip(3), x)


def _recoloured(x: "Tensor", strength: float, rng: "torch.Generator") -> "Tensor":
    """Brightness, contrast and saturation of each picture, each times 1 - strength to 1 + strength."""
    import torch

    drawn = 1 + strength * (2 * torch.rand(3, len(x), 1, 1, 1, generator=rng) - 1)
    brightness, contrast, saturation = drawn.to(x.device)
    luma = torch.tensor(LUMA, device=x.device)[:, None, None]
    bright = x.float() * brightness
    mean = (bright * luma).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    contrasted = mean + (bright - mean) * contrast
    grey = (contrasted * luma).sum(1, keepdim=True)
    return (grey + (contrasted - grey) * saturation).round().clamp(0, 255).to(torch.uint8)


def _read(source: str, settings: ImageSettings) -> _Read:
    if source == TINY_WORLD:
        return _drawn(settings.pictures, settings.image_size, settings.num_pictures)
    if source.startswith(PREFIX):
        from aigc_demo.data.hub.images import read_hub_images

        return _found(source, read_hub_images(HubSource.parse(source), settings.image_size))
    try:
        is_folder = Path(source).is_dir()
    except (OSError, ValueError):
        is_folder = False
    if not source or not is_folder:
        raise InputError("no_picture_folder", path=shown(source) or '""')
    path = Path(source)
    return _found(shown(path.resolve().name), read_folder(path, settings.image_size))


@lru_cache(maxsize=1)
def _drawn(pictures: str, size: int, count: int) -> _Read:
    """x; always the same."""
    rng = random.Random(TINY_WORLD_SEED)
    pixels = np.empty((count, 3, size, size), np.uint8)
    labels = np.zeros(count, np.int64)
    texts = []
    for place, subject in enumerate(itertools.islice(subjects(pictures, rng), count)):
        pixels[place] = np.asarray(draw(subject, size, rng)).transpose(2, 0, 1)
        labels[place] = mode_of(subject) if isinstance(subject, Thing) else -1
        texts.append(caption(subject))
    names = tuple(mode_name(mode) for mode in range(NUM_MODES.get(pictures, 0)))
    step = PreparationStep("read", count, 0, {"image_size": size, "modes": len(names)}, PICTURES)
    return _Read(TINY_WORLD, pixels, labels if names else None, names, tuple(texts), step)


def _found(name: str, read: ReadImages) -> _Read:
    """Pictures of files, with numbers for their classes where every picture has one and they differ."""
    names = tuple(sorted({label for label in read.labels if label is not None}))
    classed = len(names) > 1 and None not in read.labels
    numbers = {label: number for number, label in enumerate(names)}
    labels = np.array([numbers[label] for label in read.labels if label is not None], np.int64)
    described = any(text is not None for text in read.texts)
    facts: dict[str, int | float | str] = {
        "image_size": read.pixels.shape[-1],
        "bytes": read.num_bytes,
        "without_text": sum(not text for text in read.texts) if described else 0,
        **{f"skipped_{reason}": count for reason, count in sorted(read.skipped.items())},
        **dict(sorted(read.noticed.items())),
        **read.told,
    }
    return _Read(
        name=name,
        pixels=read.pixels,
        labels=labels if classed else None,
        mode_names=names if classed else (),
        texts=tuple(text or "" for text in read.texts) if described else None,
        step=PreparationStep("read", len(read.pixels), read.skipped.total(), facts, PICTURES),
    )
