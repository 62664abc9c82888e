"""The dual encoder: its loss by hand, padding that does not matter, and that it learns."""

import math

import pytest
import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.nets.text_to_image.contrastive import (
    DualEncoder,
    DualEncoderConfig,
    contrastive_loss,
    hard_negative_loss,
    token_mask,
)

SHAPE = {"vocab_size": 20, "context_length": 12, "num_layers": 2, "num_heads": 2, "hidden_size": 16}
SHAPE |= {"image_size": 32, "width": 8, "embedding_size": 16}


def small(**changes) -> DualEncoder:
    torch.manual_seed(0)
    encoder = DualEncoder(DualEncoderConfig(**{**SHAPE, **changes}))
    with torch.no_grad():  # as after some steps: what blocks add starts at zero
        for name, weight in encoder.named_parameters():
            if name.endswith("output.weight"):
                weight.normal_(std=0.2)
    return encoder.eval()


def images(count: int, size: int = 32) -> Tensor:
    return torch.rand(count, 3, size, size, generator=seeded(1)) * 2 - 1


def test_loss_of_two_pairs_by_hand() -> None:
    text, image = torch.eye(2), torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    # Products: the first image 1 and 0, the second 0.6 and 0.8; twice as much with the scale.
    to_text = (
        -math.log(math.exp(2) / (math.exp(2) + 1)) - math.log(math.exp(1.6) / (math.exp(1.2) + math.exp(1.6)))
    ) / 2
    to_image = (
        -math.log(math.exp(2) / (math.exp(2) + math.exp(1.2))) - math.log(math.exp(1.6) / (1 + math.exp(1.6)))
    ) / 2
    loss = contrastive_loss(text, image, torch.tensor(2.0))
    assert loss.item() == pytest.approx((to_text + to_image) / 2)


def test_loss_where_nothing_is_known_is_that_of_a_guess() -> None:
    alike = torch.tensor([[0.6, 0.8]]).expand(5, 2)
    assert contrastive_loss(alike, alike, torch.tensor(7.0)).item() == pytest.approx(math.log(5))


def test_captions_of_no_image_make_it_harder_for_the_images_alone() -> None:
    pairs, wrong = torch.eye(4), torch.tensor([[0.0, 0.0, 0.6, 0.8]])
    without = contrastive_loss(pairs, pairs, torch.tensor(3.0))
    with_one = contrastive_loss(torch.cat([pairs, wrong]), pairs, torch.tensor(3.0))
    rows = [math.exp(3) + 3 + math.exp(3 * product) for product in (0, 0, 0.6, 0.8)]
    to_text = sum(-math.log(math.exp(3) / row) for row in rows) / 4
    assert with_one.item() == pytest.approx((to_text + without.item()) / 2)


def test_another_caption_that_fits_is_not_held_against_an_image() -> None:
    text = torch.eye(3)[[0, 0, 1]]
    same = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    kept = same.clone()
    strict = contrastive_loss(text, text, torch.tensor(50.0))
    fair = contrastive_loss(text, text, torch.tensor(50.0), same)
    assert strict.item() == pytest.approx(2 / 3 * math.log(2), abs=1e-4)
    assert fair.item() == pytest.approx(0, abs=1e-4)
    assert torch.equal(same, kept)


@pytest.mark.parametrize("masked", [False, True])
def test_loss_with_captions_of_no_image_and_others_that_fit_one_number_after_the_other(
    masked: bool,
) -> None:
    """Three images, five captions; the masks of rows and columns differ."""
    text, image = (
        torch.nn.functional.normalize(torch.randn(count, 4, generator=seeded(count)), dim=1)
        for count in (5, 3)
    )
    same = torch.zeros(3, 5, dtype=torch.bool)
    if masked:
        # The second image shows the third caption, too; the first one the last. Its own always counts.
        same[1, 2] = same[0, 4] = same[0, 0] = same[1, 1] = True
    products = (7 * image.double() @ text.double().T).tolist()
    held = [[not same[i, j] or i == j for j in range(5)] for i in range(3)]
    to_text = to_image = 0.0
    for own in range(3):
        row = sum(math.exp(products[own][j]) for j in range(5) if held[own][j])
        column = sum(math.exp(products[i][own]) for i in range(3) if held[i][own])
        to_text -= math.log(math.exp(products[own][own]) / row) / 3
        to_image -= math.log(math.exp(products[own][own]) / column) / 3
    loss = contrastive_loss(text, image, torch.tensor(7.0), same if masked else None)
    assert loss.item() == pytest.approx((to_text + to_image) / 2, rel=1e-5)


