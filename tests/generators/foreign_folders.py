"""Pretrained models in miniature, with random weights, in folders as the libraries save them."""

import json

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, UNet2DConditionModel, UNet2DModel
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPVisionConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from tests.generators.conftest import TEXT, randomize

END = "<|endoftext|>"
CONTEXT, SIDE = 64, 64
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BERT_WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "on", "mat", "##s", "a", ".")
GROUPED = {
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "bos_token_id": 0,
    "eos_token_id": 0,
}


def byte_pairs(before, normalizer=None):
    """A tokenizer of pairs of bytes, trained on a few sentences; `before` cuts a text first."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = before, decoders.ByteLevel()
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


def _save(folder, network, tokenizer, **facts):
    randomize(network).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": END, "bos_token": END, **facts}))
    return folder


def save_gpt2(folder, **changes):
    tokenizer = byte_pairs(pre_tokenizers.ByteLevel(add_prefix_space=False))
    sizes = {"n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": CONTEXT}
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), bos_token_id=0, eos_token_id=0, **{**sizes, **changes}
    )
    return _save(folder, GPT2LMHeadModel(config), tokenizer)


def save_llama(folder):
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer = byte_pairs(
        pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    )
    config = LlamaConfig(vocab_size=tokenizer.get_vocab_size(), tie_word_embeddings=True, **GROUPED)
    return _save(folder, LlamaForCausalLM(config), tokenizer)


def save_qwen2(folder):
    """With more scores than tokens, as the published ones have."""
    cut = pre_tokenizers.Split(Regex(QWEN2), behavior="isolated")
    after = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer = byte_pairs(pre_tokenizers.Sequence([cut, after]), normalizers.NFC())
    config = Qwen2Config(vocab_size=tokenizer.get_vocab_size() + 7, tie_word_embeddings=True, **GROUPED)
    return _save(folder, Qwen2ForCausalLM(config), tokenizer)


def save_bert(folder):
    config = BertConfig(
        vocab_size=len(BERT_WORDS),
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=40,
        max_position_embeddings=CONTEXT,
    )
    randomize(BertForMaskedLM(config)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(BERT_WORDS) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    return folder


def save_letters(folder):
    """A CLIP's tokenizer that knows single letters, as vocab.json and merges.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", END]
    (folder / "vocab.json").write_text(json.dumps({piece: place for place, piece in enumerate(pieces)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    facts = {"bos_token": "<|startoftext|>", "eos_token": END, "unk_token": END, "pad_token": END}
    (folder / "tokenizer_config.json").write_text(json.dumps(facts))
    return len(pieces)


def text_shape(vocab_size):
    return {
        "vocab_size": vocab_size,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 16,
        "bos_token_id": vocab_size - 2,
        "eos_token_id": vocab_size - 1,
    }


def save_clip(folder):
    torch.manual_seed(0)
    size = save_letters(folder)
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config=CLIPTextConfig(**text_shape(size)).to_dict(),
        vision_config=CLIPVisionConfig(**vision, image_size=32, patch_size=16).to_dict(),
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    pixels = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}
    (folder / "preprocessor_config.json").write_text(json.dumps(pixels))
    return folder


def conditional_unet():
    """That of a Stable Diffusion which draws SIDE x SIDE pixels."""
    return UNet2DConditionModel(
        sample_size=SIDE // 8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=2,
        norm_num_groups=4,
    )


def save_pipeline(folder, scheduler=None):
    """A Stable Diffusion pipeline with a decoder of its own."""
    torch.manual_seed(0)
    size = save_letters(folder / "tokenizer")
    conditional_unet().save_pretrained(folder / "unet")
    CLIPTextModel(CLIPTextConfig(**text_shape(size))).save_pretrained(folder / "text_encoder")
    AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=4,
    ).save_pretrained(folder / "vae")
    scheduler = scheduler or DDIMScheduler(steps_offset=1, clip_sample=False)
    scheduler.save_pretrained(folder / "scheduler")
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def save_unet(folder):
    """A UNet2DModel with its scheduler, side by side."""
    torch.manual_seed(0)
    UNet2DModel(
        sample_size=16,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        norm_num_groups=4,
    ).save_pretrained(folder)
    DDPMScheduler(clip_sample=True).save_pretrained(folder)
    return folder


SAVERS = {
    "text-gpt2": save_gpt2,
    "text-llama": save_llama,
    "text-qwen2": save_qwen2,
    "masks": save_bert,
    "matches": save_clip,
    "text-to-image": save_pipeline,
    "pictures": save_unet,
}
