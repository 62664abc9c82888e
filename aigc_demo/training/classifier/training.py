"""Training an image encoder: by labels or, where there are none, by a contrastive loss of two views.

The losses are in `nets/images/image_encoder`.
"""

# Shapes: B images of a batch (this process's share of it), C channels, H rows, W columns, K classes.

from pathlib import Path

import torch
from torch import Tensor, nn

from aigc_demo.core.device import seeded
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import ImageCorpus, augment, prepare_images
from aigc_demo.data.images.pixels import to_float
from aigc_demo.nets.images.diff_augment import cutout
from aigc_demo.nets.images.image_encoder import (
    ImageEncoder,
    ImageEncoderConfig,
    contrastive_pair_loss,
    label_loss,
)
from aigc_demo.training.classifier.recipe import ClassifierSettings
from aigc_demo.training.family import Family, ForwardPasses, empty_images
from aigc_demo.training.initial_weights import refuse_init
from aigc_demo.training.loops.image_training import ImageTraining
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

VIEW_SEED = 0
# Held-out images in one forward pass. Without labels the loss is computed among these, so their number is
# part of its definition.
MEASURED_TOGETHER = 128


class ClassifierTraining(ImageTraining):
    """One training of an image encoder.

    Args:
        encoder: with as many classes as the corpus has labels, or none.
        corpus: images for training and validation.
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
            assert self.images.train_labels is not None  # there are classes
            image_BCHW, index_B = self.batches.rows(rng)
            logits_BK = self._forward(self.local_rows(image_BCHW))
            return label_loss(logits_BK, self.local_rows(self.images.train_labels[index_B]))
        index_B = torch.randint(len(self.images.train), (self.settings.batch_size,), generator=rng)
        image_BCHW = self.images.train[index_B]
        views = [self.local_rows(self._view(image_BCHW, rng)) for _ in range(2)]
        return self._pair_loss(views)

    @torch.no_grad()
    def evaluate(self, indices: list[int]) -> dict[str, float]:
        """Loss and, with labels, `accuracy`; views are the same each time."""
        self.network.eval()
        rng, total = (
            seeded(VIEW_SEED),
            dict.fromkeys(("loss", "accuracy") if self.labelled else ("loss",), 0.0),
        )
        parts = torch.tensor(indices).split(MEASURED_TOGETHER)
        if not self.labelled and len(parts[-1]) < len(parts[0]):
            parts = parts[: max(1, len(parts) - 1)]  # the loss is lower among fewer images
        for index_B in parts:
            self.check_stop()
            metrics = self._label_metrics(index_B) if self.labelled else self._view_metrics(index_B, rng)
            for name, value in metrics.items():
                total[name] += value * len(index_B)
        count = sum(map(len, parts))
        return {name: value / count for name, value in total.items()}

    def _label_metrics(self, index_B: Tensor) -> dict[str, float]:
        assert self.images.validation_labels is not None  # there are classes
        device = self.accelerator.device
        label_B = self.images.validation_labels[index_B].to(device)
        logits_BK = self._forward(to_float(self.images.validation[index_B]).to(device))
        right = (logits_BK.argmax(dim=1) == label_B).float().mean()
        return {"loss": label_loss(logits_BK, label_B).item(), "accuracy": right.item()}

    def _view_metrics(self, index_B: Tensor, rng: torch.Generator) -> dict[str, float]:
        image_BCHW = self.images.validation[index_B]
        views = [self._view(image_BCHW, rng).to(self.accelerator.device) for _ in range(2)]
        return {"loss": self._pair_loss(views).item()}

    def _view(self, image_BCHW: Tensor, rng: torch.Generator) -> Tensor:
        """Augmented images in -1 to 1."""
        x_BCHW = to_float(augment(image_BCHW, self.settings.views(), rng))
        return cutout(x_BCHW, rng) if self.settings.view_cutout else x_BCHW

    def _pair_loss(self, views: list[Tensor]) -> Tensor:
        # In one batch, so that both views have the same batch norm statistics.
        first, second = self._forward(torch.cat(views)).chunk(2)
        return contrastive_pair_loss(first, second, self.settings.temperature)

    def _forward(self, x_BCHW: Tensor) -> Tensor:
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
    corpus = prepare_images(order.source, settings)
    torch.manual_seed(order.seed)
    encoder = ImageEncoder(_encoder_config(settings, corpus.num_modes))
    return ClassifierTraining(encoder, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: ClassifierSettings) -> list[nn.Module]:
    """The encoder without labels; each class adds one row to its last matrix."""
    return [ImageEncoder(_encoder_config(settings, num_classes=0))]


def _encoder_config(settings: ClassifierSettings, num_classes: int) -> ImageEncoderConfig:
    return ImageEncoderConfig(
        image_size=settings.image_size,
        num_classes=num_classes,
        width=settings.width,
        feature_size=settings.feature_size,
    )


def _forward_passes(parts: list[nn.Module], settings: ClassifierSettings) -> ForwardPasses:
    return [(2, lambda: parts[0](empty_images(settings)))]  # two views of each image


FAMILY = Family(prepare, networks, _forward_passes)
