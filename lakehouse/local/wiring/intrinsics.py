"""CloudFormation's intrinsic functions, the few the template uses; any other is an error, never a guess."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lakehouse.errors import BadDefinition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")
_NO_VALUE: Final = object()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a name in the template means.

    `attribute(logical id, attribute)` answers for resources, `attribute(logical id, None)` for a plain Ref;
    it raises BadDefinition for what it cannot answer.
    """

    parameters: Mapping[str, str]
    conditions: Mapping[str, Any]
    attribute: Callable[[str, str | None], str]

    def resolve(self, value: Any) -> Any:
        """Return `value` with every intrinsic function replaced by what it yields."""
        resolved = self._resolve(value)
        if resolved is _NO_VALUE:
            raise BadDefinition("AWS::NoValue stands where a value is needed")
        return resolved

    def holds(self, condition: str) -> bool:
        """Return whether a condition of the template's Conditions holds."""
        if condition not in self.conditions:
            raise BadDefinition(f"the template has no condition {condition}")
        return bool(self._resolve(self.conditions[condition]))

    def _resolve(self, value: Any) -> Any:
        """Return what `resolve` does, or `_NO_VALUE` for what is to be left out."""
        if isinstance(value, list):
            return self._without_no_value(value)
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if _is_intrinsic(name, argument):
                return self._call(name, argument)
        resolved = {name: self._resolve(item) for name, item in value.items()}
        return {name: item for name, item in resolved.items() if item is not _NO_VALUE}

    def _without_no_value(self, items: list[Any]) -> list[Any]:
        resolved = [self._resolve(item) for item in items]
        return [item for item in resolved if item is not _NO_VALUE]

    def _call(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Ref", str(referred):
                return self._ref(referred)
            case "Condition", str(condition):
                return self.holds(condition)
            case "Fn::GetAtt", [str(logical), str(attribute)]:
                return self.attribute(logical, attribute)
            case "Fn::If", [str(condition), then, otherwise]:
                return self._resolve(then if self.holds(condition) else otherwise)
            case "Fn::Sub" | "Fn::Join", _:
                return self._text(name, argument)
        return self._logic(name, argument)

    def _text(self, name: str, argument: Any) -> str:
        match name, argument:
            case "Fn::Sub", str(text):
                return self._sub(text, {})
            case "Fn::Sub", [str(text), dict(variables)]:
                return self._sub(text, {key: self.resolve(item) for key, item in variables.items()})
            case "Fn::Join", [str(glue), list(items)]:
                return glue.join(str(item) for item in self.resolve(items))
        raise _not_understood(name, argument)

    def _logic(self, name: str, argument: Any) -> bool:
        match name, argument:
            case "Fn::Equals", [left, right]:
                return bool(self.resolve(left) == self.resolve(right))
            case "Fn::Not", [condition]:
                return not self.resolve(condition)
            case "Fn::And", list(conditions):
                return all(self.resolve(conditions))
            case "Fn::Or", list(conditions):
                return any(self.resolve(conditions))
        raise _not_understood(name, argument)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self.parameters:
            return self.parameters[name]
        if name.startswith("AWS::"):
            raise BadDefinition(f"the pseudo parameter {name} is not understood here")
        return self.attribute(name, None)

    def _sub(self, text: str, variables: dict[str, Any]) -> str:
        def value(match: re.Match[str]) -> str:
            escaped, name = match.groups()
            if escaped:
                return f"${{{name}}}"
            if name in variables:
                return str(variables[name])
            logical, dot, attribute = name.partition(".")
            return str(self.attribute(logical, attribute) if dot else self._ref(name))

        return _VARIABLE.sub(value, text)


def _is_intrinsic(name: str, argument: Any) -> bool:
    """Return whether `{name: argument}` is an intrinsic function, rather than a property called so."""
    if name in {"Ref", "Condition"}:
        return isinstance(argument, str)
    return name.startswith("Fn::")


def _not_understood(name: str, argument: Any) -> BadDefinition:
    return BadDefinition(f"{name} is not understood here with {argument!r}")
