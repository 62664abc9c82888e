"""One caption for several models: candidates, ranks, verdicts, Stop; what can be asked about the images."""

import base64
from dataclasses import replace

import pytest
import torch

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.data.captions.pairs import caption_tokenizer, caption_words
from aigc_demo.data.tiny_world.caption import parse_caption
from aigc_demo.data.tiny_world.group import CENTRES, centres, meaning
from aigc_demo.data.tiny_world.scene import COLOURS, SHAPES, SIZES, WEATHERS
from aigc_demo.generators import catalog
from aigc_demo.nets.images.attribute_reader import AttributeLogits
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text_to_image import compare, retrieval
from aigc_demo.studio.text_to_image.compare import (
    EVERYDAY,
    MOST_CANDIDATES,
    check_text_to_image,
    compare_text_to_image,
    compared_with,
    learned_words,
)
from aigc_demo.studio.text_to_image.postprocess import painted, postprocessed, restored, words_in_image
from aigc_demo.studio.text_to_image.word_ablation import with_each_other, without_each_word
from aigc_demo.ui.text_to_image.view import words
from tests.studio.illustrators import (
    SIDE,
    Painter,
    Steps,
    entry,
    rendered,
    tiny_matcher,
    tiny_restoration,
    tiny_text_gan,
)

CAPTION = "a small red ball to the left of a big blue box"


class Reader(torch.nn.Module):
    """Reads an image by looking which of a few captions it is the drawing of."""

    KNOWN = (CAPTION, "a red ball", "a blue ball", "一个红色的球")

    def forward(self, x):
        rows = [self._row(image) for image in ((x + 1) * 127.5).round().to(torch.uint8)]
        return AttributeLogits(*(torch.stack(parts) for parts in zip(*rows, strict=True)))

    def _row(self, image):
        group = next(
            (parse_caption(text).group for text in self.KNOWN if torch.equal(rendered(text), image)),
            parse_caption("a small green star").group,
        )
        present = torch.full((len(CENTRES),), -9.0)
        looks = [torch.zeros(len(CENTRES), len(names)) for names in (SHAPES, COLOURS, SIZES)]
        for thing, centre in zip(group.things, centres(group), strict=True):
            place = CENTRES.index(centre)
            present[place] = 9.0
            for table, names, value in zip(
                looks, (SHAPES, COLOURS, SIZES), (thing.kind, thing.colour, thing.size), strict=True
            ):
                table[place, names.index(value)] = 9.0
        weather = torch.nn.functional.one_hot(torch.tensor(WEATHERS.index(group.weather)), len(WEATHERS))
        return present, *looks, 9.0 * weather


@pytest.fixture(autouse=True)
def _small_catalog(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "ASSETS", tmp_path / "assets")
    entries = [entry("painter"), entry("ours"), entry("steps", recipe="text2image-diffusion"), entry("lost")]
    entries += [entry("clip-tiny-world", "matches", "clip"), entry("checker-tiny-world", "reads", "checker")]
    entries += [entry(f"{recipe}-tiny-world", "mends", recipe) for recipe in ("colorize", "inpaint")]
    entries += [entry("writer", "text", "gpt")]
    monkeypatch.setattr(catalog, "CATALOG", {one.name: one for one in entries})


def cache_of(**models):
    known = {
        "clip-tiny-world": tiny_matcher(),
        "checker-tiny-world": Reader(),
        **{f"{recipe}-tiny-world": tiny_restoration(recipe) for recipe in ("colorize", "inpaint")},
        **models,
    }

    def load(name, report):
        if name not in known:
            raise DemoError("not_reachable", name=name)
        return known[name]

    return ModelCache(100, load)


def run(models, caption, cache, stop=None, **settings):
    asked = check_text_to_image(Catalog(), models, caption, settings)
    return asked, list(compare_text_to_image(asked, cache, stop or CancelToken()))[-1]


