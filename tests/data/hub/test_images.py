"""Images from the Hub: the column found, its bytes decoded elsewhere, no path followed out of the cache."""

import io
import json
import os
import sys

import datasets
import pytest
from PIL import Image

from aigc_demo.core.errors import InputError
from aigc_demo.data.hub import images
from aigc_demo.data.hub.images import image_files
from tests import forked_commands
from tests.data import hub_server

READER = """
import json, sys
from aigc_demo.core.errors import InputError
from aigc_demo.data.images.corpus import ImageSettings, prepare_images
for source in sys.argv[1:]:
    try:
        corpus = prepare_images(source, ImageSettings(validation_fraction=0.0))
        colours = corpus.train[:, :, 0, 0].tolist()
        skipped = corpus.report[0].dropped
        print(json.dumps([corpus.name, colours, corpus.train_texts, corpus.mode_names, skipped]))
    except InputError as error:
        print(json.dumps([error.key, str(error)]))
"""


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (10, 10), colour).save(file, "PNG")
    return file.getvalue()


def table(columns, **features):
    return datasets.Dataset.from_dict(columns, datasets.Features(features))


def cells(*contents):
    return [{"bytes": content, "path": None} for content in contents]


def small_set():
    """Three images of two classes, and a text among them."""
    return table(
        {
            "photo": cells(png("red"), png("blue"), b"text", png("lime")),
            "label": [1, 0, 1, 1],
            "caption": ["a  red\none", "a blue one", "", None],
        },
        photo=datasets.Image(),
        label=datasets.ClassLabel(names=["cold", "warm"]),
        caption=datasets.Value("string"),
    )


def parquet(data) -> bytes:
    file = io.BytesIO()
    data.to_parquet(file)
    return file.getvalue()


def test_rows_become_files_with_class_and_caption():
    files = list(image_files(small_set(), "hf:a/b"))
    assert [(file.content, file.label, file.text) for file in files] == [
        (png("red"), "warm", "a red one"),
        (png("blue"), "cold", "a blue one"),
        (b"text", "warm", ""),
        (png("lime"), "warm", None),
    ]


def test_of_several_columns_the_one_named_image_is_taken():
    data = table(
        {"mask": cells(png("red")), "image": cells(png("blue")), "a": ["x"], "b": ["y"], "c": [-1], "d": [0]},
        mask=datasets.Image(),
        image=datasets.Image(),
        a=datasets.Value("string"),
        b=datasets.Value("string"),
        c=datasets.ClassLabel(names=["no"]),
        d=datasets.ClassLabel(names=["yes"]),
    )
    (file,) = image_files(data, "hf:a/b")
    assert (file.content, file.text, file.label) == (png("blue"), None, None)
    (file,) = image_files(data.remove_columns(["b", "d"]), "hf:a/b")
    assert (file.text, file.label) == ("x", None)  # a class of -1 is not known


def test_paths_are_followed_inside_the_cache_alone(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    cache.mkdir()
    for path in (cache / "a.png", tmp_path / "secret.png"):
        path.write_bytes(png("red"))
    monkeypatch.setattr(datasets.config, "HF_CACHE_HOME", str(cache))
    paths = [str(cache / "a.png"), str(tmp_path / "secret.png"), "https://example.com/a.png", "a.png"]
    data = table({"image": [{"bytes": None, "path": path} for path in paths]}, image=datasets.Image())
    found = [(file.content, file.reason) for file in image_files(data, "hf:a/b")]
    assert found[0] == (png("red"), "")
    assert found[1] == (None, "link")
    assert [content for content, _ in found[2:]] == [None, None]


def test_tables_without_images_or_with_too_many_are_refused(monkeypatch):
    with pytest.raises(InputError, match="hf:a/b has no column of pictures among a, b; choose"):
        list(image_files(datasets.Dataset.from_dict({"a": [1], "b": ["x"]}), "hf:a/b"))
    monkeypatch.setattr(images, "MAX_FILES", 3)
    with pytest.raises(InputError, match="more than the 3 pictures"):
        list(image_files(small_set(), "hf:a/b"))


def test_a_data_set_is_read_through_the_library(tmp_path, monkeypatch):
    monkeypatch.setitem(hub_server.FILES, "someone/pictures", {"data/train.parquet": parquet(small_set())})
    server, address = hub_server.serve()
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    environment.pop("HF_HUB_OFFLINE", None)
    names = ("hf:someone/pictures", "hf:someone/numbers")
    done = forked_commands.run(
        [sys.executable, "-c", READER, *names],
        env=environment,
        text=True,
        timeout=120,
        imported=forked_commands.LIBRARIES,
    )
    server.shutdown()
    server.server_close()
    assert (done.returncode, done.stderr) == (0, "")
    good, *wrong = map(json.loads, done.stdout.splitlines())
    assert good == [
        "hf:someone/pictures",
        [[255, 0, 0], [0, 0, 255], [0, 255, 0]],
        ["a red one", "a blue one", ""],
        ["cold", "warm"],
        1,
    ]
    assert [key for key, _ in wrong] == ["hub_no_pictures"]
