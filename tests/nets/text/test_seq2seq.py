"""The encoder-decoder: parity with torch.nn.Transformer, its cache, masks."""

import pytest
import torch
from torch import Tensor, nn

from aigc_demo.nets.text.seq2seq import Seq2Seq, Seq2SeqConfig

SIZES = {"vocab_size": 53, "context_length": 24, "num_layers": 2, "num_heads": 4, "hidden_size": 32}
# Ours by torch's names; the norms are numbered in the order of the parts of a layer.
PARTS = {
    "self_attn.in_proj_": "attention.qkv.",
    "self_attn.out_proj.": "attention.output.",
    "multihead_attn.in_proj_": "cross_attention.qkv.",
    "multihead_attn.out_proj.": "cross_attention.output.",
    "linear1.": "feed_forward.inner.",
    "linear2.": "feed_forward.output.",
}
NORMS = {
    "encoder": ("attention_norm", "feed_forward_norm"),
    "decoder": ("attention_norm", "cross_attention_norm", "feed_forward_norm"),
}


def our_name(name: str) -> str:
    """Of a weight of `torch.nn.Transformer`."""
    name = name.replace("layers.", "blocks.")
    for old, new in PARTS.items():
        name = name.replace(old, new)
    for number, new in enumerate(NORMS[name.split(".")[0]], start=1):
        name = name.replace(f"norm{number}.", f"{new}.")
    return name


def untrained(**changes) -> Seq2Seq:
    """With weights in every matrix: the modern style begins with zeros in some."""
    torch.manual_seed(0)
    model = Seq2Seq(Seq2SeqConfig(**SIZES | changes)).eval()
    for weight in model.parameters():
        weight.data.normal_(std=0.2) if weight.dim() > 1 else weight.data.add_(0.1)
    return model


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Source, its mask (9 and 6 tokens), and target."""
    rng = torch.Generator().manual_seed(1)
    source, target = (torch.randint(53, (2, length), generator=rng) for length in (9, 8))
    return source, torch.arange(9) < torch.tensor([[9], [6]]), target


@torch.no_grad()
def test_the_weights_of_torchs_transformer_give_its_outputs() -> None:
    torch.manual_seed(3)
    theirs = nn.Transformer(
        32, 4, 2, 2, 64, dropout=0.0, batch_first=True, norm_first=False, activation="relu"
    ).train()  # in evaluation the library takes another road, whose padding differs
    for weight in theirs.parameters():
        weight.data.normal_(std=0.3)
    ours = untrained(style="original", mlp_size=64, num_segments=0)
    renamed = {our_name(name): tensor for name, tensor in theirs.state_dict().items()}
    result = ours.load_state_dict(renamed, strict=False)
    assert result.unexpected_keys == []
    assert sorted(result.missing_keys) == ["bias", "encoder.embedding.weight"], "torch's has none"
    source, target = torch.randn(2, 9, 32), torch.randn(2, 7, 32)
    _, mask, _ = batch()
    expected = theirs(
        source,
        target,
        tgt_mask=torch.ones(7, 7, dtype=torch.bool).triu(1),
        src_key_padding_mask=~mask,
        memory_key_padding_mask=~mask,
    )
    got = ours.decoder(target, ours.encoder.encode(source, mask), mask)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)
    assert expected.std() > 0.2, "the weights are large enough for a difference to show"


@torch.no_grad()
@pytest.mark.parametrize("style", ["modern", "gpt2", "original", "bert"])
def test_token_by_token_gives_what_all_at_once_gives(style: str) -> None:
    model = untrained(style=style)
    source, mask, target = batch()
    expected = model(source, mask, target)
    cache = model.read(source, mask)
    parts = [model.next_logits(target[:, :3], cache)]
    parts += [model.next_logits(target[:, n : n + 1], cache) for n in range(3, 8)]
    torch.testing.assert_close(torch.cat(parts, dim=1), expected, atol=1e-5, rtol=1e-5)
    assert cache.length == 8


@torch.no_grad()
def test_the_decoder_sees_the_source_and_what_it_has_written_and_no_more() -> None:
    model = untrained()
    source, mask, target = batch()
    plain = model(source, mask, target)
    later = target.clone()
    later[:, 5] = (later[:, 5] + 1) % 53
    changed = model(source, mask, later)
    torch.testing.assert_close(changed[:, :5], plain[:, :5])
    assert not torch.allclose(changed[:, 5:], plain[:, 5:])
    padding, seen = source.clone(), source.clone()
    padding[1, 7] = (padding[1, 7] + 1) % 53
    seen[1, 5] = (seen[1, 5] + 1) % 53
    torch.testing.assert_close(model(padding, mask, target), plain)
    other = model(seen, mask, target)
    assert not torch.allclose(other[1, 0], plain[1, 0])
    torch.testing.assert_close(other[0], plain[0])


@torch.no_grad()
def test_rows_of_a_cache_are_selected_with_their_source() -> None:
    model = untrained()
    source, mask, target = batch()
    cache = model.read(source, mask)
    model.next_logits(target[:, :4], cache)
    cache.select(torch.tensor([1, 1, 0]))
    got = model.next_logits(target[[1, 1, 0], 4:5], cache)
    expected = model(source, mask, target)[[1, 1, 0], 4:5]
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_cross_attention_is_given_and_none_goes_to_padding() -> None:
    model, weights = untrained(), []
    source, mask, target = batch()
    model(source, mask, target, attention_out=weights)
    assert [tuple(layer.shape) for layer in weights] == [(2, 4, 8, 9)] * 2
    torch.testing.assert_close(weights[1].sum(-1), torch.ones(2, 4, 8))
    assert (weights[0][1, :, :, 6:] == 0).all()
    cached, cache = [], model.read(source, mask)
    model.next_logits(target, cache, cached)
    torch.testing.assert_close(cached, weights)


@torch.no_grad()
def test_a_saved_model_comes_back(tmp_path) -> None:
    model = untrained(tie_embeddings=False)
    model.save_pretrained(tmp_path)
    again = Seq2Seq.from_pretrained(tmp_path).eval()
    assert again.config == model.config
    assert torch.equal(model(*batch()), again(*batch()))


def test_texts_longer_than_the_context_are_refused() -> None:
    model = untrained()
    short, long = torch.zeros(1, 3, dtype=torch.long), torch.zeros(1, 25, dtype=torch.long)
    for source, target in ((long, short), (short, long)):
        with pytest.raises(ValueError, match="25 tokens do not fit a context of 24"):
            model(source, None, target)
    cache = model.read(short)
    model.next_logits(long[:, :24], cache)
    with pytest.raises(ValueError, match="25 tokens"):
        model.next_logits(short[:, :1], cache)
