"""Writes the pages that are made from code: docs/data-dictionary.md, docs/cli.md and docs/knobs.md.

`python docs/generate.py` writes them; with `--check` it writes nothing and exits with 1 when one is not current.
"""
# ruff: noqa: INP001 - a script beside the pages that it writes, not a package

from __future__ import annotations

import re
import sys
from importlib import import_module
from itertools import groupby
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any, get_args

import typer
from typer.main import get_command

import lakehouse
from lakehouse.cli import app
from lakehouse.models import registry
from lakehouse.outbound.definition import Sync
from lakehouse.policy import GIB, KIB, MIB, Policy
from lakehouse.segments.definition import Segment
from lakehouse.settings import Settings
from lakehouse.sources import definition
from lakehouse.tables import score_tables
from lakehouse.tables.entities.references import REFERENCES, REFERRED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

    from lakehouse.sources.definition import Source
    from lakehouse.tables.contract import Contract

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py; change the code it is made from, then run it again. -->"
ABOUT = """\
Every table, from its contract. `id` is the Iceberg field id. *personal* marks personal data: of these columns no
minimum and maximum is kept in Iceberg's manifests. Times are UTC."""
VIEWS = """\
Besides the tables there are two views. `core.events` is `raw.events` with the `customer_id` that `core.identities`
knows when the connection is made (by `user_id`, else by `anonymous_id`). `core.id_sources` says whose ids a source
uses: ids of `entity` in records of `source` are those of `id_source`."""
JOINS = """\
An id is that of a source, so a record is named by `source` and id together. Where a record names one of another entity,
`core.id_sources` says of which source that is ([decision 0024](decisions/0024-references.md)):

```sql
SELECT item.order_id, product.name
FROM core.order_items AS item
JOIN core.id_sources AS ids ON ids.entity = 'products' AND ids.source = item.source
JOIN core.products AS product
  ON product.source = ids.id_source AND product.product_id = item.product_id AND product.valid_to IS NULL
```

`lakehouse sources check --all` counts what is found that way. The columns that name records of an entity:"""
NAMESPACES = {
    "raw": "As received, append-only. The first four columns are the system's own; the rest is mapped by a source.",
    "core": "One company-wide meaning, whatever system a fact came from.",
    "marts": "Answers, a row a customer or a day.",
    "ops": "The system's own books.",
}
KNOBS = """\
Numbers that somebody may want to turn, where each stands, and what it means. Numbers that a format, a protocol or a
service fixes are none: they stand in the code that needs them, as `Final`. Sizes and limits of what is deployed are
parameters of `infra/template.yaml`."""
SETTINGS = "Environment variables of a process; the template sets them on AWS, the stack on a laptop."
DEFINITIONS = (
    "Fields of definition files: people's own stand in the folder that `LAKEHOUSE_DEFINITIONS` names."
)
POLICIES = "Fields of classes in the code, by room. To turn one, change it there and measure (`make bench`)."
KNOB_HEAD = ("name", "value", "meaning", "file")
MODELS_OF_DEFINITIONS = (
    ("source", definition.Source),
    ("source, `dedupe`", definition.Dedupe),
    ("source, `full_export`", definition.FullExport),
    ("segment", Segment),
    ("sync", Sync),
)
_GENERATED = {
    "core.customers": "golden_record/customers.yaml",
    "marts.customer_tags": "tag.py` from `tags/*.yaml",
}
STAGES = {
    **{contract.name: "aggregate, after the models, by `lakehouse/scores`" for contract in score_tables.ALL},
    "marts.triggers": "trigger, by the rules of `triggers/*.yaml`",
    "core.identities": "resolve",
    "ops.segment_members": "export_segments",
    "ops.segment_changes": "export_segments",
    "ops.ingest_ledger": "books, from the commits of the raw tables",
    "ops.quarantine": "books, from the objects `quarantine/` in the ops bucket",
    "ops.deliveries": "books, from the objects `outbound/` in the ops bucket",
    "ops.audit_log": "books, from the objects `audit/` in the ops bucket",
}


def data_dictionary() -> str:
    """Return the page of every table: what a row is, its key and layout, and its columns."""
    sources = {source.table: source for source in definition.load().values()}
    models = registry.load()
    own = models.contracts.values()
    contracts = [*(source.contract for source in sources.values()), *own]
    files = {table: model.where for table, model in models.by_table.items()}
    parts = [
        "# Data dictionary",
        NOTE,
        ABOUT,
        VIEWS,
        "## References",
        JOINS,
        _references(),
    ]
    for namespace, words in NAMESPACES.items():
        parts += [f"## {namespace}", words]
        for contract in sorted(contracts, key=lambda contract: contract.name):
            if contract.namespace == namespace:
                of_view = contract.name in models.views
                parts.append(_table(contract, sources.get(contract.name), files.get(contract.name), of_view))
    return "\n\n".join(parts) + "\n"


