"""What the networks of a language model cost, before there is one."""

import pytest

from aigc_demo.training.language_model.networks import vocabulary
from aigc_demo.training.language_model.recipe import LanguageModelSettings
from aigc_demo.training.text_settings import LOGIT_COPIES


@pytest.mark.parametrize(("tie", "tables"), [(True, 1), (False, 2)])
def test_the_vocabulary_costs_rows_of_its_tables_and_logits_of_a_batch(tie: bool, tables: int) -> None:
    settings = LanguageModelSettings.from_mapping(
        {
            "tokenizer": "characters",
            "tie_embeddings": tie,
            "hidden_size": 20,
            "num_heads": 2,
            "batch_size": 3,
            "context_length": 11,
        }
    )
    tokens = 3 + 2  # a, b and c; the unknown one and the start
    num_parameters, num_bytes = vocabulary(settings, "abcab")
    assert num_parameters == tables * tokens * 20
    assert num_bytes == LOGIT_COPIES * 4 * 3 * 11 * tokens  # float32
