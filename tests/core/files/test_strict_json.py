"""JSON that others wrote: bounded in length, depth, numbers and signs, before it takes memory."""

import pytest

from aigc_demo.core.files.strict_json import check_counts, strict_json


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"\\uDC00": 1}', '["\\udc00\\ud800"]'])
def test_half_of_a_character_is_refused(text):
    with pytest.raises(ValueError, match="surrogates"):
        strict_json(text, 100)


@pytest.mark.parametrize(
    ("text", "value"),
    [('["\\ud83d\\ude00"]', ["😀"]), ('["\\\\ud800"]', ["\\ud800"]), ('["\\u00e9"]', ["é"])],
)
def test_a_whole_one_is_taken(text, value):
    assert strict_json(text, 100) == value


@pytest.mark.parametrize(
    ("raw", "fits"),
    [
        (b"[1,2,3]", True),
        (b"[1,2,3,4,5,6]", False),
        (b"[[[[[[1]]]]]]", False),
        (b'{"a":{"b":{}}}', True),
        (b'{"a":{"b":{"c":{}}}}', False),
    ],
)
def test_what_would_take_much_memory_is_not_parsed(raw, fits):
    if fits:
        check_counts(raw, 3, 5)
        return
    with pytest.raises(ValueError, match="more than"):
        check_counts(raw, 3, 5)
