"""All figures of generated images together, and what an encoder sees."""

import torch

from aigc_demo.core.device import seeded
from aigc_demo.measure.image_distances import frechet_distance, precision_recall
from aigc_demo.measure.images import encode, image_figures
from aigc_demo.nets.images.image_encoder import ImageEncoder, ImageEncoderConfig
from tests.measure.test_modes import certain


def test_an_encoder_sees_the_same_in_batches_of_any_size() -> None:
    torch.manual_seed(0)
    encoder = ImageEncoder(ImageEncoderConfig(num_classes=5, width=8, feature_size=16)).eval()
    images = torch.randint(256, (7, 3, 32, 32), generator=seeded(2), dtype=torch.uint8)
    features, probs = encode(encoder, images, batch_size=3)
    assert probs is not None
    torch.testing.assert_close(probs.sum(dim=1), torch.ones(7))
    with torch.no_grad():
        expected = encoder(images / 127.5 - 1).softmax(dim=-1)
    torch.testing.assert_close(probs, expected, atol=1e-5, rtol=1e-4)
    assert features.shape == (7, 16)
    nameless = ImageEncoder(ImageEncoderConfig(num_classes=0, width=8, feature_size=16)).eval()
    assert encode(nameless, images)[1] is None


def test_all_figures_of_one_model() -> None:
    real, fake = torch.randn(20, 4, generator=seeded(0)), torch.randn(16, 4, generator=seeded(1))
    figures = image_figures(real, fake, certain([0, 1] * 8, 2))
    assert (figures.num_real, figures.num_generated) == (20, 16)
    assert (figures.precision, figures.recall) == precision_recall(real, fake)
    assert figures.frechet_distance == frechet_distance(real, fake)
    assert figures.modes is not None and figures.modes.counts == (8, 8)
    assert image_figures(real, fake).modes is None


def test_readable_is_what_is_near_and_sure() -> None:
    # Between the real ones 1 (four times), 2 (three times), 3 (twice) and 4: the median is 2.
    real = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0]])
    fake = torch.tensor([[0.5], [1.75], [3.0], [10.0], [4.6], [4.8]])
    probs = torch.tensor([[0.95, 0.05], [0.6, 0.4], [0.1, 0.9], [0.05, 0.95], [0.97, 0.03], [0.99, 0.01]])
    figures = image_figures(real, fake, probs)
    # The second is not sure, the fourth is far, the last is 0.8 / 2 away, the one before it 0.6 / 2.
    assert figures.readable is not None
    assert (figures.readable.num_samples, figures.readable.counts) == (3, (2, 1))
    assert figures.readable_share == 0.5
    assert figures.modes is not None and figures.modes.counts == (3, 2)
    nothing = image_figures(real, fake + 50, probs)
    assert (nothing.readable, nothing.readable_share, nothing.verdict) == (None, 0, "no_images")
