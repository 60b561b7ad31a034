"""4.05 · Augment: make more training texts by replacing words with synonyms, without changing the meaning.

The hard part is what must stay: negations, numbers, names, the label, and every text outside the training set.
"""

import math
import random
import re

# A word, possibly with an apostrophe or a hyphen inside, as a group: `re.split(WORD, text)` gives a list with the
# words at its odd places and what is between them at its even ones; joined, the list is the text again.
WORD = re.compile(r"(\w+(?:['’-]\w+)*)")

# Without one of these, a sentence would say the opposite.
NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor without hardly barely cannot".split()) | {
    f"{verb}n{apostrophe}t"
    for verb in "is are was were do does did has have had ca wo would could should".split()
    for apostrophe in "'’"
}


def augment(
    record: dict,
    rng: random.Random,
    n: int,
    *,
    synonyms: dict[str, list[str]],
    protected: frozenset[str] = frozenset(),
) -> list[dict]:
    """Return up to `n` new records that say the same as `record` in other words.

    In each new text at least one word is replaced by one of its synonyms. The order of the words and everything
    between them (spaces, line breaks, punctuation, emoji) stay. A word is what `WORD` finds; it is looked up
    in lower case in `synonyms`, `NEGATIONS` and `protected`. A word is left unchanged if it

    - is in `NEGATIONS` or in `protected`,
    - contains a digit, such as "3d", or
    - contains a capital and is not the first word of the text: it may be a name.

    If the first word has a capital, its synonym may be capitalized or not.

    Args:
        record: `{"id": str, "text": str, "label": …}`; not changed.
        rng: decides which of the new texts are returned: equal generators give the same texts. The global
            random state is not touched.
        n: 0 or more.
        synonyms: for a word in lower case, a list of single words with the same meaning; it may be empty, hold
            a word twice, or hold the word itself. Not changed.
        protected: more words, in lower case, that are not replaced.

    Returns:
        A list of `n` records whose texts differ from that of `record` and from each other. If fewer such texts
        exist, all of them: two words with one and two synonyms make (1 + 1) · (1 + 2) - 1 = 5, and eighty words
        with three each make more than can be listed. Record number i, from 0, has

        - `id`: the id of `record`, then "#aug" and i, such as "r7#aug0"; `source`: the id of `record`;
        - `text`; `label`: that of `record`; `augmented`: True.

    Method: Wei and Zou, EDA (2019), section 2, synonym replacement, https://arxiv.org/abs/1901.11196
    """
    # TODO: list the choices at each place, count the texts that exist, draw until there are enough.
    raise NotImplementedError("TODO")


def augment_train_only(
    splits: dict[str, list[dict]],
    rng: random.Random,
    n: int,
    *,
    synonyms: dict[str, list[str]],
    protected: frozenset[str] = frozenset(),
) -> dict[str, list[dict]]:
    """Return the same splits, with up to `n` new records for each record of "train" added to "train".

    Args:
        splits: lists of records by the name of the split; one name is "train", the others can be anything.
            Neither the dictionary nor the lists nor the records are changed.
        rng, n, synonyms, protected: as for `augment`.

    Returns:
        A dictionary with the same names. "train" holds its own records in their order, followed by the new
        ones that `augment` makes from each. Every other split is equal to what it was.

    Method: https://scikit-learn.org/stable/common_pitfalls.html#data-leakage, on what the test must not see.
    """
    # TODO: augment each record of "train", add the new ones after the old ones, leave the rest.
    raise NotImplementedError("TODO")
