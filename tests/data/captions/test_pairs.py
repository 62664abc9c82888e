"""Images with captions: of the tiny world and of a folder."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aigc_demo.core.errors import InputError
from aigc_demo.data.captions.pairs import (
    PairCorpus,
    PairSettings,
    alter,
    caption_tokenizer,
    caption_words,
    prepare_pairs,
    random_captions,
    token_ids,
    token_table,
    trim_padding,
)
from aigc_demo.data.images.corpus import ImageSettings, prepare_images
from aigc_demo.data.tiny_world.caption import language_of, parse_caption
from aigc_demo.data.tiny_world.group import Group, is_held_out, meaning, sample_group
from aigc_demo.data.tiny_world.scene import Thing


@pytest.fixture(scope="module")
def tiny() -> PairCorpus:
    settings = PairSettings(num_pictures=200, image_size=32, validation_fraction=0.2, phrasings=2)
    return prepare_pairs("tiny-world", settings)


def folder(path: Path, texts: list[str | None]) -> Path:
    """Images of noise with these texts."""
    rng = np.random.default_rng(0)
    path.mkdir()
    rows = ["file_name,text"]
    for number, text in enumerate(texts):
        image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).resize((64, 64))
        image.save(path / f"{number}.png")
        if text is not None:
            rows.append(f"{number}.png,{text}")
    (path / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def things(captions: tuple[tuple[str, ...], ...]) -> list[Thing]:
    readings = [parse_caption(text) for texts in captions for text in texts]
    assert all(reading.group for reading in readings)
    return [thing for reading in readings if reading.group for thing in reading.group.things]


def test_training_says_nothing_of_what_is_held_out(tiny: PairCorpus) -> None:
    assert (len(tiny.train), len(tiny.validation)) == (160, 40)
    assert not any(map(is_held_out, things(tiny.train_captions)))
    assert not any(map(is_held_out, things(tiny.train_wrong)))
    for texts in tiny.validation_captions:
        assert any(map(is_held_out, things((texts,))))


def test_all_captions_of_a_image_mean_the_same_and_wrong_ones_do_not(tiny: PairCorpus) -> None:
    for texts, wrong, number in zip(tiny.train_captions, tiny.train_wrong, tiny.train_meanings, strict=True):
        assert [language_of(text) for text in texts] == ["en", "en", "zh", "zh"]
        meant = {meaning(found) for text in texts if (found := parse_caption(text).group)}
        assert len(meant) == 1
        not_meant = {meaning(found) for text in wrong if (found := parse_caption(text).group)}
        assert not_meant and not meant & not_meant
        assert len(wrong) == 4
        first = next(place for place, other in enumerate(tiny.train_meanings) if other == number)
        found = parse_caption(tiny.train_captions[first][0]).group
        assert found and meaning(found) in meant


def test_held_out_groups_are_those_of_the_captions(tiny: PairCorpus) -> None:
    for group, texts in zip(tiny.validation_groups, tiny.validation_captions, strict=True):
        found = parse_caption(texts[0]).group
        assert found and meaning(found) == meaning(group)


def test_meanings_are_equal_where_groups_mean_the_same() -> None:
    settings = PairSettings(num_pictures=400, image_size=32, validation_fraction=0.8, phrasings=1)
    corpus = prepare_pairs("tiny-world", settings)
    meant = [meaning(group) for group in corpus.validation_groups]
    assert len(corpus.validation_meanings) == len(meant) == 320
    assert len({*corpus.validation_meanings}) == len({*meant}) < 320, "some come twice"
    assert len({*zip(meant, corpus.validation_meanings, strict=True)}) == len({*meant})
    assert not {*corpus.validation_meanings} & {*corpus.train_meanings}


def test_each_image_has_a_caption_of_its_own_drawn() -> None:
    table = torch.arange(60).view(20, 3, 1)
    drawn = [random_captions(table, torch.Generator().manual_seed(seed))[:, 0] for seed in range(30)]
    for row in drawn:
        assert torch.equal(row // 3, torch.arange(20))
        assert {*(row % 3).tolist()} == {0, 1, 2}, "not one place for all"
    counts = torch.stack(drawn).remainder(3).flatten().bincount()
    assert counts.min() > 150, "each is as likely as any other: 200 of 600"


def test_padding_that_no_caption_needs_is_left_out() -> None:
    ids = torch.tensor([[5, 6, 0, 0, 0, 0, 0], [7, 8, 9, 3, 4, 0, 0], [1, 0, 0, 0, 0, 0, 0]])
    assert torch.equal(trim_padding(ids), ids[:, :5])
    assert torch.equal(trim_padding(ids[[0, 2]]), ids[[0, 2], :2])
    assert trim_padding(torch.zeros(4, 7, dtype=torch.int64)).shape == (4, 1)


def test_it_is_always_the_same_and_other_settings_give_another(tiny: PairCorpus) -> None:
    settings = PairSettings(num_pictures=200, image_size=32, validation_fraction=0.2, phrasings=1)
    other = prepare_pairs("tiny-world", settings)
    again = prepare_pairs(
        "tiny-world", PairSettings(num_pictures=200, image_size=32, validation_fraction=0.2, phrasings=2)
    )
    assert again.sha256 == tiny.sha256 != other.sha256
    assert torch.equal(again.train, tiny.train)
    assert again.train_captions == tiny.train_captions


def test_a_group_is_altered_in_one_respect() -> None:
    rng = random.Random(0)
    seen = set()
    for _ in range(300):
        group = sample_group(rng, rng.randint(1, 3))
        other = alter(group, rng)
        assert meaning(other) != meaning(group)
        assert not any(map(is_held_out, other.things))
        if any(map(is_held_out, group.things)):
            continue  # more had to change
        assert [thing.place for thing in group.things] == [thing.place for thing in other.things]
        changed = {
            name
            for name in ("kind", "colour", "size")
            if [getattr(thing, name) for thing in group.things]
            != [getattr(thing, name) for thing in other.things]
        }
        looks = [[(t.kind, t.colour, t.size) for t in g.things] for g in (group, other)]
        swapped = sorted(looks[0]) == sorted(looks[1]) and looks[0] != looks[1]
        assert swapped + (not swapped and len(changed)) + (group.weather != other.weather) == 1
        seen |= {"places"} if swapped else changed or {"weather"}
    assert seen == {"kind", "colour", "size", "places", "weather"}


def test_words_are_read_without_case_and_marks() -> None:
    assert caption_words("A  small RED-ish ball, isn't it?") == [
        "a",
        "small",
        "red-ish",
        "ball",
        "isn't",
        "it",
    ]
    assert caption_words("一个红球，3个") == ["一", "个", "红", "球", "3", "个"]
    assert caption_words(" 🐉 … ") == []


def test_every_word_has_one_token_and_unknown_ones_have_none(tiny: PairCorpus) -> None:
    assert 0 not in token_ids(caption_tokenizer([["sushi"], ["a lone word"]]), "a word: Sushi")
    tokenizer = caption_tokenizer(tiny.train_captions)
    assert token_ids(tokenizer, "A red ball") == token_ids(tokenizer, "a  RED, ball!")
    assert token_ids(tokenizer, "ball red")[0] == token_ids(tokenizer, "red ball")[1]
    assert token_ids(tokenizer, "dragon") == [0]
    assert 0 not in token_ids(tokenizer, "一个红色的球在一个蓝色的方块的左边")
    assert len(token_ids(tokenizer, "ball " * 100)) == 48
    table = token_table(tokenizer, tiny.train_captions)
    assert table.shape == (160, 4, 48)
    ids = token_ids(tokenizer, tiny.train_captions[3][2])
    assert table[3, 2].tolist() == ids + [0] * (48 - len(ids))


def test_a_folder_gives_its_captioned_images(tmp_path: Path) -> None:
    texts = ["a cat", "a dog", None, "a cat", "...", "the sun", "the moon", "a star", "a tree", "a house"]
    path = folder(tmp_path / "pictures", texts)
    corpus = prepare_pairs(str(path), PairSettings(image_size=32, validation_fraction=0.25))
    assert len(corpus.train_captions) == len(corpus.train) == len(corpus.train_meanings)
    every = [text for texts in (*corpus.train_captions, *corpus.validation_captions) for text in texts]
    assert sorted(every) == sorted(text for text in texts if text and text != "...")
    assert corpus.train_wrong == corpus.validation_groups == ()
    numbers = {}
    for (text,), number in zip(
        (*corpus.train_captions, *corpus.validation_captions),
        (*corpus.train_meanings, *corpus.validation_meanings),
        strict=True,
    ):
        assert numbers.setdefault(text, number) == number
    assert len(set(numbers.values())) == len(numbers)
    step = corpus.report[-1]
    assert (step.name, step.dropped) == ("captions", 2)


@pytest.mark.parametrize("validation_fraction", [0.0, 0.4])
def test_a_caption_is_that_of_its_image_where_others_have_none(
    tmp_path: Path, validation_fraction: float
) -> None:
    texts = [None, "...", "a cat", None, "a dog", "The Sun", "", "a star", "a cat", "a tree", "the sun!"]
    path = folder(tmp_path / "pictures", texts)
    corpus = prepare_pairs(str(path), PairSettings(image_size=64, validation_fraction=validation_fraction))
    files = [np.asarray(Image.open(path / f"{number}.png")).transpose(2, 0, 1) for number in range(11)]
    images = [*corpus.train.numpy(), *corpus.validation.numpy()]
    captions = [*corpus.train_captions, *corpus.validation_captions]
    meanings = [*corpus.train_meanings, *corpus.validation_meanings]
    found = [
        next(number for number, file in enumerate(files) if np.array_equal(file, image)) for image in images
    ]
    assert sorted(found) == [2, 4, 5, 7, 8, 9, 10]
    assert captions == [(texts[number],) for number in found]
    by_file = dict(zip(found, meanings, strict=True))
    assert by_file[2] == by_file[8] and by_file[5] == by_file[10], "marks and case mean nothing"
    assert len(set(meanings)) == 5
    assert len(corpus.validation) == len(corpus.validation_captions) == len(corpus.validation_meanings)


@pytest.mark.parametrize(
    ("texts", "sentence"), [([None] * 9, "text is empty there"), (["", "!", "?"] * 3, "have no captions")]
)
def test_a_folder_without_captions_is_refused(tmp_path: Path, texts: list[str | None], sentence: str) -> None:
    path = folder(tmp_path / "pictures", texts)
    with pytest.raises(InputError, match=sentence):
        prepare_pairs(str(path), PairSettings(image_size=32))


def test_a_group_has_a_caption_for_each_language_and_phrasing() -> None:
    corpus = prepare_pairs("tiny-world", PairSettings(num_pictures=10, image_size=32, phrasings=3))
    assert {len(texts) for texts in corpus.train_captions} == {6}
    assert isinstance(corpus.validation_groups[0], Group)


def test_groups_are_drawn_for_networks_without_texts_too() -> None:
    corpus = prepare_images("tiny-world", ImageSettings(pictures="groups", num_pictures=40))
    assert corpus.train_labels is None and corpus.num_modes == 0
    assert corpus.train_texts is not None and corpus.validation_texts is not None
    drawn = things(tuple((text,) for text in (*corpus.train_texts, *corpus.validation_texts)))
    assert not any(map(is_held_out, drawn))


def test_a_folder_of_which_nothing_is_held_out(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures", ["a cat", "a dog", "a bird"])
    corpus = prepare_pairs(str(path), PairSettings(image_size=32, validation_fraction=0))
    assert (len(corpus.train), len(corpus.validation), corpus.validation_captions) == (3, 0, ())
