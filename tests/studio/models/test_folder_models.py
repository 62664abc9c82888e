"""Models of a folder in use: in both columns, on the command line, and measured as the library does."""

import json
import math

import pytest
import torch
import transformers

from aigc_demo import cli
from aigc_demo.core.errors import InputError
from aigc_demo.generators.catalog import find
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.generators.text.masked_words import load_masked_words
from aigc_demo.studio.evaluate.dispatcher import evaluate
from aigc_demo.studio.images.compare import check_images, compare_images
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import ON_OURS, Catalog, default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import check_request, compare_text
from aigc_demo.studio.text_to_image.compare import check_text_to_image, compare_text_to_image
from tests.generators.foreign_folders import BERT_WORDS, CONTEXT, SAVERS

WRITERS = ("text-gpt2", "text-llama", "text-qwen2")
TEXT = "To be, or not to be: that is the question. 床前明月光，疑是地上霜。\n" * 12
WORDS = ("the", "cat", "[MASK]", "on", "the", "mat")
FIRST = {"temperature": 0, "max_new_tokens": 12}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for name, save in SAVERS.items():
        save(root / name)
    (root / "broken").mkdir()
    (root / "broken" / "config.json").write_text('{"model_type": "gpt2"}')
    return root


@pytest.fixture(autouse=True)
def named(models, monkeypatch):
    monkeypatch.setenv("AIGC_DEMO_MODELS", str(models))


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def run(capsys, *arguments, status=0):
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main([*map(str, arguments), "--json"])
    printed = capsys.readouterr()
    assert (ended.value.code or 0) == status, printed.err
    return json.loads(printed.out.splitlines()[-1]) if printed.out else {}, printed.err


def theirs(models, name):
    return transformers.AutoModelForCausalLM.from_pretrained(models / name).eval()


def greedy(network, ids, count):
    """What the library writes when it always takes the likeliest token."""
    with torch.no_grad():
        for _ in range(count):
            logits = network(torch.tensor([ids[-CONTEXT:]])).logits[0, -1]
            logits[320:] = -math.inf  # scores beyond the tokens that there are
            ids = [*ids, int(logits.argmax())]
    return ids


def test_all_are_offered_and_the_broken_one_says_why():
    choices = Catalog().choices("text")
    values = [choice.value for choice in choices]
    assert {*WRITERS, f"text-gpt2{ON_OURS}", "broken"} <= set(values)
    assert [choice.value for choice in Catalog().choices("pictures") if choice.of_a_folder] == ["pictures"]
    assert [choice.value for choice in Catalog().choices("text-to-image") if choice.of_a_folder] == [
        "text-to-image"
    ]
    assert [choice.value for choice in Catalog().choices("masks")][-1] == "masks"
    assert "broken" not in default_pair(choices)
    (only,) = (choice for choice in choices if choice.value == "broken")
    assert default_pair((only,)) == ("broken", "broken")


@pytest.mark.parametrize("name", WRITERS)
def test_both_columns_write_what_the_library_would(models, name):
    cache = ModelCache(catalog=Catalog())
    other = f"{name}{ON_OURS}" if name == "text-gpt2" else name
    request = check_request(cache.catalog, [name, other], "To be", FIRST)
    left, right = list(compare_text(request, cache, CancelToken()))[-1]
    assert (left.state, right.state) == ("finished", "finished")
    prompt = cache.get(name).prompt_ids("To be")
    expected = greedy(theirs(models, name), prompt, FIRST["max_new_tokens"])[len(prompt) :]
    written = [token.id for token in left.tokens]
    assert written == expected[: len(written)]
    assert len(written) == FIRST["max_new_tokens"] or expected[len(written)] == 0  # it may end its text
    assert left.text == right.text


def test_one_that_cannot_be_used_leaves_the_other_column_alone():
    cache = ModelCache(catalog=Catalog())
    request = check_request(cache.catalog, ["broken", "text-gpt2"], "To be", FIRST)
    left, right = list(compare_text(request, cache, CancelToken()))[-1]
    assert (left.state, right.state) == ("failed", "finished")
    assert left.error.key == "broken_model"
    assert left.error.values["path"] == "broken"


def test_images_and_captions_in_both_columns():
    cache = ModelCache(catalog=Catalog())
    ask = {"num_pictures": 2, "num_inference_steps": 2}
    columns = list(compare_images(check_images(cache.catalog, ["pictures"] * 2, ask), cache, CancelToken()))
    left, right = columns[-1]
    assert (left.state, right.state) == ("finished", "finished")
    assert torch.equal(left.images, right.images)
    ask = {"num_candidates": 2, "num_inference_steps": 2}
    request = check_text_to_image(cache.catalog, ["text-to-image"] * 2, "a cat", ask)
    left, right = list(compare_text_to_image(request, cache, CancelToken()))[-1]
    assert (left.state, right.state) == ("finished", "finished")
    assert len(left.scores) == 2  # the CLIP of the folder ranks them
    best = cache.get("matches").scores(["a cat"], left.images)[0].tolist()
    assert list(left.scores) == pytest.approx(best)


