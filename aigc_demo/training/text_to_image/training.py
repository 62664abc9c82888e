"""Training a generator that is conditioned on captions, against a discriminator with the same condition.

The run starts with a reconstruction warm-up: the generator alone is trained to reconstruct its captions' own
images. Adversarial training follows, as in `training/gan/training`: the discriminator scores real images with
their captions, generated images with the captions that they come from, and real images with wrong captions.
A contrastive loss trains it to find the caption of an image among many, and trains the generator through it.
A dual encoder, the guide, encodes the captions for both networks; the generator has a second contrastive loss
from it, as the guide is never trained on generated images. The formulas are in
`nets/images/adversarial` and `nets/text_to_image/contrastive`.
"""

# Shapes: B images of a batch (this process's share of it), N images in all, K noise vectors of a caption,
# P captions of an image, T tokens of a caption, C features of a token or channels, E size of an embedding,
# Z latent features, H rows, W columns.

import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn

from aigc_demo.core.device import seeded
from aigc_demo.core.events import StepDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import (
    PairCorpus,
    prepare_pairs,
    random_captions,
    trim_padding,
)
from aigc_demo.data.images.pixels import to_float
from aigc_demo.generators.text_to_image.matching import Matcher
from aigc_demo.generators.text_to_image.ours import load_networks
from aigc_demo.nets.images.adversarial import generator_loss, matching_terms
from aigc_demo.nets.text_to_image.conditional_gan import ConditionalDiscriminator, ConditionalGenerator
from aigc_demo.nets.text_to_image.contrastive import contrastive_loss, hard_negative_loss
from aigc_demo.training.family import Family
from aigc_demo.training.gan.training import MOST_HELD_OUT, GanTraining, mean_prob
from aigc_demo.training.initial_weights import load_initial_weights
from aigc_demo.training.loops.image_training import noise
from aigc_demo.training.optimizers import rate_factor, set_rates
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget
from aigc_demo.training.text_to_image.captions import (
    captions_of_others,
    captions_of_sample,
)
from aigc_demo.training.text_to_image.guide import Guide, guide_of_run
from aigc_demo.training.text_to_image.networks import (
    ConditionedGenerator,
    ConditionedNoise,
    conditioned_images,
    forward_passes,
    generator_and_discriminator,
    networks,
)
from aigc_demo.training.text_to_image.recipe import OWN_GUIDE, TextToImageSettings

POOLED_PIXELS = 8  # side of the squares that average pooling turns into one pixel
HELD_OUT_SEED, RECALIBRATION_SEED = 1, 2


