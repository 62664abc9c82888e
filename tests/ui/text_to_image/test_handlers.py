"""The handlers of the tab Text to image, without a page: which image of which column a click leads to."""

from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest
import torch

from aigc_demo.generators import catalog
from aigc_demo.studio.models.cancellation import Cancellation, new_ticket
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text_to_image import retrieval
from aigc_demo.studio.text_to_image.compare import TextToImageColumn
from aigc_demo.ui.text_to_image import handlers as text_to_image_handlers
from aigc_demo.ui.text_to_image.handlers import Shown, TextToImageHandlers
from aigc_demo.ui.text_to_image.view import attention, candidates, checked, words
from aigc_demo.ui.widgets import unchanged
from tests.studio.illustrators import SIDE as PIXELS
from tests.studio.illustrators import entry, tiny_matcher
from tests.ui.sheets import greys, shown_images

LEFT, RIGHT = 6, 12  # where the state of a column stands behind the seed
CAPTION = "a small red ball"


class Greys:
    """Every image is one grey level: that of its seed, and 100 more in the second model."""

    image_size, family, memory_mib, num_parameters = PIXELS, "ours", 1.0, 10

    def __init__(self, name, more=0):
        self.name, self.more, self.matcher, self.made, self.looked = name, more, Liking(), [], []

    def make(self, texts, seeds, sampling, progress=None):
        self.made.append((tuple(texts), tuple(seeds)))
        return grey_images(*[seed + self.more for seed in seeds])

    def looks(self, caption, seed, truncation):
        self.looked.append((caption, seed, truncation))
        return torch.ones(1, 4, 5)


class Liking:
    """A dual encoder: an image's score of the first text is its level within ten, of any other nothing."""

    def scores(self, texts, images):
        levels = images[:, 0, 0, 0].double() % 10 / 10
        return torch.stack([levels if place == 0 else 0 * levels for place in range(len(texts))])


def grey_images(*levels):
    return torch.tensor(levels, dtype=torch.uint8)[:, None, None, None].repeat(1, 3, PIXELS, PIXELS)


@pytest.fixture
def models():
    return {"left": Greys("left"), "right": Greys("right", 100), "clip-tiny-world": tiny_matcher()}


@pytest.fixture
def handlers(monkeypatch, models, tmp_path):
    entries = [entry("left"), entry("right"), entry("clip-tiny-world", "matches", "clip")]
    monkeypatch.setattr(catalog, "CATALOG", {one.name: one for one in entries})
    monkeypatch.setattr(catalog, "ASSETS", tmp_path / "assets")
    return TextToImageHandlers(ModelCache(100, lambda name, report: models[name]), Cancellation())


def clicked(index):
    return SimpleNamespace(_data={"index": index})


def drawn(handlers, seed=28, fresh=False, count=4):
    """Four candidates of seeds 28 to 31 in each column: the order by score is 29, 28, 31, 30."""
    asked = (CAPTION, seed, fresh, count, 2.0, 4, "ddim", "left", "right")
    return list(handlers.draw(None, new_ticket(), *asked))[-1]


def test_candidates_are_shown_the_one_that_fits_best_first(handlers):
    seed, *outputs = drawn(handlers)
    assert seed == 28
    left, right = outputs[: TextToImageHandlers.num_outputs], outputs[TextToImageHandlers.num_outputs :]
    assert greys(left[1]) == [29, 28, 31, 30]
    assert greys(right[1]) == [129, 128, 131, 130]
    assert [caption["en"] for caption in left[1]["captions"]] == [
        f"fits 0.{score}0, other 0.00" for score in (9, 8, 1, 0)
    ]
    shown = outputs[LEFT - 1]
    assert (shown.column.order, shown.chosen, shown.place) == ((1, 0, 3, 2), 0, 1)
    assert shown.column.seeds == (28, 29, 30, 31)
    assert left[1]["note"]["en"].startswith("“fits” is the cosine similarity")
    assert candidates(replace(shown.column, scores=None))["note"] == ""


