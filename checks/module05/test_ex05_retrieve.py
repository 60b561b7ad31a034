"""5.05: BM25 by a loop over lists of words, rankings by a loop over rows, recall and reciprocal ranks by hand.

Long: four functions, with 16 checks.
"""

import math
import random

import numpy as np

from tunelings import expect
from tunelings.handson.awkward.texts import INVISIBLE, LINE_SEPARATORS, UNPRINTABLE, long_text
from tunelings.inputs import randn, seed

RARE = ["walrus", "tomllib", "日本語", "ἀγορά", "größe", "kwarg_only", "except", "655"]
COMMON = ["python", "new", "class", "method", "value"]


def bm25_by_hand(query, documents, k1, b):
    """Of lists of words, one word of the query after the other."""
    average = sum(map(len, documents)) / len(documents)
    scores = [0.0] * len(documents)
    for word in query:
        holders = sum(word in document for document in documents)
        idf = math.log(1 + (len(documents) - holders + 0.5) / (holders + 0.5))
        for number, document in enumerate(documents):
            if tf := document.count(word):
                scores[number] += idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(document) / average))
    return scores


def word_lists(offset, lengths=(9, 3, 0, 14, 5, 7, 22)):
    """Documents as lists of words; "python" stands in nearly all of them, and more than once in some."""
    draw = random.Random(seed(offset))
    documents = [[draw.choice(RARE + COMMON) for _ in range(length)] for length in lengths]
    for document in documents[:2] + documents[3:6]:
        document[0] = "python"
    documents[3][1:4] = ["walrus", "walrus", "python"]
    documents[1][1] = documents[5][2] = "walrus"
    return documents


def texts(documents):
    return [" ".join(document) for document in documents]


def test_the_score_is_that_of_the_formula(answer):
    documents = word_lists(1)
    query = ["walrus", "python", "655"]
    scores = answer.bm25_scores(" ".join(query), texts(documents), k1=0.9, b=0.4)
    by_hand = bm25_by_hand(query, documents, 0.9, 0.4)
    expect.close(scores, by_hand, what="the scores of 7 documents, one empty, k1 0.9, b 0.4", scale=10.0)
    scores = answer.bm25_scores(" ".join(query), texts(documents), k1=1.2, b=0.0)
    by_hand = bm25_by_hand(query, documents, 1.2, 0.0)
    expect.close(scores, by_hand, what="the scores of 7 documents, one empty, k1 1.2, b 0", scale=10.0)
    scores = answer.bm25_scores(" ".join(query), texts(documents), k1=1.2, b=1.0)
    by_hand = bm25_by_hand(query, documents, 1.2, 1.0)
    expect.close(scores, by_hand, what="the scores of 7 documents, one empty, k1 1.2, b 1", scale=10.0)
    others = word_lists(22)
    scores = answer.bm25_scores(" ".join(query), texts(others), k1=0.9, b=0.4)
    expect.close(scores, bm25_by_hand(query, others, 0.9, 0.4), what="the scores of 7 other documents", scale=10.0)


def test_tokens_are_words_in_lower_case_without_signs(answer):
    draw = random.Random(seed(2))
    words = draw.sample([word for word in RARE if word not in ("except", "655")], 6)
    words.sort(key=str.isascii, reverse=True)  # "größe" in capitals is another word.
    shown = [words[0].upper(), f"({words[1]}),", f'"{words[2]}"!', f"{words[3]}—{words[4]}", f"\u00a0{words[5]}'s"]
    documents = [
        "… ".join(shown),
        f"un{words[0]}ly {words[1]}s pre_{words[2]} x{words[3]}",
        "\r\n```655-except```\r\n",
        "",
    ]
    lists = [
        [*words, "s"],
        [f"un{words[0]}ly", f"{words[1]}s", f"pre_{words[2]}", f"x{words[3]}"],
        ["655", "except"],
        [],
    ]
    query = [*words, "s", "655", "except"]
    sentence = " ".join(f"{word.title()}?" for word in words) + " S: 655.Except"
    lowered = [answer.bm25_scores("walrus", ["WALRUS"]), answer.bm25_scores("WALRUS", ["walrus"])]
    expect.note("lowered", lowered)
    expect.note("one letter", answer.bm25_scores("q", ["q", "new"]))  # No list of stop words holds it.
    scores = answer.bm25_scores(sentence, documents, k1=1.3, b=0.6)
    by_hand = bm25_by_hand(query, lists, 1.3, 0.6)
    expect.close(scores, by_hand, what="the scores, with capitals, punctuation and line breaks", scale=30.0)


