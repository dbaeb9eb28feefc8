"""What is computed: list the models, write one, check and test them, run them, see what a table is made of."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, settings_of
from lakehouse.cli.function_log import logged
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from lakehouse.models.registry import Models

models = typer.Typer(
    no_args_is_help=True, help="What is computed: tables of core and marts, one SQL file each."
)
app.add_typer(models, name="models")

Tables = Annotated[
    list[str] | None, typer.Argument(metavar="[TABLE]…", help="Such as marts.rfm; all if left out.")
]


@models.command("list")
def list_models(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """List the models in the order in which they are run: those that ship, and the data folder's own."""
    from lakehouse.models import registry

    known = registry.load(settings_of(data).definitions)
    shipped = registry.shipped()
    listed = [
        {
            "table": model.table,
            "file": model.where,
            "grain": model.contract.grain,
            "inputs": list(model.inputs),
            "columns": len(model.contract.columns),
            "own": model.where.lower().endswith(".sql") and model is not shipped.get(model.table),
        }
        for model in known.in_order
    ]
    if as_json:
        print(json.dumps({"models": listed, "wrong": dict(known.wrong)}))
        return
    from lakehouse.console.terminal import complain, grid, out

    rows = [
        (each["table"], "yours" if each["own"] else "", each["grain"], ", ".join(model.inputs))
        for each, model in zip(listed, known.in_order, strict=True)
    ]
    out.print(grid("Models", ("table", "own", "grain", "inputs"), rows, optional=("inputs",)))
    for reason in known.wrong.values():
        complain(reason)


@models.command("new", epilog="Example: lakehouse models new marts.regulars")
def new(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Such as marts.regulars.")],
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Write a model to begin with, and a unit test of it, into the data folder's definitions; it counts at once."""
    from lakehouse.models.new_model import new_model

    folder = settings_of(data).definitions or data / "definitions"
    files = [str(path) for path in new_model(folder, table)]
    if as_json:
        print(json.dumps({"table": table, "files": files}))
        return
    for file in files:
        print(file)


@models.command("check")
def check(tables: Tables = None, data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Check models before they run: their files, and their SQL over empty tables. Ends with 1 where one is wrong.

    Of your own models it warns of what Spark may not compute the same, unless the header says `only_on: duckdb`.
    """
    from lakehouse.stages.check_models import check_models

    checked = check_models(settings_of(data), tables or ())
    wrong = [each for each in checked if each.problem]
    if as_json:
        print(json.dumps([asdict(each) for each in checked]))
    else:
        for each in wrong:
            print(each.problem)
        for each in checked:
            if each.warning:
                print(f"warning: {each.warning}")
        print(f"{len(checked) - len(wrong)} of {len(checked)} models are right")
    if wrong:
        raise typer.Exit(1)


@models.command("test")
def run_tests(tables: Tables = None, data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Run the unit tests beside the models: given rows, the rows expected. Ends with 1 where one fails."""
    from lakehouse.stages.check_models import run_unit_tests

    tested = run_unit_tests(settings_of(data), tables or ())
    failed = [each for each in tested if each.problem]
    if as_json:
        print(json.dumps([asdict(each) for each in tested]))
    else:
        for each in failed:
            print(
                f"{each.table}: {each.test}: {each.problem}" if each.test else f"{each.table}: {each.problem}"
            )
        print(f"{len(tested) - len(failed)} of {len(tested)} tests passed")
    if failed:
        raise typer.Exit(1)


@models.command(
    "sql",
    epilog="Examples: lakehouse models sql marts.rfm · lakehouse models sql --dialect spark > models.sql",
)
def show_sql(
    tables: Tables = None,
    dialect: Annotated[
        str, typer.Option(metavar="duckdb|spark", help="Whose words: DuckDB's, or Spark's.")
    ] = "duckdb",
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Print the SQL of models in the order in which they are run: the SELECT, or what fills the tables on Spark.

    What Spark does not compute the same is a comment that says why. Nothing is run.
    """
    from lakehouse.stages.model_statements import statements

    if dialect not in ("duckdb", "spark"):
        raise Terminal(f"there is no dialect {dialect!r}: duckdb or spark")
    listed = statements(settings_of(data), tables or (), "spark" if dialect == "spark" else "duckdb")
    if as_json:
        print(json.dumps([asdict(each) for each in listed], ensure_ascii=False))
        return
    print("\n\n".join(each.as_text() for each in listed))


@models.command("run")
def run(tables: Tables = None, data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Run the models whose inputs, SQL or day changed: what the functions do by themselves while the stack runs.

    Ends with 1 where one is wrong: it keeps its old rows, and the others are run.
    """
    from lakehouse.local.session import session

    with (
        session(data, "all") as settings,
        logged(data),
    ):  # the key by which erased people are known is a secret
        from lakehouse.models import registry, runner
        from lakehouse.stages.consents import telling_erased

        known = registry.load(settings.definitions)
        _check_names(known, tables or [])
        outcome = runner.run(settings, only=tables or (), make_ready=telling_erased(settings))
    changed = [committed.table for committed in outcome.committed]
    if as_json:
        print(json.dumps({"changed": changed, "unchanged": outcome.unchanged, "wrong": outcome.wrong}))
    else:
        for table in changed:
            print(f"{table}: other rows than before")
        for table in outcome.unchanged:
            print(f"{table}: the same rows")
        if not changed and not outcome.unchanged and not outcome.wrong:
            print("nothing to do: every table is what its inputs give")
    if outcome.wrong:
        raise Terminal("; ".join(outcome.wrong))


@models.command(
    "lineage", epilog="Examples: lakehouse models lineage marts.rfm · lakehouse models lineage marts.rfm.m"
)
def lineage(
    name: Annotated[
        str, typer.Argument(metavar="TABLE[.COLUMN]", help="Such as marts.rfm or marts.rfm.segment.")
    ],
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what a table, or one of its columns, is made of, and which tables are made of it."""
    from lakehouse.models import registry
    from lakehouse.stages.model_lineage import lineage_of

    settings = settings_of(data)
    found = lineage_of(settings, registry.load(settings.definitions), name)
    if as_json:
        print(json.dumps(asdict(found)))
        return
    from lakehouse.console.terminal import grid, out

    rows = [(column, ", ".join(sources)) for column, sources in found.columns.items()]
    out.print(grid(f"Columns of {found.table}", ("column", "made of"), rows))
    print(f"made of: {', '.join(found.upstream) or 'no table'}")
    print(f"read by: {', '.join(found.downstream) or 'no model'}")


@models.command("unread")
def unread(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """List fields that nobody reads: columns of raw and core tables that no mapping, model, metric or sync names."""
    from lakehouse.stages.unread_fields import unread_fields

    found = unread_fields(settings_of(data))
    if as_json:
        print(json.dumps([asdict(each) for each in found], ensure_ascii=False))
        return
    from lakehouse.console.terminal import grid, out

    rows = [(each.table, each.column, "personal" if each.pii else "", each.doc) for each in found]
    out.print(grid("Fields that nobody reads", ("table", "column", "", "what it is"), rows))


def _check_names(known: Models, tables: list[str]) -> None:
    from lakehouse.stages.check_models import check_names

    check_names(known, tables)
