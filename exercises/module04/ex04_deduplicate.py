"""4.04 · Deduplicate: find the texts that repeat an earlier one.

A normal form finds exact repeats; MinHash and locality-sensitive hashing find near repeats.
"""

import unicodedata

from datasketch import MinHash, MinHashLSH


def deduplicate(texts: list[str], threshold: float = 0.8) -> list[int]:
    """Return the indices of the texts to keep, ascending: all texts except those that repeat an earlier kept one.

    Texts are compared by these rules:

    - The normal form of a text is its Unicode form NFKC, case-folded, with every run of white space replaced by
      one space and none at the ends.
    - The words are separated by the spaces of the normal form; punctuation belongs to its word. The shingles
      of a text are the set of its runs of 3 consecutive words. A text of fewer than 3 words has one shingle,
      the whole text. An empty text is a text too.
    - The similarity of two texts is the Jaccard index of their sets of shingles: how many shingles are in both,
      divided by how many are in either.

    A text is dropped if its normal form equals that of an earlier kept text, or if its similarity to one is
    at least `threshold`. "Kept" matters: a text that resembles only a dropped text is kept. A hash index may
    make mistakes with near repeats, in one direction only:

    - All texts with an equal normal form are found.
    - Of near repeats with a similarity of `threshold` + 0.1 or more, at least nine in ten are found. Between
      `threshold` and that, each may be missed.
    - Nothing is dropped for a similarity below `threshold`: the index's candidates are compared exactly.

    Args:
        texts: one or more texts, in any script, of any length. The list is not changed.
        threshold: above 0 and at most 1.

    Raises:
        ValueError: if `texts` is empty.

    The same texts give the same indices in every call and every process; Python's `hash` of a text differs from
    process to process. The global generators of `random` and NumPy are not seeded. If most texts are different, the
    lines of Python that run and the memory in use grow roughly in proportion to their number: comparing every text
    with every other is not allowed, neither in a loop nor in a table. What a library does inside one call isn't
    counted. MinHash and its index may be datasketch's or your own; an exact index from shingles to texts is fine too.

    Method: Broder, On the resemblance and containment of documents (1997); Leskovec, Rajaraman and Ullman, Mining
    of Massive Datasets, chapter 3, http://www.mmds.org/; https://ekzhu.com/datasketch/lsh.html
    """
    # TODO: for each text: normal form, shingles, signature; ask the index, compare exactly, keep or drop.
    raise NotImplementedError("TODO")