@pytest.mark.parametrize("name", WRITERS)
def test_measured_as_the_library_measures(models, text, name):
    """Its own loss on the same windows, each of which begins with the last token of the one before."""
    figures = evaluate(str(models / name), str(text), "all")
    reader = load_text_model(find(str(models / name)))
    ids = [reader.start_ids[-1], *reader.encode(TEXT)]
    network, nats = theirs(models, name), 0.0
    for begin in range(0, len(ids) - 1, CONTEXT):
        window = torch.tensor([ids[begin : begin + CONTEXT + 1]])
        with torch.no_grad():
            logits = network(window[:, :-1]).logits
        nats += torch.nn.functional.cross_entropy(logits[0], window[0, 1:], reduction="sum").item()
    assert figures["num_tokens"] == len(ids) - 1
    mean = figures["bits_per_byte"] * figures["num_bytes"] * math.log(2) / figures["num_tokens"]
    assert mean == pytest.approx(nats / (len(ids) - 1), abs=1e-4)


def test_a_short_text_costs_what_the_library_calls_its_loss(models, tmp_path):
    name = "text-gpt2"
    (tmp_path / "one.txt").write_text("To be, or not to be")
    figures = evaluate(str(models / name), str(tmp_path / "one.txt"), "all")
    reader = load_text_model(find(str(models / name)))
    ids = torch.tensor([[reader.start_ids[-1], *reader.encode("To be, or not to be")]])
    with torch.no_grad():
        loss = theirs(models, name)(ids, labels=ids).loss.item()
    assert figures["num_tokens"] == ids.shape[1] - 1
    mean = figures["bits_per_byte"] * figures["num_bytes"] * math.log(2) / figures["num_tokens"]
    assert mean == pytest.approx(loss, abs=1e-4)


@pytest.mark.parametrize("by", ["path", "name"])
@pytest.mark.parametrize("name", WRITERS)
def test_the_command_line_writes(capsys, models, name, by):
    command = ("generate", models / name if by == "path" else name, "--prompt", "To be", "--seed", 3)
    result, _ = run(capsys, *command, "--set", "max_new_tokens=9")
    assert result["text"]
    both, _ = run(capsys, "compare", models / name, models / "text-gpt2", "--prompt", "To be", "--seed", 3)
    assert [column["model"] for column in both["columns"]] == [str(models / name), str(models / "text-gpt2")]


def test_the_command_line_draws(capsys, models, tmp_path):
    for name, prompt in (("text-to-image", "a cat"), ("pictures", "")):
        out = tmp_path / f"{name}.png"
        arguments = ("--prompt", prompt, "--out", out, "--set", "num_inference_steps=2")
        result, _ = run(capsys, "generate", models / name, *arguments)
        assert result["files"] == [str(out)]
        assert out.read_bytes().startswith(b"\x89PNG")


def test_the_command_line_guesses_hidden_words(capsys, models, text):
    result, _ = run(capsys, "generate", models / "masks", "--prompt", "the [MASK] sat on [MASK] .")
    assert [len(place) for place in result["guesses"]] == [5, 5]
    assert result["guesses"][0][0]["prob"] >= result["guesses"][0][1]["prob"] > 0
    words = [place[0]["text"].removeprefix("##") for place in result["guesses"]]
    assert result["text"] == f"the {words[0]} sat on {words[1]} ."
    _, sentence = run(capsys, "generate", models / "masks", "--prompt", "the cat", status=2)
    assert (
        sentence
        == "There is no [MASK] in this text; write [MASK] where masks is to guess a word.\n".replace(
            "where masks", f"where {models / 'masks'}"
        )
    )
    figures, _ = run(capsys, "evaluate", models / "masks", "--data", text, "--split", "all")
    assert 0 <= figures["masked_accuracy"] <= figures["masked_top5_accuracy"] <= 1
    assert figures["num_masked"] >= figures["num_samples"]


def test_candidates_are_the_librarys(models):
    (place,) = load_masked_words(find("masks")).fill(" ".join(WORDS), 3).places
    network = transformers.BertForMaskedLM.from_pretrained(models / "masks").eval()
    ids = [BERT_WORDS.index(word) for word in ("[CLS]", *WORDS, "[SEP]")]
    with torch.no_grad():
        probs = network(torch.tensor([ids])).logits[0, 3].softmax(-1)
    ranked = [index for index in probs.argsort(descending=True).tolist() if BERT_WORDS[index][0] != "["]
    assert [guess.id for guess in place.guesses] == ranked[:3]
    assert [guess.prob for guess in place.guesses] == pytest.approx(probs[ranked[:3]].tolist(), rel=1e-5)
    assert [guess.text for guess in place.guesses] == [BERT_WORDS[index] for index in ranked[:3]]


def test_a_text_that_is_longer_than_it_reads_is_refused():
    guesser = load_masked_words(find("masks"))
    assert guesser.context_length == CONTEXT
    with pytest.raises(InputError, match="reads at most 62"):
        guesser.fill("the " * 62 + "[MASK]")


@pytest.mark.parametrize("command", ["generate", "evaluate"])
def test_a_folder_that_cannot_be_used_is_one_line_and_status_2(capsys, models, text, command):
    more = ("--data", text) if command == "evaluate" else ()
    for named in (models / "broken", "broken"):
        out, sentence = run(capsys, command, named, *more, status=2)
        assert out == {}
        assert sentence.count("\n") == 1
        assert "vocab_size is missing in config.json" in sentence


def test_models_lists_them_with_what_is_wrong(capsys):
    listed, _ = run(capsys, "models")
    found = {model["name"]: model for model in listed["models"]}
    assert found["text-gpt2"]["available"]
    assert found["text-gpt2"]["family"] == "pretrained"
    assert found["text-gpt2"]["problem"] is None
    assert not found["broken"]["available"]
    assert "vocab_size" in found["broken"]["problem"]
