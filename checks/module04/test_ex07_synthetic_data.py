"""4.07: what becomes of a model's replies: kept, malformed, too similar, given up; and a real model once.

Long: 20 checks, each with the replies of a model that was made for it.
"""

import copy
import json
import random

import pytest

from tunelings import expect
from tunelings.handson import models
from tunelings.handson.awkward import texts
from tunelings.inputs import seed

SEEDS = [
    {"instruction": "Name a river that flows through Vienna", "output": "the Danube"},
    {"instruction": "Give the plural of the noun mouse", "output": "mice"},
    {"instruction": "How many legs has a common house spider", "output": "eight"},
    {"instruction": "Say in one word what bees make", "output": "honey"},
    {"instruction": "Which metal is liquid at room temperature", "output": "mercury"},
    {"instruction": "Complete the proverb about early birds", "output": "they catch the worm"},
    {"instruction": "Convert two miles into kilometres", "output": "about 3.2"},
]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FIELDS = ("records", "calls", "malformed", "too_similar", "errors")
COUNTS = "records, calls, malformed, too similar, errors"


def new_words(count, offset):
    """Words that stand in no other text of these checks."""
    draw = random.Random(seed(offset))
    return ["".join(draw.choices(LETTERS, k=7)) for _ in range(count)]


def fresh(offset):
    """A new example that is like nothing else."""
    words = new_words(9, offset)
    return {"instruction": " ".join(words[:6]), "output": " ".join(words[6:])}


def asks(text, output="x"):
    """A reply that is one object with this instruction."""
    return json.dumps({"instruction": text, "output": output})


class Odd(Exception):
    """An exception of nobody's library."""


