"""Models of pydantic, known by what they can do: Ferryman does not need pydantic, and never imports it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, TypeGuard, cast

import msgspec

_STARS: Final = "**********"
"""How pydantic writes its SecretStr and SecretBytes."""


class Model(Protocol):
    """What is asked of a model."""

    def model_dump(self, *, mode: str, by_alias: bool, round_trip: bool, warnings: bool) -> Any:
        """The model as JSON values."""
        ...

    @classmethod
    def model_validate_json(cls, json_data: bytes) -> Any:
        """A model from JSON. Raises what has `errors()`."""
        ...

    @classmethod
    def model_json_schema(cls, *, ref_template: str) -> dict[str, Any]:
        """The JSON Schema of what it is made from."""
        ...


class ModelMismatch(ValueError):
    """A value does not fit a model: what is wrong with it, and where in the model."""

    def __init__(self, what: str, place: str = "") -> None:
        super().__init__(what)
        self.place = place


def is_model(kind: object) -> TypeGuard[type[Model]]:
    """Whether a type is a model."""
    return isinstance(kind, type) and hasattr(kind, "model_dump") and hasattr(kind, "model_validate_json")


def dump(model: Model) -> Any:
    """A model as JSON values, from which `load` makes it again: by alias, and without computed fields.

    Raises:
        TypeError: it cannot be written, or would not come back.
    """
    kind = type(model)
    try:
        # what warnings would say, loading says better, and without the values
        values = model.model_dump(mode="json", by_alias=True, round_trip=True, warnings=False)
        whole = _STARS not in msgspec.json.encode(values).decode() or load(kind, values) == model
    except Exception as error:
        raise TypeError(f"The {kind.__name__} cannot be dumped: {type(error).__name__}: {error}") from None
    if not whole:
        raise TypeError(f"A field of the {kind.__name__} is dumped as {_STARS}, which would not come back")
    return values


def load(kind: type[Model], values: object) -> Any:
    """A model from JSON values.

    Raises:
        ModelMismatch: they do not fit; what it says does not show them.
    """
    try:
        return kind.model_validate_json(msgspec.json.encode(values))
    except Exception as error:
        found = _first(error)
    if found is None:
        raise ModelMismatch(f"Does not fit {kind.__name__}")
    raise ModelMismatch(str(found["msg"]), _place(cast("Iterable[object]", found["loc"])))


def schema(kind: type[Model], ref_template: str) -> dict[str, Any]:
    """The JSON Schema of what `load` takes; it may raise anything.

    Args:
        kind: the model.
        ref_template: how it refers to what is in its `$defs`, with `{model}` for the name.
    """
    return kind.model_json_schema(ref_template=ref_template)


def _first(error: Exception) -> Mapping[str, object] | None:
    """The first thing that a validation found; None where the error was none of validation."""
    errors = getattr(error, "errors", None)
    found = errors(include_url=False, include_context=False, include_input=False) if callable(errors) else ()
    return next(iter(cast("Iterable[Mapping[str, object]]", found)), None)


def _place(steps: Iterable[object]) -> str:
    """Where in a model, as Python would say it: `.lines[0].amount`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
