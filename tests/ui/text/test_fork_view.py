"""What the page draws of several decoders and of the places where their texts part."""

from types import SimpleNamespace

import pytest

from aigc_demo.generators.text.decoding import SamplingSettings
from aigc_demo.studio.text.compare import Column, Token
from aigc_demo.studio.text.fork import Candidate, Decision, Fork, ForkRequest
from aigc_demo.ui.text.fork_view import empty_forks, forks_of

DECODERS = ("greedy", "temperature", "top_k", "beam")
SETTINGS = {
    "greedy": SamplingSettings(temperature=0),
    "temperature": SamplingSettings(temperature=1.25, top_k=0),
    "top_k": SamplingSettings(temperature=1.25, top_k=7),
    "beam": SamplingSettings(num_beams=3),
}
REQUEST = ForkRequest("gpt", "ab", SETTINGS)
CANDIDATES = (Candidate(1, "c", 0.6, -0.514), Candidate(2, " ", 0.3, 2.0), Candidate(3, "\n", 0.1, 9.0))


def column(*pieces, state="finished", **more):
    return Column("gpt", state, 4, tokens=tuple(Token(9, piece, 1.0) for piece in pieces), **more)


def decision(decoder, index, probs=(0.6, 0.3, 0.1), num_kept=3, mean=-0.5):
    return Decision(decoder, index, probs, num_kept, mean)


FORK = Fork(
    1,
    (9,),
    CANDIDATES,
    (
        decision("greedy", 1, (1.0, 0.0, 0.0), 1, -0.75),
        decision("temperature", 3),
        decision("top_k", 2, (0.66, 0.34, 0.0), 2),
        decision("beam", 1, (), None, -0.25),
    ),
)


def drawn(fork=FORK):
    return forks_of(
        REQUEST, [column("x", "c"), column("x", "\n"), column("x", " "), column("x", "c")], [fork], 67
    )


def test_before_the_end_there_are_texts_and_no_forks():
    running = [column("x", "y", state="running"), *[column(state="waiting")] * 3]
    value = forks_of(REQUEST, running, None)
    assert value["forks"] is None
    assert value["texts"][0]["tokens"] == ["x", "y"]
    assert value["texts"][0]["words"] is None
    assert value["texts"][1]["words"]["en"] == "waiting"
    assert empty_forks()["texts"] == []


def test_each_decoder_is_named_with_its_own_setting():
    names = [text["name"]["en"] for text in drawn()["texts"]]
    assert names == ["Greedy", "Temperature 1.25", "Top-k 7", "Beam search, 3 beams"]


def test_the_table_says_what_was_kept_and_what_was_taken():
    (fork,) = drawn()["forks"]
    assert fork["title"]["en"] == "Fork 1, after 1 shared tokens"
    assert [row["noise"] for row in fork["candidates"]] == [-0.51, 2.0, 9.0]
    assert [(one["place"], one["taken"]) for one in fork["decisions"]] == [(0, 0), (1, 2), (2, 1), (3, 0)]
    assert fork["decisions"][2]["probs"] == [0.66, 0.34, 0.0]


def test_each_decision_has_its_reason():
    (fork,) = drawn()["forks"]
    assert [one["why"]["en"] for one in fork["decisions"]] == [
        "takes the likeliest: “c”.",
        "keeps 3 of 67 tokens and draws “↵” from them.",
        "keeps 2 of 67 tokens; “↵”, which wins without a filter, is not among them, so it is “␣”.",
        "weighs whole texts: with “c” its own has −0.25 nats a token, greedy's has −0.75.",
    ]


def test_a_reason_names_no_decoder_that_did_not_come_to_the_fork():
    late = Fork(2, (9, 9), CANDIDATES, (FORK.decisions[2], FORK.decisions[3]))
    reasons = [one["why"]["en"] for one in drawn(late)["forks"][0]["decisions"]]
    assert reasons == [
        "keeps 2 of 67 tokens and draws “␣” from them.",
        "weighs whole texts: with “c” its own has −0.25 nats a token.",
    ]


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_every_word_is_there_in_every_language(language):
    value = drawn()
    assert all(value["words"][name][language] for name in value["words"])
    assert SimpleNamespace(**value).empty[language]
