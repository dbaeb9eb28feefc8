"""Contracts of who is who, what each person is called, and what each allowed."""

from __future__ import annotations

from typing import Final

from lakehouse.tables.contract import Contract, columns

# Few of their rows change at a time, in small files (`RowReplacePolicy`): maintenance is not to merge those.
_FEW_ROWS: Final = {"write.target-file-size-bytes": str(256 * 1024)}

IDENTITIES = Contract(
    name="core.identities",
    properties=_FEW_ROWS,
    doc="Which identifier belongs to which customer, and the rule that tied it.",
    grain="one row an identifier",
    key=("identifier_type", "identifier_value"),
    sort=("identifier_type", "identifier_value"),
    columns=columns(
        ("identifier_type", "string", "email, phone, user_id, anonymous_id, hubspot_id, salesforce_id, …"),
        ("identifier_value", "string", "Normalised value", "pii"),
        ("customer_id", "string", "Customer it belongs to"),
        ("rule", "string", "What tied it to the customer"),
        ("first_seen_at", "timestamptz", "First seen"),
        ("last_seen_at", "timestamptz", "When a record last came to carry it"),
        ("sources", "int", "How many sources named it"),
        ("records", "long", "How many of the customer's records carry it"),
        ("first_customer_id", "string", "Customer that it was first known by; a split gives that id back"),
    ),
)

EVIDENCE = Contract(
    name="core.evidence",
    properties=_FEW_ROWS,
    doc="What each record says, and once said, of its identifiers, and whether that ties it to others.",
    grain="one row a value that a record had in one place",
    key=("source", "record", "slot", "identifier_value", "since"),
    sort=("source", "record", "slot"),
    columns=columns(
        ("source", "string", "Source and entity, as crm:contacts"),
        ("record", "string", "Record that says so", "pii"),
        ("slot", "string", "Place in the record: email, phone, phone 2, …"),
        ("identifier_type", "string", "Type of the identifier"),
        ("identifier_value", "string", "Normalised value; null where there is none", "pii"),
        ("own", "boolean", "True where it names the record itself"),
        ("standing", "string", "ties, superseded, cleared, invalid, placeholder or shared"),
        ("since", "timestamptz", "From when the record said so"),
        ("until", "timestamptz", "Until when; null while it says so"),
        ("file_id", "string", "Raw file that said so first"),
        ("row", "long", "Row of that file"),
    ),
)

OBSERVATIONS = Contract(
    name="core.observations",
    doc="What raw rows say of their records: of each value the first statement and the last. Evidence is made of it.",
    grain="one row a statement; some are superseded by others of the same value, and say nothing more",
    key=("source", "record", "slot", "value", "said_at", "loaded_at", "file_id", "row"),
    sort=("source", "record"),
    columns=columns(
        ("source", "string", "Source and entity, as crm:contacts"),
        ("record", "string", "Record that says so", "pii"),
        ("slot", "string", "Place in the record: email, phone 2, …; person for what it says of its person"),
        ("own", "boolean", "True where it names the record itself"),
        ("every", "boolean", "True where each value stays, whatever the record says later"),
        ("alias", "boolean", "True where two identifiers are said to be one user's"),
        ("type", "string", "Type of the identifier; person for what it says of its person"),
        ("value", "string", "As it was written; null where the record says that there is none", "pii"),
        ("region", "string", "Country of the record, by which a phone is read"),
        ("said_at", "timestamptz", "When it was said, by the source's clock; null where it has none"),
        ("loaded_at", "timestamptz", "When the row was loaded"),
        ("file_id", "string", "Raw file of the row"),
        ("row", "long", "Row of that file"),
    ),
)

MATCHES = Contract(
    name="core.matches",
    properties=_FEW_ROWS,
    doc="Pairs of records that look like one person without sharing an identifier, and what came of each.",
    grain="one row a pair",
    key=("left_source", "left_record", "right_source", "right_record"),
    columns=columns(
        ("left_source", "string", "Source and entity of the one record, as crm:contacts"),
        ("left_record", "string", "The one record", "pii"),
        ("right_source", "string", "Source and entity of the other"),
        ("right_record", "string", "The other record", "pii"),
        ("weight_bits", "double", "Evidence that they are one person, in bits: 1 more is twice as likely"),
        ("standing", "string", "tied, review, apart or denied"),
        ("explanation", "string", "JSON: what each comparison adds to the weight", "pii"),
        ("left_said", "long", "Fingerprint of what the one record said when it was weighed"),
        ("right_said", "long", "The same of the other record"),
    ),
)

