"""The settings of a GAN."""

import torch

from aigc_demo.nets import diff_augment
from aigc_demo.nets.dcgan import DcganConfig
from aigc_demo.nets.options import GAN_LOSSES
from aigc_demo.training.gan.networks import networks
from aigc_demo.training.gan.recipe import GanSettings, StyleGanSettings


def test_settings_name_what_the_networks_know() -> None:
    offered = {name: item.metadata["choices"] for name, item in GanSettings.__dataclass_fields__.items()}
    assert offered["loss"] == ("non-saturating", "minimax", "hinge") == GAN_LOSSES
    assert offered["diff_augment"] == tuple(diff_augment.TRANSFORMS)
    assert offered["discriminator_norm"] == DcganConfig.__dataclass_fields__["norm"].metadata["choices"]


def test_the_mapping_network_has_the_layers_that_were_ordered() -> None:
    with torch.device("meta"):
        generator, _ = networks("stylegan", StyleGanSettings(num_mapping_layers=7, style_size=5))
    assert len(generator.mapping) == 7
