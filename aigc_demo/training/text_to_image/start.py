"""How a training of a text-to-image generator is put together from an order."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import LONGEST, PairCorpus, caption_tokenizer, prepare_pairs
from aigc_demo.generators.text_to_image.matching import MATCHER, Matcher, load_matcher, matcher_in
from aigc_demo.generators.text_to_image.ours import load_networks
from aigc_demo.nets.conditional_gan import ConditionalConfig, ConditionalDiscriminator, ConditionalGenerator
from aigc_demo.nets.contrastive import DualEncoder, DualEncoderConfig
from aigc_demo.training.initial_weights import model_to_go_on_from, take_over
from aigc_demo.training.order import Order
from aigc_demo.training.pair_settings import OWN_GUIDE, TextToImageSettings
from aigc_demo.training.settings import Budget
from aigc_demo.training.text_to_image.training import TextToImageTraining

GUIDE_LAYERS = 2  # of the text encoder of a run's own guide
COUNTED_SIZE = 128  # of a token and of a caption, before a guide is looked at


def prepare(
    order: Order, settings: TextToImageSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> TextToImageTraining:
    """Data, networks and loop, nothing trained yet.

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
        guide = _own_guide(corpus, settings)
    else:
        guide = load_matcher(settings.guide)
    if guide.image_size != settings.image_size:
        expected = f"a dual encoder for {settings.image_size} pixels"
        raise InputError("setting_range", name="guide", expected=expected, got=f"one for {guide.image_size}")
    shape = guide.encoder.config
    generator, discriminator = _networks(settings.network_config(shape.hidden_size, shape.embedding_size))
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


def networks(recipe: str, settings: TextToImageSettings) -> list[nn.Module]:
    """The generator and the discriminator, for a guide of the usual size."""
    return list(_networks(settings.network_config(COUNTED_SIZE, COUNTED_SIZE)))


def _networks(shape: ConditionalConfig) -> tuple[ConditionalGenerator, ConditionalDiscriminator]:
    return ConditionalGenerator(shape), ConditionalDiscriminator(replace(shape, part="discriminator"))


def _own_guide(corpus: PairCorpus, settings: TextToImageSettings) -> Matcher:
    """A dual encoder that knows nothing yet but the words of these captions."""
    tokenizer = caption_tokenizer(corpus.train_captions)
    shape = DualEncoderConfig(
        vocab_size=tokenizer.vocab_size,
        context_length=LONGEST,
        num_layers=GUIDE_LAYERS,
        image_size=settings.image_size,
    )
    return Matcher(DualEncoder(shape), tokenizer)
