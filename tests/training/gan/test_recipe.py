"""The settings of a GAN."""

from aigc_demo.nets import diff_augment
from aigc_demo.nets.dcgan import DcganConfig
from aigc_demo.nets.options import GAN_LOSSES
from aigc_demo.training.gan.recipe import GanSettings


def test_settings_name_what_the_networks_know() -> None:
    offered = {name: item.metadata["choices"] for name, item in GanSettings.__dataclass_fields__.items()}
    assert offered["loss"] == ("non-saturating", "minimax", "hinge") == GAN_LOSSES
    assert offered["diff_augment"] == tuple(diff_augment.TRANSFORMS)
    assert offered["discriminator_norm"] == DcganConfig.__dataclass_fields__["norm"].metadata["choices"]
