"""The weights of what speaks for a column's meaning, and from which score on it is suggested.

Scores and similarities are 0 to 1; signals of values -1 (against) to 1 (for). They were tuned on exports of several
systems: `python -m tests.support.suggest_scores` says what a change is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class SimilarityPolicy(Policy):
    """How alike two names of columns are that are not the same; the same ones are 1.

    Of names of which one has more words than the other, the first number is for no overlap, the `…_share` is what full
    overlap adds.
    """

    reordered: Annotated[float, "the same words in another order"] = 0.97
    other_id_word: Annotated[float, "the same but for the word that numbers it: order id, order number"] = (
        0.95
    )
    header_longer: Annotated[float, "the header has words before the synonym: `Main Status`"] = 0.52
    header_longer_share: Annotated[
        float, "added by overlap, where the header has words before the synonym"
    ] = 0.35
    header_longer_aside: Annotated[float, "the header has words behind the synonym: `Status Reason`"] = 0.38
    header_longer_aside_share: Annotated[float, "added by overlap, where it has words behind the synonym"] = (
        0.35
    )
    header_shorter: Annotated[float, "the header is the synonym's last words"] = 0.37
    header_shorter_share: Annotated[
        float, "added by overlap, where the header is the synonym's last words"
    ] = 0.35
    header_shorter_aside: Annotated[float, "the header is other words of the synonym"] = 0.27
    header_shorter_aside_share: Annotated[
        float, "added by overlap, where it is other words of the synonym"
    ] = 0.35
    han_ending: Annotated[float, "the Chinese header ends with the synonym, where the noun stands"] = 0.54
    han_ending_share: Annotated[float, "added by overlap, where it ends with the synonym"] = 0.35
    han_inside: Annotated[float, "the Chinese header has the synonym in front or inside"] = 0.25
    han_inside_share: Annotated[float, "added by overlap, where the synonym is in front or inside"] = 0.3
    han_shorter: Annotated[float, "the Chinese synonym ends with the header"] = 0.3
    han_shorter_share: Annotated[float, "added by overlap, where the synonym ends with the header"] = 0.4
    misspelt: Annotated[float, "what a misspelt word's ratio of equal letters is multiplied by"] = 0.85
    least_misspelt_ratio: Annotated[
        float, "ratio of equal letters from which on a word counts as misspelt"
    ] = 0.84
    least_misspelt_letters: Annotated[
        int, "letters of a word that may be misspelt; shorter ones are other words"
    ] = 5
    most_length_difference: Annotated[int, "letters by which the length of a misspelt word differs"] = 2
    most_other_letters: Annotated[int, "letters that only one of a word and its misspelling has"] = 4


@dataclass(frozen=True)
class NormalFormPolicy(Policy):
    """How headers are brought into their normal form."""

    least_compound_letters: Annotated[int, "letters of what may be several words without spaces"] = 7
    least_compound_part: Annotated[
        int, "letters of a part of such a word, unless it is one of the usual ends"
    ] = 4
    least_plural_letters: Annotated[int, "letters of a word whose s at the end may be a plural"] = 4
    prefix_han: Annotated[int, "Chinese signs of what headers begin with, and least ones of what is left"] = 2
    prefix_words: Annotated[int, "English words of what headers begin with, at most"] = 2
    least_prefix_headers: Annotated[int, "headers that must begin alike for that to say nothing of each"] = 3
    prefix_one_in: Annotated[
        int, "one in so many headers must begin alike for that to say nothing of each"
    ] = 6


@dataclass(frozen=True)
class SynonymPolicy(Policy):
    """What the names that a canonical column goes by are worth."""

    weak: Annotated[
        float, "worth of a name that may mean something else too, or a reference without its id"
    ] = 0.8
    per_rank: Annotated[
        float, "what a name is worth less than the one before it: the better called column wins"
    ] = 1e-4
    without_entity_name: Annotated[
        float, "worth of a name without the entity's own: `Status` of `Order Status`"
    ] = 0.98
    code_for_id: Annotated[float, "similarity where only the id word differs, of columns that are no ids"] = (
        0.85
    )
    known: Annotated[float, "score from which on a header is known as it stands, and is not taken apart"] = (
        0.78
    )
    least_han_reference: Annotated[int, "Chinese signs of a reference that may stand without its 编号"] = 4


@dataclass(frozen=True)
class NamePolicy(Policy):
    """What a header's peculiarities leave of the score of its name."""

    narrowed: Annotated[float, "factor for more than a unit in brackets: `Email (Primary Contact)`"] = 0.85
    without_prefix: Annotated[float, "factor for a name without what many headers of the file begin with"] = (
        0.9
    )
    other_address: Annotated[float, "factor for the entity's other address: who pays, not where it goes"] = (
        0.85
    )
    somebody_else: Annotated[float, "factor for what is another's: a manager's e-mail"] = 0.55
    exact: Annotated[
        float, "score from which on a name that is another's is a synonym, and counts in full"
    ] = 0.97


