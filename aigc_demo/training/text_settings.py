"""Settings that all trainings on text share; no torch."""

from dataclasses import dataclass

from aigc_demo.core.config import setting
from aigc_demo.data.text.corpus import TextSettings
from aigc_demo.data.text.tokenizer import BPE_VOCAB_SIZE
from aigc_demo.training.settings import OPTIMIZERS, PRECISIONS, SCHEDULES

TINY_WORLD_TOKENS = 400
# Logits as they are, as log-probabilities, and their gradient.
LOGIT_COPIES = 3
# The settings that give a Transformer its shape; their names in our models' config.json are the same.
SHAPE = ("context_length", "num_layers", "num_heads", "hidden_size", "mlp_size", "tie_embeddings")
# Of encoders and of the encoder-decoders that start from them, for the tiny world.
ENCODER_OF_STORIES = {
    "tokenizer": "words",
    "num_layers": 4,
    "num_heads": 4,
    "hidden_size": 128,
    "context_length": 128,
    "batch_size": 32,
    "dropout": 0.0,
}


@dataclass(frozen=True)
class TextTrainingSettings(TextSettings):
    """How a text is prepared, the shape of a Transformer, and how it is optimized."""

    validation_fraction: float = setting(
        0.1, "share of the text held out for validation", low=0.001, high=0.9
    )
    context_length: int = setting(256, "tokens in the model's context", low=8, high=8192)
    num_layers: int = setting(6, "Transformer blocks", low=1, high=64)
    num_heads: int = setting(4, "attention heads in each block", low=1, high=64)
    hidden_size: int = setting(256, "features per token", low=8, high=8192)
    mlp_size: int | None = setting(
        None, "hidden features of the feed-forward layer; none for 4 hidden_size", low=8
    )
    dropout: float = setting(0.1, "dropout probability", low=0, high=0.9)
    tie_embeddings: bool = setting(False, "one matrix for the token embeddings and the output layer")
    batch_size: int = setting(12, "rows in one step, all processes together", low=1, high=65_536)
    gradient_accumulation_steps: int = setting(
        1, "parts into which a step's batch is split; their gradients are added up", low=1, high=1024
    )
    optimizer: str = setting("muon", "of the matrices inside the blocks", choices=OPTIMIZERS)
    learning_rate: float = setting(3e-3, "AdamW's peak learning rate", low=0, high=10)
    muon_learning_rate: float = setting(0.02, "Muon's peak learning rate", low=0, high=10)
    weight_decay: float = setting(0.1, "weight decay of matrices", low=0, high=10)
    max_grad_norm: float = setting(1.0, "gradient norms above this are clipped", low=0)
    schedule: str = setting("linear", "schedule of the learning rate", choices=SCHEDULES)
    mixed_precision: str = setting("auto", "precision of matrix products", choices=PRECISIONS)
    validate_every: int = setting(100, "steps between validations", low=1)
    checkpoint_every: int | None = setting(None, "steps between checkpoints; none for 15 in the run", low=1)

    @property
    def units_per_step(self) -> int:
        """Tokens in one step, at most."""
        return self.batch_size * self.context_length


def expected_vocab_size(settings: TextTrainingSettings, text: str | None, num_special: int) -> int:
    """How many tokens a text will have, or an upper bound.

    Args:
        settings: of the tokenizer.
        text: None for the tiny world.
        num_special: special tokens.
    """
    limits = [settings.vocab_size] if settings.vocab_size else []
    if text is None:
        found = TINY_WORLD_TOKENS
    elif settings.tokenizer == "characters":
        found = len(set(text))
    else:
        found = len(set(text.split())) + len(set(text)) if settings.tokenizer == "words" else BPE_VOCAB_SIZE
    return min([found, *limits]) + num_special
