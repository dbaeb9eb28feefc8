"""Which functions of DuckDB give the same on Spark once sqlglot has put them into its words.

Those that shipped models call whose rows were the same on both engines (`tests/support/spark_models.py`), and those
whose values were (`tests/support/spark_functions.py`). Any other may do, and nobody has looked: it is named.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

CALLS: Final = {
    "EPOCH_US": "unix_micros({0})",
    "ISOYEAR": "extract(YEAROFWEEK FROM {0})",
    "TO_MONTHS": "make_ym_interval(0, {0})",
    "TO_YEARS": "make_ym_interval({0}, 0)",
    "REGEXP_FULL_MATCH": "regexp_like({0}, concat('^(?:', {1}, ')$'))",
}  # functions that sqlglot leaves as they are, by name: the same on Spark
_SAME_BY_NAME: Final = frozenset({*CALLS, "DATE_SUB", "DATESUB", "GETVARIABLE"})
_OF_SHIPPED_MODELS: Final = (
    exp.Abs, exp.And, exp.AnyValue, exp.ArgMax, exp.ArgMin, exp.Array, exp.ArrayAgg, exp.ArrayFilter, exp.Avg,
    exp.Case, exp.Cast, exp.Chr, exp.Coalesce, exp.Concat, exp.ConcatWs, exp.Contains, exp.Count, exp.DateAdd,
    exp.DateDiff, exp.DayOfWeekIso, exp.Exists, exp.Exp, exp.Explode, exp.Extract, exp.Floor, exp.GenerateSeries,
    exp.Greatest, exp.GroupConcat, exp.If, exp.Lag, exp.LastDay, exp.Lead, exp.Least, exp.Left, exp.Length,
    exp.LogicalAnd, exp.LogicalOr, exp.Lower, exp.MD5, exp.Max, exp.Median, exp.Min, exp.Nullif, exp.Or, exp.Pow,
    exp.Rank, exp.RegexpExtract, exp.RegexpFullMatch, exp.RegexpLike, exp.RegexpReplace, exp.Replace, exp.Right,
    exp.Round, exp.RowNumber, exp.SplitPart, exp.Sqrt, exp.Struct, exp.Sum, exp.TimeToStr, exp.TimeToUnix,
    exp.TimestampTrunc, exp.Translate, exp.Trim, exp.TryCast,
)  # fmt: skip
_OF_VALUES: Final = (
    exp.ArrayContains, exp.ArraySize, exp.Ascii, exp.BitwiseCount, exp.Cbrt, exp.Ceil, exp.Corr, exp.Cos, exp.CountIf,
    exp.CumeDist, exp.DateFromParts, exp.Day, exp.Degrees, exp.DenseRank, exp.EndsWith, exp.FirstValue, exp.Hour,
    exp.JSONExtractScalar, exp.LastValue, exp.Ln, exp.Log, exp.Minute, exp.Month, exp.NthValue, exp.Ntile, exp.Pad,
    exp.PercentRank, exp.Quarter, exp.Repeat, exp.Reverse, exp.SHA2, exp.Sign, exp.Sin, exp.Split, exp.StartsWith,
    exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.StrPosition, exp.Substring, exp.Upper, exp.Variance,
    exp.VariancePop, exp.Year,
)  # fmt: skip
_SAME: Final = (*_OF_SHIPPED_MODELS, *_OF_VALUES)
# Of these it hangs on the unit: Spark counts whole weeks and hours between two moments, and Sunday as the first day.
_UNITS: Final[dict[type[exp.Func], frozenset[str]]] = {
    exp.DateDiff: frozenset({"", "DAY", "MONTH", "YEAR"}),
    exp.Extract: frozenset({"YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE", "ISOYEAR"}),
}


def not_tried(tree: exp.Expr) -> list[str]:
    """Return the functions of a DuckDB SELECT that are not the same on Spark, or of which nobody knows it."""
    return sorted({what for call in tree.find_all(exp.Func) if (what := _not_same(call))})


def _not_same(call: exp.Func) -> str:
    """Return the name of a function that may not be the same on Spark; "" for one that is."""
    if isinstance(call, exp.Anonymous):
        return "" if call.name.upper() in _SAME_BY_NAME else f"{call.name.lower()}()"
    name = call.sql_name().lower()
    if type(call) in _UNITS:
        unit = (call.this if isinstance(call, exp.Extract) else call.args.get("unit")) or exp.Var(this="")
        return "" if unit.name.upper() in _UNITS[type(call)] else f"{name}() of {unit.name.lower()}"
    return "" if isinstance(call, _SAME) else f"{name}()"
