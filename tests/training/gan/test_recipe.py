"""The settings of a GAN."""

from types import SimpleNamespace

import pytest
import torch

from aigc_demo.nets.images import diff_augment
from aigc_demo.nets.images.dcgan import DcganConfig
from aigc_demo.nets.options import GAN_LOSSES
from aigc_demo.training.gan.networks import forward_passes, networks
from aigc_demo.training.gan.recipe import GanSettings, StyleGanSettings
from aigc_demo.training.text_to_image.networks import forward_passes as passes_of_captions
from aigc_demo.training.text_to_image.recipe import TextToImageSettings


def test_settings_name_what_the_networks_know() -> None:
    offered = {name: item.metadata["choices"] for name, item in GanSettings.__dataclass_fields__.items()}
    assert offered["loss"] == ("non-saturating", "minimax", "hinge") == GAN_LOSSES
    assert offered["diff_augment"] == tuple(diff_augment.TRANSFORMS)
    assert offered["discriminator_norm"] == DcganConfig.__dataclass_fields__["norm"].metadata["choices"]


def test_the_mapping_network_has_the_layers_that_were_ordered() -> None:
    with torch.device("meta"):
        generator, _ = networks("stylegan", StyleGanSettings(num_mapping_layers=7, style_size=5))
    assert len(generator.mapping) == 7


@pytest.mark.parametrize(("r1_gamma", "more"), [(0, 0), (0.5, 2)])
def test_the_penalty_costs_two_more_passes_of_the_discriminator(r1_gamma: float, more: int) -> None:
    networks = [SimpleNamespace(config=SimpleNamespace(token_size=8, text_size=8)), SimpleNamespace()]
    passes = forward_passes(networks, GanSettings(r1_gamma=r1_gamma))
    assert [count for count, _ in passes] == [1, 2 + more]  # real and generated images
    settings = TextToImageSettings(r1_gamma=r1_gamma, choices=3)
    passes = passes_of_captions(networks, settings)
    assert [count for count, _ in passes] == [3, 3 + more]  # and real ones with a wrong caption
