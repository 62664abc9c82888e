"""What a visitor of the page may order: a recipe, the built-in source or data, a budget, settings.

The command line takes any size. A page is shared, so here the sizes have ends, and a source is never a
path or an address.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aigc_demo.core.config import as_argument, shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.data.images.zip_files import MAX_ZIP_BYTES
from aigc_demo.data.sources import IMAGES, TEXT, TINY_WORLD, check_content, load_text
from aigc_demo.generators.kinds import DUAL_ENCODER
from aigc_demo.studio.models.arguments import check_number, checked_text
from aigc_demo.training.recipes import recipe_named
from aigc_demo.training.settings import Budget
from aigc_demo.training.text_to_image.recipe import OWN_GUIDE

MAX_TEXT_BYTES = 5 * 2**20
MAX_SETTING_CHARACTERS = 500
# Settings that name a model, and its kind; on a page a path is no name, since it would tell what lies there.
NAMES_A_MODEL = {"guide": DUAL_ENCODER}
MAX_MINUTES, MAX_STEPS = 24 * 60, 20_000  # a host gives less (`limits`)
# The largest a visitor may ask for; where the setting itself allows less, that holds.
MOST: dict[str, int] = {
    "num_layers": 12,
    "num_heads": 16,
    "hidden_size": 512,
    "mlp_size": 2048,
    "context_length": 512,
    "batch_size": 128,
    "vocab_size": 20_000,
    "validation_windows": 512,
    "sample_tokens": 400,
    "sample_prompt": 500,
    "num_features": 128,
    "width": 64,
    "latent_size": 256,
    "style_size": 256,
    "num_mapping_layers": 8,
    "num_pictures": 20_000,
    "discriminator_steps": 5,
    "sample_pictures": 64,
    "choices": 16,
    "reading_layers": 12,
    "wrong_captions": 16,
}


@dataclass(frozen=True)
class RunOrder:
    """An order, checked when it is made.

    Args:
        recipe: what to train.
        text: the visitor's own, for a recipe that learns from text.
        images: a zip file of the visitor's own, for one that learns from images. Without either it is the
            tiny world.
        minutes: how long; or
        steps: how many.
        seed: of everything random.
        settings: by name; the recipe's small ones where nothing is said, less those that `init` brings.
        init: what `--init` is given (`Catalog.starting_point`); None to start from nothing.

    Raises:
        InputError: something of it does not fit, or is more than a page gives.
    """

    recipe: str
    text: bytes | None = None
    images: Path | None = None
    minutes: float | None = None
    steps: int | None = None
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    init: str | None = None

    def __post_init__(self) -> None:
        recipe = recipe_named(shown(self.recipe))
        check_number("seed", self.seed, 0, MAX_SEED, whole=True)
        if self.minutes is not None:
            check_number("minutes", self.minutes, 0.05, MAX_MINUTES)
        if self.steps is not None:
            check_number("steps", self.steps, 1, MAX_STEPS, whole=True)
        Budget(steps=self.steps, minutes=self.minutes)
        for kind, given in ((TEXT, self.text), (IMAGES, self.images)):
            if given is not None and kind != recipe.learns_from:
                raise InputError("setting_type", name="data", expected=recipe.learns_from, got=kind)
        complete = recipe.complete(self._given())
        for name, value in self._given().items():
            if isinstance(value, str):
                _check_text(name, value)
        for name, most in MOST.items():
            value = getattr(complete, name, None)
            size = len(value) if isinstance(value, str) else value
            if size is not None and size > most:
                raise InputError("setting_range", name=name, expected=f"at most {most}", got=shown(value))
        size, heads = (getattr(complete, name, 0) for name in ("hidden_size", "num_heads"))
        if heads and size % heads:
            raise InputError("heads_do_not_divide", hidden_size=size, num_heads=heads)

    def _given(self) -> dict[str, Any]:
        recipe = recipe_named(self.recipe)
        own = recipe.shape if self.init else ()
        small = {name: value for name, value in recipe.small.items() if name not in own}
        return {**small, **self.settings}

    def words(self) -> dict[str, Any]:
        """The arguments of `RunQueue.order`."""
        settings = self._given()
        budget = ("--steps", str(int(self.steps))) if self.steps else ("--minutes", f"{self.minutes:g}")
        return {
            "recipe": self.recipe,
            "source": TINY_WORLD,
            "text": self.text,
            "images": self.images,
            "budget": budget,
            "seed": int(self.seed),
            "init": self.init,
            "settings": [f"{name}={as_argument(value)}" for name, value in settings.items()],
        }


def _check_text(name: str, value: str) -> None:
    """Refuse a text that no process can be started with, and a model that is not everybody's.

    Raises:
        InputError: it is one.
    """
    checked_text(name, value, MOST.get(name, MAX_SETTING_CHARACTERS))
    if "\0" in value:
        raise InputError(
            "setting_type", name=name, expected="text without the character NUL", got=shown(value)
        )
    if name in NAMES_A_MODEL:
        from aigc_demo.generators.catalog import listed

        known = [entry.name for entry in listed().values() if entry.kind == NAMES_A_MODEL[name]]
        if value not in (OWN_GUIDE, *known):
            raise InputError("unknown_model", name=shown(value))


def checked_upload(path: str | None) -> bytes | None:
    """A text that was uploaded, as it is, after the look that a source gets.

    Raises:
        InputError: there is none, or it is too large, empty, or not text in UTF-8.
    """
    if path is None:
        return None
    size = _size_of_upload(path)
    if size > MAX_TEXT_BYTES:
        name = shown(Path(path).name)
        raise InputError("too_large", name=name, got=f"{size / 2**20:.1f}", limit=MAX_TEXT_BYTES // 2**20)
    load_text(str(Path(path)))
    return Path(path).read_bytes()


def checked_images(path: str | None) -> Path | None:
    """An uploaded zip file of images; what is in it is looked at where it is unpacked.

    Raises:
        InputError: it is too large.
    """
    if path is None:
        return None
    size = _size_of_upload(path)
    if size > MAX_ZIP_BYTES:
        name = shown(Path(path).name)
        raise InputError("too_large", name=name, got=f"{size / 2**20:.1f}", limit=MAX_ZIP_BYTES // 2**20)
    return Path(path)


def _size_of_upload(path: str) -> int:
    """Bytes of a file that was uploaded.

    Raises:
        InputError: it is no longer there: uploads are kept for an hour.
    """
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        raise InputError("upload_gone") from None


def checked_text_bytes(text: object) -> bytes:
    """A text that came as such, in UTF-8, after the same look.

    Raises:
        InputError: it is no text, or is too large, or empty.
    """
    if not isinstance(text, str):
        raise InputError("setting_type", name="text", expected="text", got=shown(text))
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise InputError("text_not_unicode", name="text") from None
    if len(content) > MAX_TEXT_BYTES:
        size = f"{len(content) / 2**20:.1f}"
        raise InputError("too_large", name="text", got=size, limit=MAX_TEXT_BYTES // 2**20)
    check_content(text, "text")
    return content
