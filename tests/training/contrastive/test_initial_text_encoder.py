"""A text encoder that starts from a pretrained encoder: what is copied, and what is refused."""

from pathlib import Path

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import RunStarted
from aigc_demo.data.captions.pairs import caption_tokenizer
from aigc_demo.data.text.tokenizer import Tokenizer, train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.nets.text.bert import Bert, Encoder, EncoderConfig
from aigc_demo.nets.text.transformer import TransformerConfig
from aigc_demo.training.contrastive.initial_text_encoder import start_from
from aigc_demo.training.start import Order, train
from tests.training.pair_orders import order

SHAPE = {"num_layers": 1, "num_heads": 2, "hidden_size": 16, "context_length": 48}
BERT = {
    **{name: value for name, value in SHAPE.items() if name != "context_length"},
    "context_length": 32,
    "tokenizer": "words",
    "batch_size": 8,
    "mixed_precision": "no",
    "validation_rows": 8,
}


def test_blocks_and_the_words_that_both_know_are_copied_with_the_first_segment() -> None:
    torch.manual_seed(0)
    stories = train_tokenizer("The cat saw a red ball. The cat ran. " * 3, "words", special=ENCODER_TOKENS)
    captions = caption_tokenizer([["a red ball"], ["the blue cat"]])
    network = Bert(EncoderConfig(vocab_size=stories.vocab_size, **SHAPE))
    encoder = Encoder(TransformerConfig(vocab_size=captions.vocab_size, **SHAPE))
    before = encoder.embedding.weight.detach().clone()

    # Of " a", " red", " ball", " cat", " the" and " blue" the stories know four as they stand here.
    assert start_from(encoder, captions, network, stories) == 4

    def row(tokenizer: Tokenizer, word: str) -> int:
        return tokenizer.encode(word)[0]

    segment = network.encoder.segment.weight[0]
    for word in (" a", " red", " ball", " cat"):
        expected = network.encoder.embedding.weight[row(stories, word)] + segment
        assert torch.equal(encoder.embedding.weight[row(captions, word)], expected)
    for word in (" the", " blue"):
        assert torch.equal(encoder.embedding.weight[row(captions, word)], before[row(captions, word)])
    # A caption of known words alone is read exactly as the pretrained encoder reads it.
    words = [" a", " red", " cat"]
    ours = encoder(torch.tensor([[row(captions, word) for word in words]]))
    theirs = network.encoder(torch.tensor([[row(stories, word) for word in words]]))
    assert torch.allclose(ours, theirs, atol=1e-6)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    lines = (f"A picture of red. It is number {n}. A picture of blue." for n in range(6))
    (folder / "text.txt").write_text("\n\n".join(lines) + "\n\nA picture. It is red.")
    list(train(Order("bert", str(folder / "text.txt"), folder / "run", steps=1, settings=BERT)))
    return folder / "run"


def test_a_dual_encoder_starts_from_a_bert_and_takes_its_shape(
    tmp_path: Path, captioned: Path, pretrained: Path
) -> None:
    usual = order(tmp_path / "run", "clip").settings
    given = {name: value for name, value in usual.items() if name not in SHAPE}
    asked = Order("clip", str(captioned), tmp_path / "run", steps=1, init=str(pretrained), settings=given)
    events = list(train(asked))
    started = next(event for event in events if isinstance(event, RunStarted))
    assert started.facts["words_from_init"] >= 3  # picture, of, red or blue
    config = (tmp_path / "run/checkpoints/step-000001/config.json").read_text()
    assert '"hidden_size": 16' in config
    assert '"num_layers": 1' in config
    # It is resumed without that model.
    again = Order("clip", str(captioned), tmp_path / "run", steps=1, resume=True, init=str(pretrained))
    assert list(train(again))


def test_another_shape_is_refused(tmp_path: Path, captioned: Path, pretrained: Path) -> None:
    asked = Order(
        "clip", str(captioned), tmp_path / "run", steps=1, init=str(pretrained), settings={"num_layers": 3}
    )
    with pytest.raises(InputError, match="num_layers = 1, not 3"):
        next(train(asked))
    assert not (tmp_path / "run").exists()