@dataclass(frozen=True)
class ValuePolicy(Policy):
    """What a column's values say of a canonical column: 1 for it, -1 against it, 0 nothing."""

    most_values: Annotated[float, "share of values (0 to 1) that must look like personal data to count"] = 0.5
    empty: Annotated[float, "signal of a column without values: of two of a name, the filled one wins"] = -0.1
    counted_time: Annotated[float, "signal of epoch or spreadsheet numbers for a moment"] = -0.3
    two_values: Annotated[float, "signal of a column with two values for yes and no"] = -0.3
    no_currency: Annotated[float, "signal of values that are no currencies for a currency"] = -1.0
    no_gender: Annotated[float, "signal of values that are no genders for a gender"] = -0.3
    no_url: Annotated[float, "signal of values that are no page addresses for one"] = -0.3
    no_region_code: Annotated[float, "signal of values that are no region codes for one"] = -0.8
    no_country_code: Annotated[float, "signal of values that are no country codes for one"] = -0.5
    single_channel: Annotated[
        float, "signal of one value in all rows for a channel: it is where the file is from"
    ] = -0.4
    fraction_as_text: Annotated[float, "signal of numbers with decimals for a text"] = -0.5
    few_rows: Annotated[int, "rows with fewer than so many values may differ in each by chance"] = 20
    few_rows_distinct: Annotated[float, "least share of distinct values of a record's id in few rows"] = 0.5
    nearly_distinct: Annotated[float, "least share of distinct values of a record's id in many rows"] = 0.9
    distinct_reference: Annotated[float, "signal of values that differ in every row for a reference"] = -0.15
    name_as_reference: Annotated[
        float, "signal of names for a reference that exports often show by name"
    ] = -0.2
    no_code: Annotated[float, "signal of values that are no codes for another reference"] = -0.5


@dataclass(frozen=True)
class ConfidencePolicy(Policy):
    """From a candidate's signals to its score, and from the score to how sure a suggestion is."""

    high: Annotated[float, "score and name similarity from which on confidence is high"] = 0.93
    medium: Annotated[float, "score from which on confidence is medium, and core gets the column"] = 0.68
    low: Annotated[float, "score from which on a column is a candidate at all"] = 0.5
    values_fit: Annotated[float, "what values that fit in full add to the name's similarity"] = 0.06
    values_contradict: Annotated[
        float, "share of the similarity that values take which contradict in full"
    ] = 0.5
    least_look_share: Annotated[float, "share of values (0 to 1) from which on their look alone says so"] = (
        0.9
    )
    rival_margin: Annotated[float, "two candidates whose scores differ by less are as good as each other"] = (
        0.04
    )
    outright_name: Annotated[float, "name similarity of a column that is called so outright"] = 0.97
    vague_name: Annotated[float, "below it, a name yields to a column that is called so outright"] = 0.9


@dataclass(frozen=True)
class EntityPolicy(Policy):
    """Which entity a file is: what each signal adds to the share of its columns that the entity explains."""

    missing_key: Annotated[float, "taken where nothing maps to the record's key"] = 0.2
    entity_name_in_headers: Annotated[float, "added where all headers have the entity's own name"] = 0.4
    unmapped_names: Annotated[
        float, "added where all headers are names that often stand beside the entity"
    ] = 0.4
    key_with_entity_name: Annotated[
        float, "added where a column is the record's id and says of which entity"
    ] = 0.12
    key_without_entity_name: Annotated[float, "added where a column is the record's id and says no more"] = (
        0.03
    )
    people_no_firms: Annotated[float, "taken from accounts where the names are of people"] = 0.3
    file_name: Annotated[float, "added where the file is called like the entity"] = 0.25
    least_sure_score: Annotated[float, "score from which on the entity may be sure"] = 0.7
    least_sure_margin: Annotated[float, "by how much it must be ahead of the next to be sure"] = 0.15
    shown: Annotated[int, "best entities that are shown with their scores"] = 3


@dataclass(frozen=True)
class DraftPolicy(Policy):
    """When a draft proposes a type, and what it notes. Shares are 0 to 1, of a column's values."""

    least_loaded: Annotated[float, "share that must load as a type; else the column is kept as text"] = 0.98
    least_cast: Annotated[float, "share that must load for core to cast a text without a format"] = 0.5
    least_hashed: Annotated[float, "share of identity numbers from which on `collect: hash` is proposed"] = (
        0.5
    )
    some_damaged: Annotated[float, "share of damaged phones below which the note says `some`"] = 0.005
    least_chinese_headers: Annotated[float, "share of Chinese headers above which a file is Chinese"] = 0.5
    shown_formats: Annotated[int, "formats that a note on values that do not load names"] = 3
    seen_at_columns: Annotated[int, "columns that seen_at is taken from before _loaded_at"] = 2