class TextToImageTraining(GanTraining):
    """One training of a generator and a discriminator that are conditioned on captions.

    Args:
        generator: from noise and a caption to an image.
        discriminator: from an image and a caption to a score.
        guide: encodes captions, and scores how well images fit them.
        learn_guide: whether it is trained too; else it is frozen.
        corpus: images with captions.
        seed: of batches and noise.

    Source:
        Reed et al. 2016, arXiv:1605.05396, algorithm 1.
    """

    _generate = staticmethod(conditioned_images)

    def __init__(
        self,
        generator: ConditionalGenerator,
        discriminator: ConditionalDiscriminator,
        guide: Matcher,
        corpus: PairCorpus,
        settings: TextToImageSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        learn_guide: bool = False,
        seed: int = 0,
    ):
        super().__init__(generator, discriminator, corpus, settings, budget, run, seed=seed)
        self.settings: TextToImageSettings = settings
        self.pairs, self.tokenizer = corpus, guide.tokenizer
        self.guide = Guide(guide, self.accelerator, learn=learn_guide)
        self.captions_NPT = self.guide.token_table(corpus.train_captions)
        self.wrong_NPT = self.guide.token_table(corpus.train_wrong)
        self.held_NPT = self.guide.token_table(corpus.validation_captions)
        self.sample_captions, self.sample_ids_NT = captions_of_sample(
            corpus, self.captions_NPT, self.held_NPT, settings.sample_pictures
        )

    def train_step(self) -> StepDone:
        """As GanTraining; in the reconstruction warm-up the generator alone is trained."""
        if self.share_done() < self.settings.copying:
            return self._reconstruction_step()
        return super().train_step()

    def _reconstruction_step(self) -> StepDone:
        """Train the generator to reconstruct a caption's own image, from the best of several noise vectors.

        The generator learns so which colour goes where in a fraction of the steps of adversarial training.
        With one noise vector, what differs between images of one caption is blurred; with several, each is
        trained towards the images that it is nearest to.

        Source:
            Li and Malik 2018, arXiv:1809.09087, algorithm 1, with samples of a caption for its own image.
        """
        started = time.perf_counter()
        self.heartbeat()
        settings = self.settings
        factor = set_rates(self.generator_optimizers, self.share_done(), schedule=settings.schedule)
        self.generator.train()
        rng = self.batches.stream(self.step)
        real_BCHW, index_B = self.batches.rows(rng)
        noise_BKZ = torch.randn(settings.batch_size, settings.choices, settings.latent_size, generator=rng)
        self.prepare_batch(self.local_rows(real_BCHW), index_B, rng)
        with self.accelerator.autocast():
            fake_BCHW = self._generate(
                self.generator, self._nearest_noise(self.local_rows(noise_BKZ)), self.right
            )
        loss = F.mse_loss(fake_BCHW.float(), self.real_BCHW)
        self.accelerator.backward(loss)
        norm = self._optimizer_step(self.generator, self.generator_optimizers)
        if self.average is not None:
            self.average.update_parameters(self.generator)
        metrics = {**self._mean_metrics({"copying_loss": loss}), **self.further_updates(rng)}
        metrics = {**metrics, **self.metrics_of_step(started, settings.learning_rate * factor, norm)}
        return StepDone(step=self.step, loss=float(metrics["copying_loss"]), metrics=metrics)

    @torch.no_grad()
    def _nearest_noise(self, noise_BKZ: Tensor) -> Tensor:
        """For each caption the noise vector, of K, whose image is nearest to the real one: [B, Z]."""
        B, K, _ = noise_BKZ.shape
        if K == 1:
            return noise_BKZ[:, 0]
        generated_NCHW = self._generate(self.generator, noise_BKZ.flatten(0, 1), self.right.repeated(K))
        difference_BKCHW = generated_NCHW.unflatten(0, (B, K)) - self.real_BCHW[:, None]
        nearest_B = difference_BKCHW.square().flatten(2).mean(dim=2).argmin(dim=1)
        return noise_BKZ[torch.arange(B, device=noise_BKZ.device), nearest_B]

    def prepare_batch(self, real_BCHW: Tensor, index_B: Tensor, rng: torch.Generator) -> None:
        """As GanTraining: a right and a wrong caption for each image, encoded."""
        right_BT, wrong_BT = (self.local_rows(part) for part in self._captions_of(index_B, rng))
        self.real_BCHW, self.ids_NT = real_BCHW, trim_padding(torch.cat([right_BT, wrong_BT]))
        texts, B = self.guide.encode(self.ids_NT), len(real_BCHW)
        self.right, self.wrong = texts.rows(0, B), texts.rows(B, 2 * B)
        self.text_NE = texts.text_BE  # the right ones, then the wrong ones

    def generate(self, noise_BZ: Tensor, rng: torch.Generator) -> Tensor:
        """As GanTraining, from the right captions; with a reconstruction loss, from the nearest noise."""
        settings = self.settings
        if settings.likeness_weight and settings.choices > 1:
            shape = (settings.batch_size, settings.choices - 1, settings.latent_size)
            more_BKZ = self.local_rows(torch.randn(shape, generator=rng))
            noise_BZ = self._nearest_noise(torch.cat([noise_BZ[:, None], more_BKZ], dim=1))
        return self._generate(self.generator, noise_BZ, self.right)

    def score(self, x_BCHW: Tensor) -> Tensor:
        """As GanTraining, with the right captions."""
        return self.discriminator(x_BCHW, self.right.text_BE)

    def discriminator_objective(
        self, real_BCHW: Tensor, fake_BCHW: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """As GanTraining; real images are encoded once and scored with both captions."""
        discriminator: Any = self.discriminator
        real_features_BCHW = discriminator.features(real_BCHW)
        score_N = discriminator.logits(torch.cat([real_features_BCHW] * 2), self.text_NE)
        real_score_B, wrong_score_B = score_N.chunk(2)
        fake_score_B = self.score(fake_BCHW)
        settings = self.settings
        terms = matching_terms(
            real_score_B, fake_score_B, wrong_score_B, settings.loss, settings.label_smoothing
        )
        real, fake, wrong = terms
        metrics = {
            "real_prob": mean_prob(real_score_B),
            "fake_prob": mean_prob(fake_score_B),
            "wrong_prob": mean_prob(wrong_score_B),
            "real_term": real,
            "fake_term": fake,
            "wrong_term": wrong,
        }
        loss = real + fake + wrong
        if settings.contrast_weight:
            metrics["real_contrast"] = self._discriminator_contrast(real_features_BCHW)
            loss = loss + settings.contrast_weight * metrics["real_contrast"]
        return loss, metrics

    def generator_objective(
        self, fake_BCHW: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """As GanTraining; and contrastive and reconstruction losses."""
        settings = self.settings
        discriminator: Any = self.discriminator
        features_BCHW = discriminator.features(self._augmented(fake_BCHW, rng))
        adversarial = generator_loss(discriminator.logits(features_BCHW, self.right.text_BE), settings.loss)
        loss, metrics = adversarial, {"fooling_term": adversarial}
        if settings.contrast_weight:
            metrics["made_contrast"] = self._discriminator_contrast(features_BCHW)
            loss = loss + settings.contrast_weight * metrics["made_contrast"]
        if settings.guide_weight:
            # Noise: the guide must not be maximized by adversarial patterns that nobody would see.
            noise_BCHW = noise(fake_BCHW.shape, settings.guide_noise, rng).to(fake_BCHW)
            image_BE = self.guide.image_embeddings(fake_BCHW + noise_BCHW)
            metrics["guide_term"] = self._contrastive_terms(image_BE, self.guide.scale)
            loss = loss + settings.guide_weight * metrics["guide_term"]
        if settings.likeness_weight:
            metrics["likeness_term"] = F.mse_loss(_low_resolution(fake_BCHW), _low_resolution(self.real_BCHW))
            loss = loss + settings.likeness_weight * metrics["likeness_term"]
        return loss, metrics

    def further_updates(self, rng: torch.Generator) -> dict[str, int | float]:
        """As GanTraining, and in the warm-up: train a guide of the run's own on the step's real pairs."""
        if self.guide.optimizer is None:
            return {}
        # Without nearly right captions the wrong ones are other images' right ones.
        num_texts = len(self.ids_NT) if len(self.wrong_NPT) else len(self.real_BCHW)
        factor = rate_factor(self.share_done(), schedule=self.settings.schedule)
        loss = self.guide.pair_loss(self.ids_NT, self.real_BCHW, num_texts, factor)
        self.accelerator.backward(loss)
        self._optimizer_step(self.guide.encoder, [self.guide.optimizer])
        self.guide.freeze()
        return self._mean_metrics({"pair_loss": loss})

    @torch.no_grad()
    def held_out_metrics(self) -> dict[str, int | float]:
        """The discriminator's mean probability for held-out real images, and two shares.

        `real_told_apart` is the share of those images whose own caption gets a higher score than another
        image's; `made_told_apart` the same for images generated from their captions, scored by the guide.
        By chance either is one half.
        """
        num = min(MOST_HELD_OUT, len(self.pairs.validation))
        if num < 2:
            return {}
        device = self.accelerator.device
        ids_NT = self.held_NPT[torch.arange(num), torch.arange(num) % self.held_NPT.shape[1]].to(device)
        texts = self.guide.encode(ids_NT)
        other_text_NE = texts.text_BE.roll(1, dims=0)
        discriminator: Any = self.discriminator.eval()
        with self.accelerator.autocast():
            features_NCHW = discriminator.features(to_float(self.pairs.validation[:num]).to(device))
            right_N, wrong_N = (
                discriminator.logits(features_NCHW, text_NE) for text_NE in (texts.text_BE, other_text_NE)
            )
        self.discriminator.train()
        noise_NZ = torch.randn(num, self.settings.latent_size, generator=seeded(HELD_OUT_SEED)).to(device)
        self.generator.eval()
        with self.accelerator.autocast():
            generated_NCHW = self._generate(self.generator, noise_NZ, texts)
        self.generator.train()
        image_NE = self.guide.image_embeddings(generated_NCHW)
        score_N, other_score_N = (
            (image_NE * text_NE).sum(dim=1) for text_NE in (texts.text_BE, other_text_NE)
        )
        return {
            "held_out_prob": round(right_N.sigmoid().mean().item(), 5),
            "real_told_apart": round((right_N > wrong_N).float().mean().item(), 5),
            "made_told_apart": round((score_N > other_score_N).float().mean().item(), 5),
            "told_apart_by_chance": 0.5,
        }

    @torch.no_grad()
    def recalibrate_batch_norm(self, average: AveragedModel, noise: list[Tensor]) -> None:
        """As GanTraining, with captions for training."""
        rng = seeded(RECALIBRATION_SEED)
        batches = []
        for noise_BZ in noise:
            index_B = torch.randint(len(self.captions_NPT), (len(noise_BZ),), generator=rng)
            ids_BT, _ = self._captions_of(index_B, rng)
            batches.append(ConditionedNoise(noise_BZ, self.guide.encode(ids_BT.to(self.accelerator.device))))
        with self.accelerator.autocast():
            update_bn(batches, ConditionedGenerator(average.module))

    def generate_sample(self, network: nn.Module, noise_NZ: Tensor) -> Tensor:
        """As GanTraining; each caption has a row of its own."""
        return self._generate(network, noise_NZ, self.guide.encode(self.sample_ids_NT.to(noise_NZ.device)))

    def sample_text(self) -> str:
        """As GanTraining: the caption of each row."""
        return "\n".join(self.sample_captions)

    def write_model(self, folder: Path) -> None:
        """As GanTraining; with the dual encoder, without which the generator cannot read."""
        super().write_model(folder)
        self.guide.save(folder)

    def facts(self) -> dict[str, Any]:
        """As GanTraining; the guide, and what the sample shows."""
        facts = super().facts()
        del facts["num_modes"]
        return {
            **facts,
            "guide": self.settings.guide,
            "guide_parameters": self.guide.encoder.num_parameters(),
            "vocab_size": self.tokenizer.vocab_size,
            "train_captions": sum(map(len, self.pairs.train_captions)),
            "sample_captions": list(self.sample_captions),
        }

    def _discriminator_contrast(self, features_BCHW: Tensor) -> Tensor:
        """The contrastive terms of the discriminator's embeddings of images."""
        discriminator: Any = self.discriminator
        return self._contrastive_terms(discriminator.embed(features_BCHW), discriminator.scale)

    def _contrastive_terms(self, image_BE: Tensor, scale: Tensor) -> Tensor:
        """Contrastive loss of images among all captions of the step, plus that with the wrong one alone."""
        among_all = contrastive_loss(self.text_NE, image_BE, scale)
        return among_all + hard_negative_loss(
            self.right.text_BE, self.wrong.text_BE[:, None], image_BE, scale
        )

    def _captions_of(self, index_B: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Tokens of a right and a wrong caption of each image; the wrong one nearly right, or another's."""
        right_BT = random_captions(self.captions_NPT[index_B], rng)
        wrong_BT = captions_of_others(right_BT)
        if len(self.wrong_NPT):
            nearly_right_BT = random_captions(self.wrong_NPT[index_B], rng)
            shuffled_B1 = torch.rand(len(index_B), 1, generator=rng) < self.settings.shuffled
            wrong_BT = torch.where(shuffled_B1, wrong_BT, nearly_right_BT)
        return right_BT, wrong_BT


def _low_resolution(x_BCHW: Tensor) -> Tensor:
    """Average pooling, so that a shift by a few pixels changes little."""
    return F.avg_pool2d(x_BCHW, POOLED_PIXELS)


def prepare(
    order: Order, settings: TextToImageSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> TextToImageTraining:
    """As `Family.prepare`.

    Raises:
        InputError: the source has no pairs, the guide does not fit, or `--init` names a model of another
            kind or shape.
    """
    corpus = prepare_pairs(order.source, settings)
    torch.manual_seed(order.seed)
    guide = guide_of_run(order, settings, corpus, checkpoint)
    shape = guide.encoder.config
    generator, discriminator = generator_and_discriminator(settings, shape.hidden_size, shape.embedding_size)
    if order.init is not None and checkpoint is None:
        load_initial_weights(order, (generator, discriminator), load_networks)
    return TextToImageTraining(
        generator,
        discriminator,
        guide,
        corpus,
        settings,
        budget,
        run,
        learn_guide=settings.guide == OWN_GUIDE,
        seed=order.seed,
    )


FAMILY = Family(prepare, networks, forward_passes)