def test_a_word_that_stands_in_the_query_twice_counts_twice(answer):
    documents = word_lists(3)
    query = ["walrus", "value", "walrus", "tomllib", "value", "walrus"]
    scores = answer.bm25_scores(" ".join(query), texts(documents), k1=2.2, b=0.9)
    by_hand = bm25_by_hand(query, documents, 2.2, 0.9)
    expect.close(scores, by_hand, what="the scores for walrus 3 times, value twice, tomllib", scale=30.0)
    query = ["new"] * 3000 + ["walrus"]
    scores = answer.bm25_scores(" ".join(query), texts(documents), k1=2.2, b=0.9)
    by_hand = bm25_by_hand(query, documents, 2.2, 0.9)
    expect.close(scores, by_hand, what="the scores for new 3,000 times, walrus", scale=3000.0, terms=3000)


def test_without_options_k1_is_1_5_and_b_is_0_75(answer):
    documents = word_lists(4)
    query = ["python", "walrus", "python"]
    scores = answer.bm25_scores(" ".join(query), texts(documents))
    by_hand = bm25_by_hand(query, documents, 1.5, 0.75)
    expect.close(scores, by_hand, what="the scores without k1 and b", scale=10.0)


def test_where_there_is_nothing_to_match_the_scores_are_zeros(answer):
    documents = texts(word_lists(5))
    cases = [("walrus", []), ("walrus new", ["", " \n", "?!"]), ("", documents), ("zzz … qqq", documents)]
    found = [answer.bm25_scores(query, some) for query, some in cases]
    what = "scores of no documents, of empty ones, for no words, for unseen ones"
    expect.equal(list(map(as_list, found)), [[], [0.0] * 3, [0.0] * 7, [0.0] * 7], what=what)
    found.append(answer.bm25_scores("walrus", ["walrus", "new"]))
    others = sorted({type(score).__name__ for scores in found for score in scores if not isinstance(score, float)})
    expect.equal(others, [], what="types of scores, some of them 0, that aren't floats")


def as_list(value):
    """The value, if it is a list."""
    kind = f"{type(value).__name__}: {value}"
    expect.true(isinstance(value, list), what="what is returned", actual=kind, expected="a list")
    return value


def or_refused(function, *given):
    """The list that comes back, or the name of an error: its words differ from answer to answer."""
    try:
        return as_list(function(*given))
    except ValueError as error:
        return type(error).__name__


def spread(count, width, offset):
    """Vectors with lengths from about 0.01 to 100: a longer one is not a better one."""
    draw = random.Random(seed(offset + 1))
    lengths = [10.0 ** draw.uniform(-2, 2) for _ in range(count)]
    return randn(count, width, offset=offset).numpy() * np.array(lengths)[:, None]


def by_cosine(query, documents):
    """Row numbers by falling cosine, one row after the other; 0 where a vector is zero."""
    cosines = []
    for row in documents:
        lengths = math.sqrt(math.fsum(x * x for x in row.tolist()) * math.fsum(x * x for x in query.tolist()))
        cosines.append(math.fsum(x * y for x, y in zip(row.tolist(), query.tolist(), strict=True)) / (lengths or 1.0))
    return sorted(range(len(cosines)), key=lambda i: (-cosines[i], i)), cosines


