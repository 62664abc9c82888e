"""What a card says of a model."""

from types import SimpleNamespace

from aigc_demo.ui.model_facts import facts_of
from aigc_demo.ui.words.wording import everywhere

TALES = {"name": "x", "num_parameters": 1_200_000, "training_data": "tales", "licence": "MIT"}


def entry(**more):
    rest = {"languages": (), "seconds_per_step": 0, "on_hub": False, "size_mib": 0, "started_from": None}
    return SimpleNamespace(**{**TALES, **rest, **more})


def facts(of):
    """The English name of each fact and its value, in English where it has one."""
    rows = [(row["name"]["en"], row["value"]) for row in facts_of(of)]
    return [(name, value["en"] if isinstance(value, dict) else value) for name, value in rows]


def words(key):
    return everywhere(key)["en"]


def test_a_model_that_was_trained_here_has_its_size_its_data_and_its_licence():
    expected = [words("fact_parameters"), words("fact_trained_on"), words("fact_licence")]
    assert [name for name, _ in facts(entry())] == expected
    assert dict(facts(entry()))[words("fact_trained_on")] == "tales"


def test_its_languages_are_named_in_the_readers_language():
    of = entry(languages=("English", "Chinese"))
    assert (words("fact_languages"), "English, Chinese") in facts(of)
    (row,) = [row for row in facts_of(of) if row["name"]["en"] == words("fact_languages")]
    english, chinese = everywhere("language_English"), everywhere("language_Chinese")
    assert row["value"]["zh-CN"] == f"{english['zh-CN']}、{chinese['zh-CN']}"


def test_what_would_be_fetched_has_its_size():
    assert (words("fact_download"), "1,234 MiB") in facts(entry(on_hub=True, size_mib=1234))
    assert words("fact_download") not in dict(facts(entry(size_mib=1234)))


def test_what_its_training_started_from_is_said_where_it_is_known():
    name = words("fact_started_from")
    assert dict(facts(entry(started_from="bert-tang")))[name] == "bert-tang"
    assert dict(facts(entry(started_from="")))[name] == words("random_weights")
    assert name not in dict(facts(entry()))
