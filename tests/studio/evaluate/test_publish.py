"""What a published model is measured on, and by how much that it makes."""

import pytest

from aigc_demo.studio.evaluate.publish import _preparation, _samples, _split


def config(recipe, source="tiny-world", **settings):
    return {"recipe": recipe, "source": source, "settings": settings}


@pytest.mark.parametrize(
    ("recipe", "source", "num"),
    [
        ("gpt", "tiny-world", 1000),
        ("gpt2", "tiny-world", 1000),
        ("gpt", "words.txt", 0),
        ("ddpm", "tiny-world", 2000),
        ("ddpm", "pictures", 2000),
        ("dcgan", "tiny-world", 0),
        ("classifier", "tiny-world", 0),
    ],
)
def test_stories_are_read_back_and_a_slow_model_makes_fewer_images(recipe, source, num):
    assert _samples(config(recipe, source)) == num


@pytest.mark.parametrize(
    ("recipe", "fraction", "split"),
    [
        ("gpt", 0.1, "validation"),
        ("gpt", 0.0, "all"),
        ("classifier", 0.2, "validation"),
        ("classifier", 0.0, "all"),
        ("text2image", 0.1, "validation"),
        ("dcgan", 0.1, "all"),
        ("ddpm", 0.1, "all"),
    ],
)
def test_what_was_held_out_measures_all_but_a_generator_of_images(recipe, fraction, split):
    assert _split(config(recipe, validation_fraction=fraction)) == split
    assert _split(config(recipe)) == ("all" if recipe in ("dcgan", "ddpm") else "validation"), "of before"


def test_images_are_prepared_as_in_the_training():
    settings = {"image_size": 32, "validation_fraction": 0.25, "learning_rate": 1.0}
    prepared = {"image_size": 32, "validation_fraction": 0.25}
    assert _preparation(config("gpt", **settings)) == {}
    assert _preparation(config("classifier", **settings)) == prepared
    few = {"num_captions": 100, "candidates": 1}
    assert _preparation(config("text2image-diffusion", **settings)) == {**prepared, **few}
