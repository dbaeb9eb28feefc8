"""A condition taken apart: what each of its parts asks, so that one sees which of them holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import sqlglot
from sqlglot import Token, TokenType, exp

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIALECT: Final = "duckdb"
_OPEN: Final = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSE: Final = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_BEGIN_QUERY: Final = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.VALUES})
_PARENTHESES: Final = 2  # tokens
Kind = Literal["all", "any", "not", "condition"]


@dataclass(frozen=True)
class Part:
    """One part of a condition: `all` and `any` of the parts that follow one `depth` below, `not` of the one, or a test.

    `sql` is the whole of it as it is written, for sqlglot says some of it in other words that mean another thing
    (`s ~ 'a'`); `columns` those that a test names itself, in the order in which it does. `asks` are further values
    behind a test, each with its SQL over a row that goes by `customers`.
    """

    depth: int
    kind: Kind
    sql: str
    columns: tuple[str, ...]
    value_sql: str
    asks: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """Return what people read: a test as it stands, else how those below count."""
        return {"all": "all of", "any": "any of", "not": "not"}.get(self.kind, self.sql)


def outline(where: str) -> list[Part]:
    """Return the parts of a condition from the outermost to the tests; `where` must be one, as `problem_in` says."""
    return list(_outline(where, _tokens(where), 0))


def required(where: str) -> list[Part]:
    """Return the parts that all must hold: what AND joins outermost, or the one that there is."""
    return [_part(where, each, 0, "condition") for each in _required(_tokens(where))]


def columns_of(where: str) -> tuple[str, ...]:
    """Return the columns that a condition names, each once."""
    return _columns(sqlglot.parse_one(where, dialect=_DIALECT))


def _tokens(where: str) -> list[Token]:
    return list(sqlglot.tokenize(where, dialect=_DIALECT))


def _outline(where: str, tokens: list[Token], depth: int) -> Iterator[Part]:
    tokens = _unwrapped(tokens)
    kind, below = _joined(tokens)
    yield _part(where, tokens, depth, kind)
    for operand in below:
        yield from _outline(where, operand, depth + 1)


def _joined(tokens: list[Token]) -> tuple[Kind, list[list[Token]]]:
    """Return how a condition is made of others: OR binds least, then AND, then NOT."""
    if len(alternatives := _split(tokens, TokenType.OR)) > 1:
        return "any", [each for one in alternatives for each in _flattened(one, "any")]
    if len(_split(tokens, TokenType.AND)) > 1:
        return "all", _required(tokens)
    if tokens[0].token_type is TokenType.NOT:
        negated = _unwrapped(tokens[1:])
        if _joined(negated)[0] != "condition" or negated[0].token_type is TokenType.NOT:
            return "not", [negated]
    return "condition", []


def _required(tokens: list[Token]) -> list[list[Token]]:
    return _flattened(tokens, "all")


def _flattened(tokens: list[Token], kind: Kind) -> list[list[Token]]:
    """Return what one word joins, be it in parentheses of its own."""
    tokens = _unwrapped(tokens)
    other, word = (TokenType.OR, TokenType.AND) if kind == "all" else (TokenType.AND, TokenType.OR)
    is_other = kind == "all" and len(_split(tokens, other)) > 1
    operands = [tokens] if is_other else _split(tokens, word)
    return [tokens] if len(operands) == 1 else [each for one in operands for each in _flattened(one, kind)]


def _unwrapped(tokens: list[Token]) -> list[Token]:
    """Return a condition without parentheses around the whole of it; a query in parentheses keeps them."""
    while len(tokens) > _PARENTHESES and tokens[0].token_type is TokenType.L_PAREN:
        depths = list(_depths(tokens))
        closes_last = all(depth > 0 for depth in depths[1:-1])
        if not closes_last or tokens[1].token_type in _BEGIN_QUERY:
            break
        tokens = tokens[1:-1]
    return tokens


def _split(tokens: list[Token], word: TokenType) -> list[list[Token]]:
    """Return what stands between a word outside of parentheses and CASE; the AND of a BETWEEN joins nothing."""
    parts: list[list[Token]] = [[]]
    open_betweens = 0
    for token, depth in zip(tokens, _depths(tokens), strict=True):
        kind = token.token_type if depth == 0 else None
        open_betweens += kind is TokenType.BETWEEN
        of_between = kind is TokenType.AND and open_betweens > 0
        open_betweens -= of_between
        if kind is word and not of_between:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _depths(tokens: list[Token]) -> Iterator[int]:
    """Yield how deep each token stands in parentheses, brackets and CASE; what opens or closes stands inside."""
    depth = 0
    for token in tokens:
        depth += token.token_type in _OPEN
        yield depth
        depth -= token.token_type in _CLOSE


def _part(where: str, tokens: list[Token], depth: int, kind: Kind) -> Part:
    sql = where[tokens[0].start : tokens[-1].end + 1]
    tree = sqlglot.parse_one(sql, dialect=_DIALECT)
    # An error in one part must not hide the others; of a query within it, as ANY is one, DuckDB takes no TRY.
    has_query = tree.find(exp.Query, exp.Any, exp.All) is not None
    safe = f"(\n{sql}\n)" if has_query else f"TRY(\n{sql}\n)"
    columns = _columns(tree) if kind == "condition" else ()
    return Part(depth, kind, " ".join(sql.split()), columns, f"CAST({safe} AS BOOLEAN)")


def _columns(tree: exp.Expr) -> tuple[str, ...]:
    """Return the columns of the customer's own row; those of a query within are other rows'."""
    bound = {variable.name.lower() for scope in tree.find_all(exp.Lambda) for variable in scope.expressions}
    within = {id(each) for query in tree.find_all(exp.Query) for each in query.find_all(exp.Column)}
    names = (
        column.parts[0].name.lower()
        for column in tree.find_all(exp.Column, bfs=False)
        if id(column) not in within
    )
    return tuple(dict.fromkeys(name for name in names if name not in bound))
