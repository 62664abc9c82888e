"""The look of the page: warm paper and ink, teal for ours, plum for the baseline; light and dark.

Every pair of text and ground has a contrast of at least 4.5 to 1 (WCAG AA); the browser tests measure it.
The fonts are the reader's own, so that nothing is fetched from elsewhere.
"""

from pathlib import Path
from typing import Any

import gradio as gr

_TEAL = gr.themes.Color(
    c50="#eefaf8", c100="#d3f1ec", c200="#a8e2da", c300="#71ccc2", c400="#3fb0a5", c500="#1c8f85",
    c600="#0b6b63", c700="#095850", c800="#0a453f", c900="#093733", c950="#04211e",
)  # fmt: skip
_INK = gr.themes.Color(
    c50="#f7f6f2", c100="#efede6", c200="#dedbd1", c300="#c4c1b8", c400="#9a9ba0", c500="#6c7280",
    c600="#565c68", c700="#3a414c", c800="#232932", c900="#1b2027", c950="#13161b",
)  # fmt: skip

_SETTINGS: dict[str, tuple[str, str]] = {
    # variable: (light, dark)
    "body_background_fill": ("#f7f6f2", "#13161b"),
    "background_fill_primary": ("#ffffff", "#1b2027"),
    "background_fill_secondary": ("#f7f6f2", "#13161b"),
    "block_background_fill": ("#ffffff", "#1b2027"),
    "block_border_color": ("#dedbd1", "#333b46"),
    "border_color_primary": ("#dedbd1", "#333b46"),
    "border_color_accent": ("#0b6b63", "#3fb0a5"),
    "color_accent_soft": ("#eefaf8", "#0a453f"),
    "body_text_color": ("#1d2129", "#e9ebef"),
    "body_text_color_subdued": ("#565c68", "#aab2be"),
    "block_label_text_color": ("#3a414c", "#c9cfd8"),
    "block_title_text_color": ("#2b3039", "#dde1e7"),
    "block_info_text_color": ("#565c68", "#aab2be"),
    "input_background_fill": ("#ffffff", "#13161b"),
    "input_border_color": ("#9a9ba0", "#4a5360"),
    "input_border_color_focus": ("#0b6b63", "#3fb0a5"),
    "input_placeholder_color": ("#62687a", "#98a1ae"),
    "link_text_color": ("#0b6b63", "#71ccc2"),
    "button_primary_background_fill": ("#0b6b63", "#3fb0a5"),
    "button_primary_background_fill_hover": ("#095850", "#71ccc2"),
    "button_primary_text_color": ("#ffffff", "#04211e"),
    "button_primary_border_color": ("#0b6b63", "#3fb0a5"),
    "button_secondary_background_fill": ("#efede6", "#2b323c"),
    "button_secondary_background_fill_hover": ("#dedbd1", "#3a434f"),
    "button_secondary_text_color": ("#1d2129", "#e9ebef"),
    "button_secondary_border_color": ("#c4c1b8", "#4a5360"),
    "button_cancel_background_fill": ("#b3261e", "#f2938c"),
    "button_cancel_background_fill_hover": ("#8f1d17", "#f7b4af"),
    "button_cancel_text_color": ("#ffffff", "#3a0906"),
    "button_cancel_border_color": ("#b3261e", "#f2938c"),
    "slider_color": ("#0b6b63", "#3fb0a5"),
    "checkbox_background_color_selected": ("#0b6b63", "#0b6b63"),
    "checkbox_border_color": ("#6c7280", "#8a93a1"),
    "checkbox_border_color_selected": ("#0b6b63", "#3fb0a5"),
    "checkbox_label_background_fill": ("#ffffff", "#1b2027"),
    "checkbox_label_background_fill_selected": ("#d3f1ec", "#0a453f"),
    "checkbox_label_text_color": ("#1d2129", "#e9ebef"),
    "checkbox_label_text_color_selected": ("#093733", "#e9ebef"),
    "error_background_fill": ("#fdecea", "#3a1512"),
    "error_text_color": ("#8f1d17", "#f7b4af"),
}


def page_theme() -> gr.themes.Base:
    """The theme, for `launch(theme=...)`."""
    fonts = [
        "ui-sans-serif",
        "system-ui",
        "Segoe UI",
        "PingFang SC",
        "Microsoft YaHei",
        "Noto Sans CJK SC",
        "sans-serif",
    ]
    theme = gr.themes.Base(
        primary_hue=_TEAL,
        secondary_hue=_TEAL,
        neutral_hue=_INK,
        radius_size=gr.themes.sizes.radius_lg,
        font=fonts,
        font_mono=["ui-monospace", "SFMono-Regular", "Consolas", "Noto Sans Mono CJK SC", "monospace"],
    )
    both: dict[str, Any] = {}
    for name, (light, dark) in _SETTINGS.items():
        both[name] = light
        both[f"{name}_dark"] = dark
    return theme.set(
        **both,
        button_border_width="1px",
        block_border_width="1px",
        block_label_border_width="0px",
        layout_gap="10px",
    )


def style_sheet() -> str:
    """The style of the page and of its widgets, for its head.

    Not for `launch(css=...)`: gradio confines that to its own container, and the page's language stands on
    the root of the document.
    """
    return f"<style>{(Path(__file__).parent / 'static' / 'page.css').read_text('utf-8')}</style>"
