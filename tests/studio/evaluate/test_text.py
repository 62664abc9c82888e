"""What a text model is asked for when it is measured."""

import pytest

from aigc_demo.studio.evaluate import text as text_evaluation


def test_paragraphs_are_sampled_from_nothing_to_their_end_or_512_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def write_texts(model, prompt, **how):
        calls.append((model, prompt, how))
        return [{"text": "\na b c d\n"}, {"text": "a b c d"}]

    monkeypatch.setattr(text_evaluation, "write_texts", write_texts)
    figures = text_evaluation._sampled("gpt", "some.txt", "a b c d e f", 2, 7)
    settings = {"temperature": 1.0, "stop": ("\n\n",), "max_new_tokens": 512}
    assert calls == [("gpt", "", {"num": 2, "seed": 7, "settings": settings})]
    assert (figures["num_generated"], figures["distinct"]) == (2, 0.5)
    assert "accepted" not in figures
