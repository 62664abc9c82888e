"""The bidirectional encoder: parity with transformers' BERT, masks, segments, heads."""

import json

import pytest
import torch
from torch import Tensor
from transformers import BertConfig, BertForPreTraining

from aigc_demo.core.errors import InputError
from aigc_demo.nets.text.bert import Bert, Encoder, EncoderConfig
from aigc_demo.nets.text.bert_weights import load_bert_weights

SIZES = {"vocab_size": 97, "context_length": 40, "num_layers": 3, "num_heads": 4, "hidden_size": 48}


def theirs(**changes) -> BertForPreTraining:
    """transformers' BERT with large random weights: small ones would hide a wrong activation."""
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 97,
        "hidden_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 100,
        "max_position_embeddings": 40,
    }
    model = BertForPreTraining(BertConfig(**sizes | changes)).eval()
    for weight in model.parameters():
        weight.data.normal_(std=0.3)
    return model


def untrained(**changes) -> Bert:
    """Ours, with weights in every matrix: the modern style begins with zeros in some."""
    torch.manual_seed(1)
    model = Bert(EncoderConfig(**SIZES | changes)).eval()
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.data.normal_(std=0.3)
    return model


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and segments of three texts of 17, 12 and 5 tokens."""
    rng = torch.Generator().manual_seed(2)
    ids, segments = (torch.randint(high, (3, 17), generator=rng) for high in (97, 2))
    mask = torch.arange(17) < torch.tensor([[17], [12], [5]])
    return ids, mask, segments


@torch.no_grad()
@pytest.mark.parametrize("old_names", [False, True])
def test_the_weights_of_a_bert_give_its_logits(old_names: bool) -> None:
    model = theirs()
    weights = dict(model.state_dict())
    if old_names:
        weights = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta"
            ): tensor
            for name, tensor in weights.items()
        }
        assert any("gamma" in name for name in weights)
    ours = load_bert_weights(weights, json.loads(model.config.to_json_string(use_diff=False)))
    ids, mask, segments = batch()
    expected = model(ids, attention_mask=mask.long(), token_type_ids=segments)
    tokens, sentences = ours(ids, mask, segments, mask)
    torch.testing.assert_close(tokens, expected.prediction_logits[mask], atol=1e-4, rtol=0)
    torch.testing.assert_close(sentences, expected.seq_relationship_logits, atol=1e-4, rtol=0)
    assert not ours.training


def test_a_bert_of_another_kind_is_refused() -> None:
    model = theirs()
    config = model.config.to_dict()
    for name, other in (
        ("hidden_act", "relu"),
        ("is_decoder", True),
        ("layer_norm_eps", 1e-5),
        ("tie_word_embeddings", False),
        ("position_embedding_type", "relative_key"),
    ):
        with pytest.raises(InputError, match=name):
            load_bert_weights(model.state_dict(), config | {name: other})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.pop("cls.seq_relationship.bias"), "cls.seq_relationship.bias"),
        (lambda weights: weights.pop("bert.encoder.layer.1.attention.self.key.weight"), "layer.1"),
        (lambda weights: weights.update(adapter=torch.zeros(2)), "adapter"),
        (
            lambda weights: weights.update({"bert.pooler.dense.weight": torch.zeros(48, 47)}),
            "pooler.weight is .48, 47., not .48, 48.",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named(change, message: str) -> None:
    model = theirs()
    weights = dict(model.state_dict())
    change(weights)
    with pytest.raises(InputError, match=message):
        load_bert_weights(weights, model.config.to_dict())


@torch.no_grad()
@pytest.mark.parametrize("style", ["modern", "bert"])
def test_padding_changes_nothing_and_every_token_is_seen(style: str) -> None:
    model = untrained(style=style)
    ids, mask, segments = batch()
    together = model.encoder(ids, mask, segments)
    for row, length in enumerate((17, 12, 5)):
        alone = model.encoder(ids[row : row + 1, :length], None, segments[row : row + 1, :length])
        torch.testing.assert_close(together[row, :length], alone[0], atol=1e-5, rtol=1e-5)
    ids[0, 16] = (ids[0, 16] + 1) % 97
    changed = model.encoder(ids, mask, segments)
    assert not torch.allclose(changed[0, 0], together[0, 0]), "the first token attends to the last one"
    torch.testing.assert_close(changed[1:], together[1:], equal_nan=True)


@torch.no_grad()
@pytest.mark.parametrize("style", ["modern", "bert"])
def test_order_and_segments_matter(style: str) -> None:
    model = untrained(style=style)
    ids, segments = torch.tensor([[5, 6, 7, 8]]), torch.tensor([[0, 0, 1, 1]])
    plain = model.encoder(ids, None, segments)
    swapped = model.encoder(ids[:, [1, 0, 2, 3]], None, segments)
    assert not torch.allclose(swapped[0, 1], plain[0, 0], atol=1e-3)
    assert not torch.allclose(model.encoder(ids, None, 1 - segments), plain, atol=1e-3)
    torch.testing.assert_close(model.encoder(ids), model.encoder(ids, None, torch.zeros_like(segments)))


@torch.no_grad()
def test_only_the_chosen_tokens_are_predicted() -> None:
    model = untrained()
    ids, mask, segments = batch()
    everywhere, _ = model(ids, mask, segments, mask)
    chosen = torch.zeros_like(mask)
    chosen[0, 3] = chosen[2, 1] = True
    some, sentences = model(ids, mask, segments, chosen)
    assert some.shape == (2, 97) and sentences.shape == (3, 2)
    torch.testing.assert_close(some, torch.stack([everywhere[3], everywhere[17 + 12 + 1]]))


@torch.no_grad()
def test_attention_is_given_and_none_goes_to_padding() -> None:
    model, weights = untrained(), []
    ids, mask, segments = batch()
    model.encoder(ids, mask, segments, weights)
    assert [tuple(layer.shape) for layer in weights] == [(3, 4, 17, 17)] * 3
    torch.testing.assert_close(weights[2].sum(-1), torch.ones(3, 4, 17))
    assert (weights[1][2, :, :, 5:] == 0).all()
    assert (weights[1][0].triu(1) > 0).any(), "it looks ahead"


def test_tied_embeddings_are_one_matrix() -> None:
    tied, untied = untrained(), untrained(tie_embeddings=False)
    assert untied.num_parameters() - tied.num_parameters() == 97 * 48
    assert "masked_token_head.weight" not in dict(tied.named_parameters())


def test_a_text_longer_than_the_context_is_refused() -> None:
    with pytest.raises(ValueError, match="41 tokens do not fit a context of 40"):
        untrained().encoder(torch.zeros(1, 41, dtype=torch.long))


@torch.no_grad()
def test_a_saved_model_comes_back(tmp_path) -> None:
    model = untrained(style="bert")
    model.save_pretrained(tmp_path)
    again = Bert.from_pretrained(tmp_path).eval()
    assert again.config == model.config
    ids, mask, segments = batch()
    for old, new in zip(model(ids, mask, segments, mask), again(ids, mask, segments, mask), strict=True):
        assert torch.equal(old, new)


def test_an_encoder_without_segments_has_no_embedding_of_them() -> None:
    encoder = Encoder(EncoderConfig(**SIZES, num_segments=0))
    assert not any("segment" in name for name, _ in encoder.named_parameters())


def test_padding_is_left_out_and_changes_neither_outputs_nor_gradients() -> None:
    """Three rows of seven, two and five tokens at once, and each of them alone."""
    torch.manual_seed(0)
    encoder = Encoder(
        EncoderConfig(vocab_size=31, context_length=16, num_layers=2, num_heads=2, hidden_size=8)
    )
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    ids, lengths = torch.randint(5, 31, (3, 7)), (7, 2, 5)
    mask = torch.arange(7) < torch.tensor(lengths)[:, None]
    weight = torch.randn(3, 7, 8)
    sizes = []
    encoder.blocks[0].feed_forward.register_forward_hook(lambda _, inputs, __: sizes.append(inputs[0].shape))

    together = encoder(ids, mask)
    (together * weight)[mask].sum().backward()
    gradients = [parameter.grad.clone() for parameter in encoder.parameters()]
    assert sizes == [(1, 14, 8)]  # 21 places, 14 tokens
    assert (together[~mask] == 0).all()

    encoder.zero_grad()
    for row, length in enumerate(lengths):
        alone = encoder(ids[row : row + 1, :length])
        assert torch.allclose(alone[0], together[row, :length], atol=1e-5)
        (alone[0] * weight[row, :length]).sum().backward()
    for parameter, expected in zip(encoder.parameters(), gradients, strict=True):
        assert torch.allclose(parameter.grad, expected, atol=1e-4)
