"""Real images: training data, nearest neighbours, and a visitor's uploads."""

import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.data.sources import TINY_WORLD
from aigc_demo.generators.kinds import IMAGE_ENCODER, IMAGE_GENERATOR
from aigc_demo.studio.images.compare import MOST_IMAGES, gan
from aigc_demo.studio.models.catalog import Catalog, Choice
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.side_by_side import time_slice_for

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.data.images.corpus import ImageCorpus, ImageSettings

OF_A_RUN = ("image_size", "pictures", "num_pictures", "validation_fraction")


class TrainingImages:
    """Training images of models: the tiny world rendered again, or a visitor's upload.

    The last ones are kept, for a class asks of the same again and again.

    Args:
        catalog: whose models are asked about.
    """

    def __init__(self, catalog: Catalog):
        self._catalog = catalog
        self._lock = threading.Lock()
        self._kept: tuple[Any, ImageCorpus] | None = None

    def of(self, name: Any, upload: str | None = None) -> "ImageCorpus":
        """Those of a model.

        Args:
            name: of the model.
            upload: a zip file of images that the page's server has taken in; None for the tiny world.

        Raises:
            InputError: they are not at hand, or the file holds none that can be used.
        """
        choice = self._catalog.choice(self._catalog.checked(name, IMAGE_GENERATOR))
        if upload is None and not is_tiny_world(choice.entry):
            raise InputError("no_training_pictures", model=choice.value)
        settings = self.settings(choice)
        key = (settings, upload)
        with self._lock:  # two who ask at once wait for one drawing
            if self._kept is None or self._kept[0] != key:
                self._kept = None  # let go of the old ones before the new ones are there
                self._kept = key, _prepared(settings, upload)
            return self._kept[1]

    def at_hand(self, name: Any) -> bool:
        """Whether a model's training images are available here."""
        return is_tiny_world(self._catalog.choice(name).entry)

    def settings(self, choice: Choice) -> "ImageSettings":
        """How a model's training images were prepared, as far as its run says."""
        from aigc_demo.data.images.corpus import ImageSettings

        run = self._catalog.trained_by(choice.value)
        recorded = run.known_config().get("settings") if run is not None else None
        known = (
            {name: recorded[name] for name in OF_A_RUN if name in recorded}
            if isinstance(recorded, dict)
            else {}
        )
        try:
            return ImageSettings.from_mapping({"image_size": choice.entry.image_size or 32, **known})
        except InputError:  # an uploaded run may say anything
            raise InputError("no_training_pictures", model=choice.value) from None


def is_tiny_world(entry: Any) -> bool:
    """Whether a model was trained on the tiny world."""
    return entry.training_data == TINY_WORLD or entry.name.endswith(TINY_WORLD)


def _prepared(settings: "ImageSettings", upload: str | None) -> "ImageCorpus":
    from aigc_demo.data.images.corpus import prepare_images

    if upload is not None:
        return _unpacked(Path(upload), settings.image_size)
    return prepare_images(TINY_WORLD, settings)


def _unpacked(file: Path, image_size: int) -> "ImageCorpus":
    """The images of a zip file, all of them as training images; nothing of it stays on the disk."""
    from aigc_demo.data.images.corpus import ImageSettings, prepare_images
    from aigc_demo.data.images.zip_files import unpack_images

    settings = ImageSettings(image_size=image_size, validation_fraction=0)
    with tempfile.TemporaryDirectory() as folder:
        unpack_images(file, Path(folder) / "pictures")
        return prepare_images(str(Path(folder) / "pictures"), settings)


def nearest_training(images: "Tensor", corpus: "ImageCorpus") -> "tuple[Tensor, tuple[float, ...]]":
    """The nearest training image of each image, to see whether the model copied it.

    Args:
        images: uint8 [N, C, H, W].
        corpus: the training images.

    Returns:
        uint8 [N, C, H, W], and how far each is in grey levels (0: the same image).

    Raises:
        InputError: they have another size.
    """
    from aigc_demo.measure.image_distances import nearest

    check_same_size(images, corpus.train, corpus.name)
    index, distance = nearest(images, corpus.train)
    return corpus.train[index], tuple(distance.tolist())


def some_real(corpus: "ImageCorpus", count: int, seed: int) -> "Tensor":
    """A few real images uint8 [count, C, H, W], of those that no model learned from where there are any."""
    import torch

    from aigc_demo.core.device import seeded

    part = corpus.validation if len(corpus.validation) >= count else corpus.train
    chosen = torch.randperm(len(part), generator=seeded(seed))[:count]
    return part[chosen]


def discriminate(cache: ModelCache, name: Any, images: "Tensor") -> tuple[float, ...]:
    """How sure a GAN's discriminator is that each image is real, 0 to 1.

    Args:
        cache: where the model is, or is loaded to.
        name: of the GAN.
        images: uint8 [N, C, H, W].

    Raises:
        InputError: there is no such GAN, or the images have another size.
        DemoError: the model cannot be loaded.
    """
    model = gan(cache, name)
    side = images.shape[-1]
    if side != model.image_size:
        raise InputError("other_size", name=model.name, size=model.image_size, got=side)
    with time_slice_for(model, cache):
        return tuple(model.discriminate(images).tolist())


def check_same_size(images: "Tensor", others: "Tensor", name: str) -> None:
    """Raises InputError where images cannot be compared pixel by pixel."""
    if images.shape[1:] != others.shape[1:]:
        raise InputError("other_size", name=name, size=others.shape[-1], got=images.shape[-1])


def png_images(contents: Any, side: int) -> "Tensor":
    """A visitor's PNG images, decoded in a process of its own.

    Args:
        contents: 1 to 64 files' bytes; at most 16 megapixels each.
        side: what the middle square of each becomes.

    Returns:
        uint8 [N, 3, side, side], one for each file.

    Raises:
        InputError: there are none or too many, or one cannot be used.
        DemoError: the decoder cannot be started.
    """
    import torch

    from aigc_demo.data.images.image_files import ImageFile, read_images

    sound = isinstance(contents, (list, tuple)) and all(isinstance(part, bytes) for part in contents)
    if not sound or not 1 <= len(contents) <= MOST_IMAGES:
        expected = f"a list of 1 to {MOST_IMAGES} PNG pictures"
        raise InputError(
            "setting_type", name="pictures", expected=expected, got=shown(type(contents).__name__)
        )
    files = [ImageFile("picture.png", content) for content in contents]
    try:
        read = read_images(files, side, "pictures", formats=("PNG",))
    except InputError as error:
        raise InputError("not_png", detail=str(error.values.get("detail", error.key))) from None
    if read.skipped:
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(read.skipped.items()))
        raise InputError("not_png", detail=f"{read.skipped.total()} of {len(files)}: {why}")
    return torch.from_numpy(read.pixels)


def measuring_network(catalog: Catalog, corpus: "ImageCorpus", image_size: int) -> str:
    """The name of an image encoder for images of this size, of the catalog or a run.

    Raises:
        InputError: there is none for images of this kind and size.
    """
    same_size = [choice for choice in catalog.choices(IMAGE_ENCODER) if choice.entry.image_size == image_size]
    same = [choice for choice in same_size if choice.entry.data_sha256 == corpus.sha256]
    of_world = [choice for choice in same_size if is_tiny_world(choice.entry)]
    # What learned without labels looks at any image; what learned shapes by name sees only those.
    general = [choice for choice in same_size if not is_tiny_world(choice.entry)]
    fitting: Sequence[Choice] = same or (of_world if corpus.name == TINY_WORLD else []) or general
    if not fitting:
        raise InputError("no_encoder", size=image_size)
    return fitting[0].value