def test_loss_among_nearly_right_captions_by_hand() -> None:
    own = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    wrong = torch.tensor([[[0.0, 1.0], [0.6, 0.8]], [[1.0, 0.0], [0.8, 0.6]]])
    image = torch.tensor([[0.8, 0.6], [0.0, 1.0]])
    # Products with the own caption and the two others: 0.8, 0.6, 0.96 and 1, 0, 0.6; five times as much.
    rows = [(4, 3, 4.8), (5, 0, 3)]
    expected = sum(-math.log(math.exp(row[0]) / sum(map(math.exp, row))) for row in rows) / 2
    assert hard_negative_loss(own, wrong, image, torch.tensor(5.0)).item() == pytest.approx(
        expected, rel=1e-5
    )
    alike = torch.tensor([[0.6, 0.8]]).expand(4, 2)
    nothing = hard_negative_loss(alike, alike[:, None].expand(4, 3, 2), alike, torch.tensor(9.0))
    assert nothing.item() == pytest.approx(math.log(4))


@torch.no_grad()
def test_a_caption_is_the_mean_of_its_tokens() -> None:
    model = small()
    tokens = torch.randn(2, 4, 16, generator=seeded(2))
    ids = torch.tensor([[3, 4, 5, 0], [6, 0, 0, 0]])
    means = torch.stack([tokens[0, :3].mean(dim=0), tokens[1, 0]])
    expected = means @ model.text_output.weight.T
    expected = expected / expected.square().sum(dim=1, keepdim=True).sqrt()
    torch.testing.assert_close(model.pool_text(tokens, ids), expected)


@torch.no_grad()
def test_what_a_token_means_is_normalised_at_the_end() -> None:
    encoder = small().text_encoder
    encoder.norm.weight.copy_(torch.linspace(0.5, 2, 16))
    ids, before = torch.tensor([[3, 4, 5]]), []
    encoder.blocks[-1].register_forward_hook(lambda _, __, found: before.append(found))
    found = encoder(ids)
    expected = before[0] / before[0].square().mean(dim=-1, keepdim=True).sqrt() * encoder.norm.weight
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)


@torch.no_grad()
def test_weights_begin_as_those_of_the_language_model() -> None:
    torch.manual_seed(0)
    model = DualEncoder(DualEncoderConfig(**{**SHAPE, "vocab_size": 300, "hidden_size": 80}))
    for name, weight in model.text_encoder.named_parameters():
        if weight.dim() < 2:
            assert (weight == 1).all(), name
        elif name.endswith("output.weight"):
            assert (weight == 0).all(), name
        else:
            expected = 0.02 if name == "embedding.weight" else 0.5 / math.sqrt(80)
            assert weight.std().item() == pytest.approx(expected, rel=0.05), name


def test_the_vectors_have_length_one() -> None:
    model = small()
    ids = torch.tensor([[3, 4, 5], [6, 0, 0]])
    text, seen, scale = model(ids, images(4))
    assert text.shape == (2, 16) and seen.shape == (4, 16)
    for vectors in (text, seen):
        assert torch.allclose(vectors.norm(dim=1), torch.ones(len(vectors)), atol=1e-5)
    assert scale.item() == pytest.approx(1 / 0.07)
    with torch.no_grad():
        model.log_scale.fill_(99)
    assert model.scale.item() == 100  # Radford et al. 2021, section 2.5


@torch.no_grad()
def test_padding_changes_nothing_and_order_does() -> None:
    model = small()
    short = model.embed_text(torch.tensor([[3, 4, 5]]))
    assert torch.allclose(model.embed_text(torch.tensor([[3, 4, 5, 0, 0, 0, 0]])), short, atol=1e-5)
    among = model.embed_text(torch.tensor([[3, 4, 5, 0, 0], [6, 7, 8, 9, 10]]))
    assert torch.allclose(among[:1], short, atol=1e-5)
    assert not torch.allclose(model.embed_text(torch.tensor([[5, 4, 3]])), short, atol=1e-3)


@torch.no_grad()
def test_a_caption_without_a_known_word_is_a_vector_too() -> None:
    nothing = small().embed_text(torch.zeros(2, 4, dtype=torch.int64))
    assert nothing.isfinite().all()
    assert torch.equal(nothing[0], nothing[1])
    ids = torch.zeros(1, 3, dtype=torch.int64)
    assert token_mask(ids).tolist() == [[True, False, False]]
    assert ids.tolist() == [[0, 0, 0]]


@torch.no_grad()
@pytest.mark.parametrize("size", [32, 64])
def test_a_mirrored_image_is_another_one(size: int) -> None:
    model = small(image_size=size)
    x = images(2, size)
    assert not torch.allclose(model.embed_images(x), model.embed_images(x.flip(3)), atol=1e-3)


def test_it_learns_which_caption_belongs_to_which_image() -> None:
    model = small(width=8).train()
    x = images(8)
    ids = torch.arange(1, 17).view(8, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(40):
        loss = contrastive_loss(*model(ids, x))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2 < math.log(8)
    text, seen, _ = model(ids, x)
    assert (seen @ text.t()).argmax(1).tolist() == list(range(8))


@torch.no_grad()
def test_a_folder_gives_the_same_vectors(tmp_path) -> None:
    model = small()
    model.save_pretrained(tmp_path)
    again = DualEncoder.from_pretrained(tmp_path).eval()
    ids, x = torch.tensor([[3, 4, 5]]), images(1)
    for first, second in zip(model(ids, x), again(ids, x), strict=True):
        assert torch.equal(first, second)
