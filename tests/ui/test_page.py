"""Parts of the page that need no browser: serving, the errors_as_toasts, cards and strips."""

import re
import subprocess
import sys
import threading
from dataclasses import fields, replace
from pathlib import Path

import gradio as gr
import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.text.decoding import SamplingSettings
from aigc_demo.studio.models.catalog import Choice, default_pair
from aigc_demo.studio.text.compare import Column, Token
from aigc_demo.studio.text.inspection import AttentionMaps
from aigc_demo.training.recipes import RECIPES
from aigc_demo.ui.figures import short_count
from aigc_demo.ui.image_view import image_card
from aigc_demo.ui.model_facts import facts_of
from aigc_demo.ui.model_picker import picker_choices
from aigc_demo.ui.serving import launch
from aigc_demo.ui.text import view
from aigc_demo.ui.text.handlers import SLIDERS, settings_from
from aigc_demo.ui.text.view import Shown
from aigc_demo.ui.text_to_image.tab import example_of
from aigc_demo.ui.train.order_form import OFFERED, seen_uploads, source_choices, starts_of
from aigc_demo.ui.widgets import errors_as_toasts, harmless
from aigc_demo.ui.words.wording import WORDS

ROOT = Path(__file__).resolve().parents[2]
OURS = CatalogEntry(
    "gpt-x", "ours", "text", "gpt", "nowhere", None, 4_832_512, "MIT", ("English",), "plays", 9.2, "gpt"
)


