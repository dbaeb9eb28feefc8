"""HubSpot's contacts carry the dirt that was planted."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from typing import Any


def is_moment(text: str) -> bool:
    try:
        return bool(dt.datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=dt.UTC))
    except ValueError:
        return False


def test_hubspot_bad_rows_break_as_the_truth_says(sample: Any) -> None:
    """Six rows are short, three have no date that exists, three have no key; all others have all fields."""
    (file,) = sample.files_of("hubspot/contacts")
    with file.path.open(encoding="utf-8", newline="") as text:
        header, *rows = csv.reader(text)
    codes = Counter(
        sample.bad[file.path.name, n] for n in range(1, len(rows) + 1) if (file.path.name, n) in sample.bad
    )
    assert codes == {"too_few_fields": 6, "bad_timestamp": 3, "missing_value": 3}
    for number, row in enumerate(rows, start=1):
        code = sample.bad.get((file.path.name, number))
        assert (len(row) < len(header)) == (code == "too_few_fields")
        assert (not row[0]) == (code == "missing_value")
        if len(row) == len(header):
            assert is_moment(row[13]) == (code != "bad_timestamp")
    ids = [row["Record ID"] for row in sample.good("hubspot/contacts")]
    assert len(ids) == len(set(ids))


def test_hubspot_dirt_is_counted_right(sample: Any) -> None:
    """The truth's counts of dirt are those of independent validators."""
    rows, counts = sample.good("hubspot/contacts"), sample.truth["counts"]["hubspot"]
    emails, phones = [r["Email"] for r in rows], [(r["Phone Number"], r["Country/Region"]) for r in rows]
    assert counts["contacts"] == len(rows)
    assert counts["missing_emails"] == emails.count("")
    assert counts["malformed_emails"] == sum(bool(e) and sample.clean_email(e) is None for e in emails)
    assert counts["upper_case_emails"] == sum(e.isupper() for e in emails)
    assert counts["padded_emails"] == sum(e != e.strip() for e in emails)
    assert counts["missing_phones"] == sum(not p for p, _ in phones)
    assert counts["malformed_phones"] == sum(bool(p) and sample.clean_phone(p, c) is None for p, c in phones)
    assert counts["shop_ids"] == sum(bool(r["Shop Customer ID"]) for r in rows)
    assert counts["consent_yes"] == sum(r["Marketing consent"] == "Yes" for r in rows)
    assert all(bool(r["Marketing consent"]) == bool(r["Marketing consent date"]) for r in rows)
    assert all(r["Original Source"] == "Generated sample" for r in rows)
    assert 0 < counts["malformed_phones"] < 0.03 * len(rows)


def test_crm_rows_end_with_the_purchases(sample: Any) -> None:
    """No CRM row is created or changed after 1998-06-30, nor before 1997."""
    for row in sample.good("hubspot/contacts"):
        assert "1997" <= row["Create Date"] <= row["Last Modified Date"] <= "1998-06-30 24"
    for row in (*sample.good("salesforce/contacts"), *sample.good("salesforce/opportunities")):
        assert "1997" <= row["CreatedDate"] <= row["LastModifiedDate"] <= "1998-06-30T24"
