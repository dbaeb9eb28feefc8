"""Who is who: identity explain, review, tie, untie, leave."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app
from lakehouse.cli.function_log import logged
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from lakehouse.stages.identity_words import RecordName, Verdict

identity = typer.Typer(no_args_is_help=True, help="Who is who, why, and your own word on it.")
app.add_typer(identity, name="identity")

Who = Annotated[
    str,
    typer.Argument(
        metavar="WHO", help="Customer id, e-mail, phone with country code, or TYPE:VALUE, as crm_id:42."
    ),
]
Standing = Literal["review", "denied", "tied", "apart"]
Why = Annotated[str, typer.Option("--why", help="Why; it is kept with your word.")]
By = Annotated[str | None, typer.Option("--by", help="Who says so; the user of this machine when left out.")]


@identity.command()
def explain(
    who: Who,
    graph: Annotated[Path | None, typer.Option("--graph", metavar="FILE.svg", help="Draw it there.")] = None,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show why somebody is one customer: every piece of evidence, since when, by which rule; and what ties nobody."""
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages import analyst_sql, explain_identity

        con = analyst_sql.connect(settings)
        try:
            explained = explain_identity.explain(con, who)
        finally:
            con.close()
    from lakehouse.console import identity as console

    if graph is not None:
        graph.write_text(console.picture(explained), "utf-8")
    if as_json:
        print(json.dumps([each.as_json() for each in explained], default=str))
    else:
        console.show(explained)


@identity.command()
def review(
    standing: Annotated[
        Standing,
        typer.Option(
            "--standing",
            help="review: nobody has decided; denied: names or birth dates contradict; tied; apart: you said so.",
        ),
    ] = "review",
    limit: Annotated[int, typer.Option("--limit", min=1, help="The heaviest so many.")] = 20,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show records that look like one person and wait for your word: what each says, and why they look alike."""
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages import analyst_sql, review_matches

        con = analyst_sql.connect(settings)
        try:
            found = review_matches.pairs(con, standing, limit)
        finally:
            con.close()
    if as_json:
        print(json.dumps([pair.as_json() for pair in found], ensure_ascii=False))
        return
    from lakehouse.console import identity as console

    console.show_pairs(found, standing, data)


@identity.command()
def tie(
    one: Who, other: Who, why: Why = "", by: By = None, data: Data = DEFAULT, as_json: AsJson = False
) -> None:
    """Say that two records are one person. It outranks all evidence, until you say otherwise."""
    _say("one", (one, other), (why, by), data, as_json=as_json)


@identity.command()
def untie(
    one: Who, other: Who, why: Why = "", by: By = None, data: Data = DEFAULT, as_json: AsJson = False
) -> None:
    """Say that two records are two people, whatever they share."""
    _say("two", (one, other), (why, by), data, as_json=as_json)


@identity.command()
def leave(
    one: Who, other: Who, why: Why = "", by: By = None, data: Data = DEFAULT, as_json: AsJson = False
) -> None:
    """Take your word on two records back: the evidence decides again."""
    _say("open", (one, other), (why, by), data, as_json=as_json)


def _say(
    verdict: Verdict, pair: tuple[str, str], said: tuple[str, str | None], data: Path, *, as_json: bool
) -> None:
    from getpass import getuser

    from lakehouse.local.session import session

    with session(data, "all") as settings, logged(data):
        from lakehouse.stages import analyst_sql
        from lakehouse.stages.identity_words import Said, records_of, say

        con = analyst_sql.connect(settings)
        try:
            one, other = (_only(records_of(con, text), text) for text in pair)
        finally:
            con.close()
        key = say(
            settings, (one, other), verdict, Said(said[1] or getuser(), said[0]), lambda: datetime.now(UTC)
        )
    if as_json:
        print(json.dumps({"verdict": verdict, "one": _name(one), "other": _name(other), "key": key}))
    else:
        print(
            f"noted: {_name(one)} and {_name(other)}: {verdict}. It counts once `resolve` has run (see `status`)."
        )


def _only(records: list[RecordName], text: str) -> RecordName:
    """Return the one record of a text; of a customer with several, Terminal names them."""
    if len({(record.type, record.value) for record in records}) > 1:
        names = ", ".join(sorted({_name(record) for record in records})[:10])
        raise Terminal(f"{text} has several records: name one of {names}")
    return records[0]


def _name(record: RecordName) -> str:
    return f"{record.type}:{record.value}"
