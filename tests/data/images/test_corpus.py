"""From a source to the bytes that a network is trained on: nothing twice, nothing in both parts."""

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.data.images import corpus
from aigc_demo.data.images.corpus import ImageSettings, augment, prepare_images, split
from aigc_demo.data.tiny_world.image import mode_name, thing_of

COLOURS = ("red", "lime", "blue", "white", "black", "yellow", "cyan", "magenta", "gray", "navy")


def folder_of(path, names_and_colours):
    for name, colour in names_and_colours:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), colour).save(path / name)
    return str(path)


def colours_in(x_BCHW):
    return sorted(tuple(image[:, 0, 0].tolist()) for image in x_BCHW)


def digests(x_BCHW):
    return {hashlib.sha256(image.numpy().tobytes()).digest() for image in x_BCHW}


@pytest.mark.parametrize(("images", "num_modes"), [("shapes", 144), ("things", 288), ("scenes", 0)])
def test_the_tiny_world_is_drawn_split_and_named(images, num_modes):
    corpus = prepare_images("tiny-world", ImageSettings(pictures=images, num_pictures=400))
    assert (corpus.name, corpus.num_modes) == ("tiny-world", num_modes)
    assert (corpus.train.dtype, corpus.train.shape) == (torch.uint8, (360, 3, 32, 32))
    assert corpus.validation.shape == (40, 3, 32, 32)
    assert len(digests(corpus.train) | digests(corpus.validation)) == 400
    for labels, texts in (
        (corpus.train_labels, corpus.train_texts),
        (corpus.validation_labels, corpus.validation_texts),
    ):
        if images == "scenes":
            assert labels is None
        else:
            assert labels.dtype == torch.int64
            named = [text.removeprefix("an ").removeprefix("a ") for text in texts]
            assert named == [mode_name(mode) for mode in labels.tolist()]
            assert named == [corpus.mode_names[mode] for mode in labels.tolist()]
    assert [(step.name, step.kept, step.dropped) for step in corpus.report] == [
        ("read", 400, 0),
        ("clean", 400, 0),
        ("split", 400, 0),
    ]


def test_a_label_is_that_of_its_image():
    """What is labelled red is red where it stands: more so than what is labelled blue."""
    corpus = prepare_images("tiny-world", ImageSettings(num_pictures=300, validation_fraction=0.0))
    redness = (corpus.train[:, 0].float() - corpus.train[:, 2].float()).mean((1, 2))
    names = [corpus.mode_names[mode] for mode in corpus.train_labels]
    red = [value for value, name in zip(redness.tolist(), names, strict=True) if "red " in name]
    blue = [value for value, name in zip(redness.tolist(), names, strict=True) if "blue " in name]
    assert len(red) > 20 and len(blue) > 20
    assert min(red) > 0 > max(blue)


def test_the_same_settings_give_the_same_images_and_the_size_is_part_of_their_sum():
    small = ImageSettings(num_pictures=20)
    first, again = (prepare_images("tiny-world", small) for _ in range(2))
    large = prepare_images("tiny-world", ImageSettings(num_pictures=20, image_size=64))
    assert first.sha256 == again.sha256 != large.sha256
    assert torch.equal(first.train, again.train)
    assert large.train.shape[1:] == (3, 64, 64)
    # The sum is of shape and bytes as they were read, before the split.
    whole = prepare_images("tiny-world", ImageSettings(num_pictures=20, validation_fraction=0.0))
    expected = hashlib.sha256(b"(20, 3, 32, 32)" + whole.train.numpy().tobytes()).hexdigest()
    assert first.sha256 == expected


def test_what_was_drawn_once_is_not_changed_by_its_user():
    settings = ImageSettings(num_pictures=20)
    prepare_images("tiny-world", settings).train.zero_()
    assert prepare_images("tiny-world", settings).train.max() > 0


def test_equal_images_are_dropped_and_counted_and_the_first_is_kept(tmp_path):
    names = [(f"{place:02}.png", colour) for place, colour in enumerate([*COLOURS, "red", "red", "blue"])]
    (tmp_path / "metadata.csv").write_text(
        "file_name,text\n" + "".join(f"{name},number {place}\n" for place, (name, _) in enumerate(names))
    )
    source = folder_of(tmp_path, names)
    corpus = prepare_images(source, ImageSettings(validation_fraction=0.0))
    assert len(corpus.train) == 10
    assert corpus.train_texts == tuple(f"number {place}" for place in range(10))
    assert corpus.validation.shape == (0, 3, 32, 32)
    assert (corpus.validation_texts, corpus.train_labels) == ((), None)
    cleaning = corpus.report[1].to_dict()
    assert cleaning == {
        "name": "clean",
        "kept": 10,
        "dropped": 3,
        "facts": {"repeated": 3},
        "unit": "pictures",
    }


