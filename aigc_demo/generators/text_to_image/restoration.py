"""Loads restoration networks by name."""

# Shapes: N images, C channels, H rows, W columns.

from collections.abc import Callable

import torch
from torch import Tensor

from aigc_demo.data.images.pixels import to_float, to_uint8
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.hub import folder_of
from aigc_demo.generators.kinds import RESTORATION
from aigc_demo.generators.network_folder import loaded
from aigc_demo.nets.images.restoration import RestorationConfig, RestorationNetwork, composite

MOST_AT_ONCE = 64


class ImageRestoration:
    """What gives images back their colours, or what was painted over.

    Args:
        network: trained.
    """

    def __init__(self, network: RestorationNetwork):
        self.network = network.eval()
        self.image_size, self.task = network.config.image_size, network.config.task
        self.num_parameters = sum(weight.numel() for weight in network.parameters())

    @torch.inference_mode()
    def restored(self, images_NCHW: Tensor, hole_N1HW: Tensor | None = None) -> Tensor:
        """Images filled whole.

        Args:
            images_NCHW: uint8 of its size; for colours only their brightness counts.
            hole_N1HW: 1 where something was painted over, 0 elsewhere; only for what repairs.

        Returns:
            uint8 [N, C, H, W]; what was not painted over is as it was.
        """
        if not self.task.masked:
            hole_N1HW = torch.ones_like(images_NCHW[:, :1])
        assert hole_N1HW is not None  # where would it draw?
        filled = []
        for part, hole in zip(images_NCHW.split(MOST_AT_ONCE), hole_N1HW.split(MOST_AT_ONCE), strict=True):
            drawn = to_uint8(self.network(self.task.corrupt(to_float(part), hole.float())))
            filled.append(composite(part, hole, drawn))
        return torch.cat(filled)


def load_restoration(
    name_or_entry: str | CatalogEntry, progress: Callable[[int, int], None] | None = None
) -> ImageRestoration:
    """A restoration network by name, in evaluation mode.

    Args:
        name_or_entry: what `catalog.find` takes, or what it gave.
        progress: called with (bytes fetched, bytes in all) where it comes over the network.

    Raises:
        InputError: there is no such model, or its folder is broken or holds another kind.
    """
    folder = folder_of(name_or_entry, RESTORATION, progress)
    return ImageRestoration(loaded(RestorationNetwork, RestorationConfig, folder))
