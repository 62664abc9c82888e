"""The distance of the papers, with a small network in Inception's place: its own weights are 95 MB away."""

import pytest
import torch
from torch import Tensor, nn

from aigc_demo.core.errors import InputError
from aigc_demo.measure.image_distances import frechet_distance
from aigc_demo.measure.inception import INCEPTION, inception_features, inception_path

# The file that people have is of this kind; nothing here makes new ones but the tests.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


class Means(nn.Module):
    """From images to the mean of each channel, called as Inception is."""

    def forward(self, img: Tensor, return_features: bool = False) -> Tensor:
        means = img.float().mean(dim=(2, 3))
        return means if return_features else means.softmax(dim=1)


class Flat(nn.Module):
    """What returns no row for each image."""

    def forward(self, img: Tensor, return_features: bool = False) -> Tensor:
        return img.float().flatten()


@pytest.fixture
def path(tmp_path):
    torch.jit.script(Means()).save(str(tmp_path / "network.pt"))
    return tmp_path / "network.pt"


def images(count, seed=0):
    return torch.randint(
        256, (count, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def test_features_are_the_networks_whatever_the_batch(path):
    some = images(10)
    found = inception_features(path, some, batch_size=4)
    torch.testing.assert_close(found, some.float().mean(dim=(2, 3)))


def test_the_distance_between_brighter_and_darker_images_is_that_of_their_means(path):
    some = images(50) // 2
    brighter = some + 100
    distance = frechet_distance(inception_features(path, some), inception_features(path, brighter))
    assert distance == pytest.approx(3 * 100**2, rel=1e-4)


def test_a_file_that_is_no_network_or_another_one_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "text.pt").write_text("no network")
    torch.jit.script(Flat()).save(str(tmp_path / "flat.pt"))
    for name in ("missing.pt", "text.pt", "flat.pt"):
        with pytest.raises(InputError, match=name):
            inception_features(tmp_path / name, images(3))


def test_the_environment_names_the_file(monkeypatch, tmp_path):
    monkeypatch.delenv(INCEPTION, raising=False)
    assert inception_path() is None
    monkeypatch.setenv(INCEPTION, str(tmp_path / "network.pt"))
    assert inception_path() == tmp_path / "network.pt"