@pytest.mark.parametrize("validation_fraction", [0.0, 0.3, 0.6])
def test_labels_and_captions_stay_with_their_images_where_repeated_ones_come_first(
    tmp_path, validation_fraction
):
    """Every image is one colour, of which class and caption can be told; the first one of equals counts."""
    order = [0, 0, 1, 0, 2, 1, 1, 3, 4, 0, 5, 6, 2, 7, 8, 9, 9]
    names = [(f"{'abc'[colour % 3]}/{place:02}.png", COLOURS[colour]) for place, colour in enumerate(order)]
    source = folder_of(tmp_path, names)
    (tmp_path / "metadata.csv").write_text(
        "file_name,text\n" + "".join(f"{name},{name} is {colour}\n" for name, colour in names)
    )
    settings = ImageSettings(validation_fraction=validation_fraction)
    corpus = prepare_images(source, settings)
    parts = (
        (corpus.train, corpus.train_labels, corpus.train_texts),
        (corpus.validation, corpus.validation_labels, corpus.validation_texts),
    )
    first = {colour: name for name, colour in sorted(names, reverse=True)}
    by_value = {Image.new("RGB", (1, 1), colour).getpixel((0, 0)): colour for colour in COLOURS}
    held = int(10 * validation_fraction)
    assert [len(images) for images, _, _ in parts] == [10 - held, held]
    assert corpus.report[1].facts["repeated"] == len(order) - 10
    for images, labels, texts in parts:
        colours = [by_value[tuple(image[:, 5, 5].tolist())] for image in images]
        assert [corpus.mode_names[label] for label in labels] == [first[colour][0] for colour in colours]
        assert list(texts) == [f"{first[colour]} is {colour}" for colour in colours]
        assert list(texts) == sorted(texts), "in the order of the files"
    every = digests(corpus.train) | digests(corpus.validation)
    assert digests(corpus.validation) == set(sorted(every)[:held]), "those with the smallest hashes"
    assert digests(corpus.train) == set(sorted(every)[held:])


def test_what_the_tiny_world_draws_twice_is_dropped_with_its_label_and_caption(monkeypatch):
    """Without its chance there are 144 drawings; of 300 many are repeated, among them the second already."""
    render_once = corpus.render
    monkeypatch.setattr(corpus, "render", lambda subject, size, rng: render_once(subject, size))
    corpus._render.cache_clear()
    prepared = prepare_images("tiny-world", ImageSettings(num_pictures=300, validation_fraction=0.4))
    corpus._render.cache_clear()
    num_kept = len(prepared.train) + len(prepared.validation)
    assert prepared.report[1].dropped == 300 - num_kept > 150
    assert not digests(prepared.train) & digests(prepared.validation)
    assert len(digests(prepared.train) | digests(prepared.validation)) == num_kept
    for images, labels, texts in (
        (prepared.train, prepared.train_labels, prepared.train_texts),
        (prepared.validation, prepared.validation_labels, prepared.validation_texts),
    ):
        assert len(images) == len(labels) == len(texts) > 30
        for image, label, text in zip(images, labels.tolist(), texts, strict=True):
            expected = np.asarray(render_once(thing_of(label), 32)).transpose(2, 0, 1)
            assert np.array_equal(image.numpy(), expected)
            assert text.endswith(mode_name(label))


def test_names_and_order_do_not_change_what_is_held_out(tmp_path):
    one = folder_of(tmp_path / "one", [(f"{place}.png", colour) for place, colour in enumerate(COLOURS)])
    two = folder_of(tmp_path / "two", [(f"{colour}.png", colour) for colour in (*COLOURS, "red")])
    settings = ImageSettings(validation_fraction=0.3)
    first, second = prepare_images(one, settings), prepare_images(two, settings)
    assert len(first.validation) == 3
    assert colours_in(first.validation) == colours_in(second.validation)
    assert colours_in(first.train) == colours_in(second.train)
    assert (first.name, second.name) == ("one", "two")


def test_a_split_is_of_the_smallest_hashes_and_in_order():
    train, validation = split([b"d", b"a", b"c", b"b", b"e"], 0.5)
    assert (train.tolist(), validation.tolist()) == ([0, 2, 4], [1, 3])
    train, validation = split([b"a"], 0.9)
    assert (train.tolist(), validation.tolist()) == ([0], [])


def test_subfolders_are_classes_and_skipped_files_are_reported(tmp_path):
    source = folder_of(tmp_path, [(f"{name}/{c}.png", c) for name, c in zip("ba" * 5, COLOURS, strict=True)])
    (tmp_path / "a" / "bad.png").write_text("text")
    corpus = prepare_images(source, ImageSettings(validation_fraction=0.0))
    assert corpus.mode_names == ("a", "b")
    assert corpus.train_labels.tolist() == [0] * 5 + [1] * 5
    assert corpus.train_texts is None
    read = corpus.report[0]
    assert (read.kept, read.dropped, read.facts["skipped_no_picture"]) == (10, 1, 1)


def test_images_beside_subfolders_have_no_classes(tmp_path):
    source = folder_of(tmp_path, [("a/1.png", "red"), ("b/2.png", "blue"), ("3.png", "lime")])
    corpus = prepare_images(source, ImageSettings())
    assert (corpus.train_labels, corpus.num_modes) == (None, 0)


