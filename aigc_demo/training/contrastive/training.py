"""Training a dual encoder: which caption belongs to which image?

The loss is in `nets/text_to_image/contrastive`.
"""

# Shapes: B pairs of a batch (this process's share of it), T tokens, N captions (hard negatives too),
# E size of an embedding, C channels, H rows, W columns.

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.events import StepDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import (
    LONGEST,
    PairCorpus,
    caption_tokenizer,
    prepare_pairs,
    random_captions,
    token_table,
    trim_padding,
)
from aigc_demo.data.images.pixels import to_float
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.text_to_image.matching import matcher_in
from aigc_demo.measure.retrieval import LOOKED_THROUGH, found_among
from aigc_demo.nets.text_to_image.contrastive import (
    DualEncoder,
    DualEncoderConfig,
    contrastive_loss,
    hard_negative_loss,
)
from aigc_demo.training.contrastive.initial_text_encoder import pretrained_encoder, start_from, with_shape_of
from aigc_demo.training.contrastive.recipe import ClipSettings
from aigc_demo.training.family import COUNTED_VOCABULARY, Family, ForwardPasses, empty_captions, empty_images
from aigc_demo.training.initial_weights import init_model, load_initial_weights, tokenizer_of_run
from aigc_demo.training.loops.image_training import ImageTraining, with_noise
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

# The noise rises to its full strength over this part of a run: at once, hardly anything would be learned.
NOISE_WARMUP = 0.4