def _references() -> str:
    """Return the grid of the columns that name records, by the entity that they name."""
    names = {
        referred: [f"{one.entity}.{one.column}" for one in REFERENCES if one.referred == referred]
        for referred in REFERRED
    }
    return _grid(
        ["entity", "named by"], [[f"`{referred}`", _names(named)] for referred, named in names.items()]
    )


def _table(contract: Contract, source: Source | None, model: str | None, of_view: bool = False) -> str:
    """Return the section of one table: what it holds, how it is laid out and filled, and its columns."""
    filled = (
        [("View", f"the model `lakehouse/models/sql/{model}`")]
        if of_view
        else _filled_by(contract, source, model)
    )
    facts = [*_layout(contract, source), *filled]
    listed = "\n".join(f"- {name}: {value}" for name, value in facts)
    meanings = [contract.doc, contract.zh] if contract.zh else [contract.doc]
    return "\n\n".join([f"### {contract.name}", *meanings, listed, _columns(contract, source)])


def _layout(contract: Contract, source: Source | None) -> Iterator[tuple[str, str]]:
    """Yield what one row is, what identifies it, and how the rows are laid out."""
    yield "Grain", contract.grain
    yield "Key of the record" if source else "Key", _names(contract.key)
    if contract.partition:
        yield "Partition", _names(f"{part.transform}({part.column})" for part in contract.partition)
    if contract.sort:
        yield "Sorted by", _names(contract.sort)


def _filled_by(contract: Contract, source: Source | None, model: str | None) -> Iterator[tuple[str, str]]:
    """Yield what fills the table, and of a source what it leaves out."""
    if source is not None:
        written_as = "NDJSON" if source.format == "ndjson" else "CSV"
        yield "Filled by", f"ingest, from files under `{source.source}/{source.entity}`, {written_as}"
        if (rule := source.dedupe) is not None:
            yield "Duplicates", f"an equal `{rule.column}` is loaded once within {rule.days} days of arrival"
        yield from _kept_back(source)
    elif model is not None:
        file = f"sql/{model}" if model.endswith(".sql") else _GENERATED.get(contract.name, "entity_sql.py")
        yield "Filled by", f"the model `lakehouse/models/{file}`"
    elif contract.name in STAGES:
        yield "Filled by", STAGES[contract.name]


def _columns(contract: Contract, source: Source | None) -> str:
    """Return the table of columns; what no column of the table has, such as Chinese, has no column here."""
    ids, origins, rules = contract.field_ids(), _origins(source), _minimisation(source)
    rows = [
        {
            "id": str(ids[column.name]),
            "column": f"`{column.name}`",
            "type": column.type,
            "in the file": origins.get(column.name, ""),
            "personal": "personal" if column.pii else "",
            "meaning": column.doc,
            "含义": column.zh,
            "kept": rules.get(column.name, ""),
        }
        for column in contract.columns
    ]
    optional = {"in the file", "含义", "kept"}
    titles = [title for title in rows[0] if title not in optional or any(row[title] for row in rows)]
    return _grid(titles, ([row[title] for title in titles] for row in rows))


def _origins(source: Source | None) -> dict[str, str]:
    """Return what the columns of a source are called in its files."""
    return {column.name: f"`{column.origin}`" for column in source.columns} if source is not None else {}


def _minimisation(source: Source | None) -> dict[str, str]:
    """Return what is kept of the columns of which less is kept than came."""
    if source is None:
        return {}
    return {column.name: column.collect.description for column in source.stored if column.collect}


def _kept_back(source: Source) -> Iterator[tuple[str, str]]:
    """Yield what a source does not keep, beside the columns that it keeps less of."""
    if dropped := [column.origin for column in source.columns if column.dropped]:
        yield "Dropped, never stored", _names(dropped)
    if source.strict:
        yield "Other columns", "not kept: `extra` is always null"
    if source.raw_days is not None:
        yield "Raw files", f"deleted {source.raw_days} days after they came, once they are loaded"


def cli() -> str:
    """Return the page of every command, from the help that `lakehouse` itself prints."""
    group = get_command(app)
    top = typer.Context(group, info_name="lakehouse")
    parts = ["# The `lakehouse` command", NOTE, group.help or ""]
    parts.append(
        "In a clone it is `.venv/bin/lakehouse`. A command exits with 0 only on success. Those that need the "
        "local stack use the one that runs on `--data`, or start one and stop it again."
    )
    parts.append(_usage(group, top))
    for heading, command, context in _commands(group, top):
        parts += [f"## {heading}", command.help or "", _usage(command, context)]
    return "\n\n".join(parts) + "\n"