def test_documents_are_ranked_by_the_cosine_whatever_their_length(answer):
    documents, query = spread(9, 6, offset=6), 3 * randn(6, offset=8).numpy()
    documents[4] = 0
    aside = np.roll(query, 1) - query * (np.roll(query, 1) @ query) / (query @ query)
    aside *= np.linalg.norm(query) / np.linalg.norm(aside)
    documents[0] = -0.02 * query + 0.01 * aside
    documents[2], documents[7] = 50 * (query + 0.05 * aside), 0.01 * (query + 0.02 * aside)  # 0.9988 and 0.9998
    ranking, cosines = by_cosine(query, documents)
    expect.note("cosines", cosines)
    expect.note("best", [ranking[0], max(range(9), key=lambda i: np.linalg.norm(documents[i]))])
    given = expect.untouched("what was given", {"query_vec": query, "doc_vecs": documents})
    with given:
        expect.note("three", answer.retrieve(query, documents, 3))
        found = answer.retrieve(query, documents, 9)
    expect.equal(as_list(found), ranking, what="all 9 documents, the best first; number 4 is all zeros")
    for k in (1, 3, 5):
        with given:
            found = answer.retrieve(query, documents, k)
        expect.equal(as_list(found), ranking[:k], what=f"the {k} best of 9 documents")
    others = sorted({type(number).__name__ for number in found if not isinstance(number, int | np.integer)})
    expect.equal(others, [], what="types of row numbers that aren't whole numbers")


def test_of_equally_similar_documents_the_lower_index_stands_first(answer):
    draw = random.Random(seed(9))
    rows = [[1, 1, 1, 1], [1, 1, 1, -1], [1, 1, -1, -1], [-1, -1, 1, -1]]  # Cosines 1, ½, 0, -½, all exact.
    # Of so many equal ones no sort that isn't stable leaves all in their order, on any processor.
    documents = np.array(rows * 5 + [[0, 0, 0, 0]] * 80, dtype=np.float64)
    order = list(range(len(documents)))
    draw.shuffle(order)
    documents = documents[order]
    query = np.array([3.0, 3.0, 3.0, 3.0])
    ranking, cosines = by_cosine(query, documents)
    falling = sorted(range(len(documents)), key=lambda i: (-cosines[i], -i))
    given = expect.untouched("what was given", {"query_vec": query, "doc_vecs": documents})
    with given:
        found = as_list(answer.retrieve(query, documents, 17))
    similar = [dict(enumerate(cosines)).get(number) for number in found]
    expect.equal(similar, [cosines[i] for i in ranking[:17]], what="the cosines of the 17 best of 100 documents")
    expect.true(
        found == ranking[:17],  # Which ones a sort that isn't stable puts first depends on the sort.
        what="which of equally similar documents comes first, in the 17 best of 100",
        actual="the one with the higher index" if found == falling[:17] else "sometimes this one, sometimes that",
        expected=f"the one with the lower index: {ranking[:17]}",
    )
    expect.equal(found, ranking[:17], what="17 of 100 documents, many of them equally similar")
    with given:
        found = or_refused(answer.retrieve, np.zeros(4), documents, 4)
    found = "none, or an error" if found in ([], "ValueError") else found
    expect.equal(found, [0, 1, 2, 3], what="4 documents for a query that is all zeros")


def test_vectors_of_any_length_are_ranked(answer):
    # In float32 the squares of these lengths are inf and 0.
    angles = np.array([0.4, 1.2, 0.1, 2.0, 0.8, 1.6])
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ranking = [2, 0, 4, 1, 5, 3]
    lengths = np.array([1e-25, 1.0, 1e25] * 2)
    documents = (directions * lengths[:, None]).astype(np.float32)
    for length in (1.0, 1e25, 1e-25):
        with expect.untouched("doc_vecs after the call", documents):
            found = answer.retrieve(np.array([length, 0.0], dtype=np.float32), documents, 6)
        expect.equal(as_list(found), ranking, what=f"6 float32 vectors of lengths 1e-25 to 1e25, query of {length:g}")


def test_k_may_be_more_than_there_are_documents(answer):
    documents, query = spread(5, 3, offset=10), randn(3, offset=12).numpy()
    ranking, _ = by_cosine(query, documents)
    with expect.untouched("what was given", {"query_vec": query, "doc_vecs": documents}):
        found = or_refused(answer.retrieve, query, documents, 50)
    expect.equal(found, ranking, what="all of 5 documents for k=50")
    expect.equal(answer.retrieve(query, documents[3:4], 2), [0], what="the only document, for k=2")


