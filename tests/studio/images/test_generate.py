"""Images by one model, for the command line."""

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.studio.images.generate import generate_images


def test_a_model_of_the_hub_that_generates_text_draws_nothing(monkeypatch):
    monkeypatch.setattr("aigc_demo.generators.hub_kind.kind_on_hub", lambda *asked: ("text", ""))
    with pytest.raises(InputError) as refused:
        generate_images("hf:someone/writer@" + "0" * 40, seeds=[1], settings={})
    assert refused.value.key == "foreign_model"
    assert "generates text" in str(refused.value)
