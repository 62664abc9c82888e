"""Settings classes that validate their values when they are created.

A settings class is a frozen dataclass whose fields carry their range and a help text:

    @dataclass(frozen=True)
    class Sampling(Settings):
        temperature: float = setting(1.0, "softmax temperature", low=0, high=5)

Values from a slider, the API and `--set name=value` are all validated here, so a NaN, a fraction for a
count or an unknown name is rejected in one place, with one error message.
"""

import dataclasses
import math
import types
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

from aigc_demo.core.errors import InputError


def setting(
    default: Any, meaning: str, *, low: float | None = None, high: float | None = None, choices: tuple = ()
) -> Any:
    """A dataclass field with a help text and the values it allows.

    Args:
        default: an immutable value.
        meaning: the help text, one line.
        low: smallest number allowed, inclusive; None for no bound.
        high: largest number allowed, inclusive; None for no bound.
        choices: the values allowed; for a list, the allowed elements. Empty for no restriction.
    """
    return field(default=default, metadata={"meaning": meaning, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True)
class Settings:
    """Base class of all settings: converts and checks every field in `__post_init__`.

    Raises:
        InputError: a value has the wrong type, is not finite, or is outside its range.
    """

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, str) and item.metadata.get("choices") and _is_list(hints[item.name]):
                value = tuple(filter(None, value.split(",")))
            value = _converted(item.name, value, hints[item.name])
            _check_range(item.name, value, item.metadata)
            object.__setattr__(self, item.name, value)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], **fixed: Any) -> Self:
        """Settings from a mapping; values may be text, such as "0.8".

        Raises:
            InputError: a name is unknown, or a value is not allowed.
        """
        known = [item.name for item in fields(cls) if item.name not in fixed]
        for name in values:
            if name not in known:
                raise InputError("unknown_setting", name=shown(name), known=", ".join(known))
        return cls(**values, **fixed)

    @classmethod
    def among(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The entries of a mapping whose names are fields of this class."""
        known = {item.name for item in fields(cls)}
        return {name: value for name, value in values.items() if name in known}

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return dataclasses.asdict(self)


def as_argument(value: Any) -> str:
    """A value in the notation of `--set name=value`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str("none" if value is None else value)


def shown(value: Any) -> str:
    """A value for an error message: one line of at most 60 printable characters."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= 60 else text[:57] + "..."


def _is_list(hint: Any) -> bool:
    return get_origin(hint) is tuple


def _converted(name: str, value: Any, hint: Any) -> Any:
    """The value converted to the field's type, where the conversion is unambiguous."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if value is None or value == "none":
            return None
        return _converted(name, value, next(part for part in get_args(hint) if part is not type(None)))
    if origin is tuple:
        if isinstance(value, str):
            value = (value,) if value else ()
        if not isinstance(value, (tuple, list)):
            raise InputError("setting_type", name=name, expected="a list", got=shown(value))
        return tuple(_converted(name, part, get_args(hint)[0]) for part in value)
    if hint is bool:
        return _boolean(name, value)
    if hint is int:
        return _whole_number(name, value)
    if hint is float:
        return _number(name, value)
    if hint is str and not isinstance(value, str):
        raise InputError("setting_type", name=name, expected="text", got=shown(value))
    return value


def _boolean(name: str, value: Any) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise InputError("setting_type", name=name, expected="true or false", got=shown(value))


def _number(name: str, value: Any) -> float:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise InputError("setting_type", name=name, expected="a number", got=shown(value))


def _whole_number(name: str, value: Any) -> int:
    # float only as a last resort: it would round a seed of 2**63 - 1.
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = _number(name, value)
    if number != int(number):
        raise InputError("setting_type", name=name, expected="a whole number", got=shown(value))
    return int(number)


def _check_range(name: str, value: Any, bounds: Mapping[str, Any]) -> None:
    low, high, choices = bounds.get("low"), bounds.get("high"), bounds.get("choices")
    if value is None:
        return
    if choices and not all(part in choices for part in (value if isinstance(value, tuple) else (value,))):
        kind = "a list of some of " if isinstance(value, tuple) else "one of "
        expected = kind + ", ".join(map(str, choices))
        raise InputError("setting_range", name=name, expected=expected, got=shown(value))
    if low is not None and value < low:
        raise InputError("setting_range", name=name, expected=f"at least {low:g}", got=shown(value))
    if high is not None and value > high:
        raise InputError("setting_range", name=name, expected=f"at most {high:g}", got=shown(value))
