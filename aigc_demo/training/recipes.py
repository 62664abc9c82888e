"""What can be trained: a row for each recipe, in the order in which a page offers them; no torch."""

from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.training.attributes import recipe as attributes
from aigc_demo.training.classifier import recipe as classifier
from aigc_demo.training.contrastive import recipe as contrastive
from aigc_demo.training.diffusion import recipe as diffusion
from aigc_demo.training.gan import recipe as gan
from aigc_demo.training.language_model import recipe as language_model
from aigc_demo.training.masked_language_model import recipe as masked_language_model
from aigc_demo.training.recipe import Recipe
from aigc_demo.training.restoration import recipe as restoration
from aigc_demo.training.seq2seq import recipe as seq2seq
from aigc_demo.training.text_diffusion import recipe as text_diffusion
from aigc_demo.training.text_to_image import recipe as text_to_image

RECIPES: dict[str, Recipe] = {
    **language_model.ROWS,
    **masked_language_model.ROWS,
    **seq2seq.ROWS,
    **gan.ROWS,
    **diffusion.ROWS,
    **classifier.ROWS,
    **contrastive.ROWS,
    **text_to_image.ROWS,
    **text_diffusion.ROWS,
    **restoration.ROWS,
    **attributes.ROWS,
}


def recipe_named(name: Any) -> Recipe:
    """The row of that name.

    Raises:
        InputError: there is none.
    """
    if not isinstance(name, str) or name not in RECIPES:
        raise InputError("unknown_recipe", name=shown(name), known=", ".join(RECIPES))
    return RECIPES[name]


def starting_recipes(name: Any) -> tuple[str, ...]:
    """The recipes whose models a run of this recipe can start from, its own first.

    Raises:
        InputError: there is no such recipe.
    """
    return (name, *recipe_named(name).starts_from)