def test_all_models_are_given_the_caption_and_the_seeds():
    painter = Painter(matcher=tiny_matcher())
    asked, (left, right) = run(
        ["painter", "steps"],
        f"  {CAPTION} ",
        cache_of(painter=painter, steps=Steps()),
        seed=4,
        num_candidates=3,
        num_inference_steps=5,
        guidance_scale=2,
    )
    ((texts, seeds, sampling),) = painter.asked
    assert texts == (CAPTION,) * 3
    assert seeds == left.seeds == right.seeds == (4, 5, 6)
    assert (sampling.guidance_scale, sampling.num_inference_steps) == (2.0, 5)
    assert (left.state, right.state) == ("finished", "finished")
    assert right.num_steps == right.step == 5
    assert [step for step, _ in right.timeline] == [1, 2, 3, 4, 5]
    assert asked.other != CAPTION
    assert right.scores is None  # nobody knows its training data, so nobody ranks it


def test_candidates_are_ranked_beside_another_caption_and_checked():
    matcher = tiny_matcher()
    _, (column,) = run(
        ["painter"], CAPTION, cache_of(painter=Painter(matcher=matcher)), num_candidates=4, seed=0
    )
    expected = matcher.scores([CAPTION], column.images)[0]
    assert column.scores == pytest.approx(expected.tolist())
    assert column.other_scores is not None
    assert column.scores != column.other_scores
    assert list(column.order) == sorted(range(4), key=lambda place: -column.scores[place])
    assert [verdict.all_right for verdict in column.verdicts] == [True, False, True, False]
    wrong = column.verdicts[1]
    assert {(thing.wanted.kind, thing.found is None) for thing in wrong.things} == {
        ("ball", False),
        ("box", True),
    }


def test_what_is_not_of_the_tiny_world_has_no_verdict(monkeypatch):
    for name in ("MOST_UNLIKE", "MOST_UNLIKE_UNSURE"):
        monkeypatch.setattr(compare, name, 0.5)
    grey = Steps("painter")
    _, (column,) = run(["painter"], CAPTION, cache_of(painter=grey), num_inference_steps=3)
    assert column.verdicts is None
    assert set(column.found) == {None}
    _, (column,) = run(["painter"], "a red ball and chain", cache_of(painter=grey), num_inference_steps=3)
    assert column.found is None


def test_a_model_that_fails_or_knows_no_word_leaves_the_others_alone():
    cache = cache_of(painter=Painter(), steps=Steps())
    _, (lost, there) = run(["lost", "steps"], CAPTION, cache)
    assert lost.state == "failed"
    assert there.state == "finished"
    _, (column,) = run(["painter"], "quantum chromodynamics", cache)
    assert column.error.key == "no_known_words"


def test_stop_ends_diffusion_between_two_steps():
    stop = CancelToken()
    steps = Steps(stop_at=3, event=stop)
    _, (column,) = run(["steps"], CAPTION, cache_of(steps=steps), stop, num_inference_steps=50)
    assert column.state == "stopped"
    assert column.step == 3
    assert column.images is not None


@pytest.mark.parametrize(
    ("caption", "sentence"),
    [
        ("", "no word"),
        ("   ", "no word"),
        ("🙂🙂🙂", "no word"),
        ("x" * 10_000, "at most 300|10,?000"),
        (7, "text"),
        ("\ud800", "Unicode|surrogate|character"),
    ],
)
def test_captions_that_say_nothing_are_refused(caption, sentence):
    with pytest.raises(InputError, match=sentence):
        check_text_to_image(Catalog(), ["painter"], caption, {})


