"""The guide of a text-to-image training: the dual encoder that encodes captions and scores images."""

# Shapes: B images of a batch (this process's share of it), N captions, P captions of an image, T tokens of a
# caption, C features of a token or channels, E size of an embedding, H rows, W columns.

from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.optim import AdamW, Optimizer

from aigc_demo.core.errors import InputError
from aigc_demo.data.captions import pairs
from aigc_demo.data.captions.pairs import LONGEST, PairCorpus, caption_tokenizer
from aigc_demo.generators.text_to_image.matching import Matcher, load_matcher, matcher_in
from aigc_demo.generators.trained_folder import MATCHER
from aigc_demo.nets.text_to_image.contrastive import (
    DualEncoder,
    DualEncoderConfig,
    contrastive_loss,
    token_mask,
)
from aigc_demo.training.checkpoint import writable_copy
from aigc_demo.training.initial_weights import init_model
from aigc_demo.training.order import Order
from aigc_demo.training.text_to_image.captions import EncodedCaptions
from aigc_demo.training.text_to_image.recipe import OWN_GUIDE, TextToImageSettings

LEARNING_RATE, WEIGHT_DECAY = 2e-3, 0.05  # AdamW's, of a guide that is trained too
NUM_LAYERS = 2  # of the text encoder of a run's own guide


class Guide:
    """A dual encoder that encodes captions for both networks, and scores how well images fit them.

    Args:
        matcher: the dual encoder.
        accelerator: device, precision, processes; a guide that is trained is part of its checkpoints.
        learn: whether it is trained too; else it is frozen.
    """

    def __init__(self, matcher: Matcher, accelerator: Accelerator, *, learn: bool):
        self.tokenizer, self.accelerator = matcher.tokenizer, accelerator
        self.writable = writable_copy(matcher.encoder)
        self.encoder = matcher.encoder.to(accelerator.device).requires_grad_(False)
        self.optimizer: Optimizer | None = None
        if learn:
            optimizer = AdamW(
                self.encoder.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True
            )
            self.optimizer = accelerator.prepare(optimizer)
            accelerator.register_for_checkpointing(self.encoder)

    @property
    def scale(self) -> Tensor:
        """Of its contrastive loss; gradients do not reach it."""
        return self.encoder.scale.detach()

    def token_table(self, captions: Sequence[Sequence[str]]) -> Tensor:
        """Tokens of the captions of each image [N, P, T]."""
        return pairs.token_table(self.tokenizer, captions, self.encoder.config.context_length)

    @torch.no_grad()
    def encode(self, ids_NT: Tensor) -> EncodedCaptions:
        """Captions as the condition of both networks."""
        with self.accelerator.autocast():
            tokens_NTC = self.encoder.encode_text(ids_NT)
            text_NE = self.encoder.pool_text(tokens_NTC, ids_NT)
        return EncodedCaptions(tokens_NTC.float(), token_mask(ids_NT), text_NE.float())

    def image_embeddings(self, x_BCHW: Tensor) -> Tensor:
        """Embeddings of images [B, E]; gradients flow to the images, not to the guide."""
        with self.accelerator.autocast():
            return self.encoder.embed_images(x_BCHW).float()

    def pair_loss(self, ids_NT: Tensor, real_BCHW: Tensor, num_texts: int, rate_factor: float) -> Tensor:
        """The contrastive loss of a guide that is trained, unfrozen for its step; `freeze` follows.

        Args:
            ids_NT: captions; those of the images first.
            real_BCHW: the images.
            num_texts: how many of the captions take part.
            rate_factor: of its learning rate.
        """
        assert self.optimizer is not None
        for group in self.optimizer.param_groups:
            group["lr"] = LEARNING_RATE * rate_factor
        self.encoder.train().requires_grad_(True)
        with self.accelerator.autocast():
            text_NE, image_BE, scale = self.encoder(ids_NT, real_BCHW)
        return contrastive_loss(text_NE[:num_texts].float(), image_BE.float(), scale.float())

    def freeze(self) -> None:
        """In evaluation mode, and no gradients are computed for its weights."""
        self.encoder.eval().requires_grad_(False)

    def save(self, folder: Path) -> None:
        """The dual encoder with its tokenizer, as part of the model that is in this folder."""
        place = folder / MATCHER
        self.writable.load_state_dict(self.encoder.state_dict())
        self.writable.save_pretrained(place)  # type: ignore[operator]
        (place / "README.md").unlink(missing_ok=True)  # the card is the whole model's
        self.tokenizer.save(place)


def guide_of_run(
    order: Order, settings: TextToImageSettings, corpus: PairCorpus, checkpoint: Path | None
) -> Matcher:
    """The dual encoder that a run is to use.

    A run is resumed with the guide in its checkpoint, and does not need the first one any more.

    Raises:
        InputError: there is no such model, or it is for images of another size.
    """
    if checkpoint is not None:
        guide = matcher_in(checkpoint / MATCHER)
    elif order.init is not None:
        guide = matcher_in(Path(init_model(order).location) / MATCHER)
    elif settings.guide == OWN_GUIDE:
        guide = own_guide(corpus, settings)
    else:
        guide = load_matcher(settings.guide)
    if guide.image_size != settings.image_size:
        expected = f"a dual encoder for {settings.image_size} pixels"
        raise InputError("setting_range", name="guide", expected=expected, got=f"one for {guide.image_size}")
    return guide


def own_guide(corpus: PairCorpus, settings: TextToImageSettings) -> Matcher:
    """An untrained dual encoder whose tokenizer is made from these captions."""
    tokenizer = caption_tokenizer(corpus.train_captions)
    shape = DualEncoderConfig(
        vocab_size=tokenizer.vocab_size,
        context_length=LONGEST,
        num_layers=NUM_LAYERS,
        image_size=settings.image_size,
    )
    return Matcher(DualEncoder(shape), tokenizer)
