"""Loads image models and image encoders by name."""

from collections.abc import Callable

from aigc_demo.generators.catalog import find
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.hub import folder_of
from aigc_demo.generators.images.model import ImageModel
from aigc_demo.generators.kinds import IMAGE_ENCODER, IMAGE_GENERATOR, check_kind
from aigc_demo.generators.network_folder import loaded
from aigc_demo.generators.trained_folder import trained_loader
from aigc_demo.nets.images.image_encoder import ImageEncoder, ImageEncoderConfig


def load_image_model(
    name_or_entry: str | CatalogEntry,
    *,
    allow_hub: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> ImageModel:
    """An image model by name.

    Args:
        name_or_entry: what `catalog.find` takes, or what it gave.
        allow_hub: whether hf:owner/name@commit is taken.
        progress: called with (bytes fetched, bytes in all) where it comes over the network.

    Raises:
        InputError: there is no such model, or its folder is broken or holds another kind.
        DemoError: it is pretrained, and neither on this machine nor can the Hub be reached.
    """
    entry = find(name_or_entry, allow_hub=allow_hub) if isinstance(name_or_entry, str) else name_or_entry
    check_kind(entry.name, entry.kind, IMAGE_GENERATOR)
    if load := trained_loader(entry):
        trained: ImageModel = load(entry)
        return trained
    # diffusers takes seconds to import, and our own models need nothing of it.
    from aigc_demo.generators.images.diffusion import load_diffusion

    return load_diffusion(entry, progress)


def load_encoder(
    name_or_entry: str | CatalogEntry, progress: Callable[[int, int], None] | None = None
) -> ImageEncoder:
    """An image encoder by name, in evaluation mode.

    Args:
        name_or_entry: what `catalog.find` takes, or what it gave.
        progress: called with (bytes fetched, bytes in all) where it comes over the network.

    Raises:
        InputError: there is no such model, or its folder is broken or holds another kind.
    """
    return loaded(ImageEncoder, ImageEncoderConfig, folder_of(name_or_entry, IMAGE_ENCODER, progress))
