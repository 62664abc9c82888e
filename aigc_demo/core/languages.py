"""The languages of the page, and the type of a text in all of them."""

LANGUAGES = ("en", "zh-CN", "zh-TW")
# One text in English, simplified Chinese and traditional Chinese: in the order of LANGUAGES.
Row = tuple[str, str, str]