def test_a_new_seed_is_drawn_where_it_is_asked_for(handlers):
    seeds = {drawn(handlers, fresh=True, count=1)[0] for _ in range(3)}
    assert len(seeds) == 3 and 28 not in seeds


@pytest.mark.parametrize(("index", "level"), [(0, 29), (1, 28), (2, 31), (3, 30)])
def test_the_image_that_was_clicked_is_the_one_that_is_worked_on(handlers, models, index, level):
    """Its place among those shown is not its place among those made."""
    outputs = drawn(handlers)
    shown, other = outputs[LEFT], outputs[RIGHT]
    view, shown = handlers.choose(clicked(index), None, shown)
    assert (view["chosen"], greys(view)) == (index, [29, 28, 31, 30])
    assert (shown.chosen, shown.column.seeds[shown.place]) == (index, level)
    *_, taken = handlers.take(None, shown)
    assert int(taken.unique()) == level
    _, other = handlers.choose(clicked(3 - index), None, other)
    left, right = handlers.postprocess(None, False, False, 1, shown, other)
    assert greys(left) == [level] and greys(right) == [[130, 131, 128, 129][index]]
    seen = shown_images(handlers.look(None, shown))
    assert models["left"].looked == [(CAPTION, level, 1.0)]
    assert set(seen.unique().tolist()) == {level}, "where every place took as much, all of it is lit"


@pytest.mark.parametrize("index", [-1, 4, True, "0", None, 1.0])
def test_a_click_that_cannot_be_is_refused(handlers, index):
    shown = drawn(handlers)[LEFT]
    with pytest.raises(gr.Error, match="There is no picture"):
        handlers.choose(clicked(index), None, shown)
    with pytest.raises(gr.Error, match="There is no picture"):
        handlers.choose(clicked(0), None, None)


def test_what_is_not_scored_is_worked_on_as_it_was_made():
    column = TextToImageColumn("left", "finished", (5, 6, 7), grey_images(5, 6, 7))
    assert [Shown(column, CAPTION, "", {}, chosen).place for chosen in range(3)] == [0, 1, 2]
    tied = TextToImageColumn("left", "finished", (5, 6, 7), grey_images(5, 6, 7), scores=(0.5, 0.7, 0.5))
    assert tied.order == (1, 0, 2), "of two that fit as well the first made comes first"


def test_a_column_without_images_leaves_the_other_to_be_postprocessed(handlers):
    shown = drawn(handlers)[RIGHT]
    left, right = handlers.postprocess(None, False, False, 1, None, shown)
    assert left["count"] == 0 and greys(right) == [129]
    view, taken = handlers.take(None, None)
    assert (view["src"], taken) == ("", None)
    assert handlers.look(None, None)["count"] == 0


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ((True, False, 1), {"denoise": True, "colorize": False, "enlarge": 1}),
        ((False, True, 4), {"denoise": False, "colorize": True, "enlarge": 4}),
    ],
)
def test_each_step_of_postprocessing_is_asked_for_by_its_own_field(handlers, monkeypatch, asked, given):
    postprocessed = []
    monkeypatch.setattr(
        text_to_image_handlers, "postprocessed", lambda *what: postprocessed.append(what[2]) or ()
    )
    handlers.postprocess(None, *asked, drawn(handlers)[LEFT], None)
    assert postprocessed == [given]


def test_the_best_candidate_is_the_one_that_is_judged_attribute_by_attribute():
    wrong, right = (SimpleNamespace(all_right=good, things=(), weather=good, num_more=0) for good in (0, 1))
    column = TextToImageColumn(
        "left",
        "finished",
        (5, 6, 7),
        grey_images(5, 6, 7),
        scores=(0.1, 0.2, 0.9),
        verdicts=(wrong, wrong, right),
        found=(None, None, "found"),
    )
    facts = checked(column)
    assert "1 of 3" in facts["figures"][0]["value"]["en"]
    assert facts["facts"][-1]["value"]["en"].startswith("✓")