@pytest.mark.parametrize(
    "settings",
    [
        {"seed": -1},
        {"seed": 10**30},
        {"num_candidates": 0},
        {"num_candidates": MOST_CANDIDATES + 1},
        {"guidance_scale": float("nan")},
        {"num_inference_steps": 101},
        {"scheduler": "magic"},
        {"colour": "red"},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(InputError):
        check_text_to_image(Catalog(), ["painter"], CAPTION, settings)


def test_only_models_that_draw_captions_are_taken():
    with pytest.raises(InputError, match="generates text"):
        check_text_to_image(Catalog(), ["writer"], CAPTION, {})


@pytest.mark.parametrize("caption", [CAPTION, "一个红色的小球", "a red ball on a rainy day"])
def test_the_other_caption_differs_and_can_be_read(caption):
    for seed in range(20):
        other = compared_with(caption, seed)
        group = parse_caption(other).group
        assert group is not None
        assert meaning(group) != meaning(parse_caption(caption).group)
        assert (other.isascii()) == (caption.isascii())
    assert compared_with(caption, 3) == compared_with(caption, 3)


@pytest.mark.parametrize("caption", ["grinning face with a big hat", "🙂 cat", "一只戴帽子的猫"])
def test_the_other_caption_of_what_is_not_understood_names_another_thing(caption):
    others = {compared_with(caption, seed) for seed in range(30)}
    assert len(others) > 2
    for other in others:
        assert other in EVERYDAY["en" if "cat" in caption or "hat" in caption else "zh"]
        assert caption_words(other)[-1] not in caption_words(caption)
    assert compared_with(", ".join(EVERYDAY["zh"]), 0) in EVERYDAY["en"], "whatever is said"


def test_words_that_a_model_has_learned_are_known_without_loading_it(tmp_path, monkeypatch):
    for name, captions in (("ours", [("green dragon", "a kite")]), ("theirs", [("purple whale", "a bat")])):
        folder = tmp_path / name / ("matcher" if name == "ours" else "")
        folder.mkdir(parents=True)
        caption_tokenizer(captions).save(folder)
    entries = [
        entry("ours"),
        entry("theirs", recipe="text2image-diffusion"),
        entry("lost"),
        entry("hub", family="pretrained", revision="5" * 40),
    ]
    placed = {one.name: replace(one, location=str(tmp_path / one.name)) for one in entries}
    monkeypatch.setattr("aigc_demo.generators.catalog.CATALOG", placed)
    caption = "A Dragon, a whale and a spoon"
    assert learned_words(Catalog(), ["ours", "lost"], caption) == {"a", "dragon"}
    assert learned_words(Catalog(), ["ours", "theirs"], caption) == {"a", "dragon", "whale"}
    assert learned_words(Catalog(), ["hub"], caption) == {"a", "dragon", "whale", "and", "spoon"}


def test_a_sign_without_a_word_is_learned_by_nobody():
    shown = words("a 🙂 red Dragon spoon ?", learned=frozenset({"a", "dragon"}))["words"]
    assert [word["part"] for word in shown] == ["", "unknown", "colour", "learned", "unknown", "unknown"]


# ---- word by word


def test_leaving_out_a_word_changes_what_it_said():
    model = tiny_text_gan()
    found = without_each_word(cache_of(ours=model), "ours", "a small red ball", {"seed": 3})
    assert [one.word for one in found] == ["", "small", "red", "ball"]
    assert [one.caption for one in found] == [
        "a small red ball",
        "a red ball",
        "a small ball",
        "a small red",
    ]
    assert found[0].difference == 0
    assert all(one.difference > 0 for one in found[1:])
    expected = model.matcher.scores(["a small red ball"], torch.stack([one.image for one in found]))[0]
    assert [one.score for one in found] == pytest.approx(expected.tolist(), abs=1e-5)


def test_each_other_word_of_the_kind_is_put_in_its_place():
    cache = cache_of(ours=tiny_text_gan())
    found = with_each_other(cache, "ours", "a red ball", 1, {"seed": 3})
    assert found[0].caption == "a red ball"
    assert {one.word for one in found[1:]} == set(COLOURS) - {"red"}
    assert all(one.caption == f"a {one.word} ball" for one in found[1:])
    found = with_each_other(cache, "ours", "一个红色的小球", 3, {"seed": 3})
    assert all("红色" in one.caption for one in found)
    with pytest.raises(InputError, match="no other word"):
        with_each_other(cache, "ours", "a red ball", 0, {"seed": 3})
    for index in (-1, 3, True, None, "1"):
        with pytest.raises(InputError):
            with_each_other(cache, "ours", "a red ball", index, {"seed": 3})


def test_a_caption_of_many_words_is_not_taken_apart():
    with pytest.raises(InputError, match="24"):
        without_each_word(cache_of(ours=tiny_text_gan()), "ours", "red " * 30, {})


def test_where_the_words_went():
    cache = cache_of(ours=tiny_text_gan(), painter=Painter())
    words, taken = words_in_image(cache, "ours", "a red ball", 1, 1.0)
    assert words == ["", "a", "red", "ball"]
    assert taken.shape == (2, 64, 4)
    assert torch.allclose(taken.sum(-1), torch.ones(2, 64), atol=1e-4)
    assert words_in_image(cache, "painter", "a red ball", 1, 1.0) is None


# ---- after-treatment


def test_each_step_is_shown():
    image = rendered("a red ball")
    steps = postprocessed(cache_of(), image, {"denoise": True, "colorize": True, "enlarge": 2})
    assert [name for name, _ in steps] == ["made", "denoise", "grey", "colorize", "enlarge"]
    assert [after.shape[-1] for _, after in steps] == [SIDE] * 4 + [2 * SIDE]
    grey = steps[2][1]
    assert torch.equal(grey[0], grey[1])
    assert postprocessed(cache_of(), image, {})[0][1] is image
    with pytest.raises(InputError, match="enlarge"):
        postprocessed(cache_of(), image, {"enlarge": 3})


def test_denoising_takes_an_odd_pixel_away():
    image = torch.full((3, SIDE, SIDE), 100, dtype=torch.uint8)
    image[:, 7, 9] = 255
    assert (postprocessed(cache_of(), image, {"denoise": True})[-1][1] == 100).all()


def test_only_what_was_painted_over_is_drawn_anew():
    image, hole = rendered("a red ball"), torch.zeros(SIDE, SIDE, dtype=torch.bool)
    hole[10:20, 10:20] = True
    (_, before), (_, left), (_, after) = restored(cache_of(), image, hole)
    assert torch.equal(before[:, ~hole], after[:, ~hole])
    assert not torch.equal(before[:, hole], after[:, hole])
    assert (left[:, hole] == 128).all()
    with pytest.raises(InputError, match="painted over yet"):
        restored(cache_of(), image, torch.zeros(SIDE, SIDE, dtype=torch.bool))
    with pytest.raises(InputError, match="whole picture"):
        restored(cache_of(), image, torch.ones(SIDE, SIDE, dtype=torch.bool))


def test_a_mask_from_a_browser_is_looked_at():
    bits = torch.zeros(8, 8, dtype=torch.bool)
    bits[0, 1] = bits[7, 7] = True
    assert torch.equal(painted(base64.b64encode(bytes([64, 0, 0, 0, 0, 0, 0, 1])).decode(), 8), bits)
    assert not painted("", 8).any()
    for bad in ("AAAA", "!!", 7, ["AAAA"], base64.b64encode(bytes(9)).decode()):
        with pytest.raises(InputError, match="mask"):
            painted(bad, 8)


def test_without_a_network_of_that_size_there_is_one_sentence():
    with pytest.raises(InputError, match="64 pixels"):
        postprocessed(cache_of(), torch.zeros(3, 64, 64, dtype=torch.uint8), {"colorize": True})


# ---- matching and searching


def test_texts_and_images_are_compared_and_searched():
    cache = cache_of(painter=Painter(matcher=tiny_matcher()))
    captions = retrieval.checked_captions(["a red ball", " 一个红色的小球 "])
    images, table = retrieval.generated_and_scored(cache, "painter", captions, 2)
    assert images.shape == (2, 3, SIDE, SIDE)
    assert (len(table), len(table[0])) == (2, 2)
    library = retrieval.library_for(cache)
    assert (len(library.images), len(library.captions)) == (100, 100)
    hits = retrieval.find_images(cache, "a red ball", 5)
    scores = retrieval.score_table(cache, ["a red ball"], library.images)[0]
    assert [hit.score for hit in hits] == pytest.approx(sorted(scores, reverse=True)[:5], abs=1e-5)
    texts = retrieval.find_texts(cache, library.images[4], 12)
    assert len(texts) == 12
    assert texts[0].score >= texts[-1].score
    for bad in (0, 13, 1.5, "x"):
        with pytest.raises(InputError):
            retrieval.find_images(cache, "a red ball", bad)
    with pytest.raises(InputError, match="none of these words"):
        retrieval.find_images(cache, "quantum chromodynamics")
    with pytest.raises(InputError, match="captions"):
        retrieval.checked_captions(["a"] * 33)