def test_float32_and_strided_arrays_will_do_and_stay_as_they_are(answer):
    for dtype in (np.float32, np.float64):
        wide = spread(8, 10, offset=13).astype(dtype)
        documents, query = wide[::-1, ::2], randn(10, offset=15).numpy().astype(dtype)[::2]
        ranking, _ = by_cosine(query, documents)
        with expect.untouched("after the call", {"doc_vecs": documents, "query_vec": query}):
            found = answer.retrieve(query, documents, 6)
        expect.equal(as_list(found), ranking[:6], what=f"the 6 best of 8 documents in {np.dtype(dtype).name}")


def judged(offset):
    """Rankings and right documents of five queries; what they are called is drawn, where they stand is not."""
    draw = random.Random(seed(offset))
    a, b, c, d, e, f, g, h, i, j = draw.sample(range(100, 999), 10)
    rankings = [[a, b, c, d, e, f], [g, a, b], [h, g, f, e, d, c, b, a], [c, i, a, d, j, h], []]
    relevant = [{a}, {b, h}, {f, b, c, i, j}, {e, g, b}, {d, a}]
    return rankings, relevant


def measured(measure, rankings, relevant, *k):
    """Recall or MRR, after a look at whether what was given has changed."""
    with expect.untouched("after the call", {"rankings": rankings, "relevant": relevant}):
        return measure(rankings, relevant, *k)


def is_refused(measure, *given):
    try:
        measure(*given)
    except ValueError:
        return True
    except Exception:  # That one is shown as it is by the call that follows.
        return False
    return False


def test_recall_is_the_share_of_the_right_documents_among_the_first_k(answer):
    rankings, relevant = judged(16)
    ks = [1, 2, 3, 5, 7, 40]
    refused = [k for k in ks if is_refused(answer.recall_at_k, *judged(16), k)]
    expect.equal(refused, [], what="the k with which recall is an error; one of five rankings is empty")
    found = [measured(answer.recall_at_k, rankings, relevant, k) for k in ks]
    # The first has its one at place 1, the second one of two at 3, the third three of five at 3, 6 and 7.
    by_hand = [1 / 5, 1 / 5, 1.7 / 5, 1.7 / 5, 2.1 / 5, 2.1 / 5]
    expect.close(found, by_hand, what="recall at 1, 2, 3, 5, 7 and 40 of five queries")
    found = measured(answer.recall_at_k, rankings[:3], relevant[:3], 3)
    expect.close(found, (1 + 1 / 2 + 1 / 5) / 3, what="recall at 3 of the first three queries")
    for k, wanted in ((2500, 2 / 4), (2501, 3 / 4), (3000, 4 / 4)):
        found = answer.recall_at_k([list(range(3000))], [{0, 7, 2500, 2999}], k)
        expect.close(found, wanted, what=f"recall at {k} of 3,000 places with hits at 1, 8, 2501 and 3000")
    found = answer.recall_at_k([[4, 0, 2]], [{0, 2}], 2)
    expect.close(found, 1 / 2, what="recall at 2 of the ranking 4, 0, 2 with 0 and 2 right")


def test_mrr_is_the_mean_of_one_by_the_place_of_the_first_right_document(answer):
    rankings, relevant = judged(17)
    parts = slice(0, 5), slice(1, 3), slice(2, 4)
    refused = [is_refused(answer.mrr, *(copy[some] for copy in judged(17))) for some in parts]
    expect.equal(refused, [False] * 3, what="whether mrr is an error, with an empty ranking and without, twice")
    found = [measured(answer.mrr, rankings[some], relevant[some]) for some in parts]
    by_hand = [(1 + 1 / 3 + 1 / 3) / 5, (1 / 3 + 1 / 3) / 2, (1 / 3) / 2]
    expect.note("sum", 1 + 1 / 3 + 1 / 3)
    expect.note("only the last", answer.mrr([[6, 4, 2]], [{2}]))
    expect.close(found, by_hand, what="mrr of five queries, and of two of them, twice")
    places = (11, 16, 20, 51, 101, 1001, 3000)
    far = [answer.mrr([list(range(3000))], [{place - 1, 2999}]) for place in places]
    expect.note("far", far)
    for place, score in zip(places, far, strict=True):
        expect.close(score, 1 / place, what=f"mrr of one query with the first hit at place {place} of 3,000")
    expect.close(answer.mrr([[5, 0, 1]], [{0, 1}]), 1 / 2, what="mrr of the ranking 5, 0, 1 with 0 and 1 right")