def test_words_are_left_out_and_swapped_at_the_seed_of_the_page(handlers, models):
    fields = (CAPTION, 33, 8, 2.0, 4, "ddim", "right")
    *_, (gallery, _) = handlers.leave_out(None, *fields)
    assert models["right"].made == [((CAPTION, "a red ball", "a small ball", "a small red"), (33,) * 4)]
    assert greys(gallery) == [133] * 4
    *_, (gallery, _) = handlers.swap(clicked(2), None, *fields)
    texts, seeds = models["right"].made[1]
    assert texts[0] == CAPTION and set(seeds) == {33}
    assert all(text.startswith("a small ") and text.endswith(" ball") for text in texts)


def test_the_captions_that_are_found_are_those_of_the_image_that_was_clicked(handlers, models):
    library = retrieval.library_for(handlers._cache)
    hits = [retrieval.Hit(7, 0.9), retrieval.Hit(3, 0.8)]
    for index, hit in enumerate(hits):
        best = models["clip-tiny-world"].scores(library.captions, library.images[hit.place][None])[:, 0]
        expected = [library.captions[place] for place in best.sort(descending=True, stable=True).indices[:8]]
        found = handlers.find_texts(clicked(index), None, hits)
        assert [fact["value"] for fact in found["facts"]] == expected
    for wrong in ([], None):
        with pytest.raises(gr.Error, match="There is no picture"):
            handlers.find_texts(clicked(0), None, wrong)


def test_the_images_that_are_found_are_those_that_fit_a_text_best(handlers, models):
    library = retrieval.library_for(handlers._cache)
    gallery, hits = handlers.find_images(None, "a red ball")
    scores = models["clip-tiny-world"].scores(["a red ball"], library.images)[0].tolist()
    best = sorted(range(100), key=lambda place: (-scores[place], place))[:8]
    assert [hit.place for hit in hits] == best
    assert torch.equal(shown_images(gallery), library.images[best])


def test_a_model_chosen_meanwhile_leaves_the_other_column(handlers):
    ticket = new_ticket()
    asked = (CAPTION, 28, False, 4, 2.0, 4, "ddim", "left", "right")
    updates = handlers.draw(None, ticket, *asked)
    next(updates)
    empty = handlers.choose_model(None, ticket, 1, "left")
    assert empty[1]["count"] == 0 and empty[-1] is None
    updates = list(updates)
    assert greys(updates[-1][2]) == [29, 28, 31, 30]
    first, *others = [outputs[1 + TextToImageHandlers.num_outputs :] for outputs in updates]
    assert first == empty, "the answer to the choice may have overtaken an update computed before it"
    assert others == [unchanged(TextToImageHandlers.num_outputs)] * len(others)


def test_an_image_is_lit_where_a_word_went():
    image = torch.full((3, 6, 6), 200, dtype=torch.uint8)
    taken_1P2 = torch.zeros(1, 9, 2)  # 3 x 3 places, the caption as a whole and one word
    taken_1P2[0, :, 0] = 0.5
    taken_1P2[0, 4, 1], taken_1P2[0, 0, 1] = 0.8, 0.4
    whole, word = shown_images(attention(["", "red"], taken_1P2, image))
    assert whole.eq(200).all(), "equal everywhere is light everywhere"
    expected = torch.full((6, 6), 30)  # 0.15 of the light stays
    expected[2:4, 2:4] = 200
    expected[0:2, 0:2] = 115  # half of what the centre took: 0.15 + 0.85 / 2
    assert torch.equal(word[0].int(), expected.int())


def test_no_word_of_a_caption_is_chosen_before_one_is_clicked():
    shown = words(CAPTION)
    assert [word["text"] for word in shown["words"]] == ["a", "small", "red", "ball"]
    assert shown["chosen"] == -1  # of no word
    assert words(CAPTION, 2)["chosen"] == 2


def test_the_words_of_a_caption_are_read_as_it_is_typed(handlers):
    def texts(value):
        return [word["text"] for word in handlers.read(value, "left", "right")["words"]]

    assert texts(CAPTION) == ["a", "small", "red", "ball"]
    assert texts(None) == texts(["a"]) == []
