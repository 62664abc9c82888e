"""Allowed settings in an untrusted configuration of a library's network, by architecture."""

import math
from dataclasses import dataclass
from typing import Any

from aigc_demo.nets.options import PREDICTION_TYPES


@dataclass(frozen=True)
class Key:
    """The allowed values of one setting.

    Attributes:
        low: smallest number, inclusive.
        high: largest number, inclusive.
        whole: whether the number has to be whole.
        words: the words allowed, for a setting that is a word.
        switch: whether it is true or false.
        longest: how many of these a list may hold; 0 where it is no list.
        shortest: how many it has to hold.
        also_list: whether one value may stand for a list.
        optional: whether null is allowed.
        needed: whether the setting has to be there.
    """

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    words: tuple[str, ...] = ()
    switch: bool = False
    longest: int = 0
    shortest: int = 1
    also_list: bool = False
    optional: bool = False
    needed: bool = False

    def takes(self, value: Any) -> bool:
        """Whether a value is allowed."""
        if value is None:
            return self.optional
        if self.longest and isinstance(value, list):
            right_length = self.shortest <= len(value) <= self.longest
            return right_length and all(self._takes_one(part) for part in value)
        return (not self.longest or self.also_list) and self._takes_one(value)

    def _takes_one(self, value: Any) -> bool:
        if self.switch:
            return isinstance(value, bool)
        if self.words:
            return isinstance(value, str) and value in self.words
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return (not self.whole or isinstance(value, int)) and self.low <= value <= self.high


def count(high: int, low: int = 1, **more: Any) -> Key:
    """A whole number between two bounds, inclusive."""
    return Key(low=low, high=high, whole=True, **more)


SWITCH = Key(switch=True)
TOKEN = count(2**31 - 1, low=0, optional=True)
EPSILON = Key(low=1e-15, high=1.0)
SIZE, LAYERS, HEADS, WORDS, PLACES = 65_536, 256, 1024, 1_000_000, 2_000_000
ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu", "swish")

_ENDS = {
    "bos_token_id": TOKEN,
    "eos_token_id": count(2**31 - 1, 0, optional=True, longest=32, also_list=True),
}
_LLAMA = {
    "vocab_size": count(WORDS, needed=True),
    "hidden_size": count(SIZE, needed=True),
    "intermediate_size": count(4 * SIZE, needed=True),
    "num_hidden_layers": count(LAYERS, needed=True),
    "num_attention_heads": count(HEADS, needed=True),
    "num_key_value_heads": count(HEADS, optional=True),
    "max_position_embeddings": count(PLACES),
    "hidden_act": Key(words=("silu",)),
    "rms_norm_eps": EPSILON,
    "rope_theta": Key(low=1.0, high=1e9),
    "tie_word_embeddings": SWITCH,
    **_ENDS,
}
_CLIP_PART = {
    "hidden_size": count(SIZE),
    "intermediate_size": count(4 * SIZE),
    "num_hidden_layers": count(LAYERS),
    "num_attention_heads": count(HEADS),
    "projection_dim": count(SIZE),
    "hidden_act": Key(words=ACTIVATIONS),
    "layer_norm_eps": EPSILON,
}
CLIP_TEXT = {
    **_CLIP_PART,
    "vocab_size": count(WORDS),
    "max_position_embeddings": count(1024),
    "pad_token_id": TOKEN,
    "bos_token_id": TOKEN,
    "eos_token_id": TOKEN,
}
CLIP_VISION = {
    **_CLIP_PART,
    "image_size": count(1024),
    "patch_size": count(256),
    "num_channels": Key(low=3, high=3, whole=True),
}
TRANSFORMERS: dict[str, dict[str, Key]] = {
    "gpt2": {
        "vocab_size": count(WORDS, needed=True),
        "n_positions": count(65_536, needed=True),
        "n_embd": count(16_384, needed=True),
        "n_layer": count(LAYERS, needed=True),
        "n_head": count(HEADS, needed=True),
        "n_inner": count(SIZE, optional=True),
        "activation_function": Key(words=ACTIVATIONS),
        "layer_norm_epsilon": EPSILON,
        "scale_attn_weights": SWITCH,
        "scale_attn_by_inverse_layer_idx": SWITCH,
        "tie_word_embeddings": SWITCH,
        **_ENDS,
    },
    "llama": {**_LLAMA, "attention_bias": SWITCH, "mlp_bias": SWITCH, "head_dim": count(4096, optional=True)},
    # A window is taken only where it is longer than any text that is shown to a model here.
    "qwen2": {
        **_LLAMA,
        "sliding_window": count(PLACES, low=1024, optional=True),
        "layer_types": Key(words=("full_attention",), longest=LAYERS),
    },
    "bert": {
        "vocab_size": count(WORDS, needed=True),
        "hidden_size": count(SIZE, needed=True),
        "num_hidden_layers": count(LAYERS, needed=True),
        "num_attention_heads": count(HEADS, needed=True),
        "intermediate_size": count(4 * SIZE, needed=True),
        "hidden_act": Key(words=ACTIVATIONS),
        "max_position_embeddings": count(65_536, needed=True),
        "type_vocab_size": count(16),
        "position_embedding_type": Key(words=("absolute",)),
        "layer_norm_eps": EPSILON,
        "pad_token_id": TOKEN,
    },
    "encoder-decoder": {"pad_token_id": TOKEN, "eos_token_id": TOKEN, "decoder_start_token_id": TOKEN},
    "clip": {"projection_dim": count(SIZE), "logit_scale_init_value": Key(low=-100.0, high=100.0)},
    "clip_text_model": CLIP_TEXT,
    "clip_vision_model": CLIP_VISION,
}
"""By transformers' `model_type`."""