@pytest.mark.parametrize("source", ["", "no/such/folder", "zero\0byte", "x" * 5000])
def test_sources_that_are_no_folder_are_refused(source):
    with pytest.raises(InputError) as caught:
        prepare_images(source, ImageSettings())
    assert caught.value.key == "no_picture_folder"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"image_size": 48}, "image_size must be one of 32, 64, got 48."),
        ({"pictures": "cats"}, "pictures must be one of shapes, things, scenes, groups, got cats."),
        ({"crop": 0.6}, "crop must be at most 0.5, got 0.6."),
        ({"flip": "maybe"}, "flip must be true or false, got maybe."),
        ({"num_pictures": 1}, "num_pictures must be at least 10, got 1."),
    ],
)
def test_settings_are_checked(values, sentence):
    with pytest.raises(InputError) as caught:
        ImageSettings.from_mapping(values)
    assert str(caught.value) == sentence


# Augmentation.


def noise(num=64, side=32, seed=0):
    return torch.randint(0, 256, (num, 3, side, side), generator=seeded(seed), dtype=torch.uint8)


def test_switched_off_nothing_changes_and_no_number_is_drawn():
    rng = seeded(1)
    before, x = rng.get_state(), noise(4)
    assert augment(x, ImageSettings(), rng) is x
    assert torch.equal(rng.get_state(), before)


def test_half_of_the_images_are_mirrored():
    x = noise(400, 8)
    y = augment(x, ImageSettings(flip=True), seeded(3))
    same, mirrored = (y == x).flatten(1).all(1), (y == x.flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 150 < mirrored.sum() < 250


def test_moved_images_keep_their_inside_and_repeat_their_edge():
    """An image that counts its own rows and columns tells how far it was moved."""
    side = 16
    rows = torch.arange(side, dtype=torch.uint8)[:, None].expand(side, side)
    x = torch.stack([rows, rows.T, rows]).expand(300, 3, side, side)
    y = augment(x, ImageSettings(crop=0.25), seeded(2)).long()
    down, right = y[:, 0, 8, 0] - 8, y[:, 1, 0, 8] - 8
    assert sorted(set(down.tolist())) == sorted(set(right.tolist())) == list(range(-4, 5))
    assert not torch.equal(down, right)
    expected = (torch.arange(side) + down[:, None]).clamp(0, side - 1)
    assert torch.equal(y[:, 0], expected[:, :, None].expand(300, side, side))
    expected = (torch.arange(side) + right[:, None]).clamp(0, side - 1)
    assert torch.equal(y[:, 1], expected[:, None, :].expand(300, side, side))


def test_colour_varies_brightness_contrast_and_saturation_within_its_strength():
    grey = torch.full((500, 3, 4, 4), 100, dtype=torch.uint8)
    y = augment(grey, ImageSettings(colour=0.3), seeded(4)).float()
    assert torch.equal(y, y[:, :1, :1, :1].expand_as(y)), "an even grey has neither contrast nor saturation"
    assert y.min() >= 70 and y.max() <= 130
    assert y.min() < 75 and y.max() > 125
    # Two greys about a mean of 100: their distance is 40 times brightness times contrast.
    grey[:, :, :2], grey[:, :, 2:] = 80, 120
    y = augment(grey, ImageSettings(colour=0.3), seeded(4)).float()
    contrast = (y[:, 0, 3, 0] - y[:, 0, 0, 0]) / (y.mean((1, 2, 3)) / 100 * 40)
    assert 0.68 < contrast.min() < 0.75 and 1.25 < contrast.max() < 1.32
    # In an even colour, relative to its luma, the channels differ by contrast times saturation.
    even = torch.tensor([150, 100, 50], dtype=torch.uint8)[None, :, None, None].expand(500, 3, 4, 4)
    y = augment(even, ImageSettings(colour=0.3), seeded(4)).float()[:, :, 0, 0]
    luma = y @ torch.tensor([0.299, 0.587, 0.114])
    chroma = (y[:, 0] - y[:, 2]) / (100 * luma / 109.25)
    assert 0.48 < chroma.min() < 0.6 and 1.5 < chroma.max() < 1.71


def test_augmented_images_are_bytes_of_the_same_shape_and_follow_the_seed():
    settings = ImageSettings(crop=0.1, flip=True, colour=0.5)
    x = noise(8)
    kept = x.clone()
    first, again, other = (augment(x, settings, seeded(seed)) for seed in (1, 1, 2))
    assert (first.dtype, first.shape) == (torch.uint8, x.shape)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(x, kept)


def test_a_batch_is_augmented_in_a_few_milliseconds_without_a_loop_over_images():
    x = noise(64)
    y = augment(x, ImageSettings(crop=0.125, flip=True, colour=0.2), seeded(0))
    differing = (y != x).flatten(1).any(1)
    assert differing.sum() > 60
    assert len(np.unique(y.numpy().reshape(64, -1), axis=0)) == 64
