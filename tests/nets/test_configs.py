"""The settings of the networks: what they begin with, and how large they may become."""

from dataclasses import fields
from typing import get_type_hints

import pytest

from aigc_demo.core.config import Settings
from aigc_demo.core.errors import InputError
from aigc_demo.nets.images.attribute_reader import AttributeReaderConfig
from aigc_demo.nets.images.dcgan import DcganConfig
from aigc_demo.nets.images.image_encoder import ImageEncoderConfig
from aigc_demo.nets.images.restoration import RestorationConfig
from aigc_demo.nets.images.style_generator import StyleConfig
from aigc_demo.nets.text.transformer import TransformerConfig
from aigc_demo.nets.text_to_image.conditional_gan import ConditionalConfig
from aigc_demo.nets.text_to_image.contrastive import DualEncoderConfig
from aigc_demo.training.attributes.recipe import AttributeSettings
from aigc_demo.training.classifier.recipe import ClassifierSettings
from aigc_demo.training.contrastive.recipe import ClipSettings
from aigc_demo.training.gan.recipe import GanSettings, StyleGanSettings
from aigc_demo.training.language_model.recipe import LanguageModelSettings
from aigc_demo.training.restoration.recipe import RestorationSettings
from aigc_demo.training.text_to_image.recipe import TextToImageSettings

NETWORKS = {
    AttributeReaderConfig: AttributeSettings,
    ConditionalConfig: TextToImageSettings,
    DualEncoderConfig: ClipSettings,
    DcganConfig: GanSettings,
    ImageEncoderConfig: ClassifierSettings,
    RestorationConfig: RestorationSettings,
    StyleConfig: StyleGanSettings,
    TransformerConfig: LanguageModelSettings,
}
each = pytest.mark.parametrize("config", NETWORKS, ids=lambda config: config.__name__)


@each
def test_what_a_network_begins_with_is_allowed(config: type[Settings]) -> None:
    assert config().to_dict() == {item.name: item.default for item in fields(config)}


@each
def test_no_folder_can_ask_for_a_network_of_any_size(config: type[Settings]) -> None:
    numbers = [item.name for item in fields(config) if get_type_hints(config)[item.name] in (int, float)]
    for name in numbers:
        with pytest.raises(InputError):
            config.from_mapping({name: 10**9})


@each
def test_a_network_takes_every_size_that_an_order_may_ask_for(config: type[Settings]) -> None:
    ordered = {item.name: item.metadata for item in fields(NETWORKS[config])}
    shared = [item for item in fields(config) if item.name in ordered and item.name != "recipe"]
    assert len(shared) >= 2
    for item in shared:
        asked, taken = ordered[item.name], item.metadata
        assert set(asked["choices"]) <= set(taken["choices"])
        assert taken["low"] is None or taken["low"] <= asked["low"], item.name
        assert taken["high"] is None or taken["high"] >= asked["high"], item.name
