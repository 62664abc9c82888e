"""Headers of safetensors files, whole and broken, without torch."""

import json
import struct

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import check_weights, num_parameters, read_header, weights_path

A = {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}
B = {"dtype": "F32", "shape": [5], "data_offsets": [12, 32]}


def write(path, header, data=32):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(data))
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_names_dtypes_and_shapes(path):
    header = read_header(write(path, {"__metadata__": {"format": "pt"}, "b": B, "a": A}))
    assert {name: (facts.dtype, facts.shape) for name, facts in header.items()} == {
        "a": ("F16", (2, 3)),
        "b": ("F32", (5,)),
    }
    assert num_parameters(path) == 11


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({"a": A, "b": B}, 31),
        ({"a": A, "b": B}, 33),
        ({"b": B}, 32),
        ({"a": A, "b": {**B, "data_offsets": [8, 28]}}, 28),
        ({"a": {**A, "shape": [2, 4]}}, 12),
        ({"a": {**A, "shape": [-2, -3]}}, 12),
        ({"a": {**A, "shape": [2.0, 3]}}, 12),
        ({"a": {**A, "shape": [True, 6]}}, 12),
        ({"a": {**A, "dtype": "F15"}}, 12),
        ({"a": {"dtype": "F16"}}, 12),
        ({"a": 3}, 12),
        ({"a": A, "__metadata__": []}, 12),
        ({"a": A, "__metadata__": {"format": 7}}, 12),
        ({"a": A, "__metadata__": {"x": {"y": "z"}}}, 12),
        (f'{{"a": {json.dumps(A)}, "a": {json.dumps(A)}}}'.encode(), 12),
        ([A], 12),
        (b"\xff" * 20, 12),
        (b"[" * 50_000, 12),
        (b"", 0),
    ],
)
def test_what_is_not_whole_is_refused(path, header, data):
    with pytest.raises(InputError) as caught:
        read_header(write(path, header, data))
    assert caught.value.key == "broken_model"


def test_a_length_that_no_header_has_takes_no_memory(path):
    path.write_bytes(struct.pack("<Q", 2**63) + b"{}")
    with pytest.raises(InputError):
        read_header(path)


class TestCheck:
    def test_exactly_what_is_expected(self, path):
        check_weights(write(path, {"a": A, "b": B}), {"a": (2, 3), "b": [5]})

    def test_what_is_optional_may_be_missing(self, path):
        check_weights(write(path, {"a": A, "b": B}), {"a": (2, 3), "b": (5,), "c": (7,)}, optional=["c"])

    @pytest.mark.parametrize(
        ("expected", "says"),
        [
            ({"a": (2, 3), "b": (5,), "c": (7,)}, "c is missing"),
            ({"a": (2, 3)}, "b does not belong there"),
            ({"a": (3, 2), "b": (5,)}, r"a is \[2, 3\], not \[3, 2\]"),
        ],
    )
    def test_anything_else_is_said(self, path, expected, says):
        with pytest.raises(InputError, match=says) as caught:
            check_weights(write(path, {"a": A, "b": B}), expected)
        assert caught.value.key == "foreign_model"

    def test_a_dtype_that_is_not_allowed(self, path):
        with pytest.raises(InputError, match="a is F16"):
            check_weights(write(path, {"a": A, "b": B}), {"a": (2, 3), "b": (5,)}, dtypes=["F32"])


def test_a_pickle_does_not_count_as_weights(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(InputError, match="only a pickle"):
        weights_path(tmp_path)
