"""Images of groups with what stands where as numbers; nothing twice, nothing in both parts."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.data.captions.pairs import PairSettings, prepare_pairs
from aigc_demo.data.images.corpus import ImageCorpus, ImageSettings, prepare_images
from aigc_demo.data.tiny_world import group_images
from aigc_demo.data.tiny_world.group import CENTRES, Group, arrange, centres, is_held_out, meaning
from aigc_demo.data.tiny_world.group_images import groups_of, prepare_groups, truth_of
from aigc_demo.data.tiny_world.image import render
from aigc_demo.data.tiny_world.scene import COLOURS, SHAPES, SIZES, WEATHERS, Place, Thing

PLAIN = ImageSettings(image_size=32, num_pictures=120, validation_fraction=0.25)


def pixels_of(group: Group, size: int = 32) -> np.ndarray:
    return np.asarray(render(group, size)).transpose(2, 0, 1)


def digests(images: Tensor) -> list[str]:
    return [hashlib.sha256(image.numpy().tobytes()).hexdigest() for image in images]


def test_numbers_by_hand() -> None:
    group = Group(
        (Thing("ball", "blue", "big", Place(0, 1)), Thing("star", "red", "small", Place(1, 1))), "windy"
    )
    truth, weather = truth_of([group])
    expected = torch.full((9, 4), -1)
    expected[:, 0] = 0
    above, below = CENTRES.index((0.5, 0.25)), CENTRES.index((0.5, 0.75))
    expected[above] = torch.tensor([1, SHAPES.index("ball"), COLOURS.index("blue"), SIZES.index("big")])
    expected[below] = torch.tensor([1, SHAPES.index("star"), COLOURS.index("red"), SIZES.index("small")])
    assert torch.equal(truth[0], expected)
    assert weather.tolist() == [WEATHERS.index("windy")]


def test_every_image_shows_what_its_numbers_say() -> None:
    """Each is nearer to a drawing of its own numbers, moved a little as it is, than to that of any other."""
    corpus = prepare_groups("tiny-world", PLAIN)
    for images, truth, weather in (
        (corpus.train, corpus.train_truth, corpus.train_weather),
        (corpus.validation, corpus.validation_truth, corpus.validation_weather),
    ):
        groups = groups_of(truth, weather)
        rendered = np.stack([pixels_of(group) for group in groups]).astype(np.float32)
        away = np.abs(images.numpy()[:, None].astype(np.float32) - rendered[None]).mean(axis=(2, 3, 4))
        for row, nearest in enumerate(away.argmin(axis=1)):
            assert meaning(groups[nearest]) == meaning(groups[row])


def test_the_parts_are_shares_and_hold_all_combinations() -> None:
    corpus = prepare_groups("tiny-world", PLAIN)
    assert (len(corpus.train), len(corpus.validation)) == (90, 30)
    assert corpus.train.shape[1:] == (3, 32, 32) and corpus.train.dtype == torch.uint8
    assert [(step.name, step.kept, step.dropped) for step in corpus.report] == [
        ("read", 120, 0),
        ("clean", 120, 0),
        ("split", 120, 0),
    ]
    assert corpus.report[-1].facts == {"train_pictures": 90, "validation_pictures": 30}
    things = [
        thing for group in groups_of(corpus.train_truth, corpus.train_weather) for thing in group.things
    ]
    assert any(map(is_held_out, things)), "a judge has to know what is kept from those that draw"
    assert not all(map(is_held_out, things))
    everything = torch.cat([corpus.validation, corpus.train]).numpy().tobytes()
    assert corpus.sha256 == hashlib.sha256(everything).hexdigest()


def test_what_is_drawn_twice_is_in_one_part_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world of five images, the first again and again: every one is kept once, with its numbers."""
    looks = [Thing(kind, colour, "big", Place(1, 1)) for kind, colour in zip(SHAPES, COLOURS, strict=False)]
    world = [arrange([thing], [], weather) for thing, weather in zip(looks, (*WEATHERS, ""), strict=False)]
    order = [0, 0, 1, 0, 2, 2, 0, 3, 1, 4, 0, 4]
    asked = iter(order)
    monkeypatch.setattr(group_images, "sample_group", lambda rng, count: world[next(asked)])

    def plainly(groups: Sequence[Group], size: int, rng: object) -> np.ndarray:
        return np.stack([pixels_of(group, size) for group in groups])

    monkeypatch.setattr(group_images, "render_groups", plainly)
    prepare_groups.cache_clear()
    settings = ImageSettings(image_size=32, num_pictures=len(order), validation_fraction=0.4)
    corpus = prepare_groups("tiny-world", settings)
    prepare_groups.cache_clear()
    parts = (
        (corpus.validation, corpus.validation_truth, corpus.validation_weather, world[:2]),
        (corpus.train, corpus.train_truth, corpus.train_weather, world[2:]),
    )
    for images, truth, weather, expected in parts:
        assert groups_of(truth, weather) == expected
        assert np.array_equal(images.numpy(), plainly([group for group in expected if group], 32, None))
    assert [(step.name, step.kept, step.dropped) for step in corpus.report] == [
        ("read", 12, 0),
        ("clean", 5, 7),
        ("split", 5, 0),
    ]


def folder(path: Path) -> Path:
    """Forty files of twenty images, of which equal ones may be described differently."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (20, 32, 32, 3), np.uint8)
    path.mkdir()
    rows = ["file_name,text"]
    for number in range(40):
        Image.fromarray(noise[number * 7 % 20]).save(path / f"{number:02}.png")
        rows.append(f"{number:02}.png,number {number}")
    (path / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def corpora(tmp_path: Path, name: str) -> ImageCorpus:
    few = {"image_size": 32, "num_pictures": 150, "validation_fraction": 0.3}
    if name == "checker":
        return prepare_groups("tiny-world", ImageSettings(**few))
    if name.startswith("pairs"):
        source = "tiny-world" if name == "pairs" else str(folder(tmp_path / "files"))
        return prepare_pairs(source, PairSettings(**few))
    if name == "folder":
        return prepare_images(str(folder(tmp_path / "files")), ImageSettings(**few))
    return prepare_images("tiny-world", ImageSettings(pictures=name, **few))


@pytest.mark.parametrize(
    "name", ["shapes", "things", "scenes", "groups", "folder", "pairs", "pairs of a folder", "checker"]
)
def test_no_image_is_in_both_parts_of_any_data_set(tmp_path: Path, name: str) -> None:
    corpus = corpora(tmp_path, name)
    train, validation = digests(corpus.train), digests(corpus.validation)
    assert len(validation) == int(0.3 * (len(train) + len(validation))) > 5
    assert not set(train) & set(validation)
    assert len({*train, *validation}) == len(train) + len(validation), "nor one twice"


def test_of_other_images_nobody_knows_what_stands_where(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        prepare_groups(str(tmp_path), PLAIN)
    assert refused.value.values["name"] == "--data"


def test_places_are_those_of_the_group() -> None:
    group = arrange(
        [Thing("ball", "red", "big", Place(1, 1)), Thing("box", "red", "big", Place(1, 1))], ["left"]
    )
    assert group is not None
    assert centres(group) == [(0.25, 0.5), (0.75, 0.5)]