def test_the_page_is_built_without_torch_and_its_libraries():
    code = (
        "import sys, aigc_demo.ui.app as app; app.build_app(); "
        "print([name for name in ('torch', 'transformers', 'diffusers', 'datasets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr[-500:]


def test_settings_of_the_page_lie_inside_those_of_the_decoding():
    known = {item.name: item for item in fields(SamplingSettings)}
    for name, (low, high, _, start) in SLIDERS.items():
        assert known[name].metadata["low"] <= low <= start <= high <= known[name].metadata["high"]
        assert start == known[name].default


def test_settings_become_those_of_the_decoding():
    settings = settings_from([0.5, 10, 0.9, 0.1, 1, 1.1, 50, "end\\n"], seed=4)
    assert SamplingSettings.from_mapping(settings) == SamplingSettings(
        temperature=0.5,
        top_k=10,
        top_p=0.9,
        min_p=0.1,
        repetition_penalty=1.1,
        max_new_tokens=50,
        stop=("end\n",),
        seed=4,
    )
    assert settings_from([0, 0, 1, 0, 1, 1, 5, ""])["stop"] == ()


def test_the_door_gives_the_sentence_and_hides_everything_else(caplog):
    with pytest.raises(gr.Error) as toast, errors_as_toasts(None):
        raise InputError("unknown_model", name="<b>x</b>")
    assert toast.value.message == "There is no model named ‹b›x‹/b›; `python -m aigc_demo models` lists them."
    with pytest.raises(gr.Error) as hidden, errors_as_toasts(None):
        raise RuntimeError("secret path /home/x")
    assert "secret" not in hidden.value.message
    assert "secret" in caplog.text
    assert harmless("a & b \ud800") == "a ＆ b ?"


def test_help_is_folded_and_shows_the_words_of_its_topic():
    code = (
        "import gradio as gr; from aigc_demo.ui.widgets import help_on\n"
        "with gr.Blocks() as page: help_on('processes')\n"
        "folded, words = page.blocks.values(); print(folded.open, folded.label, words.value)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("False "), done.stderr[-500:]
    assert re.findall(r"aigc_help_\w+", done.stdout) == ["aigc_help_processes_title", "aigc_help_processes"]
    assert all(words.count("```") == 8 for words in WORDS["help_processes"])  # four commands in each language


def test_warming_up_may_fail_without_harm(caplog, monkeypatch):
    monkeypatch.setattr(launch, "WARM_UP_SECONDS", 0)
    done = threading.Event()
    launch.warm_up(done.set).join(5)
    assert done.is_set()

    def fail():
        raise OSError("no disk")

    launch.warm_up(fail).join(5)
    assert "first use" in caplog.text


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_closes_the_page(name):
    # Placed on a short-lived twin, so that the session's page stays up for the other tests.
    code = (
        "import os, signal, threading; from aigc_demo.ui.serving import launch; "
        f"threading.Timer(0.2, os.kill, (os.getpid(), signal.{name})).start(); "
        "launch.wait_for_end(lambda: print('closed'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "closed"), done.stderr


def test_card_says_what_the_model_is_and_what_it_did():
    column = Column(
        "gpt-x", "running", 7, tokens=(Token(1, "a", 2.0),), tokens_per_second=123.4, first_token_ms=8.6,
        memory_mib=18.4, num_parameters=4_832_512,
    )  # fmt: skip
    shown, choice = Shown(column=column, bits_per_byte=("gpt-x", 2.0789)), Choice("gpt-x", OURS, False)
    card, foot = view.model_card(choice, shown), view.model_facts(choice, shown)
    assert card["words"]["en"] == "generating, 1 tokens"
    assert [fact["value"] for fact in foot["figures"]] == ["123", "9 ms", "18 MiB", "2.079"]
    assert foot["facts"][0]["value"] == {"en": "4.8 M", "zh-CN": "483 万", "zh-TW": "483 萬"}
    other = Choice("gpt-y", OURS, False)
    stale = Shown(column=column, bits_per_byte=("gpt-x", 2.0))
    assert view.model_card(other, stale)["state"] == "ready"
    assert view.model_facts(other, stale)["figures"] == []


def test_card_of_a_failure_gives_the_sentence_in_every_language():
    column = Column("gpt-x", "failed", 7, error=InputError("nothing_generated"))
    card = view.model_card(Choice("gpt-x", OURS, False), Shown(column=column))
    assert card["error"]["en"].startswith("There is no text yet")
    assert card["error"]["zh-CN"].startswith("还没有文字")


def test_strip_and_attention_are_plain_json():
    column = Column("gpt-x", "finished", 7, prompt=(Token(5, "<b>", 0.0),), tokens=(Token(1, "${x}", 2.345),))
    value = view.strip(Shown(column=column, text_id="t"), chosen=0)
    assert (value["prompt"], value["t"], value["i"], value["s"]) == ([["<b>", 5]], ["${x}"], [1], [2.35])
    maps = view.attention("gpt-x", AttentionMaps(("a", "b"), 1, 1, bytes([255, 0, 128, 127])))
    assert (maps["L"], maps["H"], maps["T"], maps["data"]) == (1, 1, 2, "/wCAfw==")
    refused = view.attention("gpt-x", InputError("no_attention", model="gpt-x"))
    assert "data" not in refused
    assert "does not give its attention" in refused["words"]["empty"]["en"]


def test_numbers_of_parameters_as_people_say_them():
    assert short_count(494_032_768)["en"] == "494 M"
    assert short_count(494_032_768)["zh-CN"] == "4.9 亿"
    assert short_count(950)["en"] == "950"


def test_the_page_opens_with_ours_and_the_first_that_is_not():
    library = CatalogEntry("lib", "library", "text", "gpt2", "nowhere")
    pair = (Choice("lib", library, False), Choice("gpt-x", OURS, False), Choice("gpt-y", OURS, False))
    assert default_pair(pair) == ("gpt-x", "lib")
    assert default_pair(pair[1:]) == ("gpt-x", "gpt-y")


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast_pairs() -> list[tuple[str, str]]:
    """Text and what it stands on; each has a contrast of at least 4.5 to 1, light and dark."""
    grounds = ("body_background_fill", "block_background_fill")
    texts = ("body_text_color", "body_text_color_subdued", "block_title_text_color", "block_label_text_color")
    pairs = [
        (text, ground) for text in (*texts, "block_info_text_color", "link_text_color") for ground in grounds
    ]
    pairs.append(("input_placeholder_color", "input_background_fill"))
    for kind in ("primary", "secondary", "cancel"):
        pairs.append((f"button_{kind}_text_color", f"button_{kind}_background_fill"))
        pairs.append((f"button_{kind}_text_color", f"button_{kind}_background_fill_hover"))
    return pairs


@pytest.mark.parametrize("pair", contrast_pairs(), ids="-".join)
def test_text_and_ground_of_the_theme_have_contrast(pair):
    from aigc_demo.ui.theme import _SETTINGS

    for mode in (0, 1):
        one, two = sorted(luminance(_SETTINGS[name][mode]) for name in pair)
        assert (two + 0.05) / (one + 0.05) >= 4.5, (pair, "dark" if mode else "light")


def test_the_page_fetches_nothing_from_elsewhere():
    for path in (ROOT / "aigc_demo" / "ui").rglob("*.*"):
        if path.suffix in (".py", ".js", ".css"):
            # The name that drawings go by is no address that anything is fetched from.
            elsewhere = r"https?://(?!127\.0\.0\.1|www\.w3\.org/2000/svg)"
            assert re.findall(elsewhere, path.read_text("utf8")) == [], path


def test_another_recipe_brings_its_own_learning_rate_and_leaves_the_rest():
    recipe, *updates = starts_of("gpt2", "gpt")
    updated = dict(zip(OFFERED, updates, strict=True))
    assert recipe == "gpt2"
    assert updated.pop("learning_rate")["value"] == RECIPES["gpt2"].small["learning_rate"]
    assert all("value" not in update for update in updated.values())


def test_a_model_that_cannot_be_used_says_why_in_its_column():
    why = InputError("broken_model", path="mine", detail="no model.safetensors")
    entry = CatalogEntry("mine", "pretrained", "text", "", "/srv/models/mine", problem=why)
    choice = Choice("mine", entry, False)
    for card in (view.model_card(choice, Shown()), image_card(choice, None)):
        assert card["error"]["en"].startswith("mine holds no model that can be loaded (no model.safetensors)")
        assert "模型" in card["error"]["zh-CN"]
        assert (card["state"], card["words"]["en"]) == ("failed", "cannot be used")
        assert card["about"]["en"] == "Weights that others trained, from a folder of this server"
    assert picker_choices((choice,)) == [("⚠ mine", "mine")]
    whole = Choice("good@ours", replace(entry, name="good", problem=None, runs_on_ours=True), True)
    assert picker_choices((whole,)) == [("⌂ good → ours", "good@ours")]
    assert view.model_card(whole, Shown())["error"] == ""
    assert "/srv" not in str(view.model_facts(choice, Shown()))


@pytest.mark.parametrize(
    ("seconds", "words"), [(25, "a GPU, for at most 25 s"), (0, "the CPU: no GPU was available")]
)
def test_a_column_says_where_it_was_computed(seconds, words):
    column = Column("gpt-x", "finished", 1, gpu_seconds=seconds)
    facts = facts_of(OURS, column)
    assert [fact["value"]["en"] for fact in facts if fact["name"]["en"] == "Computed on"] == [words]
    assert "Computed on" not in str(facts_of(OURS, replace(column, gpu_seconds=None)))


@pytest.mark.parametrize("recipe", [None, [], {}, 1, "", "nobody", "x" * 1000])
@pytest.mark.parametrize("of", [lambda name: starts_of(name, "gpt"), lambda name: starts_of("gpt", name),
                                source_choices, lambda name: seen_uploads(name, "own")])  # fmt: skip
def test_a_recipe_that_is_none_is_refused(of, recipe):
    with pytest.raises(InputError, match="no recipe named") as refused:
        of(recipe)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("sample", [None, [], "a", {"a": 1}, [[1]], ["\ud800"]])
def test_an_example_that_is_none_is_refused(sample):
    assert example_of(["a red ball"]) == "a red ball"
    with pytest.raises(InputError):
        example_of(sample)
