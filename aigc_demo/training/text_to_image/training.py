"""Training a generator that draws what a caption says, against a discriminator that knows the caption.

At first the generator alone learns, by drawing its captions' own pictures. Then a step is one as in
`training/gan/training`, with captions: the discriminator judges real pictures with their captions, the
generator's with those that they were made for, and real pictures with wrong ones; it also learns to find the
caption of a picture among many, and the generator to make pictures of which it finds it. A dual encoder reads
the captions for both; to the generator it says the same, as one that no picture of the generator's has taught
anything. The formulas are in `nets/adversarial` and `nets/contrastive`.
"""

# Shapes: B pictures of a batch (this process's share of it), N pictures in all, K draws of noise,
# P captions of a picture, T tokens of a caption, C features of a token or channels, E numbers of an
# embedding, Z latent features, H rows, W columns.

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel, update_bn

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.core.events import StepDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import (
    PairCorpus,
    one_of_each,
    prepare_pairs,
    token_table,
    without_padding,
)
from aigc_demo.data.images.pixels import as_numbers
from aigc_demo.generators.text_to_image.matching import MATCHER, Matcher, load_matcher, matcher_in
from aigc_demo.generators.text_to_image.ours import load_networks
from aigc_demo.nets.adversarial import generator_loss, matching_terms
from aigc_demo.nets.conditional_gan import ConditionalDiscriminator, ConditionalGenerator
from aigc_demo.nets.contrastive import contrastive_loss, hard_negative_loss, token_mask
from aigc_demo.training.checkpoint import writable_copy
from aigc_demo.training.family import Family
from aigc_demo.training.gan.training import MOST_HELD_OUT, GanTraining, mean_prob
from aigc_demo.training.image_training import noise
from aigc_demo.training.initial_weights import model_to_go_on_from, take_over
from aigc_demo.training.optimizers import rate_factor, set_rates
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget
from aigc_demo.training.text_to_image.networks import (
    forward_passes,
    generator_and_discriminator,
    networks,
    own_guide,
)
from aigc_demo.training.text_to_image.recipe import OWN_GUIDE, TextToImageSettings
from aigc_demo.training.text_to_image.sample_captions import captions_of_sample

OWN_RATE, OWN_DECAY = 2e-3, 0.05  # AdamW's, of a guide that learns beside the generator
AFAR = 8  # pixels to a side that become one when a picture is seen from afar
HELD_SEED, SETTLE_SEED = 1, 2


@dataclass(frozen=True, eq=False)
class Texts:
    """Captions as the networks take them.

    Attributes:
        tokens_BTC: what the text encoder made of each token.
        seen_BT: where there is a token.
        text_BE: the captions' embeddings, of length 1.
    """

    tokens_BTC: Tensor
    seen_BT: Tensor
    text_BE: Tensor

    def repeated(self, times: int) -> "Texts":
        """Each of them so often, one after the other."""
        parts = (self.tokens_BTC, self.seen_BT, self.text_BE)
        return Texts(*(part.repeat_interleave(times, dim=0) for part in parts))

    def rows(self, start: int, end: int) -> "Texts":
        """Some of them."""
        return Texts(self.tokens_BTC[start:end], self.seen_BT[start:end], self.text_BE[start:end])


