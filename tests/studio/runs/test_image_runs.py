"""Runs of a recipe that draws: ordered on a visitor's images, kept, brought back, drawn from."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.manifest import build_manifest
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.images.gan import load_networks
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.runs import run_queue
from aigc_demo.studio.runs.export.archive import export_card, export_run, import_run
from aigc_demo.studio.runs.export.hub_folder import save_model_folder
from aigc_demo.studio.runs.job import Job
from aigc_demo.studio.runs.order import RunOrder
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.samples import new_images, sample_image
from aigc_demo.studio.runs.watch import RunWatches
from aigc_demo.studio.runs.workers import QueueRules
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.training.recipes import RECIPES
from aigc_demo.training.start import Order, train

TINY = {
    "num_pictures": 64,
    "batch_size": 8,
    "num_features": 8,
    "latent_size": 8,
    "validate_every": 2,
    "checkpoint_every": 2,
    "diff_augment": "colour,cutout",
    "mixed_precision": "no",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("runs")
    list(train(Order("dcgan", "tiny-world", home / "gan", steps=4, seed=3, settings=TINY)))
    return home


def as_image(content: bytes | None) -> np.ndarray:
    assert content is not None
    return np.asarray(Image.open(io.BytesIO(content)))


def zip_of_images(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(4):
            image = io.BytesIO()
            Image.new("RGB", (32, 32), (number * 60, 0, 0)).save(image, "PNG")
            file.writestr(f"{number}.png", image.getvalue())
        for name, content in files.items():
            file.writestr(name, content)
    return path


def test_settings_of_a_list_go_through_the_command_line() -> None:
    words = RunOrder("dcgan", steps=3, settings={"diff_augment": ["colour", "cutout"], "flip": True}).words()
    given = dict(pair.split("=", 1) for pair in words["settings"])
    assert (given["diff_augment"], given["flip"]) == ("colour,cutout", "true")
    settings = RECIPES["dcgan"].complete(given)
    assert (settings.diff_augment, settings.flip) == (("colour", "cutout"), True)
    assert RECIPES["dcgan"].complete({"diff_augment": ""}).diff_augment == ()
    with pytest.raises(InputError, match="a list of some of colour"):
        RunOrder("dcgan", steps=3, settings={"diff_augment": ["colour", "no"]})


@pytest.mark.parametrize(
    "given",
    [
        {"recipe": "gpt", "images": Path("x.zip")},
        {"recipe": "dcgan", "text": b"a text"},
        {"recipe": "dcgan", "settings": {"num_features": 512}},
        {"recipe": "dcgan", "settings": {"num_pictures": 60_000}},
        {"recipe": "dcgan", "settings": {"dropout": 0.1}},
    ],
)
def test_what_does_not_fit_the_recipe_is_refused(given: dict) -> None:
    with pytest.raises(InputError):
        RunOrder(**{"steps": 3, **given})


def test_a_visitors_images_become_the_source_of_a_run(tmp_path: Path, monkeypatch) -> None:
    queue = RunQueue(tmp_path / "runs", QueueRules(at_once=0))
    order = RunOrder("dcgan", images=zip_of_images(tmp_path / "x.zip"), steps=3)
    name = queue.order(secret="s" * 30, **order.words())
    folder = tmp_path / "runs" / name / "pictures"
    assert sorted(path.name for path in folder.iterdir()) == ["0.png", "1.png", "2.png", "3.png"]
    job = Job.load(folder.parent)
    assert job is not None and f"--data runs/{name}/pictures" in job.command
    assert RunWatches(queue).view(name).recipe == "dcgan", "it is known before its worker says so"
    before = sorted(path.name for path in (tmp_path / "runs").iterdir())
    bad = RunOrder("dcgan", images=zip_of_images(tmp_path / "y.zip", **{"../evil.png": b"x"}), steps=3)
    with pytest.raises(InputError, match=r"the name ../evil.png is not allowed"):
        queue.order(secret="s" * 30, **bad.words())
    monkeypatch.setattr(queue._admission, "limits", Limits(disk_mib_per_visitor=1))
    with pytest.raises(InputError) as refused:
        queue.order(secret="s" * 30, **order.words())
    assert refused.value.key == "disk_budget"
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == before
    assert folder.name == run_queue.IMAGES_FOLDER


def test_it_is_seen_and_is_no_model_that_writes(home: Path) -> None:
    queue = RunQueue(home)
    view = RunWatches(queue).view("gan")
    assert (view.validation_loss, view.best) == (None, None)
    assert [(event.step, event.file) for event in view.samples] == [
        (2, "samples/step-000002.png"),
        (4, "samples/step-000004.png"),
    ]
    held_out = [step for step, _, line in view.charts["probabilities"] if line == "held_out_prob"]
    assert held_out == [2, 4], "measured every second step alone"
    catalog = Catalog(queue)
    assert not [choice for choice in catalog.choices("text") if choice.value.startswith("gan")]
    with pytest.raises(InputError) as refused:
        catalog.checked("gan")
    assert refused.value.key == "foreign_model"
    assert catalog.checked("gan", "pictures") == "gan@4"
    assert catalog.baseline_for(queue.run("gan")) is None


def test_a_seed_draws_the_same_images_and_another_other_ones(home: Path) -> None:
    run = RunDirectory(home / "gan")
    first = as_image(new_images(run, 4, 1))
    assert first.shape == as_image(sample_image(run, 4)).shape == (202, 202, 3)
    assert np.array_equal(first, as_image(new_images(run, 4, 1)))
    assert not np.array_equal(first, as_image(new_images(run, 4, 2)))
    assert not np.array_equal(first, as_image(new_images(run, 2, 1)))
    # The seed of the training's own noise gives the training's own sheet, but for the half precision on disk.
    kept, again = (as_image(sample_image(run, 4)), as_image(new_images(run, 4, 0)))
    assert np.abs(kept.astype(int) - again).max() <= 2
    for bad in (-1, 1.5, "1", None, 2**31):
        with pytest.raises(InputError):
            new_images(run, 4, bad)  # type: ignore[arg-type]


def test_a_sample_is_read_by_its_step_alone(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    (tmp_path / "samples").mkdir()
    (tmp_path / "secret.png").write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    (tmp_path / "samples" / "step-000001.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "samples" / "step-000002.png").write_bytes(b"<svg onload='x'>")
    assert [sample_image(run, step) for step in (1, 2, 3)] == [None, None, None]


def test_both_networks_and_the_sheets_go_out_and_come_back(home: Path, tmp_path: Path) -> None:
    run = RunDirectory(home / "gan")
    card = export_card(RunWatches(RunQueue(home)).view("gan"))
    name = import_run(export_run(run, card, tmp_path / "gan.zip"), tmp_path / "there", "s")
    back = RunDirectory(tmp_path / "there" / name)
    assert not list(back.path.rglob("state"))
    assert sample_image(back, 2) == sample_image(run, 2) is not None
    assert new_images(back, 4, 5) == new_images(run, 4, 5)
    assert "--set diff_augment=colour,cutout" in card and "tokens" not in card
    assert "4, 32 images seen" in card


@pytest.mark.parametrize("spoilt", ["shape", "missing", "extra", "hash", "recipe", "sample"])
def test_a_gan_that_is_not_whole_is_refused(home: Path, tmp_path: Path, spoilt: str) -> None:
    run = RunDirectory(shutil.copytree(home / "gan", tmp_path / "gan"))
    checkpoint = run.checkpoint()
    weights = checkpoint / "discriminator" / "model.safetensors"
    tensors = load_file(weights)
    if spoilt == "shape":
        tensors["score.weight"] = torch.zeros(2, 3)
        save_file(tensors, weights)
    elif spoilt == "missing":
        weights.unlink()
    elif spoilt == "extra":
        save_file({**tensors, "more": torch.zeros(2)}, weights)
    elif spoilt == "hash":
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(bytes(content))
    elif spoilt == "recipe":
        config = run.config()
        (run.path / "config.json").write_text(json.dumps({**config, "recipe": "stylegan"}))
    else:
        (run.path / "samples" / "step-000002.png").write_bytes(b"no picture")
    if spoilt not in ("hash", "sample"):
        (checkpoint / "manifest.json").write_text(json.dumps(build_manifest(checkpoint)))
    packed = export_run(RunDirectory(home / "gan"), "", tmp_path / "x.zip")
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(tmp_path / "y.zip", "w") as new:
        for name in old.namelist():
            if (run.path / name).is_file() or name == "README.md":
                new.writestr(name, "" if name == "README.md" else (run.path / name).read_bytes())
    with pytest.raises(InputError):
        import_run(tmp_path / "y.zip", tmp_path / "there", "s")
    assert list((tmp_path / "there").glob("*")) == []


def test_a_saved_folder_holds_both_networks_and_its_card_is_of_images(home: Path, tmp_path: Path) -> None:
    folder = save_model_folder(RunDirectory(home / "gan"), tmp_path / "mine")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    files = ("config.json", "model.safetensors")
    parts = {f"{part}/{name}" for part in ("generator", "discriminator") for name in files}
    assert names == {"README.md", *parts}
    generator, _ = load_networks(folder)
    assert generator.config.num_features == 8  # type: ignore[union-attr]
    card = (folder / "README.md").read_text()
    assert "pipeline_tag: unconditional-image-generation" in card
    assert "library_name: aigc-demo" in card
    assert "token" not in card and "AutoModel" not in card
