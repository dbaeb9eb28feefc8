"""Templates of HTTP APIs: YAML that says how a request is made of rows, and what an answer says of each.

A text with a name in braces is filled in: `{id}`, `{object}`, `{property.tier}`, `{secret.token}`. A text that is a
name alone takes the value as it is: `{rows}` is a list, `{properties}` a mapping, which the key `*` spreads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lakehouse.definitions import FieldsError, nearest, read_yaml
from lakehouse.errors import Terminal

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+(?:\.[^{}|]+)?)(?:\|([a-z0-9_]+))?\}")
_SPREAD: Final = "*"
OF_ROW: Final = frozenset({"id", "customer_id", "crm_id", "properties", "property", "row_key"})
OF_REQUEST: Final = frozenset({"object", "id_property", "key", "sync", "rows", "secret"})
_FILTERS: Final[dict[str, Callable[[str], str]]] = {
    "sha256": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "zoho": lambda text: re.sub(r"([\\(),])", r"\\\1", text),  # in a search's criteria
    "digits": lambda text: re.sub(r"[^0-9]", "", text),
    # Ad platforms hash an address in lower case, and a phone with its country and nothing but digits.
    "sha256_lower": lambda text: hashlib.sha256(text.strip().lower().encode()).hexdigest(),
    "sha256_phone": lambda text: hashlib.sha256(re.sub(r"[^0-9]", "", text).encode()).hexdigest(),
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(_Part):
    """So many requests in so many seconds, by all workers together."""

    requests: Annotated[int, Field(ge=1)]
    seconds: Annotated[float, Field(gt=0)]


class Call(_Part):
    """One request: `row` is what one row becomes, `body` holds the list of those as `{rows}`; `form`: no JSON."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Annotated[str, Field(pattern=r"^/[^\s?#]*$")]
    query: dict[str, str] = {}
    row: Any = None
    body: Any = None
    form: bool = False


class Test(_Part):
    """Whether what stands at `path` in JSON is one of `values`, compared as texts."""

    __test__ = False  # pytest would take the class for a test

    path: str
    values: Annotated[list[str | int | bool], Field(min_length=1)]


class Find(Call):
    """Finds the record of one row: those at `rows` of the answer, of them those whose `match` is the row's id.

    `id`: where a record's id stands in its part. 404, 204 and no such record mean that there is none.
    """

    rows: str
    match: str = ""
    id: str


class Answers(_Part):
    """What an answer says. Without `rows` a 2xx says that all rows were taken.

    `accepted` of the whole body, `success` of a row's part; `code` and `row_code`: where the word for a failure stands.
    Of such words, `later` say that nothing was done and the request may come again, `denied` that the credentials are
    wrong, `gone` that the record is not there. `match` is where a row's part names its id (as `row_id` writes it);
    without it the parts have the order of the request.
    """

    accepted: Test | None = None
    later: list[str | int] = []
    denied: list[str | int] = []
    code: str = "code"
    rows: str | None = None
    match: str = ""
    row_id: str = "{id}"
    success: Test | None = None
    id: str = ""
    row_code: str = "code"
    gone: list[str | int] = []


class HttpTemplate(_Part):
    """An API that takes rows by HTTP: what it declares, and its requests.

    Where there is an `update`, the API has no upsert: a row's record is looked for by `find`, and updated, or made by
    `upsert`.
    """

    batch: Annotated[int, Field(ge=1, le=1000)] = 1
    rate: Rate | None = None
    idempotent: bool
    removal: Literal["clear", "delete", "list", "none"]
    headers: dict[str, str] = {}
    upsert: Call
    update: Call | None = None
    remove: Call | None = None
    find: Find | None = None
    answer: Answers = Answers()

    @model_validator(mode="after")
    def _consistent(self) -> HttpTemplate:
        """Refuse a template that names what there is not, or that says one thing and does another."""
        wrong = list(_problems(self))
        if wrong:
            raise FieldsError(*(((field,), message) for field, message in wrong))
        return self


def _problems(template: HttpTemplate) -> Iterator[tuple[str, str]]:
    """Yield (field, what is wrong there) of a template."""
    if (template.removal == "none") != (template.remove is None):
        yield "remove", "a template says how to remove, or `removal: none` where nothing can be taken back"
    if template.update is not None and (template.find is None or template.batch > 1):
        yield "update", "who looks whether a record is there needs `find`, and `batch: 1`"
    for name in ("upsert", "update", "remove", "find"):
        call: Call | None = getattr(template, name)
        if call is not None:
            several = template.batch > 1 and name != "find"
            wrong = [*_wrong_names(call), *(_wrong_for_several(call) if several else ())]
            yield from ((name, message) for message in wrong)
    yield from (("headers", message) for message in _unknown_names(template.headers))


def _wrong_names(call: Call) -> Iterator[str]:
    yield from _unknown_names((call.path, call.query, call.row, call.body))
    if "secret" in names_of((call.path, call.query)):
        yield "a secret stands in a header or the body; URLs are written down on their way"


def _wrong_for_several(call: Call) -> Iterator[str]:
    """Yield why a call cannot be made for several rows at once."""
    of_row = names_of((call.path, call.query)) & OF_ROW
    if of_row:
        yield f"path: {min(of_row)!r} is of one row: set `batch: 1`"
    if "rows" not in names_of(call.body):
        yield 'body: nothing in it is "{rows}", and a request has several rows'
    if call.row is None:
        yield "row: what one row becomes is not said"


def _unknown_names(value: Any) -> Iterator[str]:
    known = sorted(OF_ROW | OF_REQUEST)
    for name, filter_name in _names(value):
        if name not in known:
            yield f"{{{name}}} is nothing that a template can name{nearest(name, known)}"
        if filter_name and filter_name not in _FILTERS:
            yield f"|{filter_name} is no filter{nearest(filter_name, sorted(_FILTERS))}"


def _names(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (name before a dot, filter) of every placeholder in a value."""
    match value:
        case str():
            for found in _PLACEHOLDER.finditer(value):
                yield found[1].partition(".")[0], found[2] or ""
        case dict():
            for part in value.items():
                yield from _names(part)
        case list() | tuple():
            for part in value:
                yield from _names(part)


def names_of(value: Any) -> set[str]:
    """Return the names that placeholders in a value have, before a dot."""
    return {name for name, _ in _names(value)}


def render(value: Any, names: Callable[[str], Any], quote: Callable[[str], str] = str) -> Any:
    """Return a template's value with its placeholders filled in; `names` returns what a name stands for.

    `quote` is applied to each text that is filled in.
    """
    match value:
        case str():
            return _render_text(value, names, quote)
        case list():
            return [render(part, names, quote) for part in value]
        case dict():
            made: dict[str, Any] = {}
            for key, part in value.items():
                rendered = render(part, names, quote)
                if key == _SPREAD and isinstance(rendered, Mapping):
                    made |= rendered
                else:
                    made[str(_render_text(str(key), names, quote))] = rendered
            return made
    return value


def _render_text(text: str, names: Callable[[str], Any], quote: Callable[[str], str]) -> Any:
    alone = _PLACEHOLDER.fullmatch(text)
    if alone and not alone[2]:
        value = names(alone[1])
        return quote(value) if isinstance(value, str) else value

    def filled(found: re.Match[str]) -> str:
        value = str(names(found[1]))
        return quote(_FILTERS[found[2]](value) if found[2] else value)

    return _PLACEHOLDER.sub(filled, text)


@lru_cache(maxsize=16)
def load_template(name: str) -> HttpTemplate:
    """Return a template that ships with the package, by its name; ValueError for one that does not."""
    folder = files("lakehouse.outbound") / "http_templates"
    shipped = sorted(
        file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml")
    )
    if name not in shipped:
        raise ValueError(f"there is no template {name!r}{nearest(name, shipped)}")
    template, problems = read_yaml((folder / f"{name}.yaml").read_text("utf-8"), HttpTemplate)
    if template is None:
        raise Terminal(f"{name}.yaml of the package: {'; '.join(map(str, problems))}")
    return template
