"""What a gallery of the page shows, read back from the sheet that it sends."""

import base64
import io

import numpy as np
import torch
from PIL import Image


def shown_images(gallery):
    """The images of `image_view.gallery`, uint8 [N, C, H, W], cut out of its sheet."""
    content = base64.b64decode(gallery["sheet"].partition("base64,")[2])
    sheet = torch.from_numpy(np.array(Image.open(io.BytesIO(content)).convert("RGB"))).permute(2, 0, 1)
    side, pitch = gallery["size"], gallery["size"] + gallery["gap"]
    places = [divmod(number, gallery["columns"]) for number in range(gallery["count"])]
    return torch.stack(
        [sheet[:, pitch * y : pitch * y + side, pitch * x : pitch * x + side] for y, x in places]
    )


def greys(gallery):
    """The grey level of each image that is of one level alone."""
    return [int(image.unique().item()) for image in shown_images(gallery)]