def _commands(
    group: Any, context: typer.Context, above: str = ""
) -> Iterator[tuple[str, Any, typer.Context]]:
    """Yield name, command and context of each command of a group, those of the groups in it right behind them."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = typer.Context(command, info_name=name, parent=context)
        yield f"{above}{name}", command, inner
        if hasattr(command, "list_commands"):
            yield from _commands(command, inner, f"{above}{name} ")


def _usage(command: Any, context: typer.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    records = [record for param in command.get_params(context) if (record := param.get_help_record(context))]
    rows = [[f"`{given}`", " ".join(text.split())] for given, text in records]
    return f"```text\n{usage}\n```\n\n" + _grid(["", ""], rows)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def knobs() -> str:
    """Return the page of every number that somebody may want to turn."""
    parts = ["# Knobs", NOTE, KNOBS, "## Settings", SETTINGS, _grid(KNOB_HEAD, sorted(_settings()))]
    parts += ["## Definitions", DEFINITIONS, _grid(KNOB_HEAD, _definition_numbers())]
    parts += ["## Policies", POLICIES]
    for room, rows in groupby(sorted(_policies()), key=lambda row: row[0]):
        parts += [f"### {room}", _grid(KNOB_HEAD, [row[1:] for row in rows])]
    return "\n\n".join(parts) + "\n"


def _settings() -> Iterator[list[str]]:
    """Yield name, value, meaning and file of each setting that is a number."""
    for name, field in Settings.model_fields.items():
        if is_number(field.default):
            variable = str(field.validation_alias or f"LAKEHOUSE_{name.upper()}")
            yield [
                f"`{variable}`",
                shown(name, field.default),
                field.description or "",
                "`lakehouse/settings.py`",
            ]


def _definition_numbers() -> Iterator[list[str]]:
    """Yield the same of each number that a definition file may set."""
    for kind, model in MODELS_OF_DEFINITIONS:
        for name, field in model.model_fields.items():
            kinds = {field.annotation, *get_args(field.annotation)}
            if kinds & {int, float} and not kinds & {str}:
                default = "required" if field.is_required() else shown(name, field.default)
                where = f"`{model.__module__.replace('.', '/')}.py`"
                yield [f"{kind}: `{name}`", default, field.description or "", where]


def _policies() -> Iterator[list[str]]:
    """Yield room, name, value, meaning and file of each policy's numbers."""
    for module in policy_modules():
        room = re.sub(r"[._]?policy$", "", module.__name__.removeprefix("lakehouse.")).replace(".", "/")
        where = f"`{module.__name__.replace('.', '/')}.py`"
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, Policy) and value.__module__ == module.__name__:
                for knob in value.knobs():
                    if not isinstance(knob.value, Policy):
                        yield [room, f"`{knob.name}`", shown(knob.name, knob.value), knob.meaning, where]
            elif isinstance(value, Policy):
                for knob in type(value).knobs():
                    number = getattr(value, knob.name.partition(".")[2])
                    label = f"`{name}.{knob.name.partition('.')[2]}`"
                    yield [room, label, shown(label, number), knob.meaning, where]


def policy_modules() -> list[ModuleType]:
    """Return the modules that name tunable numbers."""
    found = walk_packages(lakehouse.__path__, "lakehouse.")
    return [
        import_module(one.name)
        for one in found
        if one.name.endswith("policy") and one.name != Policy.__module__
    ]


def is_number(value: Any) -> bool:
    """Return whether a value is a number, and not a yes or no."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def shown(name: str, value: Any) -> str:
    """Return a value as people write it: bytes in the largest unit that divides them, digits in threes."""
    if isinstance(value, int) and not isinstance(value, bool):
        if "bytes" in name:
            for unit, size in (("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
                if value and value % size == 0:
                    return f"{value // size:,} {unit}"
        return f"{value:,}"
    if isinstance(value, tuple):
        return ", ".join(shown(name, part) for part in value)
    return str(value)


PAGES = {"data-dictionary.md": data_dictionary, "cli.md": cli, "knobs.md": knobs}


def stale() -> list[str]:
    """Return the pages whose committed text is not what the code says now."""
    found = []
    for name, make in PAGES.items():
        path = DOCS / name
        if not path.exists() or path.read_text("utf-8") != make():
            found.append(name)
    return found


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with `--check` only tell which are not current; return the exit code."""
    if "--check" in arguments:
        names = stale()
        for name in names:
            sys.stderr.write(f"docs/{name} is not current: run `python docs/generate.py`\n")
        return 1 if names else 0
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
