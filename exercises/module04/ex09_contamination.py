"""4.09 · Contamination: find the test questions that the model has seen in training.

A text that the model has already read tests nothing. Look for runs of words that both sides share.
"""

import re


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    """Find the test texts that share a run of `n` words with any training text.

    Args:
        train: the training texts. Neither list is changed.
        test: the texts that will measure the model.
        n: how many words in a row must be the same, at least 1. Words are the matches of the regular
            expression `\\w+` in the text in lower case; what is between them doesn't matter.

    Returns:
        The indices (plain ints, from 0) of the contaminated test texts, each once, ascending:

        - a text of n words or more, if n consecutive words of it are also consecutive, in the same order, in one
          training text. A run does not continue from one training text into the next;
        - a text of fewer than n words, if one training text of any length contains all of it as a run of
          whole words. A text without words never counts.

    The lines of Python that run for texts of n words or more grow in proportion to the text: no loop of yours compares
    a test text with every training text. What a library or a built-in function does inside one call isn't counted.

    Method: Brown et al., Language Models are Few-Shot Learners (2020), appendix C,
    https://arxiv.org/abs/2005.14165
    """
    # TODO: put all runs of the training texts into a set, and look up those of each test text.
    raise NotImplementedError("TODO")
