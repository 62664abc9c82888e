"""Training a network that measures pictures: by their labels, or where there are none, by two views of each.

The losses are in `nets/image_encoder`.
"""

# Shapes: B pictures of a batch (this process's share of it), C channels, H rows, W columns, K classes.

from pathlib import Path

import torch
from torch import Tensor, nn

from aigc_demo.core.device import seeded
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import PictureCorpus, augment, prepare_pictures
from aigc_demo.data.images.pixels import as_numbers
from aigc_demo.nets.diff_augment import cutout
from aigc_demo.nets.image_encoder import (
    PictureEncoder,
    PictureEncoderConfig,
    contrastive_pair_loss,
    label_loss,
)
from aigc_demo.training.classifier.recipe import ClassifierSettings
from aigc_demo.training.family import Family, ForwardPasses, empty_images
from aigc_demo.training.image_training import ImageTraining
from aigc_demo.training.initial_weights import refuse_init
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

VIEW_SEED = 0
# Held-out pictures that are looked at together. Without labels each is looked for among these, so their
# number belongs to the measure.
MEASURED_TOGETHER = 128


class ClassifierTraining(ImageTraining):
    """One training of a picture encoder.

    Args:
        encoder: with as many classes as the corpus has labels, or none.
        corpus: what it is trained and measured on.
        settings: of the recipe.
        budget: how long.
        run: where it is recorded.
        seed: of batches and views.
    """

    def __init__(
        self,
        encoder: ImageEncoder,
        corpus: ImageCorpus,
        settings: ClassifierSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        super().__init__(encoder, corpus, settings, budget, run, seed=seed)
        self.settings, self.labelled = settings, bool(encoder.config.num_classes)

    def batch_loss(self, rng: torch.Generator) -> Tensor:
        """As ImageTraining."""
        if self.labelled:
            assert self.pictures.train_labels is not None  # there are classes
            picture_BCHW, index_B = self.batches.rows(rng)
            logits_BK = self._seen(self.mine(picture_BCHW))
            return label_loss(logits_BK, self.mine(self.pictures.train_labels[index_B]))
        index_B = torch.randint(len(self.pictures.train), (self.settings.batch_size,), generator=rng)
        picture_BCHW = self.pictures.train[index_B]
        views = [self.mine(self._view(picture_BCHW, rng)) for _ in range(2)]
        return self._pair_loss(views)

    @torch.no_grad()
    def held_out(self, pictures: list[int]) -> dict[str, float]:
        """Loss and, with labels, how many are named rightly (`accuracy`); views are the same each time."""
        self.network.eval()
        rng, total = (
            seeded(VIEW_SEED),
            dict.fromkeys(("loss", "accuracy") if self.labelled else ("loss",), 0.0),
        )
        parts = torch.tensor(pictures).split(MEASURED_TOGETHER)
        if not self.labelled and len(parts[-1]) < len(parts[0]):
            parts = parts[: max(1, len(parts) - 1)]  # among fewer pictures one is found more easily
        for index_B in parts:
            self.ask_to_go_on()
            measured = self._labels_measured(index_B) if self.labelled else self._views_measured(index_B, rng)
            for name, value in measured.items():
                total[name] += value * len(index_B)
        count = sum(map(len, parts))
        return {name: value / count for name, value in total.items()}

    def _labels_measured(self, index_B: Tensor) -> dict[str, float]:
        assert self.pictures.validation_labels is not None  # there are classes
        device = self.accelerator.device
        label_B = self.pictures.validation_labels[index_B].to(device)
        logits_BK = self._seen(as_numbers(self.pictures.validation[index_B]).to(device))
        right = (logits_BK.argmax(dim=1) == label_B).float().mean()
        return {"loss": label_loss(logits_BK, label_B).item(), "accuracy": right.item()}

    def _views_measured(self, index_B: Tensor, rng: torch.Generator) -> dict[str, float]:
        picture_BCHW = self.pictures.validation[index_B]
        views = [self._view(picture_BCHW, rng).to(self.accelerator.device) for _ in range(2)]
        return {"loss": self._pair_loss(views).item()}

    def _view(self, picture_BCHW: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures varied as the settings say, in -1 to 1."""
        x_BCHW = as_numbers(augment(picture_BCHW, self.settings.views(), rng))
        return cutout(x_BCHW, rng) if self.settings.view_cutout else x_BCHW

    def _pair_loss(self, views: list[Tensor]) -> Tensor:
        # In one batch: what batch norm knows of the pictures is then the same for both views.
        first, second = self._seen(torch.cat(views)).chunk(2)
        return contrastive_pair_loss(first, second, self.settings.temperature)

    def _seen(self, x_BCHW: Tensor) -> Tensor:
        with self.accelerator.autocast():
            output: Tensor = self.network(x_BCHW)
        return output.float()


def prepare(
    order: Order, settings: ClassifierSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> ClassifierTraining:
    """As `Family.prepare`.

    Raises:
        InputError: the source has no images, or `--init` is given: training takes a minute.
    """
    refuse_init(order, "a classifier")
    corpus = prepare_pictures(order.source, settings)
    torch.manual_seed(order.seed)
    encoder = PictureEncoder(_encoder_config(settings, corpus.num_modes))
    return ClassifierTraining(encoder, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: ClassifierSettings) -> list[nn.Module]:
    """The encoder without labels; each class adds one row to its last matrix."""
    return [PictureEncoder(_encoder_config(settings, num_classes=0))]


def _encoder_config(settings: ClassifierSettings, num_classes: int) -> PictureEncoderConfig:
    return PictureEncoderConfig(
        image_size=settings.image_size,
        num_classes=num_classes,
        width=settings.width,
        feature_size=settings.feature_size,
    )


def _forward_passes(parts: list[nn.Module], settings: ClassifierSettings) -> ForwardPasses:
    return [(2, lambda: parts[0](empty_images(settings)))]  # two views of each image


FAMILY = Family(prepare, networks, _forward_passes)
