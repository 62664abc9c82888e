"""Tiny models of each family, with random weights that give far from uniform scores."""

import json

import pytest
import torch
from transformers import (
    BertConfig,
    BertForPreTraining,
    EncoderDecoderConfig,
    EncoderDecoderModel,
    GPT2Config,
    GPT2LMHeadModel,
)

from aigc_demo.data.text.corpus import PreparationSettings
from aigc_demo.data.text.tokenizer import train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.nets.text.bert import Bert, EncoderConfig
from aigc_demo.nets.text.seq2seq import Seq2Seq, Seq2SeqConfig
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig
from aigc_demo.nets.text.word_lm import WordLM, WordLMConfig

TEXT = "the cat sat on the mat. 床前明月光，疑是地上霜。" * 20


def randomize(network, seed=0):
    """Weights large enough that the scores differ between tokens and places."""
    numbers = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.dim() > 1:
                weight.normal_(std=0.4, generator=numbers)
    return network.eval()


def save_ours(folder, *, kind="characters", context_length=16, seed=0, style="modern"):
    """A model folder with our network, as training writes it."""
    tokenizer = train_tokenizer(TEXT, kind, 300 if kind == "bpe" else None)
    config = TransformerConfig(
        vocab_size=tokenizer.vocab_size,
        context_length=context_length,
        num_layers=2,
        num_heads=3,
        hidden_size=24,
        style=style,
    )
    randomize(Decoder(config), seed).half().save_pretrained(folder)
    tokenizer.save(folder)
    return folder


def save_library(folder, *, context_length=16, seed=0, tie=True):
    """A model folder with transformers' GPT-2 on our tokenizer, as training writes it."""
    tokenizer = train_tokenizer(TEXT)
    config = GPT2Config(
        vocab_size=tokenizer.vocab_size,
        n_positions=context_length,
        n_embd=24,
        n_layer=2,
        n_head=3,
        bos_token_id=1,
        eos_token_id=1,
        tie_word_embeddings=tie,
        recipe="gpt2",
    )
    randomize(GPT2LMHeadModel(config), seed).half().save_pretrained(folder)
    tokenizer.save(folder)
    return folder


def save_word_lm(folder, *, context_length=16, seed=0, lowercase=False):
    """A model folder with torch's Transformer layers on our tokenizer, as training writes it."""
    tokenizer = train_tokenizer(TEXT)
    shape = {"context_length": context_length, "num_layers": 2, "num_heads": 3, "hidden_size": 24}
    config = WordLMConfig(vocab_size=tokenizer.vocab_size, **shape)
    torch.manual_seed(seed)  # torch draws its biases too
    randomize(WordLM(config), seed).half().save_pretrained(folder)
    tokenizer.save(folder)
    PreparationSettings(lowercase=lowercase).save(folder)
    return folder


def edit_config(folder, **changes):
    """Change a model folder's config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.fixture
def ours(tmp_path):
    return save_ours(tmp_path / "ours")


@pytest.fixture
def library(tmp_path):
    return save_library(tmp_path / "library")


ENCODER_SIZES = {"num_layers": 2, "num_heads": 3, "hidden_size": 24}
BERT_SIZES = {"num_hidden_layers": 2, "num_attention_heads": 3, "hidden_size": 24, "intermediate_size": 96}


def save_encoder(folder, *, kind="characters", context_length=32, seed=0, text=TEXT):
    """A model folder with our encoder, as the recipe bert writes it."""
    tokenizer = train_tokenizer(text, kind, special=ENCODER_TOKENS)
    config = EncoderConfig(vocab_size=tokenizer.vocab_size, context_length=context_length, **ENCODER_SIZES)
    randomize(Bert(config), seed).save_pretrained(folder)
    tokenizer.save(folder)
    return folder


def save_library_encoder(folder, *, context_length=32, seed=0, text=TEXT):
    """A model folder with transformers' BERT on our tokenizer, as the recipe bert-library writes it."""
    tokenizer = train_tokenizer(text, special=ENCODER_TOKENS)
    config = BertConfig(
        vocab_size=tokenizer.vocab_size,
        max_position_embeddings=context_length,
        pad_token_id=2,
        recipe="bert-library",
        **BERT_SIZES,
    )
    randomize(BertForPreTraining(config), seed).save_pretrained(folder)
    tokenizer.save(folder)
    return folder


def save_answers(folder, *, context_length=32, seed=0, text=TEXT):
    """A model folder with our encoder-decoder, as the recipe seq2seq writes it."""
    tokenizer = train_tokenizer(text, special=ENCODER_TOKENS)
    config = Seq2SeqConfig(vocab_size=tokenizer.vocab_size, context_length=context_length, **ENCODER_SIZES)
    randomize(Seq2Seq(config), seed).save_pretrained(folder)
    tokenizer.save(folder)
    return folder


def save_library_answers(folder, *, context_length=32, seed=0, text=TEXT):
    """A model folder with transformers' encoder-decoder, as the recipe seq2seq-library writes it."""
    tokenizer = train_tokenizer(text, special=ENCODER_TOKENS)
    parts = [
        BertConfig(
            vocab_size=tokenizer.vocab_size,
            max_position_embeddings=context_length,
            pad_token_id=2,
            **BERT_SIZES,
        )
        for _ in range(2)
    ]
    config = EncoderDecoderConfig.from_encoder_decoder_configs(
        *parts, pad_token_id=2, eos_token_id=4, decoder_start_token_id=1, recipe="seq2seq-library"
    )
    randomize(EncoderDecoderModel(config), seed).save_pretrained(folder)
    tokenizer.save(folder)
    return folder
