"""What a tracked event says of consent: the object `context.consent.categoryPreferences` of Segment's SDKs.

RudderStack's say it by two lists, which `consent_lists_sql` makes such an object of.

It holds by category whether the person allows it. Which category speaks of which purpose and channel, the
caller says: categories are each company's own words, and most of them are of cookies, which allow no message. What is
neither of these says nothing: a category that nobody mapped, a value that is no answer, an object that names a category
twice. An object without categories refuses them all
(https://www.twilio.com/docs/segment/privacy/consent-management/consent-in-unify).
"""

from __future__ import annotations

from lakehouse.engine.consent_words import consent_word_sql, normal_sql


def consent_preferences_sql(said: str, categories: str) -> str:
    """Return the SQL of a JSON list of `{purpose, channel, granted}`; null where an event says nothing of consent.

    `said` is the SQL of the object's text, `categories` that of a map: by category the list of structs `{purpose,
    channel}` that it speaks of. Names of categories are compared as words are: case, hyphens and underscores do not
    matter. Only JSON's `true` is a yes; a text or number is a no where `consent_words.csv` says so, and never a yes.

    It takes tens of microseconds; `each` of a mapping computes it once for each text there is, and there are few.
    """
    unambiguous = "len(json_keys(given)) = len(list_distinct(json_keys(given)))"
    answers = (
        f"CASE WHEN json_type(given) <> 'OBJECT' OR NOT {unambiguous} THEN NULL "
        f"WHEN len(json_keys(given)) = 0 THEN {_answers_sql(f'flatten(map_values({categories}))', 'false')} "
        f"ELSE {_mapped_answers_sql('given', categories)} END"
    )
    is_object = f"starts_with({said}, '{{') AND json_valid({said})"
    return f"CASE WHEN {is_object} THEN to_json(list_transform([{said}], lambda given: {answers})[1]) END"


def _mapped_answers_sql(given: str, categories: str) -> str:
    """Return the SQL of the answers to the categories that are mapped, each as often as it is mapped."""
    key = "'/' || replace(replace(name, '~', '~0'), '/', '~1')"  # a JSON pointer (RFC 6901)
    value = f"json_extract({given}, {key})"
    text = f"json_extract_string({given}, {key})"
    granted = (
        f"CASE WHEN json_type({value}) = 'BOOLEAN' THEN {text} = 'true' "
        f"WHEN NOT {consent_word_sql(text)} THEN false END"
    )
    speaks_of = f"coalesce({categories}[{normal_sql('name')}], [])"
    of_all = f"flatten(list_transform(json_keys({given}), lambda name: {_answers_sql(speaks_of, granted)}))"
    return f"list_filter({of_all}, lambda answer: answer.granted IS NOT NULL)"


def _answers_sql(speaks_of: str, granted: str) -> str:
    return (
        f"list_transform({speaks_of}, "
        f"lambda mapped: {{'purpose': mapped.purpose, 'channel': mapped.channel, 'granted': {granted}}})"
    )


def consent_lists_sql(said: str) -> str:
    """Return the SQL of the object of categories that RudderStack's `context.consentManagement` means; else null.

    `said` is the SQL of its text. A category that is both allowed and denied is denied. Lists that are both empty say
    nothing: an SDK whose banner is still open sends them
    (https://www.rudderstack.com/docs/data-governance/consent-management/passing-consent/).
    """
    denied, allowed = (
        f"list_distinct(coalesce(TRY_CAST(json_extract({said}, '$.{name}ConsentIds') AS VARCHAR[]), []))"
        for name in ("denied", "allowed")
    )
    granted = f"list_filter({allowed}, lambda name: NOT list_contains({denied}, name))"
    answers = (
        f"list_concat(list_transform({denied}, lambda name: CAST(to_json(name) AS VARCHAR) || ':false'), "
        f"list_transform({granted}, lambda name: CAST(to_json(name) AS VARCHAR) || ':true'))"
    )
    # compared before the lists are read: JSON's functions raise for what is none
    is_object = f"starts_with({said}, '{{') AND json_valid({said})"
    return (
        f"CASE WHEN {is_object} THEN CASE WHEN len({answers}) > 0 "
        f"THEN '{{' || array_to_string({answers}, ',') || '}}' END END"
    )
