"""What people and programs write where there is no identifier to write: it names nobody."""

from __future__ import annotations

from typing import Any

# Compared in lower case: with a whole id, and with what stands before the @ of an e-mail.
PLACEHOLDERS = (
    *("-", "--", "-1", "n/a", "#n/a", "na", "nan", "nil", "none", "null", "undefined", "unknown", "no"),
    *("anonymous", "guest", "test", "true", "false", "[object object]", "无", "暂无", "匿名", "测试"),
    *("noemail", "no-email", "no.email", "noreply", "no-reply", "donotreply", "do-not-reply", "nobody"),
)
PLACEHOLDER_ID = r"[0-]+"  # zeros, also as an empty UUID
# Eight equal or eight counting digits, a number that counts from its country code on, and the number that
# China Mobile prints on its own samples.
PLACEHOLDER_PHONE = (
    "(?:" + "|".join(f"{digit}{{8}}" for digit in range(10)) + r"|12345678|^\+1234567|^\+8613800138000$)"
)


def placeholder_patterns() -> dict[str, Any]:
    """Return the bound values of `sql/normal.sql`: what is written where there is nothing to write."""
    return {
        "placeholders": list(PLACEHOLDERS),
        "placeholder_id": PLACEHOLDER_ID,
        "placeholder_phone": PLACEHOLDER_PHONE,
    }
