"""Images of a diffusion model: each by its own seed, as the library's, and from trustworthy files alone."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from aigc_demo.core.errors import InputError
from aigc_demo.generators.images.diffusion import UNET, DiffusionImages, predicted
from aigc_demo.generators.images.model import ImageSampling
from aigc_demo.generators.pretrained.network import OLD_ATTENTION

WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel
    from diffusers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=16,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        attention_head_dim=None,
    )
    folder = tmp_path_factory.mktemp("model")
    DDPMPipeline(unet, DDPMScheduler(timestep_spacing="trailing")).save_pretrained(folder)
    return folder


def test_a_image_hangs_on_its_own_seed(model: Path) -> None:
    images = DiffusionImages(model)
    three = images.make([5, 6, 7], ImageSampling(num_inference_steps=3))
    (alone,) = images.make([6], ImageSampling(num_inference_steps=3))
    assert three.shape == (3, 3, 16, 16)
    assert three.dtype == torch.uint8
    assert (three[1].int() - alone.int()).abs().max() <= 1  # a batch of another size rounds otherwise
    assert (three[0].int() - three[1].int()).abs().float().mean() > 5


def test_images_are_those_of_the_library(model: Path) -> None:
    from diffusers import DDIMPipeline

    pipeline = DDIMPipeline.from_pretrained(model)
    pipeline.set_progress_bar_config(disable=True)
    rng = torch.Generator().manual_seed(3)
    theirs = pipeline(generator=rng, num_inference_steps=4, output_type="np").images
    ours = DiffusionImages(model).make([3], ImageSampling(num_inference_steps=4))
    same = torch.from_numpy(theirs).permute(0, 3, 1, 2) * 255
    assert (ours.float() - same).abs().max() <= 1


def test_a_square_of_pixels_can_be_a_place(tmp_path: Path) -> None:
    from diffusers import DDPMScheduler, UNet2DModel

    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=8,
        in_channels=12,
        out_channels=12,
        block_out_channels=(8,),
        layers_per_block=1,
        down_block_types=("DownBlock2D",),
        up_block_types=("UpBlock2D",),
        norm_num_groups=4,
    )
    unet.save_pretrained(tmp_path / UNET)
    DDPMScheduler(prediction_type="sample").save_pretrained(tmp_path / "scheduler")
    images = DiffusionImages(tmp_path)
    assert images.image_size == 16
    assert images.make([1, 2], ImageSampling(num_inference_steps=2)).shape == (2, 3, 16, 16)
    # A network that says what it is given says so of each pixel where it stands.
    seen = []

    def output(x: torch.Tensor, timestep: int) -> SimpleNamespace:
        seen.append(x.shape)
        return SimpleNamespace(sample=x)

    x_NCHW = torch.randn(2, 3, 16, 16)
    echo = type("Echo", (), {"config": unet.config, "__call__": staticmethod(output)})()
    assert torch.equal(predicted(echo, x_NCHW, 5), x_NCHW)
    assert seen == [(2, 12, 8, 8)]


@pytest.mark.parametrize("channels", [{"in_channels": 5, "out_channels": 5}, {"out_channels": 12}])
def test_channels_that_are_no_squares_of_pixels_are_refused(
    model: Path, tmp_path: Path, channels: dict
) -> None:
    folder = shutil.copytree(model, tmp_path / "model")
    path = folder / UNET / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **channels}))
    with pytest.raises(InputError, match="no model that can be loaded"):
        DiffusionImages(folder)


def test_every_step_is_shown_and_can_be_the_last(model: Path) -> None:
    seen = []

    def watch(step: int, total: int, preview: torch.Tensor) -> bool:
        seen.append((step, total, preview))
        return step == 2

    made = DiffusionImages(model).make([1, 2], ImageSampling(num_inference_steps=5), watch)
    assert [(step, total) for step, total, _ in seen] == [(1, 5), (2, 5)]
    assert torch.equal(made, seen[-1][2])
    assert made.shape == (2, 3, 16, 16)


def test_an_old_snapshot_has_other_names_and_one_folder(model: Path, tmp_path: Path) -> None:
    shutil.copy(model / UNET / "config.json", tmp_path)
    shutil.copy(model / "scheduler/scheduler_config.json", tmp_path)
    weights = load_file(model / UNET / WEIGHTS)
    for old, new in OLD_ATTENTION.items():
        weights = {name.replace(new, old): weight for name, weight in weights.items()}
    assert sum(".query." in name for name in weights) > 0
    save_file(weights, tmp_path / WEIGHTS)
    makes = [
        DiffusionImages(folder).make([4], ImageSampling(num_inference_steps=2))
        for folder in (model, tmp_path)
    ]
    assert torch.equal(*makes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_class_name": "UNet2DConditionModel"}, "its network is UNet2DConditionModel"),
        ({"layers_per_block": 10**9}, "no model that can be loaded"),
        ({"block_out_channels": [8, 16] * 9}, "no model that can be loaded"),
        ({"down_block_types": ["Nothing", "DownBlock2D"]}, "no model that can be loaded"),
        ({"block_out_channels": [8, 24]}, "model of another kind"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(
    model: Path, tmp_path: Path, changes: dict, message: str
) -> None:
    folder = shutil.copytree(model, tmp_path / "model")
    path = folder / UNET / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(InputError, match=message):
        DiffusionImages(folder)


def test_a_pickle_is_never_read(model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / UNET / WEIGHTS).rename(folder / UNET / "diffusion_pytorch_model.bin")
    with pytest.raises(InputError, match="only a pickle"):
        DiffusionImages(folder)


def test_a_schedule_without_end_is_refused(model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / "scheduler/scheduler_config.json").write_text('{"num_train_timesteps": 1000000000}')
    with pytest.raises(InputError, match="scheduler_config"):
        DiffusionImages(folder)
