"""Image-caption pairs, the training data of dual encoders and text-to-image models.

From the tiny world: groups of shapes with captions in two languages. Certain combinations of colour, shape
and size are excluded from training, and every validation image shows at least one of them. From a folder or a
dataset on the Hub: its images and captions.
"""

import hashlib
import itertools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import setting
from aigc_demo.data.captions.metadata import no_captions
from aigc_demo.data.images.corpus import IMAGES, ImageCorpus, ImageSettings, prepare_images
from aigc_demo.data.preparation import PreparationStep
from aigc_demo.data.sources import TINY_WORLD
from aigc_demo.data.text.tokenizer import Tokenizer, train_tokenizer
from aigc_demo.data.tiny_world.caption import LANGUAGES, caption
from aigc_demo.data.tiny_world.group import NUM_HELD_OUT, Group, are_distinct, groups, is_held_out, meaning
from aigc_demo.data.tiny_world.image import render_groups
from aigc_demo.data.tiny_world.scene import COLOURS, SHAPES, SIZES, WEATHERS

if TYPE_CHECKING:
    from torch import Generator, Tensor

SEED = 0
ATTRIBUTES = ("kind", "colour", "size")
# English words and numbers, and single Chinese characters.
WORD = re.compile(r"[^\W\u3400-\u9fff_]+(?:['’-][^\W\u3400-\u9fff_]+)*|[\u3400-\u9fff]")
MOST_WORDS = 100_000
LONGEST = 48  # tokens of a caption; the rest is truncated


@dataclass(frozen=True)
class PairSettings(ImageSettings):
    """Preprocessing of image-caption pairs."""

    image_size: int = setting(64, "side of an image in pixels", choices=(32, 64))
    phrasings: int = setting(2, "captions of a tiny-world image in each language", low=1, high=8)


@dataclass(frozen=True, eq=False)
class PairCorpus(ImageCorpus):
    """Images with captions.

    Args:
        train_captions: all captions of each training image.
        validation_captions: all captions of each validation image.
        train_wrong: hard negatives of each training image: captions of a slightly different image; empty
            outside the tiny world.
        train_meanings: ids, equal for images with the same captions.
        validation_meanings: the same for validation images.
        validation_groups: content of the validation images; empty outside the tiny world.
    """

    train_captions: tuple[tuple[str, ...], ...] = ()
    validation_captions: tuple[tuple[str, ...], ...] = ()
    train_wrong: tuple[tuple[str, ...], ...] = ()
    train_meanings: tuple[int, ...] = ()
    validation_meanings: tuple[int, ...] = ()
    validation_groups: tuple[Group, ...] = ()


def prepare_pairs(source: str, settings: PairSettings) -> PairCorpus:
    """Read and split the image-caption pairs of a source.

    Args:
        source: "tiny-world", the path of a folder with captions, or hf:owner/name[@commit][:config].
        settings: of the preprocessing.

    Raises:
        InputError: the source does not exist, or its images have no captions.
    """
    if source == TINY_WORLD:
        return _render(
            settings.image_size, settings.num_pictures, settings.validation_fraction, settings.phrasings
        )
    return _with_captions(prepare_images(source, settings), source)


def caption_words(text: str) -> list[str]:
    """The words of a caption: lower case, without punctuation."""
    return WORD.findall(text.lower())


def caption_tokenizer(captions: Sequence[Sequence[str]]) -> Tokenizer:
    """A word-level tokenizer for captions; words that occur only once are included.

    Many captions differ only in such a word.
    """
    every = (_spaced(text) for texts in captions for text in texts)
    return train_tokenizer("".join(every), "words", vocab_size=MOST_WORDS)


def token_ids(tokenizer: Tokenizer, text: str, length: int = LONGEST) -> list[int]:
    """A caption's token ids, one per word, truncated to `length`; 0 for unknown words."""
    return tokenizer.encode(_spaced(text))[:length]


def token_table(tokenizer: Tokenizer, captions: Sequence[Sequence[str]], length: int = LONGEST) -> "Tensor":
    """Token ids of all captions of all images, [N, P, T] int64, padded with 0.

    Args:
        tokenizer: of captions.
        captions: P captions for each of N images.
        length: T.
    """
    import torch

    table = torch.zeros(len(captions), len(captions[0]) if captions else 0, length, dtype=torch.int64)
    for row, texts in enumerate(captions):
        for place, text in enumerate(texts):
            ids = token_ids(tokenizer, text, length)
            table[row, place, : len(ids)] = torch.tensor(ids, dtype=torch.int64)
    return table


def random_captions(table: "Tensor", rng: "Generator") -> "Tensor":
    """Sample one caption per image: token ids [N, P, T] to [N, T]."""
    import torch

    num_pictures, num_captions, _ = table.shape
    return table[torch.arange(num_pictures), torch.randint(num_captions, (num_pictures,), generator=rng)]


def trim_padding(ids: "Tensor") -> "Tensor":
    """Token ids [N, T] truncated to the longest caption, and to at least one token."""
    return ids[:, : max(1, int((ids != 0).sum(dim=1).max()))]


def alter(group: Group, rng: random.Random) -> Group:
    """A group with one change: an attribute, swapped attributes or places, or the weather.

    Things excluded from training are never used.
    """
    while True:
        other = rng.choice(CHANGES)(group, rng)
        fits = are_distinct(other.things) and not any(map(is_held_out, other.things))
        if fits and meaning(other) != meaning(group):
            return other