class Scripted:
    """A model that gives these replies in turn (an exception is raised), then new examples without end."""

    def __init__(self, *replies, offset=1000):
        self.replies = list(replies)
        self.prompts = []
        self.offset = offset

    def __call__(self, prompt):
        self.prompts.append(prompt)
        if len(self.prompts) > len(self.replies):
            return json.dumps(fresh(self.offset + len(self.prompts)))
        reply = self.replies[len(self.prompts) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply


class Always:
    """A model that always gives the same reply (or raises); after `patience` calls it helps, so that all ends."""

    def __init__(self, reply, patience=300):
        self.reply, self.patience, self.prompts = reply, patience, []

    def __call__(self, prompt):
        self.prompts.append(prompt)
        if len(self.prompts) > self.patience:
            return json.dumps(fresh(5000 + len(self.prompts)))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def run(answer, llm, n, *, seeds=SEEDS, rng=None, **options):
    given = copy.deepcopy(seeds)
    generated = answer.generate_examples(llm, given, n, rng or random.Random(seed(1)), **options)
    expect.equal(given, seeds, what="the seeds after the call")
    missing = [name for name in FIELDS if not hasattr(generated, name)]
    expect.equal(missing, [], what="the fields that are missing in what is returned")
    return generated


def instructions(generated):
    return [record.get("instruction") for record in generated.records]


def counts(generated):
    return [len(generated.records), generated.calls, generated.malformed, generated.too_similar, generated.errors]


def test_fewer_records_than_wanted_are_no_error(answer):
    llm, what = Scripted(json.dumps(fresh(2))), "what comes of one call, where two records are wanted"
    try:
        generated = run(answer, llm, 2, max_calls=1)
    except expect.CheckFailed:
        raise
    except Exception:
        if len(llm.prompts) != 1:
            raise
        raise expect.CheckFailed(what, "one record", "an error") from None
    copied = run(answer, Scripted(asks(SEEDS[0]["instruction"])), 1, seeds=SEEDS[:1], max_calls=1)
    expect.note("copies_of_a_single_seed", len(copied.records))
    expect.equal(len(generated.records), 1, what=what)


def test_what_a_reply_holds_becomes_records(answer):
    one, two = fresh(0), fresh(1)
    signs = {"instruction": "Schließe die Klammer: {π ∈ {1, 2}", "output": "} — und ] 日本語 😀"}
    quotes = {"instruction": 'Say "}" and then \\', "output": 'It is "{\\" or "["'}
    code = {"instruction": "Is `[1,]` json, or is it not?", "output": "No. // see https://example.org/a"}
    nested = {"about": {"topic": {"words": 3}}, **one, "others": [two, {"instruction": "a", "output": "b"}]}
    fenced = f"```json\n{json.dumps(one, indent=2)}\n```"
    replies = {
        "an object": (json.dumps(one), [one]),
        "an object with sentences around it": (f"Of course. Here:\n{json.dumps(one)}\nEnjoy.", [one]),
        "an object in a fence": (fenced, [one]),
        "an object in a fence with sentences around it": (f"Here it is:\n\n{fenced}\n\nI hope it helps.", [one]),
        "an object in a fence of another language": (f"```javascript\n{json.dumps(one)}\n```", [one]),
        "an object in a fence of one line": (f"Here: ```{json.dumps(one)}```", [one]),
        "a list": (json.dumps([one, two]), [one, two]),
        "a list in a fence": (f"Two of them:\n```\n{json.dumps([one, two], indent=1)}\n```\nEnjoy.", [one, two]),
        "an object with objects in its other keys": (json.dumps(nested), [one]),
        "an object with braces in its texts": (json.dumps(signs, ensure_ascii=False), [signs]),
        "an object with quotes and braces in its texts": (json.dumps(quotes), [quotes]),
        "an object with marks of code in its texts": (json.dumps(code), [code]),
        "an object and then braces": (f"{json.dumps(one)}\nDo you want another one {{yes/no}} [y]?", [one]),
        "a list and then braces": (f"{json.dumps([one, two])}\nMore {{yes/no}} [y]?", [one, two]),
        "braces and then an object": (f"In {{the form}} [you] asked for {{: {json.dumps(one)}", [one]),
        "a fence, and braces around it": (f"In {{the form}} [of you]:\n{fenced}\nI hope {{this}} helps.", [one]),
        "two fences": (f"{fenced}\nOr this one:\n```json\n{json.dumps(two)}\n```", [one]),
    }
    replies["an object in a fence with sentences in it"] = (f"```\nHere it is:\n{json.dumps(one)}\nEnjoy.\n```", [one])
    awkward = [{"instruction": text, "output": text} for text in texts.NOT_BLANK]
    replies["a list of awkward texts"] = (json.dumps(awkward, ensure_ascii=False), awkward)
    for kind, (reply, wanted) in replies.items():
        if wanted is awkward:
            alone = [run(answer, Scripted(json.dumps(one, ensure_ascii=False)), 1, max_calls=1) for one in awkward]
            expect.note("texts_that_come_back_alone", [len(one.records) for one in alone])
        generated = run(answer, Scripted(reply), len(awkward), max_calls=1)
        expect.case(reply=reply)
        pairs = [[record.get("instruction"), record.get("output")] for record in generated.records]
        expect.equal(pairs, [[w["instruction"], w["output"]] for w in wanted], what=f"the records of {kind}")
        expect.equal(counts(generated), [len(wanted), 1, 0, 0, 0], what=f"{COUNTS}, for {kind}")


def test_a_record_holds_its_texts_and_where_it_comes_from(answer):
    example = {**fresh(20), "thoughts": "none", "source": "a book"}
    generated = run(answer, Scripted(json.dumps(example)), 1)
    wanted = {"instruction": example["instruction"], "output": example["output"], "source": "synthetic"}
    expect.equal([dict(record) for record in generated.records], [wanted], what="the record")
    expect.equal(counts(generated), [1, 1, 0, 0, 0], what=COUNTS)
    types = [type(getattr(generated, name)).__name__ for name in FIELDS]
    expect.equal(types, ["list", "int", "int", "int", "int"], what=f"the types of {COUNTS}")


def test_what_is_malformed_is_counted_and_the_rest_is_kept(answer):
    good = [fresh(i) for i in range(30, 33)]
    bad = {"instruction": "it has no output"}
    replies = {
        "a sentence": ("I am sorry, I cannot do that.", [], 1),
        "an empty reply": ("", [], 1),
        "an object that is cut off": ('{"instruction": "cut off in the middle", "outp', [], 1),
        "an object with single quotes, which is Python": ("{'instruction': 'a b', 'output': 'c'}", [], 1),
        "a JSON string": ('"instruction, output"', [], 1),
        "a JSON number": ("17", [], 1),
        "an object without keys": ("{}", [], 1),
        "a list without objects": ("[]", [], 0),
        "an object with a comma too many": ('{"instruction": "a b", "output": "c",}', [], 1),
        "an object that holds a list of records": (json.dumps({"tasks": [good[0]]}), [], 1),
        "a list of two objects without output": (json.dumps([bad, bad]), [], 2),
        "a list of three objects, each with another fault": (json.dumps([bad, {"output": "no question"}, {}]), [], 3),
        "a list in which the second of three has no output": (json.dumps([good[0], bad, good[1]]), good[:2], 1),
    }
    for kind, (reply, records, malformed) in replies.items():
        expect.case(reply=reply)
        generated = run(answer, Scripted(reply), 5, max_calls=1)
        expect.equal(instructions(generated), [g["instruction"] for g in records], what=f"the records of {kind}")
        expect.equal(counts(generated), [len(records), 1, malformed, 0, 0], what=f"{COUNTS}, for {kind}")
    expect.case(replies=["no JSON", json.dumps(good[2])])
    generated = run(answer, Scripted("no JSON", json.dumps(good[2])), 1)
    expect.equal(counts(generated), [1, 2, 1, 0, 0], what=f"{COUNTS}, for a sentence and then an object")


def test_a_list_may_hold_anything(answer):
    good = fresh(35)
    for reply in ([], ["a text", 3, good], [[good["instruction"], good["output"]], good]):
        expect.case(reply=json.dumps(reply))
        generated = run(answer, Scripted(json.dumps(reply), json.dumps(fresh(36))), 2, max_calls=2)
        wanted = [good["instruction"]] * (good in reply) + [fresh(36)["instruction"]]
        expect.equal(instructions(generated), wanted, what=f"the records of a list of {len(reply)} and an object")


def test_texts_must_be_strings_that_are_not_empty(answer):
    text = "seventeen strange words"
    objects = [
        {"instruction": text, "output": 17},
        {"instruction": text, "output": None},
        {"instruction": text, "output": ""},
        {"instruction": "", "output": text},
        {"instruction": [text], "output": text},
        {"instruction": text, "output": {"answer": text}},
        {"output": text},
        {"instruction": 17, "output": text},
        {"instruction": text, "output": True},
        {"Instruction": text, "Output": text},
    ]
    last = fresh(40)
    found = [counts(run(answer, Scripted(json.dumps(one), json.dumps(last)), 1))[:3] for one in objects]
    expect.equal(found, [[1, 2, 1]] * len(objects), what="records, calls, malformed for each kind of object")


def test_nothing_of_a_reply_is_executed(answer, tmp_path):
    target = tmp_path / "executed"
    attack = f'{{"instruction": "do it", "output": open({str(target)!r}, "w").close()}}'
    generated = run(answer, Scripted(attack), 1)
    expect.true(not target.exists(), "files that a reply has written", actual=int(target.exists()), expected=0)
    expect.equal(counts(generated), [1, 2, 1, 0, 0], what=COUNTS)


def test_what_is_too_near_a_seed_is_dropped(answer):
    near = "NAME a river, that flows through old Vienna!"  # 7 of 7 and 8 words in order: F = 14 / 15
    far = "Name a river"  # all of its words stand there, F = 6 / 10
    turned = "Vienna through flows that river a name"  # the same words, in another order: F = 2 / 14
    other = {"instruction": fresh(50)["instruction"], "output": SEEDS[0]["output"]}
    replies = [asks(SEEDS[3]["instruction"]), asks(near), asks(far), asks(turned), json.dumps(other)]
    alone = run(answer, Scripted(replies[0]), 1, seeds=SEEDS[3:4], max_calls=1)
    expect.note("copies_of_a_single_seed", len(alone.records))
    generated = run(answer, Scripted(*replies), 3)
    expect.equal(instructions(generated), [far, turned, other["instruction"]], what="the accepted instructions")
    expect.equal(counts(generated), [3, 5, 0, 2, 0], what=COUNTS)
    every = [asks(one["instruction"]) for one in SEEDS]
    generated = run(answer, Scripted(*every), 1)
    expect.equal(counts(generated), [1, 8, 0, 7, 0], what=f"{COUNTS}, where each of 7 seeds comes back")


def test_what_is_too_near_an_accepted_record_is_dropped(answer):
    words = new_words(30, 60)
    first, half = " ".join(words[:10]), " ".join(words[:6] + words[10:14])  # F = 12 / 20
    most = " ".join(words[:8] + words[20:22])  # F = 16 / 20 with the first
    replies = [asks(text) for text in (first, half, first, most)]
    six, one = " ".join(words[22:28]), words[25]
    replies.append(json.dumps([{"instruction": text, "output": "y"} for text in (half, six, six, one, one)]))
    generated = run(answer, Scripted(*replies), 5)
    expect.equal(instructions(generated)[:3], [first, half, six], what="the accepted instructions")
    expect.equal(counts(generated), [5, 6, 0, 5, 0], what=COUNTS)
    replies = [asks(" ".join(words[start : start + 10])) for start in (0, 4, 2)]  # F = 16 / 20 of the third with both.
    generated = run(answer, Scripted(*replies), 3)
    expect.equal(counts(generated), [3, 4, 0, 1, 0], what=f"{COUNTS}, where a record is near two others")


def test_an_f_of_exactly_the_threshold_is_too_near(answer):
    found = []
    cases = [(9, 11, 7), (9, 12, 7), (31, 29, 21), (31, 30, 21), (25, 25, 18), (25, 25, 19), (20, 20, 17)]
    for offset, (short, long, common) in enumerate(cases):  # F is twice the common words over the words of both.
        one, other = new_words(40, 300 + offset), new_words(40, 310 + offset)
        longer = " ".join(one[:common] + other[: long - common])
        generated = run(answer, Scripted(asks(" ".join(one[:short])), asks(longer)), 5, max_calls=2)
        found.append([len(generated.records), generated.too_similar])
    wanted = [[1, 1], [2, 0], [1, 1], [2, 0], [1, 1], [1, 1], [1, 1]]
    what = "records and too similar for F = 14/20, 14/21, 42/60, 42/61, 36/50, 38/50, 34/40"
    expect.equal(found, wanted, what=what)


def test_what_was_dropped_is_compared_with_nothing(answer):
    words = new_words(30, 70)
    a, b = " ".join(words[:10]), " ".join(words[:8] + words[10:12])  # F = 16 / 20
    c = " ".join(words[2:8] + words[10:14])  # F = 12 / 20 with a, 16 / 20 with b
    bad = json.dumps({"instruction": c, "output": 3})
    generated = run(answer, Scripted(asks(a), asks(b), bad, asks(c)), 2)
    expect.equal(instructions(generated), [a, c], what="records of A, B near A, and C near only B")
    expect.equal(counts(generated), [2, 4, 1, 1, 0], what=COUNTS)


def test_a_prompt_is_tried_again_after_an_exception(answer):
    errors = [TimeoutError("slow"), Odd("busy")]
    llm = Scripted(*errors, json.dumps(fresh(70)), KeyError("choices"), json.dumps(fresh(71)))
    generated = run(answer, llm, 2)
    expect.note("same_prompt", [int(prompt == llm.prompts[0]) for prompt in llm.prompts])
    expect.equal(counts(generated), [2, 5, 0, 0, 0], what=COUNTS)
    llm = Always(OSError("no route"), patience=80)
    run(answer, llm, 1, retries=3, max_calls=80)
    groups = [llm.prompts[i : i + 4] for i in range(0, 80, 4)]
    repeated = [len(set(group)) for group in groups]
    expect.equal(repeated, [1] * 20, what="how many different prompts each 4 calls with 3 retries make")


def test_a_prompt_is_given_up_after_its_retries_and_the_next_is_asked(answer):
    found = []
    for retries in (0, 1, 2, 5):
        failing = [ConnectionError("no route")] * (2 * (1 + retries))
        found.append(counts(run(answer, Scripted(*failing, json.dumps(fresh(80))), 1, retries=retries, max_calls=50)))
    wanted = [[1, 2 * (1 + retries) + 1, 0, 0, 2] for retries in (0, 1, 2, 5)]
    expect.equal(found, wanted, what="records, calls, malformed, too similar, errors for 0, 1, 2, 5 retries")


def test_it_ends_when_the_calls_are_used_up(answer):
    cases = [
        ("a model that replies without JSON", "no JSON at all", dict(max_calls=7), [0, 7, 7, 0, 0]),
        ("a model that repeats a seed", json.dumps(SEEDS[0]), dict(max_calls=5), [0, 5, 0, 5, 0]),
        ("a model without JSON, and no max_calls", "no JSON at all", dict(), [0, 30, 30, 0, 0]),
        ("a model that raises", ValueError("broken"), dict(max_calls=12), [0, 12, 0, 0, 4]),
        ("a model that raises, no retries", ValueError("broken"), dict(max_calls=12, retries=0), [0, 12, 0, 0, 12]),
        ("a model that raises, max_calls 8", ValueError("broken"), dict(max_calls=8), [0, 8, 0, 0, 2]),
        ("a model that raises, max_calls 2", ValueError("broken"), dict(max_calls=2), [0, 2, 0, 0, 0]),
        ("max_calls 0", "no JSON at all", dict(max_calls=0), [0, 0, 0, 0, 0]),
    ]
    for name, reply, options, wanted in cases:
        llm = Always(reply)
        generated = run(answer, llm, 3, **options)
        actual = [*counts(generated), len(llm.prompts)]
        expect.equal(actual, [*wanted, wanted[1]], what=f"{COUNTS}, real calls: {name}")


def test_no_more_than_n_records_and_no_call_too_many(answer):
    found = []
    for n in (0, 1, 4, 5):
        llm = Scripted(*[json.dumps([fresh(90 + 3 * i + j) for j in range(3)]) for i in range(4)])
        generated = run(answer, llm, n)
        found.append([len(generated.records), generated.calls, len(llm.prompts), generated.too_similar])
    wanted = [[0, 0, 0, 0], [1, 1, 1, 0], [4, 2, 2, 0], [5, 2, 2, 0]]
    expect.equal(found, wanted, what="records, calls, real calls, too similar for n = 0, 1, 4, 5")
    generated = run(answer, Scripted(json.dumps([fresh(95), {"output": "no instruction"}, SEEDS[0], fresh(95)])), 1)
    expect.equal(counts(generated), [1, 1, 0, 0, 0], what=f"{COUNTS}, where a list holds more than n = 1")


def forms(text):
    """A text as it stands in a prompt: plain, or in JSON with or without escapes."""
    return {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}


def seeds_in(prompt, seeds):
    texts = [(forms(one["instruction"]), forms(one["output"])) for one in seeds]
    return [i for i, pair in enumerate(texts) if all(any(form in prompt for form in some) for some in pair)]


def test_each_prompt_shows_three_seeds_drawn_anew(answer):
    llm = Always("no JSON at all")
    run(answer, llm, 1, max_calls=40)
    shown = [seeds_in(prompt, SEEDS) for prompt in llm.prompts]
    expect.equal([len(found) for found in shown], [3] * 40, what="how many seeds each of 40 prompts shows")
    # Each of the 7 is in a prompt with 3/7; that one is in none of 40 has a chance of 7 · (4/7)^40 = 1e-9.
    used = sorted({i for found in shown for i in found})
    expect.equal(used, list(range(7)), what="the seeds shown in at least one prompt")
    for few in (2, 1):
        llm = Always("no")
        run(answer, llm, 1, seeds=SEEDS[:few], max_calls=3)
        found = [len(seeds_in(prompt, SEEDS)) for prompt in llm.prompts]
        expect.equal(found, [few] * 3, what=f"how many of {few} seeds each of three prompts shows")


def test_prompts_are_drawn_anew_whatever_came_before(answer):
    # Twelve draws of three of seven that all give the same three have a chance of (1/35)^11.
    replies = {
        "a copy": [json.dumps(SEEDS[0])] * 12,
        "a new record": [json.dumps(fresh(100 + i)) for i in range(12)],
        "an exception": [Odd("busy")] * 12,
    }
    for kind, script in replies.items():
        llm = Scripted(*script)
        run(answer, llm, 30, max_calls=12, retries=0)
        shown = [seeds_in(prompt, SEEDS) for prompt in llm.prompts]
        expect.equal([len(found) for found in shown], [3] * 12, what=f"how many seeds 12 prompts show, after {kind}")
        different = len({tuple(found) for found in shown})
        expect.true(
            different > 1, f"different sets of seeds in 12 prompts, after {kind}", actual=different, expected="several"
        )
        later = [sum(fresh(100 + i)["instruction"] in prompt for i in range(12)) for prompt in llm.prompts]
        expect.equal(later, [0] * 12, what="how many accepted records each prompt shows")


def test_a_prompt_shows_the_texts_word_for_word(answer):
    seeds = [
        {"instruction": "Fill {this} in:\n%s, \\n and {{that}}", "output": "50 % & {} <b>"},
        {"instruction": "It's \"so\", said Zoë's “aunt”", "output": 'naïve 日本語: "it\'s"'},
        {"instruction": " ".join(new_words(90, 110)), "output": " ".join(new_words(300, 111))},
    ]
    llm = Always("no")
    run(answer, llm, 1, seeds=seeds, max_calls=1)
    expect.equal(len(llm.prompts), 1, what="the calls, with max_calls = 1")
    expect.equal(seeds_in(llm.prompts[0], seeds), [0, 1, 2], what="the seeds that the prompt shows in full")
    template = getattr(answer, "PROMPT", None)  # An answer may have come without it, or have improved it.
    if isinstance(template, str):
        parts = [part.strip() for part in template.split("{examples}")]
        missing = [part for part in parts if part not in llm.prompts[0]]
        expect.equal(missing, [], what="parts of PROMPT that are not in the prompt")
        expect.equal("{examples}" in llm.prompts[0], False, what="whether the prompt still says {examples}")


def test_chance_comes_from_rng_alone(answer):
    def prompts(rng_seed, global_seed):
        random.seed(global_seed)
        llm = Always("no")
        run(answer, llm, 1, rng=random.Random(rng_seed), max_calls=9)
        return llm.prompts

    first = prompts(3, 1)
    shown = [seeds_in(prompt, SEEDS) for prompt in first]
    again = [seeds_in(prompt, SEEDS) for prompt in prompts(3, 2)]
    expect.equal(again, shown, what="the seeds of 9 prompts, for the same rng")
    expect.equal(prompts(3, 2) == first, True, what="whether the same rng gives the same 9 prompts")
    others = [seeds_in(prompt, SEEDS) for prompt in prompts(4, 1)]
    expect.true(others != shown, "the seeds of 9 prompts, for another rng", actual=others, expected="others")
    random.seed(5)
    before = random.getstate()
    run(answer, Scripted(json.dumps(fresh(95))), 1)
    drawn = int(random.getstate() != before)
    expect.equal(drawn, 0, what="whether the global generator was drawn from")


@pytest.mark.real
@pytest.mark.timeout(3600)
def test_a_real_model_is_asked_and_every_reply_is_accounted_for(answer):
    """SmolLM2-135M (`tunelings models get smollm2`), or the model of `--model`; minutes on a CPU."""
    from tunelings.handson import llm

    try:
        path = models.chosen("smollm2")
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    generated = answer.generate_examples(llm.local(path), SEEDS, 5, random.Random(0), max_calls=12)
    print(counts(generated), COUNTS)
    texts = [text for record in generated.records for text in (record["instruction"], record["output"])]
    expect.true(all(text.strip() for text in texts), "the texts of the records", actual=texts, expected="none empty")
    expect.true(0 < generated.calls <= 12, "the calls", actual=generated.calls, expected="1 to 12")