ROPE = {
    "rope_type": Key(words=("default", "linear", "llama3")),
    "rope_theta": Key(low=1.0, high=1e9),
    "factor": Key(low=1.0, high=1000.0),
    "low_freq_factor": Key(low=0.01, high=1000.0),
    "high_freq_factor": Key(low=0.01, high=1000.0),
    "original_max_position_embeddings": count(PLACES),
}

_BLOCKS = tuple(f"{kind}{way}Block2D" for way in ("Down", "Up") for kind in ("", "Attn", "CrossAttn"))
_CHANNELS = count(8192, longest=8)
_UNET = {
    "sample_size": count(1024, optional=True),
    "in_channels": count(1024),
    "out_channels": count(1024),
    "center_input_sample": SWITCH,
    "flip_sin_to_cos": SWITCH,
    "freq_shift": Key(low=0, high=10),
    "down_block_types": Key(words=_BLOCKS, longest=8),
    "up_block_types": Key(words=_BLOCKS, longest=8),
    "block_out_channels": _CHANNELS,
    "layers_per_block": count(8),
    "downsample_padding": count(4, low=0),
    "mid_block_scale_factor": Key(low=1e-3, high=1e3),
    "act_fn": Key(words=("silu", "swish", "mish", "gelu", "relu")),
    "norm_num_groups": count(512, optional=True),
    "norm_eps": EPSILON,
    "resnet_time_scale_shift": Key(words=("default", "scale_shift")),
    "attention_head_dim": count(1024, optional=True, longest=8, also_list=True),
}
DIFFUSERS: dict[str, dict[str, Key]] = {
    "UNet2DModel": {
        **_UNET,
        "mid_block_type": Key(words=("UNetMidBlock2D",), optional=True),
        "downsample_type": Key(words=("conv", "resnet")),
        "upsample_type": Key(words=("conv", "resnet")),
        "attn_norm_num_groups": count(512, optional=True),
        "add_attention": SWITCH,
    },
    "UNet2DConditionModel": {
        **_UNET,
        "mid_block_type": Key(words=("UNetMidBlock2DCrossAttn", "UNetMidBlock2D"), optional=True),
        "only_cross_attention": Key(switch=True, longest=8, also_list=True),
        "cross_attention_dim": count(8192, longest=8, also_list=True),
        "num_attention_heads": count(1024, optional=True, longest=8, also_list=True),
        "transformer_layers_per_block": count(16, longest=8, also_list=True),
        "dual_cross_attention": SWITCH,
        "use_linear_projection": SWITCH,
        "upcast_attention": Key(switch=True, optional=True),
    },
    "AutoencoderKL": {
        "in_channels": Key(low=3, high=3, whole=True),
        "out_channels": Key(low=3, high=3, whole=True),
        "down_block_types": Key(words=("DownEncoderBlock2D",), longest=8),
        "up_block_types": Key(words=("UpDecoderBlock2D",), longest=8),
        "block_out_channels": _CHANNELS,
        "layers_per_block": count(8),
        "act_fn": Key(words=("silu", "swish")),
        "latent_channels": count(64),
        "norm_num_groups": count(512),
        "sample_size": count(4096),
        "scaling_factor": Key(low=1e-3, high=1e3),
        "force_upcast": SWITCH,
        "use_quant_conv": SWITCH,
        "use_post_quant_conv": SWITCH,
        "mid_block_add_attention": SWITCH,
    },
    "AutoencoderTiny": {
        "in_channels": Key(low=3, high=3, whole=True),
        "out_channels": Key(low=3, high=3, whole=True),
        "encoder_block_out_channels": _CHANNELS,
        "decoder_block_out_channels": _CHANNELS,
        "act_fn": Key(words=("relu", "silu", "gelu")),
        "latent_channels": count(64),
        "upsampling_scaling_factor": count(8),
        "num_encoder_blocks": count(16, low=0, longest=8),
        "num_decoder_blocks": count(16, low=0, longest=8),
        "latent_magnitude": Key(low=1e-3, high=1e3),
        "latent_shift": Key(low=-1e3, high=1e3),
        "force_upcast": SWITCH,
        "scaling_factor": Key(low=1e-3, high=1e3),
        "shift_factor": Key(low=-1e3, high=1e3, optional=True),
    },
}
"""By diffusers' `_class_name`."""

