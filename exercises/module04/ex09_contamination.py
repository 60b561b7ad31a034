"""4.09 · Contamination: which questions of the test had been seen in training.

What was read before is no test of anything. A run of words in common is the sign that is looked for.
"""

import re


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    """Find the test texts that share a run of `n` words with any training text.

    Args:
        train: the training texts. Neither list is changed.
        test: the texts that are to measure the model.
        n: how many words in a row must be the same, at least 1. Words are the matches of the regular
            expression `\\w+` in the text in lower case; whatever stands between them does not matter.

    Returns:
        The indices (plain ints, from 0) of the contaminated test texts, each once, ascending:

        - a text of n words or more, if n of its words in a row stand in the same order, in a row, in one
          training text. A run does not go on from one training text into the next;
        - a text of fewer than n words, if all of it stands, as a run of whole words, in one training text,
          however long that text is. A text without a word never counts.

    The work for texts of n words or more grows in proportion to the text: no test text is compared with each
    of the training texts.

    Method: Brown et al., Language Models are Few-Shot Learners (2020), appendix C,
    https://arxiv.org/abs/2005.14165
    """
    # TODO: put all runs of the training texts into a set, and look up those of each test text.
    raise NotImplementedError("TODO")