def test_no_query_and_no_right_document_are_errors(answer):
    rankings, relevant = judged(18)
    holed = [*relevant[:2], set(), *relevant[3:]]
    what = "of a query without right documents"
    expect.raises(ValueError, lambda: answer.recall_at_k(rankings, holed, 3), what=f"recall {what}")
    expect.raises(ValueError, lambda: answer.mrr(rankings, holed), what=f"mrr {what}")
    expect.raises(ValueError, lambda: answer.recall_at_k([], [], 3), what="recall of no queries")
    expect.raises(ValueError, lambda: answer.mrr([], []), what="mrr of no queries")


def test_documents_that_are_nearly_equally_alike_are_not_equally_alike(answer):
    n = 2500
    order = random.Random(seed(20)).sample(range(n), n)
    angles = 1.0 + 1e-6 * np.array(order)  # Their cosines are 8e-7 apart: float32 tells them apart, six places do not.
    documents = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ranking = sorted(range(n), key=lambda i: order[i])
    found = as_list(answer.retrieve(np.array([2.0, 0.0]), documents, n))
    place = dict(zip(ranking, range(n), strict=True))
    steps = list(zip(found, found[1:], strict=False)) if set(found) == set(ranking) else []
    back = [(a, b) for a, b in steps if place[a] > place[b]]  # Where a document stands before a better one.
    expect.true(
        not back or any(a > b for a, b in back),  # How many digits are left decides how often, not whether.
        what=f"{n} documents whose cosines are 8e-7 apart",
        actual="some stand before better ones, always because their index is lower",
        expected="the best first",
    )
    expect.equal(found, ranking, what=f"{n} documents whose cosines are 8e-7 apart, in order")


def test_the_text_is_in_lower_case_before_its_tokens_are_found(answer):
    documents = ["İstanbul is old", "the i of stanbul", "istanbul"]
    lists = [["i", "stanbul", "is", "old"], ["the", "i", "of", "stanbul"], ["istanbul"]]
    scores = answer.bm25_scores("stanbul İ", documents, k1=1.3, b=0.6)
    what = "the scores, where `İ` in lower case is `i` and a dot that isn't part of a token"
    expect.close(scores, bm25_by_hand(["stanbul", "i"], lists, 1.3, 0.6), what=what, scale=10.0)


def test_a_token_is_spelled_as_the_text_spells_it(answer):
    lists = {
        "Straße": ["straße"],
        "STRASSE": ["strasse"],
        "ℍello": ["ℍello"],
        "hello": ["hello"],
        "caf\u00e9": ["caf\u00e9"],
        "cafe\u0301": ["cafe"],
        UNPRINTABLE: ["bell", "escape", "31m", "nul"],
        INVISIBLE: ["zero", "width", "soft", "hyphen"],
        LINE_SEPARATORS: ["one", "two", "three", "four"],
        long_text(3000, last="hello"): [*long_text(3000).lower().split()[:-1], "hello"],
    }
    words = {"strasse": "strasse", "Hello": "hello", "caf\u00e9": "caf\u00e9", "width hyphen": "width hyphen"}
    for query, tokens in words.items():
        scores = answer.bm25_scores(query, list(lists), k1=1.3, b=0.6)
        by_hand = bm25_by_hand(tokens.split(), list(lists.values()), 1.3, 0.6)
        expect.close(scores, by_hand, what="the scores of ten awkward texts", scale=10.0, given={"query": query})