_STEPS = count(10_000, low=1)
_NOISE = {
    "num_train_timesteps": _STEPS,
    "beta_start": Key(low=1e-8, high=1.0),
    "beta_end": Key(low=1e-8, high=1.0),
    "beta_schedule": Key(words=("linear", "scaled_linear", "squaredcos_cap_v2")),
    "prediction_type": Key(words=PREDICTION_TYPES),
    "timestep_spacing": Key(words=("leading", "trailing", "linspace")),
    "steps_offset": count(10_000, low=0),
}
SCHEDULERS: dict[str, dict[str, Key]] = {
    "DDIMScheduler": {
        **_NOISE,
        "clip_sample": SWITCH,
        "clip_sample_range": Key(low=1e-3, high=1e3),
        "set_alpha_to_one": SWITCH,
        "rescale_betas_zero_snr": SWITCH,
    },
    "DDPMScheduler": {**_NOISE, "clip_sample": SWITCH, "clip_sample_range": Key(low=1e-3, high=1e3)},
    "PNDMScheduler": {**_NOISE, "skip_prk_steps": SWITCH, "set_alpha_to_one": SWITCH},
    "EulerDiscreteScheduler": {
        **_NOISE,
        "use_karras_sigmas": SWITCH,
        "interpolation_type": Key(words=("linear", "log_linear")),
        "rescale_betas_zero_snr": SWITCH,
    },
    "EulerAncestralDiscreteScheduler": {**_NOISE, "rescale_betas_zero_snr": SWITCH},
    "DPMSolverMultistepScheduler": {**_NOISE, "use_karras_sigmas": Key(switch=True, optional=True)},
}

# What a library writes beside the settings, or uses in training alone.
NEUTRAL = frozenset((
    "_name_or_path", "_diffusers_version", "_class_name", "_commit_hash", "architectures",
    "transformers_version", "model_type", "torch_dtype", "dtype", "initializer_range", "initializer_factor",
    "use_cache", "return_dict", "id2label", "label2id", "dropout", "resid_pdrop", "embd_pdrop",
    "attn_pdrop", "hidden_dropout_prob", "attention_probs_dropout_prob", "attention_dropout",
    "classifier_dropout", "gradient_checkpointing", "task_specific_params", "n_ctx", "summary_type",
    "summary_use_proj", "summary_activation", "summary_proj_to_labels", "summary_first_dropout",
    "pretraining_tp", "max_window_layers", "pad_token_id", "bos_token_id", "eos_token_id", "problem_type",
    "is_llama_config", "rope_interleaved", "text_config_dict", "vision_config_dict",
    "transformers.js_config", "sample_max_value", "dynamic_thresholding_ratio", "directionality",
    "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head",
    "pooler_type", "reorder_and_upcast_attn", "num_train_timesteps", "decay", "inv_gamma", "min_decay",
    "optimization_step", "power", "update_after_step", "use_ema_warmup",
))  # fmt: skip
