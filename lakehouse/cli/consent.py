"""What people allowed: consent show, explain, grant, withdraw, recall, erased."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app
from lakehouse.command_line import command_line
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

consent = typer.Typer(
    no_args_is_help=True, help="What people allowed: see it, say why, and put down what they said."
)
app.add_typer(consent, name="consent")

Who = Annotated[str, typer.Argument(metavar="ADDRESS|CUSTOMER", help="An e-mail, a phone, or a customer id.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="An e-mail or a phone.")]
Purpose = Annotated[str, typer.Option("--purpose", help="What for.", show_default=True)]
Channel = Annotated[str, typer.Option("--channel", help="By which way.", show_default=True)]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="When it was said (ISO 8601); now, when left out.")
]
Policy = Annotated[str | None, typer.Option("--policy", help="Version of the text that the person saw.")]
Evidence = Annotated[
    str | None, typer.Option("--evidence", help="Where it can be looked up: a form, a call, a letter.")
]
Kind = Literal["source", "form", "file"]
By = Annotated[str, typer.Option("--by", help="Who says so; you, when left out.")]


@consent.command()
def show(who: Who, data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Show who may be contacted where, and which statement decides."""
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages.consent_questions import answers, normal_name

        found = answers(settings, normal_name(who))
    if as_json:
        print(json.dumps(found, default=str, ensure_ascii=False))
    else:
        _show("Who may be contacted", found)


