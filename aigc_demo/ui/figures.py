"""Figures as people say them: shares, times, numbers of parameters."""

from aigc_demo.core.languages import LANGUAGES
from aigc_demo.ui.words.wording import everywhere

UNBROKEN = "\u00a0"


def percent(share: float, space: str = " ") -> str:
    """A share as people say it: 7 %; with `UNBROKEN` never on two lines."""
    return f"{100 * share:.0f}{space}%"


def milliseconds(seconds: float) -> str:
    """A short time: 0.8 ms, 12 ms, 1,240 ms."""
    value = 1000 * seconds
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def duration(seconds: float) -> dict[str, str]:
    """A time as people say it."""
    whole = round(seconds)
    if whole < 60:
        return everywhere("seconds", seconds=whole)
    if whole < 3600:
        return everywhere("minutes_seconds", minutes=whole // 60, seconds=whole % 60)
    return everywhere("hours_minutes", hours=whole // 3600, minutes=whole % 3600 // 60)


def short_count(count: int) -> dict[str, str]:
    """A number of parameters as people say it: 4.8 M in English, 480 万 in Chinese."""
    english = _scaled(count, ((1e9, "B"), (1e6, "M"), (1e3, "K")))
    simplified = _scaled(count, ((1e8, "亿"), (1e4, "万")))
    return dict(
        zip(LANGUAGES, (english, simplified, simplified.replace("亿", "億").replace("万", "萬")), strict=True)
    )


def _scaled(count: int, units: tuple[tuple[float, str], ...]) -> str:
    for size, letter in units:
        if count >= size:
            return f"{count / size:.1f} {letter}" if count < 100 * size else f"{count / size:.0f} {letter}"
    return str(count)
