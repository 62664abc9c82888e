"""The tiny world drawn: every mode has its number, and can be told from every other at 32 pixels."""

import hashlib
import itertools
import random

import numpy as np
import pytest

from aigc_demo.data.tiny_world import image
from aigc_demo.data.tiny_world.image import (
    KINDS,
    NUM_MODES,
    caption,
    mode_name,
    mode_of,
    one_thing,
    render,
    subjects,
    thing_of,
)
from aigc_demo.data.tiny_world.scene import COLOURS, SIZES, WEATHERS, Happening, Place, Scene, Thing, scenes
from aigc_demo.data.tiny_world.sprite import COLOUR_VALUES, FIGURES, SPRITE_SIZE, sprite

MIDDLE = Place(1, 1)
# What eyes see that lack a receptor, in linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
SIGHTS = {
    "usual": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def pixels(subject, size=32, rng=None):
    return np.asarray(render(subject, size, rng)).astype(int)


def lab(linear):
    """CIE 1976 L*a*b* of linear sRGB, white D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    share = to_xyz @ np.clip(linear, 0, 1) / to_xyz.sum(1)
    x, y, z = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize(
    ("sight", "least"), [("usual", 30), ("no red", 12), ("no green", 20), ("no blue", 20)]
)
def test_colours_can_be_told_apart(sight, least):
    assert tuple(COLOUR_VALUES) == COLOURS
    values = np.array(list(COLOUR_VALUES.values())) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    seen = [lab(np.array(SIGHTS[sight]) @ one) for one in linear]
    distances = [np.linalg.norm(a - b) for place, a in enumerate(seen) for b in seen[:place]]
    assert min(distances) >= least


def test_white_and_black_are_a_hundred_apart_in_lab():
    assert lab(np.ones(3)) == pytest.approx([100, 0, 0], abs=0.01)
    assert lab(np.zeros(3)) == pytest.approx([0, 0, 0], abs=0.01)


def test_modes_are_numbered_without_gaps_and_shapes_come_first():
    assert NUM_MODES == {"shapes": 144, "things": 288}
    assert [mode_of(thing_of(mode)) for mode in range(288)] == list(range(288))
    assert {thing_of(mode).kind for mode in range(144)} == set(KINDS["shapes"])
    assert (mode_name(0), mode_name(1), mode_name(2)) == ("small red ball", "red ball", "big red ball")
    assert mode_name(287) == "big brown mouse"
    assert len({mode_name(mode) for mode in range(288)}) == 288
    for wrong in (-1, 288):
        with pytest.raises(ValueError, match="from 0 to 287"):
            thing_of(wrong)


@pytest.mark.parametrize("images", KINDS)
def test_every_mode_comes_as_often_as_any_other(images):
    rng = random.Random(5)
    num_modes = NUM_MODES[images]
    counts = np.bincount([mode_of(one_thing(rng, KINDS[images])) for _ in range(100 * num_modes)])
    assert len(counts) == num_modes
    assert abs(counts - 100).max() < 50  # five standard deviations


def test_every_mode_is_recognised_at_32_pixels_though_moved_and_tinted():
    """The nearest of all centred images, each moved by up to two pixels, is one of the same mode."""
    rng = random.Random(11)
    templates = np.stack([pixels(thing_of(mode)) for mode in range(288)]) - 242
    moves = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    moved = np.stack([np.roll(templates, move, (1, 2)) for move in moves], 1).reshape(288 * 25, -1)
    drawn = np.stack([pixels(thing_of(mode), 32, rng) for mode in range(288)]).reshape(288, -1) - 242
    moved, drawn = moved.astype(np.float32), drawn.astype(np.float32)
    distances = (moved**2).sum(1)[:, None] - 2 * moved @ drawn.T
    assert (distances.argmin(0) // 25).tolist() == list(range(288))


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("kind", KINDS["things"])
def test_three_sizes_fill_their_share_of_the_image(kind, size):
    for name, share in (("small", 0.35), ("medium", 0.6), ("big", 0.9)):
        image = pixels(Thing(kind, "purple", name, MIDDLE), size)
        seen = (abs(image - image[0, 0]) > 25).any(2)
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        extent = max(np.ptp(rows), np.ptp(columns)) + 1
        assert share * size - 2 <= extent <= share * size + 2


def test_a_thing_alone_stands_in_the_middle_and_jitter_keeps_it_inside():
    centred = pixels(Thing("ball", "red", "medium", MIDDLE))
    dark = 700 - centred.sum(2).clip(0, 700)
    assert (dark * (np.arange(32) - 15.5)).sum() / dark.sum() == pytest.approx(0, abs=0.4)
    rng = random.Random(3)
    centres, areas = [], []
    for _ in range(200):
        image = pixels(Thing("box", "blue", "big", MIDDLE), 32, rng)
        dark = image[0, 0, 0] - image[:, :, 0]  # red is what a blue box lacks
        areas.append(dark.sum() / dark.max())
        centres.append((dark * np.arange(32)).sum() / dark.sum())
    assert 0.5 < np.std(centres) < 2
    assert np.ptp(areas) < 0.1 * np.mean(areas), "cut off at the edge"


def test_quarters_of_a_pixel_move_the_light_by_quarters():
    """A stamp one phase further right has its centre a quarter of a pixel further right."""
    centres = []
    for phase in range(4):
        alpha = np.asarray(image._stamp("ball", "red", 12.0, phase, 0))[..., 3].astype(float)
        centres.append((alpha * np.arange(alpha.shape[1])).sum() / alpha.sum())
        assert alpha.sum() / 255 == pytest.approx(np.pi * 6**2, rel=0.03)
    assert np.diff(centres) == pytest.approx([0.25] * 3, abs=0.02)
    assert centres[0] == pytest.approx(1 + 6 - 0.5, abs=0.05)


def test_backgrounds_are_light_and_vary_slightly():
    rng = random.Random(0)
    grounds = np.array([pixels(thing_of(0), 32, rng)[0, 0] for _ in range(100)])
    assert grounds.min() >= 233
    assert len({tuple(ground) for ground in grounds}) > 50


@pytest.mark.parametrize("weather", WEATHERS)
def test_things_of_a_scene_stand_in_their_cells(weather):
    things = (Thing("ball", "red", "medium", Place(0, 2)), Thing("cat", "blue", "big", Place(2, 1)))
    scene = Scene(things, weather, (Happening("bored", 1, None, "play"),))
    empty = pixels(Scene((), weather, ()), 48)
    changed = (abs(pixels(scene, 48) - empty).sum(2) > 60).reshape(3, 16, 3, 16).mean((1, 3))
    assert changed[0, 2] == pytest.approx(np.pi * 0.37**2, abs=0.06)
    assert changed[2, 1] > 0.4
    changed[0, 2] = changed[2, 1] = 0
    assert changed.max() < 0.02


def test_weather_is_seen_in_every_cell():
    skies = [pixels(Scene((), weather, ()), 32) for weather in WEATHERS]
    for place, sky in enumerate(skies):
        for other in skies[:place]:
            assert abs(sky - other)[:30, :30].reshape(3, 10, 3, 10, 3).mean((1, 3, 4)).min() > 8


def test_captions_say_what_is_there():
    ball, box = Thing("ball", "red", "big", Place(0, 0)), Thing("box", "orange", "medium", Place(0, 2))
    cat = Thing("cat", "blue", "small", Place(2, 0))
    assert caption(ball) == "a big red ball"
    assert caption(Scene((box,), "sunny", ())) == "an orange box on a sunny day"
    assert caption(Scene((ball, box), "", ())) == "a big red ball to the left of an orange box"
    assert caption(Scene((ball, box, cat), "rainy", ())) == (
        "a big red ball to the left of an orange box and above a small blue cat on a rainy day"
    )


def test_subjects_are_of_the_kinds_asked_for():
    found = {
        name: list(itertools.islice(subjects(name, random.Random(0)), 200))
        for name in ("shapes", "things", "scenes")
    }
    assert {thing.kind for thing in found["shapes"]} == set(KINDS["shapes"])
    assert {thing.kind for thing in found["things"]} == set(KINDS["things"])
    assert found["scenes"] == list(itertools.islice(scenes(0), 200))


def test_a_image_is_the_same_for_the_same_seed():
    scene = next(scenes(2))
    first, again, other = (pixels(scene, 32, random.Random(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert (pixels(scene) == pixels(scene)).all()


@pytest.mark.parametrize("size", [0, 8, 33, -16])
def test_sizes_that_are_no_multiple_of_16_are_refused(size):
    with pytest.raises(ValueError, match="multiple of 16"):
        render(thing_of(0), size)


def test_a_figure_is_there_for_every_kind_and_touches_no_edge():
    assert tuple(FIGURES) == KINDS["things"]
    for kind in FIGURES:
        alpha = np.asarray(sprite(kind, "green"))[..., 3]
        assert alpha.shape == (SPRITE_SIZE, SPRITE_SIZE)
        rows, columns = np.nonzero(alpha > 128)
        assert max(np.ptp(rows), np.ptp(columns)) > 0.9 * SPRITE_SIZE
        assert 0.3 < (alpha > 128).mean() < 0.95
        assert not np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]]).any()


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        ("ball", "c1e3cb9928f5"),
        ("box", "2e77216a4cd9"),
        ("cone", "060311d5d47c"),
        ("star", "ed6fee3ee253"),
        ("heart", "75dfdb6c6ffc"),
        ("ring", "fbe00ed42eb9"),
        ("cat", "ea4da23c83d8"),
        ("dog", "60b686ef9062"),
        ("bird", "f163aa4294c4"),
        ("frog", "5e409868142f"),
        ("duck", "bb7f7d15e118"),
        ("mouse", "727f39af9127"),
    ],
)
def test_the_figures_are_those_that_shipped_models_and_resumed_runs_know(kind, digest):
    drawn = hashlib.sha256()
    for colour in COLOUR_VALUES:
        drawn.update(np.asarray(sprite(kind, colour)).tobytes())
    assert drawn.hexdigest()[:12] == digest


def test_names_of_sizes_are_those_that_are_drawn():
    assert tuple(image.ALONE) == tuple(image.IN_CELL) == SIZES


def test_the_sun_fills_a_quarter_of_a_disc_of_a_fifth_of_the_image():
    sky = pixels(Scene((), "sunny", ()), 96)
    is_sun = (sky == (255, 200, 40)).all(axis=2)
    y, x = np.mgrid[:96, :96] + 0.5
    distance = np.hypot(x, y)  # from the upper left corner; the radius is 0.2 * 96 = 19.2
    assert is_sun[distance < 18].all()
    assert not is_sun[distance > 20.5].any()
