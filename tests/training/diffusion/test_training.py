"""The diffusion model: it learns, resumes exactly, and its folder is a pipeline of diffusers."""

import math
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from safetensors.torch import load_file

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import CheckpointSaved, SampleReady, TrainEvent
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.images.diffusion import load_scheduler
from aigc_demo.nets.options import PREDICTION_TYPES
from aigc_demo.training.diffusion.recipe import DiffusionSettings
from aigc_demo.training.diffusion.training import DiffusionTraining, noise_schedule
from aigc_demo.training.family import family_of
from aigc_demo.training.recipes import recipe_named
from aigc_demo.training.start import train
from tests.training.image_orders import order
from tests.training.recorded import losses, validations
from tests.training.resumed import check_resumed


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    check_resumed(order, tmp_path, "ddpm")


def test_a_diffusion_model_learns_and_draws_at_its_checkpoints(tmp_path: Path) -> None:
    events = list(
        train(
            order(
                tmp_path / "run", "ddpm", steps=30, settings={"learning_rate": 3e-3, "checkpoint_every": 15}
            )
        )
    )
    begin, *_, end = validations(events)
    assert begin.loss == pytest.approx(1, abs=0.15)  # the noise's own variance
    assert end.loss < 0.8 * begin.loss
    samples = [event for event in events if isinstance(event, SampleReady)]
    assert [sample.file for sample in samples] == ["samples/step-000015.png", "samples/step-000030.png"]
    with Image.open(tmp_path / "run" / samples[-1].file) as sheet:
        assert sheet.size == (66, 66)  # two rows of two images of 32, two pixels between


def test_told_to_stop_a_diffusion_model_draws_nothing_more(tmp_path: Path) -> None:
    seen: list[TrainEvent] = []
    # At the first checkpoint; by then the sample would begin.
    seen.extend(
        train(
            order(tmp_path / "run", "ddpm", settings={"checkpoint_every": 3}),
            lambda: any(
                isinstance(event, CheckpointSaved) for event in RunDirectory(tmp_path / "run").events()
            ),
        )
    )
    assert [event.kind for event in seen].count("sample") == 0
    assert (seen[-1].reason, seen[-1].step) == ("stopped", 4)


@pytest.mark.parametrize("pipeline", ["DDIMPipeline", "DDPMPipeline"])
def test_a_checkpoint_is_a_pipeline_of_diffusers(tmp_path: Path, pipeline: str) -> None:
    import diffusers

    list(train(order(tmp_path / "run", "ddpm", steps=2)))
    folder = tmp_path / "run/checkpoints/step-000002"
    loaded = getattr(diffusers, pipeline).from_pretrained(folder)
    loaded.set_progress_bar_config(disable=True)
    assert (folder / "unet/diffusion_pytorch_model.safetensors").stat().st_size < 2 * 110_000 + 20_000
    made = loaded(
        batch_size=1, num_inference_steps=2, output_type="np", generator=torch.manual_seed(0)
    ).images
    assert made.shape == (1, 32, 32, 3)
    assert made.std() > 0.05


def test_the_diffusion_model_goes_on_from_another(tmp_path: Path) -> None:
    list(train(order(tmp_path / "first", "ddpm", steps=2)))
    still = {"learning_rate": 0.0, "ema_decay": 0.0}
    list(train(order(tmp_path / "next", "ddpm", steps=1, init=str(tmp_path / "first"), settings=still)))
    old, new = (
        load_file(tmp_path / place / "unet/diffusion_pytorch_model.safetensors")
        for place in ("first/checkpoints/step-000002", "next/checkpoints/step-000001")
    )
    assert all(torch.equal(old[name], new[name]) for name in old)
    for name, value in (("prediction_type", "sample"), ("patch_size", 2), ("base_channels", 16)):
        other = order(tmp_path / name, "ddpm", init=str(tmp_path / "first"), settings={name: value})
        with pytest.raises(InputError, match="leave that setting away"):
            list(train(other))


@pytest.mark.parametrize("asked", PREDICTION_TYPES)
def test_whatever_is_asked_of_noisy_images_the_answer_costs_nothing(tmp_path: Path, asked: str) -> None:
    """A network that knows the images has no loss; the error of one that is off by a little is weighed."""
    settings = {"prediction_type": asked, "patch_size": 2, "optimizer": "muon"}
    run = tmp_path / "run"
    found = losses(list(train(order(run, "ddpm", steps=3, settings=settings))))
    assert len(found) == 3
    assert all(map(math.isfinite, found))
    scheduler = load_scheduler(run / "checkpoints/step-000003")
    assert scheduler.config.prediction_type == asked
    rng = torch.Generator().manual_seed(0)
    image, noise = (torch.randn(4, 3, 8, 8, generator=rng) for _ in range(2))
    timestep = torch.tensor([0, 10, 500, 999])
    kept = scheduler.alphas_cumprod[timestep][:, None, None, None]
    answer = {
        "sample": image,
        "epsilon": noise,
        "v_prediction": kept.sqrt() * noise - (1 - kept).sqrt() * image,
    }[asked]
    training = object.__new__(DiffusionTraining)
    training.noise = noise_schedule(DiffusionSettings(prediction_type=asked))
    training.accelerator = Accelerator(mixed_precision="no")

    def loss(off: float) -> float:
        training.model_output = lambda network, noisy, timestep: answer + off
        return training._loss(None, image, noise, timestep).item()

    assert loss(0.0) == pytest.approx(0.0, abs=1e-10)
    weights = (1 / (1 - kept.flatten())).clamp(max=5) if asked == "sample" else torch.ones(4)
    assert loss(0.1) == pytest.approx(0.01 * weights.mean().item(), rel=1e-4)


@pytest.mark.parametrize(("size", "most"), [(32, 1.8e6), (64, 4e6)])
def test_the_diffusion_model_fits_a_file_of_ten_megabytes(size: int, most: float) -> None:
    with torch.device("meta"):
        (unet,) = family_of(recipe_named("ddpm")).networks("ddpm", DiffusionSettings(image_size=size))
    assert 0.8 * most < sum(weight.numel() for weight in unet.parameters()) < most


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base_channels": 12}, "a multiple of 8"),
        ({"noise_steps": 20, "sample_steps": 21}, "at most 20"),
        ({"image_size": 32, "patch_size": 3}, "a divisor of 32"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        DiffusionSettings(**settings)
