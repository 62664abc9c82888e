"""One token at a time, flat, against the decoder with all of its parts."""

import pytest
import torch

from aigc_demo.nets.text.attention import KeyValueCache
from aigc_demo.nets.text.fast_decoder import OneTokenDecoder, quantize
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig


def decoder(style: str, *, tied: bool = False, hidden_size: int = 32) -> Decoder:
    torch.manual_seed(0)
    shape = {"vocab_size": 31, "context_length": 19, "num_layers": 3, "num_heads": 2}
    config = TransformerConfig(**shape, hidden_size=hidden_size, style=style, tie_embeddings=tied)
    model = Decoder(config).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return model


def read_all(step: OneTokenDecoder, cache: KeyValueCache, ids: list[int]) -> torch.Tensor:
    return torch.stack([step.read(index, cache) for index in ids])


@pytest.mark.parametrize("style", ["modern", "gpt2"])
@pytest.mark.parametrize("tied", [False, True])
@torch.inference_mode()
def test_it_gives_the_numbers_of_the_decoder(style: str, tied: bool) -> None:
    model = decoder(style, tied=tied)
    ids = torch.randint(31, (1, 19), generator=torch.Generator().manual_seed(1))
    cache = model.new_cache()
    model(ids[:, :4], cache)  # a prompt at once, by the decoder, into the same cache
    found = read_all(OneTokenDecoder(model), cache, ids[0, 4:].tolist())
    torch.testing.assert_close(found, model(ids)[0, 4:], atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="20 tokens do not fit"):
        OneTokenDecoder(model).read(0, cache)


def test_rows_are_rounded_to_the_nearest_whole_number() -> None:
    weight = torch.tensor([[1.27, -0.637, 0.004, 0.006], [0.0, 0.0, 0.0, 0.0]])
    whole, scale = quantize(weight)
    assert whole.tolist() == [[127, -64, 0, 1], [0, 0, 0, 0]]
    assert scale[0].item() == pytest.approx(0.01)
    weight = torch.randn(17, 23, generator=torch.Generator().manual_seed(0))
    whole, scale = quantize(weight)
    assert ((whole * scale[:, None] - weight).abs() <= 0.5001 * scale[:, None]).all()
    assert (whole.abs().amax(dim=1) == 127).all()


@pytest.mark.parametrize("style", ["modern", "gpt2"])
@pytest.mark.parametrize("hidden_size", [64, 36])  # the product with 8-bit weights refuses 36
@torch.inference_mode()
def test_quantized_weights_change_little(style: str, hidden_size: int) -> None:
    model = decoder(style, hidden_size=hidden_size)
    ids = torch.randint(31, (1, 19), generator=torch.Generator().manual_seed(1))
    step = OneTokenDecoder(model, quantized=True)
    cache = model.new_cache(dtype=step.dtype)
    found = read_all(step, cache, ids[0].tolist()).log_softmax(-1)
    expected = model(ids)[0].log_softmax(-1)
    divergence = (expected.exp() * (expected - found)).sum(-1)
    assert divergence.mean() < 0.02
    assert divergence.mean() > 0  # it is another arithmetic, or nothing was tested
