"""Conditions as people read them, in one line. Pure."""

from __future__ import annotations

from lakehouse.segments.who import DATE, WINDOW, FieldTest, Who


def words(who: Who) -> str:
    """Return a condition as people read it, in one line."""
    match who.form:
        case "all" | "any":
            joined = f" {'and' if who.form == 'all' else 'or'} ".join(map(words, who.below))
            return f"({joined})" if len(who.below) > 1 else joined
        case "not":
            return f"not {words(who.below[0])}"
        case "count":
            return _count_words(who)
    return " and ".join(f"{who.field} {_test_words(test)}" for test in who.tests)


def counted_words(who: Who) -> str:
    """Return what a count counts."""
    windows = "".join(f" {_test_words(test)}" for test in who.tests if is_of_window(test))
    that = f" that {words(who.that)}" if who.that is not None else ""
    of_column = f" by {who.distinct}" if who.distinct else ""
    return f"{who.count}{of_column}{that}{windows}"


def _count_words(who: Who) -> str:
    how_many = " and ".join(_test_words(test) for test in who.tests if not is_of_window(test))
    return f"{counted_words(who)}: {how_many}"


def is_of_window(test: FieldTest) -> bool:
    """Return whether a test of a count is of the days, and not of the number."""
    return test.operator in {*WINDOW, *DATE}


def _test_words(test: FieldTest) -> str:
    operator, value = test
    if operator == "known":
        return "is known" if value else "is not known"
    values = value if isinstance(value, list | tuple) else (value,)
    joined = (" and " if operator == "between" else ", ").join(map(str, values))
    if operator in WINDOW and isinstance(value, int):
        joined += " day" if value == 1 else " days"
    return f"{operator.replace('_', ' ')} {joined}"
