"""The handlers of the tab GAN, without a page: what a click leads to."""

import dataclasses
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
import torch

from aigc_demo.data.images.corpus import ImageSettings
from aigc_demo.generators import catalog
from aigc_demo.measure.images import image_figures
from aigc_demo.studio.images import seeds_by_label
from aigc_demo.studio.images.classify import Reading, SumReading
from aigc_demo.studio.images.formats import single_pngs
from aigc_demo.studio.images.latent_space import Sum
from aigc_demo.studio.images.measure import Measured
from aigc_demo.studio.images.real_images import TrainingImages
from aigc_demo.studio.images.seeds_by_label import modes_named
from aigc_demo.studio.models.cancellation import Cancellation, new_ticket
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.ui.gan import latent_handlers, view
from aigc_demo.ui.gan.handlers import GanHandlers
from aigc_demo.ui.gan.latent_handlers import LatentHandlers
from aigc_demo.ui.gan.tools import ASKED_FIRST, ASKED_IN_CHINESE
from aigc_demo.ui.widgets import unchanged
from aigc_demo.ui.words.tiny_world import in_english
from tests.studio.painters import GreyGan, GreySteps, Knower, SlowSteps, WorldGan, entry, make_gan, plain
from tests.ui.sheets import shown_images

ROOT = Path(__file__).resolve().parents[3]
SHOWN = 4, 9  # where the state of a column stands behind the seed and the columns' parts
SLIDERS = (3, 1.0, 4)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    models = {
        "world-tiny-world": WorldGan("world-tiny-world"),
        "steps": GreySteps(),
        "slow": SlowSteps("slow", 0.0),
        "emoji": GreyGan("emoji"),
        "breaks": GreyGan("breaks", breaks=True),
        "eye-tiny-world": Knower(),
    }
    entries = [entry(name) for name in ("world-tiny-world", "emoji", "breaks")]
    entries += [entry(name, "ddpm", family="library") for name in ("steps", "slow")]
    entries += [entry("eye-tiny-world", "classifier", "measures"), make_gan(tmp_path / "net")]
    monkeypatch.setattr(catalog, "CATALOG", {one.name: one for one in entries})
    monkeypatch.setattr(catalog, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr(TrainingImages, "settings", lambda training, choice: ImageSettings(num_pictures=300))
    real = ModelCache(100)
    return ModelCache(100, lambda name, report: models[name] if name in models else real.get(name))


@pytest.fixture
def handlers(cache):
    return GanHandlers(cache, Cancellation(), TrainingImages(cache.catalog))


@pytest.fixture
def latent(cache):
    return LatentHandlers(cache, Cancellation(), TrainingImages(cache.catalog))


def last(updates):
    return list(updates)[-1]


def generated(handlers, left="world-tiny-world", right="steps", seed=7, fresh=False):
    return last(handlers.generate(None, new_ticket(), seed, fresh, *SLIDERS, left, right))


def clicked(index):
    return SimpleNamespace(_data={"index": index})


def english(value):
    return value["en"]


def test_both_columns_show_their_images_with_seeds_and_scores(handlers):
    seed, *parts = generated(handlers)
    left, right = parts[:5], parts[5:]
    assert seed == 7
    assert english(left[0]["words"]) == "finished, 3 pictures"
    assert [caption.partition(" · ")[0] for caption in left[1]["captions"]] == ["7", "8", "9"]
    assert left[1]["captions"][0].endswith(" %")
    assert right[1]["captions"] == ["7", "8", "9"]
    assert left[1]["sheet"].startswith("data:image/png;base64,")
    assert left[2]["count"] == 0
    assert "single step" in english(left[2]["empty"])
    assert [english(words) for words in right[2]["captions"][:4]] == ["step 1", "step 2", "step 3", "step 4"]
    assert right[2]["row"] == 4
    assert english(left[3]["figures"][0]["name"]) == "Per picture, own time"
    assert generated(handlers, fresh=True)[0] != generated(handlers, fresh=True)[0]


def test_new_images_of_the_same_model_are_drawn_anew(handlers):
    first, second = (generated(handlers, seed=seed)[2] for seed in (1, 2))
    assert second["captions"] != first["captions"]
    assert second["sheet"] != first["sheet"]
    slow = SlowSteps("slow", 0.12)
    handlers._cache._load = lambda name, report: slow
    shown = [
        parts[7]["sheet"]
        for parts in handlers.generate(None, new_ticket(), 1, False, 1, 1, 6, "slow", "slow")
    ]
    assert len(set(shown)) > 3, "every step's guess is drawn"


def test_a_column_that_fails_says_why_beside_the_other(handlers):
    _, *parts = generated(handlers, left="breaks")
    assert parts[0]["state"] == "failed"
    assert "failed unexpectedly" in english(parts[0]["error"])
    assert parts[5]["state"] == "finished"


@pytest.mark.parametrize("seed", [-1, 2.5, None, "x", float("nan"), 2**31])
def test_what_is_no_seed_is_one_sentence(handlers, seed):
    with pytest.raises(gr.Error, match="seed must be"):
        generated(handlers, seed=seed)


def test_another_model_empties_its_column(handlers):
    card, images, timeline, facts, shown = handlers.choose_model(None, new_ticket(), 0, "emoji")
    assert (card["state"], images["count"], timeline["count"], shown) == ("ready", 0, 0, None)
    assert facts["figures"] == []
    with pytest.raises(gr.Error, match="no model named"):
        handlers.choose_model(None, new_ticket(), 0, "../x")


def test_a_click_on_a_image_finds_the_nearest_training_image(handlers):
    shown = generated(handlers)[5]
    first, (marked, opened, found) = list(handlers.nearest(clicked(1), None, shown, None))
    assert first[2]["count"] == 0
    assert marked["chosen"] == 1
    assert opened["open"] is True
    assert english(found["captions"][0]) == "generated, seed 8"
    assert english(found["captions"][1]) == "nearest of 270"
    assert found["count"] == 2


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("side", [0, 1])
def test_the_image_that_was_clicked_is_compared_of_the_column_that_was_clicked(handlers, side, place):
    """Against all training images, one by one."""
    models = ("world-tiny-world", "steps") if side == 0 else ("steps", "world-tiny-world")
    shown = generated(handlers, *models)[5 * side + 5]
    made, train = shown.images[place], handlers._training.of(shown.model, None).train
    *_, (marked, _, found) = handlers.nearest(clicked(place), None, shown, None)
    far = [float((image.double() - made.double()).square().mean().sqrt()) for image in train]
    assert torch.equal(shown_images(found), torch.stack([made, train[far.index(min(far))]]))
    assert f"{min(far):.1f}" in english(found["note"])
    assert english(found["captions"][0]) == f"generated, seed {7 + place}"
    assert marked["chosen"] == place and torch.equal(shown_images(marked), shown.images)


def test_the_images_of_an_upload_are_searched_instead_of_the_models_own(handlers, tmp_path):
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as file:
        for level, png in zip((10, 200), single_pngs(plain([10, 200])), strict=True):
            file.writestr(f"{level}.png", png)
    shown = generated(handlers)[5]
    *_, (_, _, found) = handlers.nearest(clicked(0), None, shown, str(tmp_path / "own.zip"))
    nearest = shown_images(found)[1]
    assert nearest.unique().tolist() in ([10], [200])
    *_, (_, _, found) = handlers.nearest(clicked(0), None, shown, None)
    assert len(shown_images(found)[1].unique()) > 1, "and then its own again"


def test_where_no_training_images_are_at_hand_the_page_says_so(handlers):
    shown = generated(handlers, left="emoji")[5]
    *_, (_, _, found) = handlers.nearest(clicked(0), None, shown, None)
    assert "not at hand; upload" in english(found["empty"])


@pytest.mark.parametrize("index", [-1, 3, True, "0", None])
def test_a_click_that_cannot_be_is_refused(handlers, index):
    shown = generated(handlers)[5]
    with pytest.raises(gr.Error, match="There is no picture"):
        list(handlers.nearest(clicked(index), None, shown, None))
    with pytest.raises(gr.Error, match="There is no picture"):
        list(handlers.nearest(clicked(0), None, None, None))


def test_the_discriminator_judges_real_images_both_columns_and_ones_own(handlers):
    _, *parts = generated(handlers)
    own = single_pngs(plain([255]))
    value = last(handlers.score_images(None, own, None, "steps", "world-tiny-world", parts[4], parts[9]))
    kinds = [english(caption).partition(":")[0] for caption in value["captions"]]
    assert kinds == ["real"] * 8 + ["left"] * 3 + ["right"] * 3 + ["yours"]
    assert english(value["captions"][-1]) == "yours: 100 %"
    assert english(value["captions"][-2]) == f"right: {100 * 40 / 255:.0f} %"
    assert "Discriminator of world-tiny-world" in english(value["note"])
    refused = last(handlers.score_images(None, [b"x"], None, "steps", "world-tiny-world", None, None))
    assert "A picture cannot be used" in english(refused["empty"])
    nobody = last(handlers.score_images(None, None, None, "steps", "slow", None, None))
    assert "steps is no GAN" in english(nobody["empty"])


def test_of_each_kind_eight_are_judged(handlers):
    asked = (7, False, 12, 1.0, 4, "world-tiny-world", "steps")
    _, *parts = last(handlers.generate(None, new_ticket(), *asked))
    value = last(handlers.score_images(None, None, None, "steps", "world-tiny-world", parts[4], None))
    kinds = [english(caption).partition(":")[0] for caption in value["captions"]]
    assert kinds == ["real"] * 8 + ["left"] * 8
    assert torch.equal(shown_images(value)[8:], parts[4].images[:8])


def test_a_way_is_a_film_in_each_column(latent):
    asked = (1, 2, 5, 1.0, 2, "net", "slow")
    left, right = last(latent.interpolate(None, new_ticket(), *asked))
    assert left["count"] == right["count"] == 5
    assert left["loop"].startswith("data:image/webp;base64,")
    failed, _ = last(latent.interpolate(None, new_ticket(), *asked[:5], "breaks", "slow"))
    assert "failed unexpectedly" in english(failed["empty"])
    with pytest.raises(gr.Error, match="num_frames must be"):
        last(latent.interpolate(None, new_ticket(), 1, 2, 500, 1.0, 2, "net", "slow"))


def test_words_become_seeds_in_either_language(latent, monkeypatch):
    monkeypatch.setattr(latent._seeds, "num_seeds", 200)
    words = ("red ball", "红色的盒", "small blue box")
    *way, final = latent.find_seeds(None, new_ticket(), *words, "steps", "world-tiny-world")
    assert english(way[0][3]["words"]) == "classifying pictures: 0 of 200"
    for seeds, asked in zip(final[:3], ("red ball", "red box", "small blue box"), strict=True):
        assert {int(seed) % 144 for seed in seeds.split(", ")} <= set(modes_named(asked, 144))
    assert "Found in world-tiny-world among its first 200" in english(final[3]["words"])
    refused = last(latent.find_seeds(None, new_ticket(), "unicorn", *words[1:], "world-tiny-world", "steps"))
    assert refused[3]["bad"]
    assert "unicorn names nothing" in english(refused[3]["words"])
    assert seeds_by_label.NUM_SEEDS == 2000, "the page's words say so"


def test_chinese_words_for_things():
    assert in_english("大红球") == "big red ball"
    assert tuple(map(in_english, ASKED_IN_CHINESE)) == ASKED_FIRST
    assert in_english("粉紅色的心") == "pink heart"
    assert in_english("red ball") == "red ball"


def test_a_sum_shows_three_means_and_the_result(latent):
    shown, _ = latent.calculate(None, "1, 2", "3", "4", 1.0, "steps", "net", None)
    names = [english(caption).partition(" · ")[0] for caption in shown["captions"]]
    assert names == ["mean of A", "mean of B", "mean of C", "A − B + C"]
    with pytest.raises(gr.Error, match="steps is no GAN"):
        latent.calculate(None, "1", "2", "3", 1.0, "steps", "slow", None)


def a_sum(expected: dict[str, str], result: dict[str, str]) -> Sum:
    """With readings of a red ball, a red box and a blue box."""
    seen = [{"colour": "red", "kind": "ball"}, {"colour": "red", "kind": "box"}, {"kind": "box"}, result]
    readings = tuple(Reading(thing, 0.4) for thing in seen)
    return Sum("net", plain([1, 2, 3, 4]), (0.1, 0.2, 0.3, 0.4), SumReading("eye", readings, expected))


def test_what_is_read_stands_under_each_image_and_another_thing_is_said():
    blue_ball, ring = {"colour": "blue", "kind": "ball"}, {"colour": "orange", "kind": "ring"}
    shown = view.sum_gallery(a_sum(blue_ball, blue_ball))
    captions = [english(caption).replace("\u00a0", " ") for caption in shown["captions"]]
    assert captions == [
        "mean of A · red ball 40 %",
        "mean of B · red box 40 %",
        "mean of C · box 40 %",
        "A − B + C · blue ball 40 %",
    ]
    assert "its class, by eye. The discriminator's scores: 10 %, 20 %, 30 %, 40 %" in english(shown["note"])

    def open_line(why, expected=None):
        made = a_sum(expected or {}, ring)
        seen = dataclasses.replace(made.seen, why_open=why)
        return view.sum_line(dataclasses.replace(made, seen=seen))["words"]

    right = view.sum_line(a_sum(blue_ball, blue_ball))["words"]
    assert english(right).startswith("As expected: ") and "makes blue ball" in english(right)
    wrong = view.sum_line(a_sum(blue_ball, ring))["words"]
    assert english(wrong).startswith("Another thing than expected: ")
    assert "makes blue ball, but the classifier reads orange ring in the result (40 %)" in english(wrong)
    assert "结果应为蓝球，分类器认出的却是橙圆环（40 %）" in wrong["zh-CN"]
    assert english(open_line("apart")).startswith("What the result should be cannot")
    assert "below 40 %" in english(open_line("unsure"))
    assert "all show the same" in english(open_line("alike"))
    assert "do not show what the labels say" in english(open_line("asked"))
    unsure = english(open_line("result", blue_ball))
    assert unsure.startswith("Whether the result is as expected cannot be said")
    assert "blue ball" in unsure and "(orange ring, 40 %)" in unsure
    assert view.sum_line(dataclasses.replace(a_sum({}, ring), seen=None))["words"] is None


def test_found_seeds_belong_to_the_model_they_were_found_in(latent, monkeypatch):
    monkeypatch.setattr(latent._seeds, "num_seeds", 200)
    words = ("red ball", "red box", "blue box")
    *_, final = latent.find_seeds(None, new_ticket(), *words, "steps", "world-tiny-world")
    seeds, line, found = final[:3], final[3], final[4]
    other = latent.seeds_of(None, *seeds, "emoji", "world-tiny-world", found)
    assert english(other["words"]).startswith("These seeds were found in world-tiny-world; emoji makes")
    again = latent.seeds_of(None, *seeds, "world-tiny-world", "emoji", found)
    assert again["words"] == line["words"] and again["at"] > line["at"], "back again, and newer"
    assert latent.seeds_of(None, "1", "2", "3", "emoji", "steps", found) == gr.skip(), "typed ones"
    assert latent.seeds_of(None, *seeds, "emoji", "steps", None) == gr.skip()
    asked = []

    def summed(*values):
        asked.append(values[-1])
        return a_sum({}, {"kind": "ball"})

    monkeypatch.setattr(latent_handlers, "latent_sum", summed)
    latent.calculate(None, *seeds, 1.0, "steps", "world-tiny-world", found)
    latent.calculate(None, "1, 2", *seeds[1:], 1.0, "steps", "emoji", found)
    latent.calculate(None, "1", "2", "3", 1.0, "steps", "world-tiny-world", None)
    red_ball, red_box, blue_box = ({"colour": c, "kind": k} for c, k in map(str.split, words))
    assert asked == [[red_ball, red_box, blue_box], [{}, red_box, blue_box], []]


def test_what_has_no_styles_says_so_in_one_sentence(latent):
    assert "net has no styles to mix" in english(latent.mix(None, 1, 2, 1.0, "net", "steps")["empty"])


def test_both_models_are_measured_and_one_that_cannot_be_leaves_the_other(latent):
    line, figures, refused, nothing = last(
        latent.measure(None, new_ticket(), 2, None, "world-tiny-world", "emoji")
    )
    assert english(line["words"]) == "No sign of mode collapse."
    assert not line["bad"]
    names = [english(fact["name"]) for fact in figures["figures"]]
    assert names == ["Modes covered (kinds)", "Frechet distance", "Precision", "Recall"]
    facts = {english(fact["name"]): fact["value"] for fact in figures["facts"]}
    assert (facts["Generated pictures"], facts["Real pictures"]) == ("2,000", "300")
    assert refused["bad"]
    assert nothing["figures"] == []


def figures_of(probs: list[list[float]], fake: list[float], precision: float) -> Measured:
    """Of images whose one feature is given; the real ones lie at 0, 1 and 10."""
    real = torch.tensor([[0.0], [1.0], [10.0], [0.5]])
    found = image_figures(real, torch.tensor(fake)[:, None], torch.tensor(probs))
    return Measured("net", "eye", dataclasses.replace(found, precision=precision), found.modes)


def test_collapse_is_said_of_what_draws_and_its_absence_never_alone_beside_a_precision_of_0():
    even = [[0.95, 0.05], [0.05, 0.95]] * 20
    one, unsure = [[0.95, 0.05]] * 40, [[0.5, 0.5]] * 40
    near, far = [0.0] * 40, [500.0] * 40
    cases = [
        (even, near, 0.9, "No sign of mode collapse."),
        (even, near, 0.0, "But precision is 0 %"),
        (even, near, 0.09, "But precision is 9 %"),
        (one, near, 0.0, "Mode collapse: the model makes few kinds"),
        (one, far, 0.0, "is sure of the kind of 100 % of them, but only 0 % look like a real one"),
        (
            unsure,
            near,
            1.0,
            "100 % of them are near a real one, but the classifier is sure of the kind of only 0 %",
        ),
        (
            unsure,
            far,
            0.0,
            "only 0 % of them are near a real one, and the classifier is sure of the kind of only 0 %",
        ),
        (
            even[:20] + unsure[:20],
            far[:20] + near[:20],
            0.5,
            "50 % of them are near a real one and the classifier is sure of the kind of 50 %, but only 0 %",
        ),
    ]
    for probs, fake, precision, words in cases:
        line = view.alarm(figures_of(probs, fake, precision))
        assert words in english(line["words"])
        assert line["bad"] is words.startswith("Mode collapse")
        if precision < 0.1:
            assert english(line["words"]) != "No sign of mode collapse."


def test_what_is_asked_for_meanwhile_waits_visibly_and_then_begins(handlers, latent):
    latent._cancellation = handlers._cancellation
    ticket = new_ticket()
    columns = handlers.generate(None, ticket, 1, False, *SLIDERS, "world-tiny-world", "slow")
    next(columns)
    asked = latent.interpolate(None, ticket, 1, 2, 5, 1.0, 4, "slow", "slow")
    for film in next(asked):
        assert english(film["empty"]).startswith("It begins when what is running on this tab is done")
    columns.close()  # it is done
    assert last(asked)[0]["count"] == 5


@pytest.mark.parametrize("button", ["measure", "find_seeds", "interpolate", "generate"])
def test_a_double_click_asks_once_and_a_press_after_stop_waits_and_begins(handlers, latent, button):
    latent._cancellation = handlers._cancellation
    latent._seeds.num_seeds = 200
    ticket = new_ticket()
    asked = {
        "measure": lambda: latent.measure(None, ticket, 2, None, "world-tiny-world", "emoji"),
        "find_seeds": lambda: latent.find_seeds(
            None, ticket, "red ball", "red box", "blue box", "world-tiny-world", "emoji"
        ),
        "interpolate": lambda: latent.interpolate(None, ticket, 1, 2, 5, 1.0, 4, "slow", "slow"),
        "generate": lambda: handlers.generate(None, ticket, 1, False, *SLIDERS, "slow", "slow"),
    }[button]
    first = asked()
    next(first)
    assert list(asked()) == [], "a double click"
    handlers.stop(ticket)
    again = asked()
    waiting = next(again)
    first.close()
    *_, ended = again
    assert str(ended) != str(waiting) and "Stopped" not in str(ended) and "stopped" not in str(ended)


def test_measuring_stops_while_the_training_images_are_prepared(handlers, latent, monkeypatch):
    latent._cancellation = handlers._cancellation
    ticket, go_on = new_ticket(), threading.Event()
    monkeypatch.setattr(latent._training, "of", lambda *_: go_on.wait(20) and None)
    measuring = latent.measure(None, ticket, 2, None, "world-tiny-world", "world-tiny-world")
    next(measuring)
    threading.Timer(0.3, handlers.stop, [ticket]).start()
    began = time.monotonic()
    *_, (left, _, right, _) = measuring
    assert time.monotonic() - began < 2
    go_on.set()
    assert english(left["words"]) == english(right["words"]) == "Stopped."


def test_stop_ends_what_waits_too(handlers, latent):
    latent._cancellation = handlers._cancellation
    ticket = new_ticket()
    columns = handlers.generate(None, ticket, 1, False, *SLIDERS, "world-tiny-world", "slow")
    next(columns)
    asked = latent.find_seeds(None, ticket, "red ball", "red box", "blue box", "world-tiny-world", "emoji")
    assert english(next(asked)[3]["words"]).startswith("It begins when")
    handlers.stop(ticket)
    assert english(last(asked)[3]["words"]).startswith("Stopped")
    columns.close()


def test_a_model_chosen_while_its_column_is_made_takes_the_column(handlers):
    ticket = new_ticket()
    making = handlers.generate(None, ticket, 1, False, *SLIDERS, "world-tiny-world", "slow")
    next(making)
    kept = handlers.choose_model(None, ticket, 0, "world-tiny-world")
    assert kept == unchanged(GanHandlers.num_outputs), "the same model: its images go on"
    chosen = handlers.choose_model(None, ticket, 1, "emoji")
    assert chosen[0]["state"] == "ready"
    updates = list(making)
    first, *others = [outputs[1 + GanHandlers.num_outputs :] for outputs in updates]
    assert first == chosen, "the answer to the choice may have overtaken an update computed before it"
    assert others == [unchanged(GanHandlers.num_outputs)] * len(others)
    assert updates[-1][1]["state"] == "finished", "the other column goes on"


def test_the_tab_opens_whether_models_are_there_or_not():
    code = (
        "import sys; from aigc_demo.generators import catalog\n"
        "catalog.CATALOG = {e.name: e for e in catalog.shipped() if e.kind == 'text'}\n"
        "catalog.SHIPPED = {name: catalog.SHIPPED[name] for name in catalog.CATALOG}\n"
        "from pathlib import Path\n"
        "from aigc_demo.ui.app import build_app, new_studio\n"
        "page = build_app(new_studio(Path(sys.argv[1])))\n"
        "print([block.elem_id for block in page.blocks.values() if str(block.elem_id).startswith('gan-')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "nowhere"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "['gan-none']", done.stderr[-500:]
