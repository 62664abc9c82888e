"""Captions as CLIP reads them: which tokens stand around them."""

from types import SimpleNamespace

import pytest

from aigc_demo.generators.text_to_image.caption_tokens import CaptionTokens

IDS = {"bos_id": 1, "eos_id": 2, "pad_id": 3}


@pytest.mark.parametrize(
    ("tokenizer_ids", "config_ids", "row"),
    [
        ({}, {}, [1, 10, 11, 2, 3, 3]),
        ({"pad_id": None}, {}, [1, 10, 11, 2, 2, 2]),
        ({"bos_id": 0, "eos_id": 0, "pad_id": 0}, {}, [0, 10, 11, 0, 0, 0]),
        ({"bos_id": None, "eos_id": None}, {"bos_token_id": 5, "eos_token_id": 7}, [5, 10, 11, 7, 3, 3]),
        ({"bos_id": None, "eos_id": None}, {}, [98, 10, 11, 99, 3, 3]),
    ],
)
def test_the_tokenizer_says_what_stands_around_a_caption_else_the_configuration_else_the_last_two(
    tokenizer_ids, config_ids, row
) -> None:
    tokenizer = SimpleNamespace(encode=lambda text: [10, 11], **{**IDS, **tokenizer_ids})
    config = {"bos_token_id": None, "eos_token_id": None, **config_ids}
    captions = CaptionTokens(tokenizer, SimpleNamespace(max_position_embeddings=6, vocab_size=100, **config))
    assert captions.padded(["a cat"]).tolist() == [row]
    captions.length = 3
    assert captions.rows(["a cat"]) == [[row[0], 10, row[3]]], "the end stays where a text is cut"
