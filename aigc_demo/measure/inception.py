"""Features of the Inception network that papers measure images in, where its weights are on this machine.

The page needs no download, so its own figures are in the features of a network trained here. Whoever has the
network of the papers as a TorchScript file (`inception-2015-12-05.pt` of StyleGAN2-ADA, which computes what
the TensorFlow one of 2015 did) names it in the environment, and both distances are told.
"""

# Shapes: N images, C channels, H rows, W columns, F features of an image.

import os
from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.core.errors import InputError

INCEPTION = "AIGC_DEMO_INCEPTION"


def inception_path() -> Path | None:
    """The file that the environment names, or None."""
    named = os.environ.get(INCEPTION, "")
    return Path(named) if named else None


@torch.inference_mode()
def inception_features(path: Path, images: Tensor, batch_size: int = 64) -> Tensor:
    """What Inception sees in images, which it enlarges itself.

    Args:
        path: a TorchScript network from uint8 [N, C, H, W] and `return_features=True` to [N, F]. It is run,
            so it has to come from somebody who is trusted.
        images: uint8 [N, C, H, W].
        batch_size: images at once.

    Returns:
        [N, F] in float32; F is 2,048 for the network of the papers.

    Raises:
        InputError: the file is not there, or is no such network.

    Source:
        Heusel et al. 2017, arXiv:1706.08500; Szegedy et al. 2015, arXiv:1512.00567.
    """
    try:
        network = torch.jit.load(str(path), map_location="cpu").eval()
        features_NF = torch.cat([network(part, return_features=True) for part in images.split(batch_size)])
    except (RuntimeError, ValueError, OSError, TypeError) as error:
        raise InputError("broken_model", path=str(path), detail=str(error).partition("\n")[0]) from error
    if features_NF.ndim != 2 or len(features_NF) != len(images):
        raise InputError("broken_model", path=str(path), detail="it does not return features of images")
    return features_NF.float()
