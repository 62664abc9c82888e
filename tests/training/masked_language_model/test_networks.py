"""The two encoders that are pretrained: what is sharded as one, what the smallest of them is."""

import pytest

from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.training.masked_language_model.networks import NETWORKS, networks
from aigc_demo.training.masked_language_model.recipe import EncoderSettings

TINY = {"num_layers": 2, "num_heads": 2, "hidden_size": 12, "context_length": 16}


@pytest.mark.parametrize(("recipe", "block"), [("bert", "Block"), ("bert-library", "BertLayer")])
def test_no_weight_is_in_two_parts_that_are_sharded(recipe: str, block: str) -> None:
    model = NETWORKS[recipe].build(EncoderSettings(**TINY), 31)
    assert set(model._no_split_modules) == {block}
    # These accelerate shards by themselves, where a network names them.
    named = [getattr(model, f"get_{end}_embeddings", lambda: None)() for end in ("input", "output")]
    assert named == [None, None]
    parts = [part for part in model.modules() if type(part).__name__ == block]
    assert len(parts) == TINY["num_layers"]
    ids = [id(weight) for part in parts for weight in part.parameters()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("recipe", NETWORKS)
def test_without_a_text_there_are_special_tokens_alone(recipe: str) -> None:
    (model,) = networks(recipe, EncoderSettings(**TINY))
    tables = [
        weight
        for name, weight in model.named_parameters()
        if "embedding" in name and "norm" not in name.lower()
    ]
    assert any(weight.shape == (len(ENCODER_TOKENS), TINY["hidden_size"]) for weight in tables)
