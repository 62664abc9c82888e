"""Is the right one found among a hundred?"""

# Shapes: N texts or images, E numbers of an embedding.

import torch
from torch import Tensor

LOOKED_THROUGH = 100


def found_among(query_NE: Tensor, key_NE: Tensor, meaning_N: Tensor, among: int = LOOKED_THROUGH) -> float:
    """The share of queries whose nearest key means the same as their own.

    Args:
        query_NE: vectors of length 1.
        key_NE: of length 1, the own one of each query in its place.
        meaning_N: equal numbers for what means the same.
        among: how many keys each query is looked for in: the N are cut into parts of so many, and a rest that
            is smaller is left out, unless it is all there is.

    Returns:
        0 to 1; 1 / `among` for vectors that say nothing, where all mean different things.
    """
    parts = torch.arange(len(query_NE)).split(among)
    if len(parts) > 1 and len(parts[-1]) < among:
        parts = parts[:-1]
    right = 0
    for part in parts:
        nearest = (query_NE[part] @ key_NE[part].t()).argmax(dim=1)
        right += int((meaning_N[part][nearest] == meaning_N[part]).sum())
    return right / sum(map(len, parts))


def preferred_share(image_NE: Tensor, own_NE: Tensor, other_NE: Tensor) -> float:
    """The share of images that are nearer to their own text than to the other one in the same place.

    Args:
        image_NE: vectors of length 1.
        own_NE: of their texts.
        other_NE: of texts that are nearly right.

    Returns:
        0 to 1; 0.5 for vectors that say nothing.
    """
    own_N, other_N = ((image_NE * text_NE).sum(dim=1) for text_NE in (own_NE, other_NE))
    return float(((own_N > other_N).float() + 0.5 * (own_N == other_N).float()).mean())
