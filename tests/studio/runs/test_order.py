"""What a visitor may order, and what is refused."""

import math
from pathlib import Path

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.studio.runs import order
from aigc_demo.studio.runs.order import RunOrder, checked_text_bytes, checked_upload
from aigc_demo.training.recipes import RECIPES, recipe_named


def test_an_order_becomes_words_of_the_command_line() -> None:
    words = RunOrder("gpt", minutes=3, seed=7, settings={"dropout": 0.1, "num_layers": 2}).words()
    assert (words["recipe"], words["source"], words["seed"]) == ("gpt", "tiny-world", 7)
    assert words["budget"] == ("--minutes", "3")
    assert {"dropout=0.1", "num_layers=2", "tokenizer=words", "muon_learning_rate=0.005"} <= set(
        words["settings"]
    )
    assert RunOrder("gpt", steps=500.0).words()["budget"] == ("--steps", "500")


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_a_page_orders_is_what_the_command_line_does_without_settings(recipe: str) -> None:
    ordered = dict(pair.split("=") for pair in RunOrder(recipe, minutes=3).words()["settings"])
    chosen = recipe_named(recipe)
    assert chosen.complete(ordered) == chosen.complete({}, "tiny-world")
    assert chosen.complete({}, "my.txt") == chosen.complete({})
    assert (chosen.complete({}) == chosen.complete({}, "tiny-world")) is not bool(chosen.small)
    assert chosen.complete({"batch_size": 8}, "tiny-world").batch_size == 8


def test_what_goes_on_from_a_model_has_its_shape() -> None:
    words = RunOrder("gpt", steps=5, settings={"batch_size": 7}, init="runs/mine").words()
    assert words["init"] == "runs/mine"
    names = {setting.partition("=")[0] for setting in words["settings"]}
    assert names.isdisjoint(RECIPES["gpt"].shape)
    assert {"batch_size", "dropout"} <= names


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"recipe": "nothing"}, "unknown_recipe"),
        ({"recipe": ["gpt"]}, "unknown_recipe"),
        ({"steps": None}, "steps_or_minutes"),
        ({"minutes": 1}, "steps_or_minutes"),
        ({"steps": 0}, "setting_range"),
        ({"steps": 10**9}, "setting_range"),
        ({"steps": 1.5}, "setting_type"),
        ({"steps": math.inf}, "setting_type"),
        ({"steps": None, "minutes": math.nan}, "setting_type"),
        ({"steps": None, "minutes": 24 * 60 + 1}, "setting_range"),
        ({"seed": "1; rm"}, "setting_type"),
        ({"seed": -1}, "setting_range"),
        ({"settings": {"hidden_size": 8192}}, "setting_range"),
        ({"settings": {"hidden_size": 130}}, "heads_do_not_divide"),
        ({"settings": {"no_such": 1}}, "unknown_setting"),
        ({"settings": {"sample_prompt": "x" * 501}}, "text_too_long"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict, key: str) -> None:
    with pytest.raises(InputError) as refused:
        RunOrder(**{"recipe": "gpt", "steps": 10, **given})
    assert refused.value.key == key


def test_an_uploaded_text_gets_the_look_of_a_source(tmp_path: Path, monkeypatch) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_bytes("春眠不觉晓".encode())
    bad.write_bytes(b"\x89PNG\x00")
    assert checked_upload(None) is None
    assert checked_upload(str(good)) == "春眠不觉晓".encode()
    with pytest.raises(InputError) as refused:
        checked_upload(str(bad))
    assert refused.value.key == "not_text"
    monkeypatch.setattr(order, "MAX_TEXT_BYTES", 14)
    with pytest.raises(InputError) as refused:
        checked_upload(str(good))
    assert refused.value.key == "too_large"


@pytest.mark.parametrize(
    ("text", "key"),
    [(3, "setting_type"), ("\ud800", "text_not_unicode"), (" \n", "empty_text"), ("a\0b", "not_text")],
)
def test_a_text_that_is_none_is_refused(text: object, key: str) -> None:
    with pytest.raises(InputError) as refused:
        checked_text_bytes(text)
    assert refused.value.key == key


@pytest.mark.parametrize("value", ["a\0b", "\0", "half \ud800", "x" * 501])
def test_a_text_that_no_process_takes_is_refused(value: str) -> None:
    with pytest.raises(InputError):
        RunOrder("gpt", steps=5, settings={"sample_prompt": value})


@pytest.mark.parametrize(
    "value", ["/etc", "..", "assets/clip-tiny-world", "gpt-tang", "no-such-model", "a\0b"]
)
def test_a_guide_is_a_name_of_the_catalog(value: str) -> None:
    with pytest.raises(InputError):
        RunOrder("text2image", steps=5, settings={"guide": value})


@pytest.mark.parametrize("value", ["own", "clip-tiny-world"])
def test_and_those_there_are_can_be_named(value: str) -> None:
    assert f"guide={value}" in RunOrder("text2image", steps=5, settings={"guide": value}).words()["settings"]


def test_an_upload_that_is_gone_is_said(tmp_path):
    for check in (order.checked_upload, order.checked_images):
        with pytest.raises(InputError) as caught:
            check(str(tmp_path / "gone"))
        assert caught.value.key == "upload_gone"


def test_a_zip_file_may_be_as_large_as_the_limit_and_no_larger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "images.zip"
    place.write_bytes(bytes(3 * 2**20))
    assert order.checked_images(None) is None
    assert order.checked_images(str(place)) == place
    monkeypatch.setattr(order, "MAX_ZIP_BYTES", 3 * 2**20)
    assert order.checked_images(str(place)) == place
    place.write_bytes(bytes(3 * 2**20 + 1))
    with pytest.raises(InputError) as refused:
        order.checked_images(str(place))
    assert (refused.value.key, refused.value.values["limit"]) == ("too_large", 3)