class ContrastiveTraining(ImageTraining):
    """One training of a dual encoder.

    Each of several processes computes the loss among its own rows of the batch.

    Args:
        encoder: untrained.
        tokenizer: of its captions.
        corpus: images with captions.
        seed: of batches.
    """

    def __init__(
        self,
        encoder: DualEncoder,
        tokenizer: Tokenizer,
        corpus: PairCorpus,
        settings: ClipSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        self.settings, self.pairs, self.tokenizer = settings, corpus, tokenizer
        super().__init__(encoder, corpus, settings, budget, run, seed=seed)
        length = encoder.config.context_length
        self.captions_NPT = token_table(tokenizer, corpus.train_captions, length)
        self.held_NPT = token_table(tokenizer, corpus.validation_captions, length)
        self.num_wrong = 0
        if corpus.train_wrong:
            self.wrong_NPT = token_table(tokenizer, corpus.train_wrong, length)
            self.num_wrong = min(settings.wrong_captions, self.wrong_NPT.shape[1])
        self.meaning_N = torch.tensor(corpus.train_meanings)
        self.held_meaning_N = torch.tensor(corpus.validation_meanings)
        self.found = math.nan
        self.num_words_known: int | None = None  # of those that start from a pretrained encoder

    def train_step(self) -> StepDone:
        """As ImageTraining; with the share of images whose nearest caption is theirs, also by chance."""
        done = super().train_step()
        pairs = self.settings.batch_size // self.accelerator.num_processes
        metrics = {
            **done.metrics,
            "found": round(self.found, 4),
            "found_by_chance": round(1 / (pairs * (1 + self.num_wrong)), 6),
            "loss_by_chance": round(self._loss_by_chance(pairs), 4),
        }
        return StepDone(step=done.step, loss=done.loss, metrics=metrics)

    def batch_loss(self, rng: torch.Generator) -> Tensor:
        """As ImageTraining."""
        image_BCHW, index_B = self.batches.rows(rng)
        ids_BT = random_captions(self.captions_NPT[index_B], rng)
        std = self.settings.noise * min(1.0, self.share_done() / NOISE_WARMUP)
        image_BCHW = with_noise(image_BCHW, std, rng)
        ids_NT = [self.local_rows(ids_BT)]
        if self.num_wrong:
            chosen_P = torch.randperm(self.wrong_NPT.shape[1], generator=rng)[: self.num_wrong]
            ids_NT += self.local_rows(self.wrong_NPT[index_B][:, chosen_P]).unbind(1)
        text_NE, image_BE, scale = self._embed(torch.cat(ids_NT), self.local_rows(image_BCHW))
        meaning_B = self.local_rows(self.meaning_N[index_B])
        same_BN = torch.zeros(len(image_BE), len(text_NE), dtype=torch.bool, device=text_NE.device)
        same_BN[:, : len(image_BE)] = meaning_B[:, None] == meaning_B
        own_B = torch.arange(len(image_BE), device=text_NE.device)
        nearest_B = (image_BE @ text_NE.t()).argmax(dim=1)
        self.found = same_BN[own_B, nearest_B].float().mean().item()
        loss = contrastive_loss(text_NE, image_BE, scale, same_BN)
        if self.num_wrong:
            own_BE, *wrong_BE = text_NE.split(len(image_BE))
            loss = loss + self.settings.wrong_weight * hard_negative_loss(
                own_BE, torch.stack(wrong_BE, dim=1), image_BE, scale
            )
        return loss

    @torch.no_grad()
    def evaluate(self, indices: list[int]) -> dict[str, float]:
        """Loss, and retrieval accuracy among 100 captions or images."""
        self.network.eval()
        parts = torch.tensor(indices).split(LOOKED_THROUGH)
        if len(parts) > 1 and len(parts[-1]) < LOOKED_THROUGH:
            parts = parts[:-1]  # retrieval is easier among fewer
        total = dict.fromkeys(("loss", "text_of_100", "picture_of_100"), 0.0)
        for index_B in parts:
            self.check_stop()
            device = self.accelerator.device
            ids_BT = self.held_NPT[index_B, index_B % self.held_NPT.shape[1]].to(device)
            image_BCHW = to_float(self.pairs.validation[index_B]).to(device)
            text_BE, image_BE, scale = self._embed(ids_BT, image_BCHW)
            meaning_B = self.held_meaning_N[index_B].to(device)
            same_BB = meaning_B[:, None] == meaning_B
            metrics = {
                "loss": contrastive_loss(text_BE, image_BE, scale, same_BB).item(),
                "text_of_100": found_among(image_BE, text_BE, meaning_B),
                "picture_of_100": found_among(text_BE, image_BE, meaning_B),
            }
            for name, value in metrics.items():
                total[name] += value * len(index_B)
        count = sum(map(len, parts))
        return {name: value / count for name, value in total.items()}

    def write_model(self, folder: Path) -> None:
        """config.json, model.safetensors and the tokenizer."""
        super().write_model(folder)
        self.tokenizer.save(folder)

    def facts(self) -> dict[str, Any]:
        """As ImageTraining; size of the vocabulary and number of captions."""
        facts = super().facts()
        del facts["num_modes"]
        captions = sum(map(len, self.pairs.train_captions))
        known = {} if self.num_words_known is None else {"words_from_init": self.num_words_known}
        return {**facts, "vocab_size": self.tokenizer.vocab_size, "train_captions": captions, **known}

    def _embed(self, ids_NT: Tensor, image_BCHW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with self.accelerator.autocast():
            text_NE, image_BE, scale = self.network(trim_padding(ids_NT), image_BCHW)
        return text_NE.float(), image_BE.float(), scale.float()

    def _loss_by_chance(self, pairs: int) -> float:
        """The loss of an untrained network: an image is among more captions than a caption among images."""
        among_all = (math.log(pairs * (1 + self.num_wrong)) + math.log(pairs)) / 2
        return among_all + self.settings.wrong_weight * math.log(1 + self.num_wrong)


def prepare(
    order: Order, settings: ClipSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> ContrastiveTraining:
    """As `Family.prepare`.

    A run with `--init` from another dual encoder keeps its tokenizer; from a model of `bert` its text encoder
    starts, with a tokenizer of its own. Neither model is needed once the run has a checkpoint.

    Raises:
        InputError: the source has no pairs, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_pairs(order.source, settings)
    entry = init_model(order) if order.init is not None and checkpoint is None else None
    pretrained = pretrained_encoder(entry) if entry is not None and entry.recipe == "bert" else None
    if pretrained is not None:
        settings = with_shape_of(pretrained, order, settings)
        tokenizer = caption_tokenizer(corpus.train_captions)
    else:
        tokenizer = tokenizer_of_run(order, checkpoint, corpus.train_captions)
    torch.manual_seed(order.seed)
    encoder = DualEncoder(_encoder_config(settings, tokenizer.vocab_size))
    num_words = None
    if entry is not None and pretrained is not None:
        known = Tokenizer.load(entry.location)
        num_words = start_from(encoder.text_encoder, tokenizer, pretrained, known)
    elif entry is not None:
        load_initial_weights(order, (encoder,), lambda folder: (matcher_in(folder).encoder,))
    training = ContrastiveTraining(encoder, tokenizer, corpus, settings, budget, run, seed=order.seed)
    training.num_words_known = num_words
    return training


def networks(recipe: str, settings: ClipSettings) -> list[nn.Module]:
    """The dual encoder, for a vocabulary of the tiny world's size."""
    return [DualEncoder(_encoder_config(settings, COUNTED_VOCABULARY))]


def _encoder_config(settings: ClipSettings, vocab_size: int) -> DualEncoderConfig:
    return DualEncoderConfig(
        vocab_size=vocab_size,
        context_length=LONGEST,
        num_layers=settings.num_layers,
        num_heads=settings.num_heads,
        hidden_size=settings.hidden_size,
        image_size=settings.image_size,
        width=settings.width,
        embedding_size=settings.embedding_size,
    )


def _forward_passes(parts: list[nn.Module], settings: ClipSettings) -> ForwardPasses:
    num_texts = settings.batch_size * (1 + settings.wrong_captions)
    return [(1, lambda: parts[0](empty_captions(num_texts), empty_images(settings)))]


FAMILY = Family(prepare, networks, _forward_passes)