@consent.command()
def explain(who: Who, data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Show the answers, and every statement behind them, newest first; and whether its person was erased."""
    from lakehouse.local.session import session

    with session(data, "all") as settings:  # the key by which erased people are known is a secret
        from lakehouse.stages import consent_questions

        found = consent_questions.explain(settings, consent_questions.normal_name(who))
    if as_json:
        print(json.dumps(found, default=str, ensure_ascii=False))
        return
    _show("Who may be contacted", found["answers"])
    _show("What was said, newest first", found["statements"])
    if found["erasures"]:
        _show("Erased", found["erasures"])


@consent.command()
def grant(  # noqa: PLR0913, PLR0917 - its options
    address: Address,
    purpose: Purpose = "marketing",
    channel: Channel = "email",
    at: At = None,
    policy: Policy = None,
    evidence: Evidence = None,
    by: By = "",
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Put down that somebody consented, for this address. It counts once the stack has loaded it."""
    _state(data, address, purpose, channel, at, policy, evidence, by, granted=True, as_json=as_json)


@consent.command()
def withdraw(  # noqa: PLR0913, PLR0917 - its options
    address: Address,
    purpose: Purpose = "marketing",
    channel: Channel = "email",
    at: At = None,
    policy: Policy = None,
    evidence: Evidence = None,
    by: By = "",
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Put down that somebody refused, for this address. It counts once the stack has loaded it."""
    _state(data, address, purpose, channel, at, policy, evidence, by, granted=False, as_json=as_json)


@consent.command()
def recall(  # noqa: PLR0913, PLR0917 - its options
    target: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE|FORM|FILE", help="A source, a form, or the id of a raw file, or how it begins."
        ),
    ],
    why: Annotated[str, typer.Option("--why", help="Why it is no evidence, for the audit log.")] = "",
    by: By = "",
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="Which of the three, where a name is of two.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="End the recall.")] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Let what a source, form or file granted count no more; list whom something was sent to, and what to do.

    Refusals stand. Whom it was delivered of is taken off again by the next run, unless another statement allows it.
    """
    from lakehouse.local.session import session

    if not why.strip():
        raise Terminal("say with --why what is wrong, such as --why 'the box was ticked already'")
    with session(data, "store") as settings:
        from lakehouse.stages import consent_statements

        found = consent_statements.recall(
            settings, target, why.strip(), by or getpass.getuser(), datetime.now(UTC), kind=kind, undo=undo
        )
    if as_json:
        print(json.dumps(asdict(found), default=str, ensure_ascii=False))
        return
    for line in recall_lines(asdict(found)):
        print(line)
    print(f"`{command_line('up', data)}` loads the recall")


@consent.command(name="erased")
def mark_erased(
    who: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS|CUSTOMER|ERASURE",
            help="An e-mail, a phone, or a customer id; with --undo the erasure's id.",
        ),
    ],
    why: Annotated[
        str,
        typer.Option("--why", help="Why, for the audit log: the number of a request. It stays: name nobody."),
    ] = "",
    by: By = "",
    undo: Annotated[bool, typer.Option("--undo", help="End it: it was the wrong person.")] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Remember by keyed hashes that somebody was erased: no old list that is imported again allows to contact them.

    Only what they say themselves afterwards counts: a signed `POST /v1/consent`, or `consent grant`. It erases nothing
    that is stored.
    """
    from lakehouse.local.session import session

    if not why.strip():
        raise Terminal("say with --why on whose account, such as --why 'request 4711'")
    with session(data, "all") as settings:
        from lakehouse.stages import erasure_marks

        mark = erasure_marks.end_erasure if undo else erasure_marks.mark_erased
        marked = mark(settings, who, why.strip(), by or getpass.getuser(), datetime.now(UTC))
    if as_json:
        print(json.dumps(asdict(marked)))
        return
    from lakehouse.console.terminal import counted

    kept = (
        f"{counted(marked.addresses, 'address', 'addresses')} and {counted(marked.identifiers, 'other id')}"
    )
    outcome = (
        f"{kept} may be contacted again"
        if undo
        else f"{kept} of {counted(len(marked.customers), 'customer')} are remembered"
    )
    print(
        f"erasure {marked.erasure_id}: {outcome}; `{command_line('up', data)}` loads it, where no stack runs"
    )


def recall_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is told of a recall: person by person what is to be done, below it what was sent; then how many."""
    sends: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for send in found["sends"]:
        sends.setdefault(_leaning(send), []).append(send)
    for person in found["people"]:
        yield f"{person['customer_id']}  {person['sync']}: {person['to_do']}"
        for send in sends[_leaning(person)]:
            yield f"  {_fields(send, ('run', 'chunk', 'outcome', 'outcome_at', 'crm_id', 'consent_id'))}"
    people = {person["customer_id"] for person in found["people"]}
    from lakehouse.console.terminal import counted

    sent = counted(len(found["sends"]), "delivery", "deliveries")
    yield f"{found['kind']} {found['target']}: {sent} to {counted(len(people), 'person', 'people')} leaned on it"


def _leaning(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("customer_id", "sync", "purpose", "channel"))


def _fields(row: Mapping[str, Any], names: Iterable[str]) -> str:
    return "  ".join(f"{name}={row[name]}" for name in names if row[name] is not None)


def _state(  # noqa: PLR0913, PLR0917 - the options of a command
    data: Path,
    address: str,
    purpose: str,
    channel: str,
    at: str | None,
    policy: str | None,
    evidence: str | None,
    by: str,
    *,
    granted: bool,
    as_json: bool,
) -> None:
    from lakehouse.local.session import session

    now = datetime.now(UTC)
    with session(data, "store") as settings:
        from lakehouse.stages.consent_questions import normal_name
        from lakehouse.stages.consent_statements import Statement, state

        statement = Statement(
            normal_name(address), channel, purpose, granted, _moment(at, now), policy, evidence
        )
        statement_id = state(settings, statement, by or getpass.getuser(), now)
    if as_json:
        print(json.dumps({"statement_id": statement_id}))
    else:
        print(
            f"statement {statement_id} landed; a running stack loads it now, else `{command_line('up', data)}` does"
        )


def _moment(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Terminal(f"--at {text}: not a time in ISO 8601, like 2026-11-21T09:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows without the columns that none of them fills; moments in UTC, ids of files as elsewhere."""
    from lakehouse.console.terminal import grid, out

    names = [name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in rows)]
    if names:
        out.print(title, style="bold")
        out.print(grid("", names, [[_cell(name, row[name]) for name in names] for row in rows]))
    else:
        out.print(f"{title}: nobody said anything")


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return value[:16] if name == "file_id" else value