def swap_attributes(group: Group, names: Sequence[str], one: int = 0, two: int = 1) -> Group:
    """A group in which two things have swapped some attributes.

    Args:
        group: of at least two things.
        names: elements of ATTRIBUTES.
        one: index of a thing.
        two: index of the other.
    """
    things = list(group.things)
    for place, other in ((one, group.things[two]), (two, group.things[one])):
        things[place] = replace(things[place], **{name: getattr(other, name) for name in names})
    return replace(group, things=tuple(things))


def _change_attribute(group: Group, rng: random.Random) -> Group:
    name, choices = rng.choice((("kind", SHAPES), ("colour", COLOURS), ("size", SIZES)))
    place = rng.randrange(len(group.things))
    attribute: dict[str, Any] = {name: rng.choice(choices)}
    changed = replace(group.things[place], **attribute)
    return replace(group, things=(*group.things[:place], changed, *group.things[place + 1 :]))


def _change_weather(group: Group, rng: random.Random) -> Group:
    return replace(group, weather=rng.choice(WEATHERS))


def _swap(group: Group, rng: random.Random) -> Group:
    """Swap the colour, kind, size or place of two things."""
    if len(group.things) < 2:
        return group
    one, two = rng.sample(range(len(group.things)), 2)
    # All attributes: the things change places.
    names = rng.choice((("kind",), ("colour",), ("size",), ATTRIBUTES, ATTRIBUTES))
    return swap_attributes(group, names, one, two)


CHANGES = (_change_attribute, _change_attribute, _swap, _swap, _change_weather)


def _spaced(text: str) -> str:
    """Words with a space before each: the tokenizer includes it, so every word has one token."""
    return "".join(f" {word}" for word in caption_words(text))


@lru_cache(maxsize=1)
def _render(size: int, count: int, validation_fraction: float, phrasings: int) -> PairCorpus:
    """Groups of the tiny world; deterministic."""
    import torch

    num_held = int(count * validation_fraction)
    rng = random.Random(SEED)
    parts = [
        tuple(itertools.islice(groups(rng, held_out=held), number))
        for held, number in ((False, count - num_held), (True, num_held))
    ]
    pixels = [torch.from_numpy(render_groups(part, size, rng)) for part in parts]
    captions = [
        tuple(
            tuple(caption(group, language, rng) for language in LANGUAGES for _ in range(phrasings))
            for group in part
        )
        for part in parts
    ]
    wrong = tuple(
        tuple(caption(alter(group, rng), language, rng) for language in LANGUAGES for _ in range(phrasings))
        for group in parts[0]
    )
    numbers: dict[Group, int] = {}
    meanings = [tuple(numbers.setdefault(meaning(group), len(numbers)) for group in part) for part in parts]
    facts: dict[str, int | float | str] = {
        "image_size": size,
        "captions": 2 * phrasings,
        "held_out_combinations": NUM_HELD_OUT,
    }
    sizes: dict[str, int | float | str] = {
        "train_pictures": len(parts[0]),
        "validation_pictures": len(parts[1]),
    }
    return _corpus(
        TINY_WORLD,
        pixels,
        captions,
        (
            PreparationStep("read", count, 0, facts, IMAGES),
            PreparationStep("split", count, 0, sizes, IMAGES),
        ),
        train_wrong=wrong,
        train_meanings=meanings[0],
        validation_meanings=meanings[1],
        validation_groups=parts[1],
    )


def _with_captions(corpus: ImageCorpus, source: str) -> PairCorpus:
    """The images of a corpus that have a caption."""
    import torch

    if corpus.train_texts is None or corpus.validation_texts is None:
        raise no_captions(source, corpus.report[0].facts)
    texts = corpus.train_texts, corpus.validation_texts
    kept = [[place for place, text in enumerate(part) if caption_words(text)] for part in texts]
    if not kept[0]:
        raise no_captions(source, corpus.report[0].facts)
    pixels = [
        part[torch.tensor(places, dtype=torch.int64)]
        for part, places in zip((corpus.train, corpus.validation), kept, strict=True)
    ]
    captions = [tuple((part[place],) for place in places) for part, places in zip(texts, kept, strict=True)]
    numbers: dict[str, int] = {}
    meanings = [
        tuple(numbers.setdefault(_spaced(text), len(numbers)) for (text,) in part) for part in captions
    ]
    num_kept, num_all = sum(map(len, kept)), sum(map(len, texts))
    step = PreparationStep(
        "captions", num_kept, num_all - num_kept, {"without_text": num_all - num_kept}, IMAGES
    )
    return _corpus(
        corpus.name,
        pixels,
        captions,
        (*corpus.report, step),
        train_meanings=meanings[0],
        validation_meanings=meanings[1],
    )


def _corpus(
    name: str,
    pixels: "Sequence[Tensor]",
    captions: Sequence[tuple[tuple[str, ...], ...]],
    report: tuple[PreparationStep, ...],
    **others: Any,
) -> PairCorpus:
    sha256 = hashlib.sha256()
    for part, texts in zip(pixels, captions, strict=True):
        sha256.update(str(tuple(part.shape)).encode())
        sha256.update(part.numpy().tobytes())
        sha256.update(
            "\n".join(text for several in texts for text in several).encode("utf-8", "surrogatepass")
        )
    return PairCorpus(
        name=name,
        sha256=sha256.hexdigest(),
        train=pixels[0],
        validation=pixels[1],
        train_labels=None,
        validation_labels=None,
        mode_names=(),
        train_texts=None,
        validation_texts=None,
        report=report,
        train_captions=captions[0],
        validation_captions=captions[1],
        **others,
    )
