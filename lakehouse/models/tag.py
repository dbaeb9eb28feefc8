"""Tags: what a customer is called where a condition over `marts.customer_360` and `marts.rfm` holds; a YAML file each.

They fill `marts.customer_tags`, a model like any other: it is computed when customers or tags changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

import duckdb
from pydantic import BaseModel, ConfigDict, Field
from sqlglot import exp

from lakehouse.definition_files import DefinitionLoader, Loaded
from lakehouse.definitions import Problem, find_line, parse_yaml
from lakehouse.engine import duck
from lakehouse.engine.escape import identifier, literal
from lakehouse.errors import BadDefinition
from lakehouse.models.model import Model
from lakehouse.models.select_statement import StatementError, parse_statement, read_statement
from lakehouse.tables.contract import Contract, bilingual
from lakehouse.tables.contracts import CUSTOMER_360, RFM

if TYPE_CHECKING:
    from collections.abc import Iterable

CUSTOMER_TAGS: Final = Contract(
    name="marts.customer_tags",
    doc="What each customer is called, by the tags of `tags/*.yaml`.",
    zh="客户标签，由 tags/*.yaml 定义",
    grain="one row a customer and tag",
    key=("customer_id", "tag"),
    sort=("customer_id",),
    columns=bilingual(
        ("customer_id", "string", "Customer", "客户编号"),
        ("tag", "string", "Name of the tag", "标签名"),
        ("title", "string", "What people call it", "标签标题"),
        ("title_zh", "string", "The same in Chinese; null where nobody said it", "中文标题；未填写时为空"),
    ),
)
_HIDDEN: Final = ("customer_id", "as_of", "recency_days")  # of `marts.rfm`: the other table has them


class Tag(BaseModel):
    """`where` is SQL over the columns of `marts.customer_360` and `marts.rfm`, as that of a segment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    zh: str = ""
    doc: str
    where: str


@dataclass(frozen=True)
class Tags:
    """The tags by name, and what is wrong with each file that is none, by its name."""

    defined: Mapping[str, Tag]
    wrong: Mapping[str, str]


def parse(text: str, where: str) -> Tag:
    """Read one definition; BadDefinition names the file, all that is wrong, and its line."""
    tag = parse_yaml(text, where, Tag)
    problems = []
    if tag.name != PurePath(where).stem:
        problems.append(
            Problem("name", find_line(text, "name", Tag), f"{tag.name!r} must be the file's own name")
        )
    try:
        _check_condition(tag.where)
    except StatementError as error:
        problems.append(Problem("where", find_line(text, "where", Tag), str(error)))
    if problems:
        raise BadDefinition(f"{where}: {'; '.join(map(str, problems))}")
    return tag


def _check_condition(text: str) -> None:
    """Raise StatementError for what is not one condition of itself: no other table, no clock."""
    tree = parse_statement(f"SELECT ({text}\n)")
    beside = [name for name, part in tree.args.items() if part and name not in ("expressions", "kind")]
    if beside or not isinstance(tree, exp.Select) or len(tree.expressions) != 1:
        raise StatementError("not one condition")
    if len(list(tree.find_all(exp.Query))) > 1 or tree.find(exp.Window, exp.AggFunc, exp.Star):
        raise StatementError("a condition has no SELECT, no aggregate, no window and no * in it")
    if read_statement(f"SELECT ({text}\n)").variables:
        raise StatementError("a tag has no getvariable(…): `as_of` is a column")


_load = DefinitionLoader("tags", ("lakehouse.models", "tags"), parse, lambda tag: tag.name)


def read(overrides: Path | None) -> Loaded[str, Tag]:
    """Return what the files say, whatever columns there are: the same object until one comes, goes or changes."""
    return _load.load_each(overrides)


def load(overrides: Path | None, contracts: Mapping[str, Contract]) -> Tags:
    """Return every tag: those shipped, overridden by the files below `<overrides>/tags/`.

    A tag whose condition DuckDB refuses over the columns that there are is wrong; it stops no other. `contracts` are
    those of the models. Raises BadDefinition for an `overrides` that is not there.
    """
    loaded = read(overrides)
    columns = _columns(contracts)
    wrong = dict(loaded.wrong)
    for name, tag in loaded.definitions.items():
        if columns and (reason := _refusal(tag.where, columns)):
            wrong[name] = f"{name}.yaml: where: {reason}"
    return Tags(
        {name: loaded.definitions[name] for name in sorted(loaded.definitions) if name not in wrong}, wrong
    )


def model(tags: Iterable[Tag]) -> Model:
    """Return the model of `marts.customer_tags`."""
    arms = [
        f"SELECT customer_id, {literal(tag.name)} AS tag, {literal(tag.title)} AS title, "
        f"nullif({literal(tag.zh)}, '') AS title_zh FROM known WHERE ({tag.where}\n)"
        for tag in tags
    ]
    nothing = "SELECT customer_id, '' AS tag, '' AS title, '' AS title_zh FROM known WHERE false"
    hidden = ", ".join(_HIDDEN)
    sql = (
        f"WITH known AS (\n    SELECT c.*, r.* EXCLUDE ({hidden})\n    FROM {CUSTOMER_360} AS c\n"
        f"    LEFT JOIN {RFM} AS r USING (customer_id)\n)\n" + "\nUNION ALL\n".join(arms or [nothing])
    )
    return Model(CUSTOMER_TAGS, (CUSTOMER_360, RFM), sql, where="tags", unique_key=True)


def _columns(contracts: Mapping[str, Contract]) -> tuple[tuple[str, str], ...]:
    """Return the columns that a condition may ask for, with their DuckDB types; none where a model is wrong."""
    if CUSTOMER_360 not in contracts or RFM not in contracts:
        return ()
    of_rfm = [column for column in contracts[RFM].columns if column.name not in _HIDDEN]
    return tuple((column.name, column.duck_type) for column in (*contracts[CUSTOMER_360].columns, *of_rfm))


@lru_cache(maxsize=512)
def _refusal(where: str, columns: tuple[tuple[str, str], ...]) -> str:
    """Return why DuckDB refuses a condition over these columns, without a value in them; empty where it does not."""
    cells = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns)
    with duckdb.connect() as con:
        try:
            con.execute(f"CREATE TABLE known ({cells})")
            con.execute("INSERT INTO known DEFAULT VALUES")
            con.execute(f"SELECT 1 FROM known WHERE ({where}\n)").fetchall()
        except duckdb.Error as error:
            return duck.sql_error_text(error)
    return ""