MATCH_KEYS = Contract(
    name="core.match_keys",
    doc="What each record that was compared had in common with others: so a new record meets few of them.",
    grain="one row a key of what a record said; the key is null where it says too little",
    key=("source", "record", "said", "key"),
    sort=("key",),
    columns=columns(
        ("source", "string", "Source and entity of the record"),
        ("record", "string", "The record", "pii"),
        ("said", "long", "Fingerprint of what it said"),
        ("key", "long", "Hash of what it shares, such as a name and a year of birth"),
        ("generation", "long", "Number of the run that compared it; of a record the highest counts"),
    ),
)

CONSENTS = Contract(
    name="core.consents",
    doc="Every statement about being contacted. Which of them decide, `core.consent_answers` says.",
    grain="one row a statement; what a record says again is no other one",
    key=("consent_id",),
    columns=columns(
        ("consent_id", "string", "Identifies this statement; deliveries name it"),
        ("customer_id", "string", "Customer whose record it is; null while unresolved"),
        ("purpose", "string", "What for, e.g. marketing"),
        ("channel", "string", "How, e.g. email"),
        ("granted", "boolean", "True where allowed"),
        ("stated_at", "timestamptz", "When the customer said so, by the source; null where it tells no date"),
        ("source", "string", "System that holds the statement"),
        ("record", "string", "Record that holds the statement"),
        (
            "address",
            "string",
            "Normalised address that it names; null where it speaks for those of its record",
            "pii",
        ),
        ("learnt_at", "timestamptz", "When the lake first had it"),
        (
            "effective_at",
            "timestamptz",
            "From when it counts against others of its subject; null of an undated grant: it is older than all",
        ),
        (
            "asserted_at",
            "timestamptz",
            "When its record first made a refusal, or a user id last a grant: it is about addresses of then, or since",
        ),
        ("day_only", "boolean", "Its date names only a day, in the zone of the source"),
        ("policy_version", "string", "Text that the person saw, where the source names it"),
        (
            "ended_at",
            "timestamptz",
            "Of a grant: when its record was deleted; null while it counts. Refusals never end so",
        ),
        ("recalled_at", "timestamptz", "When what it leans on was recalled; a recalled grant counts no more"),
        ("file_id", "string", "Raw file that first held it"),
        ("row", "long", "Row of that file"),
        (
            "form",
            "string",
            "Where it was said: a form, a call, a letter; null where its source does not tell",
        ),
        (
            "own_word",
            "boolean",
            "The very person said it here, of the address that it names: by a signed request, or a command",
        ),
        (
            "erasure_id",
            "string",
            "Erasure of its person that lets a grant count no more; null where it is their own word since",
        ),
    ),
)

CONSENT_ANSWERS = Contract(
    name="core.consent_answers",
    doc="Whether a customer may be contacted at an address: the one answer that everything asks. No row means no.",
    grain="one row a customer, address, purpose and channel of which somebody said something",
    key=("customer_id", "address", "purpose", "channel"),
    sort=("customer_id", "address"),
    columns=columns(
        ("customer_id", "string", "Customer"),
        (
            "address",
            "string",
            "Normalised address; empty where a refusal is of every address of the customer",
            "pii",
        ),
        ("purpose", "string", "What for, e.g. marketing"),
        ("channel", "string", "How, e.g. email"),
        ("allowed", "boolean", "True where the customer may be contacted there"),
        (
            "consent_id",
            "string",
            "Statement that decides: the newest grant that covers it, or the refusal that stands; else the erasure",
        ),
        ("erased", "boolean", "True where what would allow it does not, since the person was erased"),
    ),
)

CUSTOMERS = Contract(
    name="core.customers",
    doc="The golden record: the best that all sources together know of a customer.",
    grain="one row a customer",
    key=("customer_id",),
    sort=("customer_id",),
    columns=columns(
        ("customer_id", "string", "Customer"),
        ("first_name", "string", "Given name", "pii"),
        ("last_name", "string", "Family name", "pii"),
        ("email", "string", "Normalised e-mail address to write to", "pii"),
        ("phone", "string", "Phone in E.164", "pii"),
        ("city", "string", "City"),
        ("country", "string", "ISO 3166-1 alpha-2; as the CRM has it where no such country is known"),
        ("language", "string", "Preferred language"),
        ("identifiers", "long", "Identifiers known"),
        ("contacts", "long", "CRM contact records that are this customer"),
        ("sources", "string", "CRMs that hold a contact, comma-separated"),
        ("first_seen_at", "timestamptz", "First seen anywhere"),
        ("last_seen_at", "timestamptz", "When something new was last learnt of who it is"),
        (
            "name",
            "string",
            "Full name; made of given and family name where a record has no field for it",
            "pii",
        ),
        (
            "provenance",
            "string",
            "JSON: of each field the source and record that say it, and since when",
            "pii",
        ),
    ),
)