class TextToImageTraining(GanTraining):
    """One training of a generator and a discriminator that are given captions.

    Args:
        generator: from noise and a caption to a picture.
        discriminator: from a picture and a caption to a score.
        guide: reads captions, and says which of them pictures fit.
        learn_guide: whether it learns beside the generator; else it stays as it is.
        corpus: pairs.
        settings: of the recipe.
        budget: how long.
        run: where it is recorded.
        seed: of batches and noise.

    Source:
        Reed et al. 2016, arXiv:1605.05396, algorithm 1.
    """

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
        self.writable_guide = writable_copy(guide.encoder)
        self.guide = guide.encoder.to(self.accelerator.device).requires_grad_(False)
        self.guide_optimizer = None
        if learn_guide:
            learner = AdamW(self.guide.parameters(), lr=OWN_RATE, weight_decay=OWN_DECAY, fused=True)
            self.guide_optimizer = self.accelerator.prepare(learner)
            self.accelerator.register_for_checkpointing(self.guide)
        length = self.guide.config.context_length
        self.captions_NPT = token_table(self.tokenizer, corpus.train_captions, length)
        self.wrong_NPT = token_table(self.tokenizer, corpus.train_wrong, length)
        self.held_NPT = token_table(self.tokenizer, corpus.validation_captions, length)
        self.sample_captions, self.sample_ids_NT = captions_of_sample(
            corpus, self.captions_NPT, self.held_NPT, settings.sample_pictures
        )

    def train_step(self) -> StepDone:
        """As GanTraining; in the first part of a run the generator alone learns, by copying."""
        if self.share_done() < self.settings.copying:
            return self._copying_step()
        return super().train_step()

    def _copying_step(self) -> StepDone:
        """The generator draws a caption's own picture, from the noise that is nearest to it of several draws.

        Which colour goes where is learned so in a fraction of the steps that the game takes. With one draw,
        what differs between pictures of one caption is blurred; of several, each learns what it is near to.

        Source:
            Li and Malik 2018, arXiv:1809.09087, algorithm 1, with samples of a caption for its own picture.
        """
        started = time.perf_counter()
        self.show_life()
        settings = self.settings
        factor = set_rates(self.generator_optimizers, self.share_done(), schedule=settings.schedule)
        self.generator.train()
        rng = self.batches.stream(self.step)
        real_BCHW, index_B = self.batches.rows(rng)
        noise_BKZ = torch.randn(settings.batch_size, settings.choices, settings.latent_size, generator=rng)
        self.look_up(self.mine(real_BCHW), index_B, rng)
        with self.accelerator.autocast():
            fake_BCHW = self._drawn(self.generator, self._nearest(self.mine(noise_BKZ)), self.right)
        loss = F.mse_loss(fake_BCHW.float(), self.real_BCHW)
        self.accelerator.backward(loss)
        norm = self._step(self.generator, self.generator_optimizers)
        if self.average is not None:
            self.average.update_parameters(self.generator)
        told = {**self._told({"copying_loss": loss}), **self.after_moves(rng)}
        measures = self.measures_of_step(started, factor, norm)
        return StepDone(step=self.step, loss=float(told["copying_loss"]), measures={**told, **measures})

    @torch.no_grad()
    def _nearest(self, noise_BKZ: Tensor) -> Tensor:
        """For each caption the noise, out of K, of which its picture is nearest to the real one: [B, Z]."""
        B, K, _ = noise_BKZ.shape
        if K == 1:
            return noise_BKZ[:, 0]
        made_NCHW = self._drawn(self.generator, noise_BKZ.flatten(0, 1), self.right.repeated(K))
        away_BKCHW = made_NCHW.unflatten(0, (B, K)) - self.real_BCHW[:, None]
        nearest_B = away_BKCHW.square().flatten(2).mean(dim=2).argmin(dim=1)
        return noise_BKZ[torch.arange(B, device=noise_BKZ.device), nearest_B]

    def look_up(self, real_BCHW: Tensor, index_B: Tensor, rng: torch.Generator) -> None:
        """As GanTraining; a right and a wrong caption for each picture."""
        right_BT, wrong_BT = (self.mine(part) for part in self._chosen(index_B, rng))
        self.real_BCHW, self.ids_NT = real_BCHW, trim_padding(torch.cat([right_BT, wrong_BT]))
        texts, B = self._read(self.ids_NT), len(real_BCHW)
        self.right, self.wrong = texts.rows(0, B), texts.rows(B, 2 * B)
        self.text_NE = texts.text_BE  # the right ones, then the wrong ones

    def made(self, noise_BZ: Tensor, rng: torch.Generator) -> Tensor:
        """As GanTraining, for the right captions; of several draws of noise if likeness counts."""
        settings = self.settings
        if settings.likeness_weight and settings.choices > 1:
            shape = (settings.batch_size, settings.choices - 1, settings.latent_size)
            more_BKZ = self.mine(torch.randn(shape, generator=rng))
            noise_BZ = self._nearest(torch.cat([noise_BZ[:, None], more_BKZ], dim=1))
        return self._drawn(self.generator, noise_BZ, self.right)

    def score(self, x_BCHW: Tensor) -> Tensor:
        """As GanTraining, with the right captions."""
        return self.discriminator(x_BCHW, self.right.text_BE)

    def discriminator_side(self, real_BCHW: Tensor, fake_BCHW: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """As GanTraining; real pictures are looked at once and judged with both captions."""
        judge: Any = self.discriminator
        real_seen_BCHW = judge.features(real_BCHW)
        both = judge.logits(torch.cat([real_seen_BCHW] * 2), self.text_NE)
        real_score_B, wrong_score_B = both.chunk(2)
        fake_score_B = self.score(fake_BCHW)
        settings = self.settings
        terms = matching_terms(
            real_score_B, fake_score_B, wrong_score_B, settings.loss, settings.label_smoothing
        )
        real, fake, wrong = terms
        told = {
            "real_prob": mean_prob(real_score_B),
            "fake_prob": mean_prob(fake_score_B),
            "wrong_prob": mean_prob(wrong_score_B),
            "real_term": real,
            "fake_term": fake,
            "wrong_term": wrong,
        }
        loss = real + fake + wrong
        if settings.contrast_weight:
            told["real_contrast"] = self._contrast(real_seen_BCHW)
            loss = loss + settings.contrast_weight * told["real_contrast"]
        return loss, told

    def generator_side(self, fake_BCHW: Tensor, rng: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """As GanTraining; to fool the discriminator, and to fit the caption."""
        settings = self.settings
        judge: Any = self.discriminator
        seen_BCHW = judge.features(self._changed(fake_BCHW, rng))
        fooled = generator_loss(judge.logits(seen_BCHW, self.right.text_BE), settings.loss)
        loss, told = fooled, {"fooling_term": fooled}
        if settings.contrast_weight:
            told["made_contrast"] = self._contrast(seen_BCHW)
            loss = loss + settings.contrast_weight * told["made_contrast"]
        if settings.guide_weight:
            # Through noise the guide is not pleased by patterns that nobody would see.
            noise_BCHW = noise(fake_BCHW.shape, settings.guide_noise, rng).to(fake_BCHW)
            seen_BE = self._seen(fake_BCHW + noise_BCHW)
            told["guide_term"] = self._missed(seen_BE, self.guide.scale.detach())
            loss = loss + settings.guide_weight * told["guide_term"]
        if settings.likeness_weight:
            told["likeness_term"] = F.mse_loss(_from_afar(fake_BCHW), _from_afar(self.real_BCHW))
            loss = loss + settings.likeness_weight * told["likeness_term"]
        return loss, told

    def after_moves(self, rng: torch.Generator) -> dict[str, int | float]:
        """As GanTraining, and when copying; a guide of the run's own learns from the step's real pairs."""
        if self.guide_optimizer is None:
            return {}
        for group in self.guide_optimizer.param_groups:
            group["lr"] = OWN_RATE * rate_factor(self.share_done(), schedule=self.settings.schedule)
        self.guide.train().requires_grad_(True)
        with self.accelerator.autocast():
            text_NE, seen_BE, scale = self.guide(self.ids_NT, self.real_BCHW)
        num_texts = len(text_NE) if len(self.wrong_NPT) else len(seen_BE)  # shuffled ones belong to others
        loss = contrastive_loss(text_NE[:num_texts].float(), seen_BE.float(), scale.float())
        self.accelerator.backward(loss)
        self._step(self.guide, [self.guide_optimizer])
        self.guide.eval().requires_grad_(False)
        return self._told({"pair_loss": loss})

    @torch.no_grad()
    def held_out(self) -> dict[str, int | float]:
        """How sure the discriminator is of real pictures that it never saw, and: can captions be told apart?

        `real_told_apart` is the share of those pictures whose own caption gets a higher score than another
        picture's; `made_told_apart` the same of what the generator makes of their captions, scored by the
        guide. By chance either is one half.
        """
        num = min(MOST_HELD_OUT, len(self.pairs.validation))
        if num < 2:
            return {}
        device = self.accelerator.device
        ids_NT = self.held_NPT[torch.arange(num), torch.arange(num) % self.held_NPT.shape[1]].to(device)
        texts = self._read(ids_NT)
        other_NE = texts.text_BE.roll(1, dims=0)
        judge: Any = self.discriminator.eval()
        with self.accelerator.autocast():
            seen_NCHW = judge.features(as_numbers(self.pairs.validation[:num]).to(device))
            right_N, wrong_N = (judge.logits(seen_NCHW, text_NE) for text_NE in (texts.text_BE, other_NE))
        self.discriminator.train()
        noise_NZ = torch.randn(num, self.settings.latent_size, generator=seeded(HELD_SEED)).to(device)
        self.generator.eval()
        with self.accelerator.autocast():
            made_NCHW = self._drawn(self.generator, noise_NZ, texts)
        self.generator.train()
        seen_NE = self._seen(made_NCHW)
        fits_N, fits_other_N = ((seen_NE * text_NE).sum(dim=1) for text_NE in (texts.text_BE, other_NE))
        return {
            "held_out_prob": round(right_N.sigmoid().mean().item(), 5),
            "real_told_apart": round((right_N > wrong_N).float().mean().item(), 5),
            "made_told_apart": round((fits_N > fits_other_N).float().mean().item(), 5),
            "told_apart_by_chance": 0.5,
        }

    @torch.no_grad()
    def settle(self, average: AveragedModel, noise: list[Tensor]) -> None:
        """As GanTraining, with captions of training."""
        rng = seeded(SETTLE_SEED)
        batches = []
        for noise_BZ in noise:
            index_B = torch.randint(len(self.captions_NPT), (len(noise_BZ),), generator=rng)
            ids_BT, _ = self._chosen(index_B, rng)
            batches.append(_Batch(noise_BZ, self._read(ids_BT.to(self.accelerator.device))))
        with self.accelerator.autocast():
            update_bn(batches, _Drawing(average.module, self))

    def sampled(self, network: nn.Module, noise_NZ: Tensor) -> Tensor:
        """As GanTraining; each caption has a row of its own."""
        return self._drawn(network, noise_NZ, self._read(self.sample_ids_NT.to(noise_NZ.device)))

    def sample_text(self) -> str:
        """As GanTraining: the caption of each row."""
        return "\n".join(self.sample_captions)

    def write_model(self, folder: Path) -> None:
        """As GanTraining; with the dual encoder, without which the generator cannot read."""
        super().write_model(folder)
        self.writable_guide.load_state_dict(self.guide.state_dict())
        self.writable_guide.save_pretrained(folder / MATCHER)  # type: ignore[operator]
        (folder / MATCHER / "README.md").unlink(missing_ok=True)
        self.tokenizer.save(folder / MATCHER)

    def facts(self) -> dict[str, Any]:
        """As GanTraining; the guide, and what the sample shows."""
        facts = super().facts()
        del facts["num_modes"]
        return {
            **facts,
            "guide": self.settings.guide,
            "guide_parameters": self.guide.num_parameters(),
            "vocab_size": self.tokenizer.vocab_size,
            "train_captions": sum(map(len, self.pairs.train_captions)),
            "sample_captions": list(self.sample_captions),
        }

    def _contrast(self, seen_BCHW: Tensor) -> Tensor:
        """How hard it is for the discriminator to find the captions of pictures."""
        judge: Any = self.discriminator
        return self._missed(judge.embed(seen_BCHW), judge.scale)

    def _missed(self, seen_BE: Tensor, scale: Tensor) -> Tensor:
        """How hard it is to find the captions of pictures among all of the step's, and beside the wrong."""
        among_all = contrastive_loss(self.text_NE, seen_BE, scale)
        return among_all + hard_negative_loss(self.right.text_BE, self.wrong.text_BE[:, None], seen_BE, scale)

    def _chosen(self, index_B: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """A right and a wrong caption of pictures, as tokens; the wrong one nearly right, or another's."""
        right_BT = random_captions(self.captions_NPT[index_B], rng)
        wrong_BT = of_others(right_BT)
        if len(self.wrong_NPT):
            nearly_BT = random_captions(self.wrong_NPT[index_B], rng)
            shuffled_B1 = torch.rand(len(index_B), 1, generator=rng) < self.settings.shuffled
            wrong_BT = torch.where(shuffled_B1, wrong_BT, nearly_BT)
        return right_BT, wrong_BT

    @torch.no_grad()
    def _read(self, ids_NT: Tensor) -> Texts:
        with self.accelerator.autocast():
            tokens_NTC = self.guide.text_encoder(ids_NT)
            text_NE = self.guide.pool_text(tokens_NTC, ids_NT)
        return Texts(tokens_NTC.float(), token_mask(ids_NT), text_NE.float())

    def _seen(self, x_BCHW: Tensor) -> Tensor:
        """Embeddings of pictures; gradients reach them, and not the guide."""
        with self.accelerator.autocast():
            return self.guide.embed_images(x_BCHW).float()

    def _drawn(self, network: nn.Module, noise_BZ: Tensor, texts: Texts) -> Tensor:
        return network(noise_BZ, texts.tokens_BTC, texts.seen_BT, texts.text_BE)


def of_others(caption_BT: Tensor) -> Tensor:
    """For each caption the one before it in the batch that reads otherwise: [B, T].

    Where all read alike, each is left as it is.
    """
    B = len(caption_BT)
    place_BB = (torch.arange(B)[:, None] - torch.arange(B)) % B  # first its own, then those before it
    differs_BB = (caption_BT[:, None] != caption_BT[place_BB]).any(dim=-1)
    return caption_BT[place_BB[torch.arange(B), differs_BB.int().argmax(dim=1)]]


def _from_afar(x_BCHW: Tensor) -> Tensor:
    """Without what a few pixels' move would change."""
    return F.avg_pool2d(x_BCHW, AFAR)


@dataclass(frozen=True, eq=False)
class _Batch:
    noise_BZ: Tensor
    texts: Texts


class _Drawing(nn.Module):
    """A generator that takes a batch as one thing, as torch's update_bn hands it over."""

    def __init__(self, network: nn.Module, training: TextToImageTraining):
        super().__init__()
        self.network = network
        self.draw = training._drawn

    def forward(self, batch: _Batch) -> Tensor:
        return self.draw(self.network, batch.noise_BZ, batch.texts)


def prepare(
    order: Order, settings: TextToImageSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> TextToImageTraining:
    """As `Family.prepare`.

    A run goes on with the guide that its checkpoint holds, so that it does not need the first one any more.

    Raises:
        InputError: the source has no pairs, the guide does not fit, or `--init` names a model of another
            kind or shape.
    """
    corpus = prepare_pairs(order.source, settings)
    torch.manual_seed(order.seed)
    learn_guide = settings.guide == OWN_GUIDE
    if checkpoint is not None:
        guide = matcher_in(checkpoint / MATCHER)
    elif order.init is not None:
        guide = matcher_in(Path(model_to_go_on_from(order).location) / MATCHER)
    elif learn_guide:
        guide = own_guide(corpus, settings)
    else:
        guide = load_matcher(settings.guide)
    if guide.image_size != settings.image_size:
        expected = f"a dual encoder for {settings.image_size} pixels"
        raise InputError("setting_range", name="guide", expected=expected, got=f"one for {guide.image_size}")
    shape = guide.encoder.config
    generator, discriminator = generator_and_discriminator(settings, shape.hidden_size, shape.embedding_size)
    if order.init is not None and checkpoint is None:
        take_over(order, (generator, discriminator), load_networks)
    return TextToImageTraining(
        generator,
        discriminator,
        guide,
        corpus,
        settings,
        budget,
        run,
        learn_guide=learn_guide,
        seed=order.seed,
    )


FAMILY = Family(prepare, networks, forward_passes)
