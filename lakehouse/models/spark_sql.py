"""A model's SQL in the words of Spark, and what of it Spark has no words for.

Put into them by sqlglot, and by what it leaves as it is: stars that leave columns out or replace them are written out,
days taken from days are a number of them, and functions are those of the same meaning. Nothing is run here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types

from lakehouse.errors import BadDefinition
from lakehouse.models.lineage import qualified, schema_of
from lakehouse.models.spark_functions import CALLS, not_tried

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.models.model import Model

SPARK: Final = "spark"
_HAN: Final = r"\p{Han}"
_DAY: Final = "CAST(date_format({}, 'yyyyMMdd') AS INT)"  # as a number
_WHOLE_YEARS: Final = f"CAST(floor(({_DAY.format('{2}')} - {_DAY.format('{1}')}) / 10000) AS BIGINT)"
_LACKING: Final[dict[str, Callable[[exp.Expr], bool]]] = {
    "ASOF JOIN": lambda tree: any(join.args.get("method") == "ASOF" for join in tree.find_all(exp.Join)),
    "WITH RECURSIVE": lambda tree: any(each.args.get("recursive") for each in tree.find_all(exp.With)),
    "UNION BY NAME": lambda tree: any(each.args.get("by_name") for each in tree.find_all(exp.SetOperation)),
    "an aggregate in an order": lambda tree: any(
        isinstance(each.parent, exp.AggFunc) and not _is_of_itself(each) for each in tree.find_all(exp.Order)
    ),
    "two UNNEST of one SELECT": lambda tree: any(
        sum(each.find(exp.Explode) is not None for each in select.expressions) > 1
        for select in tree.find_all(exp.Select)
    ),
}  # what Spark 3.5 has no words for, or other ones than sqlglot writes: lists in an order lose it there, and each value
# of one list comes with each of the other


def spark_sql(
    model: Model,
    types: Mapping[str, Mapping[str, str]],
    variables: Mapping[str, str],
    *,
    pretty: bool = False,
) -> str:
    """Return the SELECT of a model's rows in the words of Spark, on one line or, `pretty`, on many.

    `types` are the columns of each input with their DuckDB types, `variables` the SQL of what `getvariable` gives.
    Raises BadDefinition for SQL that cannot be followed.
    """
    sql = model.rows_sql
    for name, value in variables.items():
        sql = sql.replace(f"getvariable('{name}')", value)
    try:
        schema = schema_of(model, types)
        tree = sqlglot.parse_one(sql, dialect="duckdb")
        if not _joins_all_twice(tree):
            tree = annotate_types(qualified(sql, schema), schema=schema, dialect="duckdb")
        for kind, mended in _MENDED.items():
            for node in reversed(list(tree.find_all(kind))):  # the innermost first
                if (other := mended(node)) is not None:
                    node.replace(other)
        return str(tree.sql(SPARK, comments=False, pretty=pretty))
    except SqlglotError as error:
        raise BadDefinition(f"{model.where}: it cannot be put into the words of Spark") from error


def not_on_spark(model: Model) -> list[str]:
    """Return what a model asks for that Spark lacks or may compute otherwise, in words: syntax, and functions."""
    tree = sqlglot.parse_one(model.sql, dialect="duckdb")
    return [what for what, is_in in _LACKING.items() if is_in(tree)] + not_tried(tree)


def _mended_call(call: exp.Anonymous) -> exp.Expr | None:
    arguments = [each.sql(SPARK) for each in call.expressions]
    template = CALLS.get(call.name.upper())
    if call.name.upper() in ("DATE_SUB", "DATESUB") and arguments[0] == "'year'":
        template = _WHOLE_YEARS
    return sqlglot.parse_one(template.format(*arguments), dialect=SPARK) if template else None


def _mended_full_match(call: exp.RegexpFullMatch) -> exp.Expr:
    template = CALLS["REGEXP_FULL_MATCH"]
    return sqlglot.parse_one(template.format(call.this.sql(SPARK), call.expression.sql(SPARK)), dialect=SPARK)


def _mended_difference(difference: exp.Sub) -> exp.Expr | None:
    """Return the number of days between two days; on Spark their difference is an interval."""
    days = all(each.is_type(exp.DType.DATE) for each in (difference.this, difference.expression))
    return (
        exp.DateDiff(this=difference.this.copy(), expression=difference.expression.copy()) if days else None
    )


def _mended_months(call: exp.DateDiff) -> exp.Expr | None:
    """Return how many months or years begin between two days: Spark has those that are full."""
    unit = str(call.args.get("unit") or "").upper()
    until, since = call.this.sql(SPARK), call.expression.sql(SPARK)
    years = f"year({until}) - year({since})"
    words = {"YEAR": f"({years})", "MONTH": f"(({years}) * 12 + month({until}) - month({since}))"}
    return sqlglot.parse_one(words[unit], dialect=SPARK) if unit in words else None


def _mended_seconds(call: exp.TimeToUnix) -> exp.Expr:
    """Return the seconds of a moment, or between two, with their fractions."""
    of = call.this.unnest()
    moments = [of.this, of.expression] if isinstance(of, exp.Sub) else [of]
    micros = " - ".join(f"unix_micros({each.sql(SPARK)})" for each in moments)
    return sqlglot.parse_one(f"(({micros}) / CAST(1000000 AS DOUBLE))", dialect=SPARK)


def _mended_list(call: exp.GroupConcat) -> exp.Expr | None:
    """Return texts put together in the order of themselves."""
    if not (isinstance(call.this, exp.Order) and _is_of_itself(call.this)):
        return None
    text = call.this.this.sql(SPARK)
    separator = call.args["separator"].sql(SPARK)
    return sqlglot.parse_one(f"array_join(array_sort(collect_list({text})), {separator})", dialect=SPARK)


def _mended_window(window: exp.Window) -> exp.Expr | None:
    """Return an aggregate over a window of what a filter keeps: on Spark windows have no filter."""
    kept = window.this
    if not isinstance(kept, exp.Filter):
        return None
    aggregate = kept.this.copy()
    value = exp.Literal.number(1) if isinstance(aggregate.this, exp.Star) else aggregate.this.copy()
    condition = kept.expression.this.copy()
    aggregate.set("this", exp.Case(ifs=[exp.If(this=condition, true=value)]))
    mended = window.copy()
    mended.set("this", aggregate)
    return mended


def _mended_weekday(call: exp.DayOfWeekIso) -> exp.Expr:
    return sqlglot.parse_one(
        f"weekday({call.this.sql(SPARK)}) + 1", dialect=SPARK
    )  # sqlglot 30 has Sunday as 2


def _mended_length(call: exp.Length) -> exp.Expr | None:
    """Return how many elements a list has, or those of it that a condition keeps."""
    made = call.this
    if isinstance(made, exp.ArrayFilter) or made.is_type(exp.DType.ARRAY, exp.DType.LIST):
        return sqlglot.parse_one(f"size({made.sql(SPARK)})", dialect=SPARK)
    if not (isinstance(made, exp.Array) and len(made.expressions) == 1):
        return None
    [each] = made.expressions
    if not isinstance(each, exp.Comprehension):
        return None
    name, values = each.expression.sql(SPARK), each.args["iterator"].sql(SPARK)
    kept = each.args.get("condition")
    listed = f"filter({values}, {name} -> {kept.sql(SPARK)})" if kept is not None else values
    return sqlglot.parse_one(f"size({listed})", dialect=SPARK)


def _mended_added(call: exp.DateAdd) -> exp.Expr | None:
    """Return a day and some months: on Spark `date_add` adds days alone."""
    more = call.expression
    if isinstance(more, exp.MakeInterval) or more.sql(SPARK).lower().startswith("make_ym_interval"):
        return exp.Paren(this=exp.Add(this=call.this.copy(), expression=more.copy()))
    return None


def _mended_qualify(select: exp.Select) -> exp.Expr | None:
    """Return a SELECT whose condition on windows is a column of a SELECT in it: sqlglot takes names apart there."""
    condition = select.args.get("qualify")
    if condition is None:
        return None
    inner = select.copy()
    inner.set("qualify", None)
    inner.append("expressions", exp.alias_(condition.this.copy(), "_kept"))
    names = ", ".join(select.named_selects)
    return sqlglot.parse_one(f"SELECT {names} FROM ({inner.sql(SPARK)}) AS _t WHERE _kept", dialect=SPARK)


def _mended_text(text: exp.Literal) -> exp.Expr | None:
    """Return a pattern with Java's name of Chinese characters."""
    return (
        exp.Literal.string(text.name.replace(_HAN, r"\p{IsHan}"))
        if text.is_string and _HAN in text.name
        else None
    )


def _joins_all_twice(tree: exp.Expr) -> bool:
    """Return whether several FULL JOINs are by USING: sqlglot 30 compares the columns of the first table alone."""
    return sum(bool(join.side == "FULL" and join.args.get("using")) for join in tree.find_all(exp.Join)) > 1


def _is_of_itself(order: exp.Order) -> bool:
    """Return whether an aggregate's values are in the order of themselves, so that nothing else says which."""
    first = order.expressions[0]
    return len(order.expressions) == 1 and order.this == first.this and not first.args.get("desc")


_MENDED: Final[dict[type[exp.Expr], Callable[..., exp.Expr | None]]] = {
    exp.DateDiff: _mended_months,
    exp.Sub: _mended_difference,
    exp.TimeToUnix: _mended_seconds,
    exp.RegexpFullMatch: _mended_full_match,
    exp.Anonymous: _mended_call,
    exp.DayOfWeekIso: _mended_weekday,
    exp.GroupConcat: _mended_list,
    exp.Window: _mended_window,
    exp.Length: _mended_length,
    exp.DateAdd: _mended_added,
    exp.Literal: _mended_text,
    exp.Select: _mended_qualify,
}
