"""One caption, images of it by several models at the same time, each ranked and checked.

All models are given the same caption and the same seeds. A dual encoder says how well each image fits the
caption, and beside it how well it fits another, if it can nearly the same: a score alone says nothing.
Of the tiny world, a checker that neither trained nor ranked anything reads the images.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.generators.kinds import ATTRIBUTE_READER, DUAL_ENCODER, TEXT_TO_IMAGE
from aigc_demo.generators.shipped import TINY_WORLD_READER
from aigc_demo.generators.text_to_image.model import SCHEDULERS, TextSampling
from aigc_demo.studio.images.compare import MOST_STEPS, ImageColumn, ImageWork
from aigc_demo.studio.models import gpu
from aigc_demo.studio.models.arguments import checked_prompt
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog, is_at_hand
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.side_by_side import Work, side_by_side

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.data.text.tokenizer import Tokenizer
    from aigc_demo.generators.images.model import Progress
    from aigc_demo.generators.text_to_image.clip_scores import ClipMatcher
    from aigc_demo.generators.text_to_image.matching import Matcher
    from aigc_demo.measure.attributes import Found, Verdict

MOST_CANDIDATES = 16
MOST_CHARACTERS = 300
# How many grey levels an image of the checker's world may differ from its drawing of the same: so many at
# most, and where it is not sure of everything fewer. Measured in docs/experiments.md.
MOST_UNLIKE, MOST_UNLIKE_UNSURE = 45.0, 22.0
SURE = 0.99
EVERYDAY = {
    "en": ("a cat", "a tree", "a car", "a house", "a fish", "a smiling face", "the moon", "a flag"),
    "zh": ("一只猫", "一棵树", "一辆汽车", "一座房子", "一条鱼", "一张笑脸", "月亮", "一面旗"),
}


@dataclass(frozen=True)
class TextToImageAsk(Settings):
    """Settings of a text-to-image request."""

    seed: int = setting(0, "of the first candidate; the others have the next ones", low=0, high=MAX_SEED)
    num_candidates: int = setting(8, "images to choose from", low=1, high=MOST_CANDIDATES)
    guidance_scale: float = setting(
        2.0, "how much more a diffusion model heeds the caption than without it", low=0, high=30
    )
    num_inference_steps: int = setting(
        20, "steps in which diffusion takes the noise away", low=1, high=MOST_STEPS
    )
    scheduler: str = setting("ddim", "how diffusion goes from step to step", choices=SCHEDULERS)
    truncation: float = setting(1.0, "how far from the mean image a GAN may go", low=0, high=1.5)

    @property
    def seeds(self) -> tuple[int, ...]:
        """One for each candidate; after the last seed there is comes the first."""
        return tuple((self.seed + place) % (MAX_SEED + 1) for place in range(self.num_candidates))

    @property
    def sampling(self) -> TextSampling:
        """What the models sample by."""
        return TextSampling.from_mapping(TextSampling.among(self.to_dict()))


@dataclass(frozen=True)
class TextToImageRequest:
    """A caption for several models, the arguments checked.

    Attributes:
        models: full names.
        caption: what is to be drawn.
        other: a caption to compare with.
        ask: of all models.
    """

    models: tuple[str, ...]
    caption: str
    other: str
    ask: TextToImageAsk


@dataclass(frozen=True, eq=False)
class TextToImageColumn(ImageColumn):
    """Output of one model so far: candidates, in the order of their seeds.

    Attributes:
        scores: how well each fits the caption, -1 to 1; None before the end, or where nobody can say.
        other_scores: how well each fits the other caption.
        verdicts: of each, what of the caption is right; None where there is nothing to check.
        found: what the checker reads on each; None for an image that is not of its world.
    """

    other_scores: tuple[float, ...] | None = None
    verdicts: "tuple[Verdict, ...] | None" = None
    found: "tuple[Found | None, ...] | None" = None

    @property
    def order(self) -> tuple[int, ...]:
        """Indices of the candidates, best score first; in the order of seeds where there are no scores."""
        places = range(0 if self.images is None else len(self.images))
        if self.scores is None or len(self.scores) != len(places):
            return tuple(places)
        return tuple(sorted(places, key=lambda place: -self.scores[place]))  # type: ignore[index]


def check_text_to_image(
    catalog: Catalog, models: Any, caption: Any, settings: Mapping[str, Any]
) -> TextToImageRequest:
    """Check everything that can be checked before a model is loaded.

    Args:
        catalog: what the names stand for.
        models: one to four names.
        caption: what is to be drawn.
        settings: of TextToImageAsk, loose.

    Raises:
        InputError: a model is unknown or makes something else, the caption says nothing or too much, or a
            setting does not fit.
    """
    names = catalog.checked_all(models, TEXT_TO_IMAGE)
    ask = TextToImageAsk.from_mapping(settings)
    text = checked_caption(caption)
    return TextToImageRequest(names, text, compared_with(text, ask.seed), ask)


def checked_caption(value: Any) -> str:
    """A caption, cleaned, without white space at its ends.

    Raises:
        InputError: it is no text, too long, or holds no word.
    """
    from aigc_demo.data.captions.pairs import caption_words

    text = checked_prompt("caption", value, MOST_CHARACTERS).strip()
    if not caption_words(text):
        raise InputError("caption_without_words")
    return text


def compared_with(caption: str, seed: int) -> str:
    """A contrasting caption, whose score puts the score of the first into proportion.

    Of one that is understood nearly the same, which differs in one respect; of any other one of everyday
    things, since its own words in another order say the same to a reader that does not heed order.

    Args:
        caption: in either language.
        seed: chooses.
    """
    from aigc_demo.data.captions.pairs import alter, caption_words
    from aigc_demo.data.tiny_world import caption as tiny_world

    rng = random.Random(seed)
    group = tiny_world.parse_caption(caption).group
    if group is not None:
        return tiny_world.caption(alter(group, rng), tiny_world.language_of(caption))
    known_words = set(caption_words(caption))
    others = [
        thing
        for thing in EVERYDAY[tiny_world.language_of(caption)]
        if caption_words(thing)[-1] not in known_words
    ]
    return rng.choice(others or EVERYDAY["en"])


def compare_text_to_image(
    request: TextToImageRequest, cache: ModelCache, stop: CancelToken
) -> Iterator[tuple[TextToImageColumn, ...]]:
    """Generate images of the caption with all models concurrently.

    Args:
        request: from `check_text_to_image`.
        cache: where the models are, or are loaded to.
        stop: set by Stop; also set here when the consumer goes away.

    Yields:
        All columns, at most ten times a second. A column that fails carries its error and leaves the others
        alone.
    """
    columns = [TextToImageColumn(name, "waiting", request.ask.seeds) for name in request.models]

    def worker(place: int, column: TextToImageColumn, report: Callable[[TextToImageColumn], None]) -> Work:
        return _TextToImageWork(request, column, cache, stop, report)

    yield from side_by_side(columns, worker, cache, stop)


def ranker_for(cache: ModelCache, model: Any) -> "Matcher | ClipMatcher | None":
    """The dual encoder that ranks a model's images: its own, or the one trained on the same pairs.

    Of a pretrained model's images the pretrained one, where it is on this machine already.
    """
    own: Matcher | None = getattr(model, "matcher", None)
    if own is not None:
        return own
    if getattr(model, "family", "") == "pretrained":
        there = [
            one
            for one in cache.catalog.choices(DUAL_ENCODER)
            if one.entry.family == "pretrained" and is_at_hand(one.entry)
        ]
        return cache.get(there[0].value) if there else None
    sha256 = cache.catalog.choice(model.name).entry.data_sha256
    same = [
        choice.value
        for choice in cache.catalog.choices(DUAL_ENCODER)
        if sha256 and choice.entry.data_sha256 == sha256 and choice.entry.image_size == model.image_size
    ]
    return cache.get(same[0]) if same else None


def read_by_checker(cache: ModelCache, images: "Tensor") -> "tuple[Found | None, ...] | None":
    """The checker's predictions for images; None where the model is not of the tiny world.

    Returns:
        None where there is no checker of this size.
    """
    from aigc_demo.measure.attributes import read_images

    known = {choice.value: choice for choice in cache.catalog.choices(ATTRIBUTE_READER)}
    if TINY_WORLD_READER not in known or known[TINY_WORLD_READER].entry.image_size != images.shape[-1]:
        return None
    found = read_images(cache.get(TINY_WORLD_READER), images)
    return tuple(one if _is_of_its_world(one) else None for one in found)


def _is_of_its_world(found: "Found") -> bool:
    return found.unlike <= (MOST_UNLIKE if found.confidence >= SURE else MOST_UNLIKE_UNSURE)


class _TextToImageWork(ImageWork):
    """The worker of a column of candidates."""

    def __init__(self, request: TextToImageRequest, *rest: Any):
        super().__init__(*rest)
        self.request = request

    def check(self, model: Any) -> None:
        check_known(model, self.request.caption)

    def generate(self, model: Any, on_step: "Progress") -> "Tensor":
        ask, texts = self.request.ask, (self.request.caption,) * len(self.request.ask.seeds)
        task = gpu.ImageTask(
            self.cache.catalog.choice(self.column.model).entry, texts, ask.seeds, ask.sampling
        )
        if self.asks_gpu(task):
            try:
                return gpu.draw(task, model, on_step)
            except DemoError as error:
                self.without_gpu(error)
        return model.make(texts, ask.seeds, ask.sampling, on_step)

    def results(self, model: Any, images: "Tensor") -> dict[str, Any]:
        """Scores of the dual encoder and verdicts of the checker."""
        from aigc_demo.data.tiny_world.caption import parse_caption
        from aigc_demo.measure.attributes import verdict

        known_words: dict[str, Any] = {}
        ranker = ranker_for(self.cache, model)
        if ranker is not None:
            scores = ranker.scores([self.request.caption, self.request.other], images).tolist()
            known_words |= {"scores": tuple(scores[0]), "other_scores": tuple(scores[1])}
        group = parse_caption(self.request.caption).group
        if group is None:
            return known_words
        found = read_by_checker(self.cache, images)
        if found is not None and all(one is not None for one in found):
            known_words["verdicts"] = tuple(verdict(group, one) for one in found if one is not None)
        return {**known_words, "found": found}


def learned_words(catalog: Catalog, models: Iterable[str], caption: str) -> frozenset[str]:
    """The words of a caption that at least one of these models has learned, in small letters.

    A model is not loaded for it: its list of words lies beside its weights. A pretrained one takes any word.

    Args:
        catalog: what the names stand for.
        models: full names.
        caption: in any language.
    """
    from aigc_demo.data.captions.pairs import caption_words, token_ids

    words, learned = caption_words(caption), set()
    for name in models:
        entry = catalog.choice(name).entry
        if entry.family == "pretrained":
            return frozenset(words)
        tokenizer = _tokenizer_of_model(entry.location, entry.recipe)
        if tokenizer is not None:
            learned |= {word for word in words if all(token_ids(tokenizer, word))}
    return frozenset(learned)


@lru_cache(maxsize=8)
def _tokenizer_of_model(location: str, recipe: str) -> "Tokenizer | None":
    from aigc_demo.data.text.tokenizer import Tokenizer
    from aigc_demo.generators.trained_folder import FOLDERS

    try:
        return Tokenizer.load(Path(location) / FOLDERS[recipe].tokenizer)
    except InputError:  # drawing will say what is wrong with it
        return None


def check_known(model: Any, caption: str) -> None:
    """Refuse a caption with no word in a model's vocabulary.

    Raises:
        InputError: it is one.
    """
    knows = getattr(model, "knows", None)
    if knows is not None and not knows(caption):
        raise InputError("no_known_words", model=model.name)
