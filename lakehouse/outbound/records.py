"""What the outbound log holds: runs, chunks of rows, and what became of each row."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lakehouse.outbound.policies.reasons import CONSENT, ERASED, NO_ADDRESS, SAME_ADDRESS

Action = Literal["upsert", "remove"]
Status = Literal["sent", "removed", "failed", "withheld", "unknown"]

LEFT_OUT_REASONS = (
    CONSENT,
    ERASED,
    NO_ADDRESS,
    SAME_ADDRESS,
)  # others are named where somebody is left out by them


@dataclass(frozen=True, slots=True)
class Desired:
    """What the CRM should hold for one customer.

    `id` is how the CRM knows the person (an e-mail address), None when we have none. `address` is the one that the
    sync's channel writes to, for which consent is asked ("": the `id`). `consented` is what `core.consents` said when
    the plan was made; consent is asked for again at the moment of sending. `erased` says why it is not: the person was
    erased. `refused_by` is the statement that refuses ("": nobody said anything), `suppressed_by` and `control_of` a
    segment for which the person is left out ("": none). `facts` and `about`: as in `Row`. `no_owner`: it is for the
    customer's owner, whom nobody knows.
    """

    customer_id: str
    id: str | None
    properties: dict[str, str]
    consented: bool = False
    erased: bool = False
    address: str = ""
    refused_by: str = ""
    suppressed_by: str = ""
    control_of: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    about: str = ""
    no_owner: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row to deliver. `row` numbers it within its chunk, from 0.

    `crm_id` is the record that a removal is about, as the CRM called it when it took our properties; `stray`: the
    address leads to another record since, and only this one is cleared. `address`: as in `Desired`. `facts` are what
    the policies of contacting people ask for at the moment of sending: `windows` (from, until; seconds since 1970) in
    which the person may be written to, the `zone` of that, and what was done `by_people` (seconds, activity).
    `guards` has by property the values that are ours, were the CRM to hold them: any other was typed by a person, and
    is kept (`guarded`). `about` is the contact's record that a task, ticket or note is about ("": not known).
    """

    row: int
    customer_id: str
    id: str
    action: Action
    properties: dict[str, str]
    crm_id: str = ""
    stray: bool = False
    address: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    guards: dict[str, list[str]] = field(default_factory=dict)
    about: str = ""

    @property
    def recipient(self) -> tuple[str, str]:
        """Return whom consent is asked of: the customer, at the address that the channel writes to."""
        return self.customer_id, self.address or self.id


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are delivered together, with all that a worker needs to deliver them.

    `contact` is what the sync says of contacting people (`policies.definition.Contact`); None where it contacts nobody.
    `removal` is what becomes of who leaves, and `create` which properties are made where they are missing
    (`definition.Sync`).
    """

    sync: str
    run: str
    chunk: str
    destination: str
    object: str
    id_property: str
    purpose: str
    channel: str
    rows: list[Row]
    contact: dict[str, Any] | None = None
    removal: str = "clear"
    create: dict[str, Any] | None = None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Chunk:
        """Read what `to_json` wrote."""
        return cls(**{**value, "rows": [Row(**row) for row in value["rows"]]})

    def to_json(self) -> dict[str, Any]:
        """Return the chunk as its object holds it."""
        return {**plain(self), "rows": [plain(row) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row.

    `code` says why it failed or was withheld; `consent_id` names the statement that a delivery leaned on. `uncertain`:
    the row may have been written all the same, by an attempt whose answer was lost or says nothing of it. `by` and
    `until` (ISO-8601) say by which row it was withheld, and until when ("": neither is known). `kept` names properties
    that a person holds: they were not written.
    """

    row: int
    customer_id: str
    action: Action
    status: Status
    code: str = ""
    crm_id: str = ""
    consent_id: str = ""
    sent_at: str = ""
    uncertain: bool = False
    by: str = ""
    until: str = ""
    kept: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a chunk; written once, and with it the chunk is done."""

    sync: str
    run: str
    chunk: str
    attempt: int
    finished_at: str
    rows: list[Result]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Outcome:
        """Read what `to_json` wrote."""
        return cls(**{**value, "rows": [Result(**row) for row in value["rows"]]})

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as its object holds it."""
        return {**plain(self), "rows": [plain(row) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Run:
    """One plan that was carried out: what was selected, and what of it there was to send.

    `selected` = `unchanged` + `to_send` + `failed_waiting` + `withheld_waiting` + `projection_waiting` + `unknown`
    + `no_consent` + `erased` + `no_address` + `same_address` + `suppressed` + `control` + `quiet_waiting`
    + `cap_waiting` + `no_owner`; `to_remove` stands beside it, since leavers are not selected. `withheld_waiting` were
    withheld before for want of consent, `projection_waiting` for want of the projection, `quiet_waiting` and
    `cap_waiting` until a moment that has not come: `until` has the first and the last by reason. `audience` is of
    releases before 2026-12.
    """

    sync: str
    run: str
    plan: str
    created_at: str
    inputs: dict[str, str]
    definition: str
    chunks: int
    selected: int
    unchanged: int
    to_send: int
    to_remove: int
    failed_waiting: int
    withheld_waiting: int
    unknown: int
    no_consent: int
    no_address: int
    same_address: int
    audience: str = ""
    projection_waiting: int = 0  # runs before 2026-11-28 have these in `withheld_waiting`
    erased: int = 0
    suppressed: int = 0
    control: int = 0
    quiet_waiting: int = 0
    cap_waiting: int = 0
    no_owner: int = 0
    until: dict[str, list[str]] = field(default_factory=dict)
    mode: str = "full"  # "refusals": nobody was selected, only who refuses is taken off

    def chunk_ids(self) -> list[str]:
        """Return the names of the run's chunks. They carry the plan's, so that no two plans share one."""
        return [chunk_id(self.plan, number) for number in range(1, self.chunks + 1)]

    def to_json(self) -> dict[str, Any]:
        """Return the run as its `run.json` holds it."""
        return asdict(self)


def plain(record: Any) -> dict[str, Any]:
    """Return a record's fields by name, not copied; `dataclasses.asdict` takes ten times as long."""
    return {name: getattr(record, name) for name in record.__slots__}


def chunk_id(plan: str, number: int) -> str:
    """Return the name of a plan's n-th chunk, counted from 1."""
    return f"{plan[:8]}-{number:04d}"
