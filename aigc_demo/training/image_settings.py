"""Settings that several recipes on images share."""

from dataclasses import dataclass

from aigc_demo.core.config import setting
from aigc_demo.data.images.corpus import ImageSettings
from aigc_demo.training.settings import OPTIMIZERS, PRECISIONS, SCHEDULES


@dataclass(frozen=True)
class ImageLoopSettings(ImageSettings):
    """What all of them share."""

    batch_size: int = setting(128, "images in one step, all processes together", low=2, high=8192)
    mixed_precision: str = setting("auto", "precision of matrix products", choices=PRECISIONS)
    validate_every: int = setting(100, "steps between validations", low=1)
    checkpoint_every: int | None = setting(None, "steps between checkpoints; none for 15 in the run", low=1)

    @property
    def units_per_step(self) -> int:
        """Images in one step."""
        return self.batch_size


@dataclass(frozen=True)
class ImageNetworkSettings(ImageLoopSettings):
    """One network with one loss, trained by AdamW or Muon and validated on held-out images."""

    optimizer: str = setting("adamw", "of matrices and convolution kernels", choices=OPTIMIZERS)
    learning_rate: float = setting(1e-3, "AdamW's peak learning rate", low=0, high=10)
    beta1: float = setting(0.9, "AdamW's first-moment decay (beta1)", low=0, high=0.999)
    beta2: float = setting(0.999, "AdamW's second-moment decay (beta2)", low=0, high=0.9999)
    muon_learning_rate: float = setting(0.02, "Muon's peak learning rate", low=0, high=10)
    muon_momentum: float = setting(0.8, "Muon's momentum", low=0, high=0.999)
    weight_decay: float = setting(0.01, "AdamW's weight decay of matrices and kernels", low=0, high=10)
    max_grad_norm: float = setting(1.0, "gradient norms above this are clipped", low=0)
    schedule: str = setting("linear", "schedule of the learning rate", choices=SCHEDULES)
    validation_pictures: int = setting(512, "images in each validation, the same ones each time", low=1)
