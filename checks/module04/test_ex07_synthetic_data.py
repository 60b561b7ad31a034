"""4.07: what becomes of a model's replies: kept, malformed, too similar, given up; and a real model once."""

import copy
import json
import random

import pytest

from tunelings import expect
from tunelings.handson import models
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


def new_words(count, offset):
    """Words that stand in no other text of these checks."""
    draw = random.Random(seed(offset))
    return ["".join(draw.choices(LETTERS, k=7)) for _ in range(count)]


def fresh(offset):
    """A new example that is like nothing else."""
    words = new_words(9, offset)
    return {"instruction": " ".join(words[:6]), "output": " ".join(words[6:])}


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
    """A model that gives the same reply (or raises) for ever; after `patience` calls it helps, so that all ends."""

    def __init__(self, reply, patience=300):
        self.reply, self.patience, self.calls = reply, patience, 0

    def __call__(self, prompt):
        self.calls += 1
        if self.calls > self.patience:
            return json.dumps(fresh(5000 + self.calls))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def run(answer, llm, n, *, seeds=SEEDS, **options):
    return answer.generate_examples(llm, copy.deepcopy(seeds), n, random.Random(seed(1)), **options)


def instructions(generated):
    return [record.get("instruction") for record in generated.records]


def counts(generated):
    return [len(generated.records), generated.calls, generated.malformed, generated.too_similar, generated.errors]


COUNTS = "records, calls, malformed, too similar, errors"


def test_objects_lists_and_fences_all_become_records(answer):
    examples = [fresh(i) for i in range(7)]
    examples[1] = {"instruction": "Schließe die Klammer: {π ∈ {1, 2}", "output": "} — und 日本語 😀"}
    replies = [
        json.dumps(examples[0]),
        f"Of course. Here it is:\n{json.dumps(examples[1], ensure_ascii=False)}\nDo you want another one {{yes/no}}?",
        f"```json\n{json.dumps(examples[2], indent=2)}\n```",
        f"Two of them:\n```\n{json.dumps(examples[3:5], indent=1)}\n```\nI hope {{this}} helps.",
        f'In the form {{"instruction": "some", "output": "text"}} as asked:\n```json\n{json.dumps(examples[5])}\n```',
        f"Here it is: {json.dumps(examples[6])} Enjoy.",
    ]
    generated = run(answer, Scripted(*replies), 7)
    wanted = [example["instruction"] for example in examples]
    expect.equal(instructions(generated), wanted, what="the accepted instructions")
    outputs = [record.get("output") for record in generated.records]
    expect.equal(outputs, [example["output"] for example in examples], what="the accepted outputs")
    expect.equal(counts(generated), [7, 6, 0, 0, 0], what=COUNTS)


def test_a_record_holds_its_texts_and_where_it_comes_from(answer):
    example = {**fresh(20), "thoughts": "none", "source": "a book"}
    generated = run(answer, Scripted(json.dumps(example)), 1)
    wanted = {"instruction": example["instruction"], "output": example["output"], "source": "synthetic"}
    expect.equal([dict(record) for record in generated.records], [wanted], what="the record")


def test_what_is_malformed_is_counted_and_the_rest_is_kept(answer):
    good = [fresh(i) for i in range(30, 33)]
    replies = [
        "I am sorry, I cannot do that.",
        "",
        '{"instruction": "cut off in the middle", "outp',
        "{'instruction': 'single quotes are Python', 'output': 'and no JSON'}",
        json.dumps(good[0]),
        json.dumps([good[1], {"instruction": "it has no output"}, good[2]]),
    ]
    generated = run(answer, Scripted(*replies), 3)
    expect.equal(instructions(generated), [g["instruction"] for g in good], what="the accepted instructions")
    expect.equal(counts(generated), [3, 6, 5, 0, 0], what=COUNTS)


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
    replies = [
        json.dumps({"instruction": text, "output": "x"}) for text in (SEEDS[3]["instruction"], near, far, turned)
    ]
    generated = run(answer, Scripted(*replies, json.dumps(other)), 3)
    expect.equal(instructions(generated), [far, turned, other["instruction"]], what="the accepted instructions")
    expect.equal(counts(generated), [3, 5, 0, 2, 0], what=COUNTS)


def test_what_is_too_near_an_accepted_record_is_dropped(answer):
    words = new_words(30, 60)
    first, half = " ".join(words[:10]), " ".join(words[:6] + words[10:14])  # F = 12 / 20
    most = " ".join(words[:8] + words[20:22])  # F = 16 / 20 with the first
    replies = [json.dumps({"instruction": text, "output": "x"}) for text in (first, first, most, half)]
    replies.append(json.dumps([{"instruction": text, "output": "y"} for text in (half, words[25], words[25])]))
    generated = run(answer, Scripted(*replies), 4)
    expect.equal(instructions(generated)[:3], [first, half, words[25]], what="the accepted instructions")
    expect.equal(counts(generated), [4, 6, 0, 4, 0], what=COUNTS)


def test_a_prompt_is_tried_again_after_an_exception(answer):
    errors = [TimeoutError("slow"), RuntimeError("busy")]
    llm = Scripted(*errors, json.dumps(fresh(70)), KeyError("choices"), json.dumps(fresh(71)))
    generated = run(answer, llm, 2)
    same = [prompt == llm.prompts[0] for prompt in llm.prompts[:5]] + [False] * (5 - len(llm.prompts))
    expect.note("same_prompt", [int(one) for one in same])
    expect.equal(counts(generated), [2, 5, 0, 0, 0], what=COUNTS)
    expect.equal(same[:4], [True, True, True, False], what="is prompt 1, 2, 3, 4 that of the first call")
    expect.equal(llm.prompts[3] == llm.prompts[4], True, what="the retry repeats its prompt")


def test_a_prompt_is_given_up_after_its_retries_and_the_next_is_asked(answer):
    found = []
    for retries in (0, 1, 2, 5):
        failing = [ConnectionError("no route")] * (2 * (1 + retries))
        found.append(counts(run(answer, Scripted(*failing, json.dumps(fresh(80))), 1, retries=retries, max_calls=50)))
    wanted = [[1, 2 * (1 + retries) + 1, 0, 0, 2] for retries in (0, 1, 2, 5)]
    expect.equal(found, wanted, what="records, calls, malformed, too similar, errors for 0, 1, 2, 5 retries")


def test_it_ends_when_the_calls_are_used_up(answer):
    cases = [
        ("no JSON at all", dict(max_calls=7), [0, 7, 7, 0, 0]),
        (json.dumps(SEEDS[0]), dict(max_calls=5), [0, 5, 0, 5, 0]),
        ("no JSON at all", dict(), [0, 30, 30, 0, 0]),
        (ValueError("broken"), dict(max_calls=12), [0, 12, 0, 0, 4]),
        (ValueError("broken"), dict(max_calls=12, retries=0), [0, 12, 0, 0, 12]),
    ]
    for reply, options, wanted in cases:
        llm = Always(reply)
        generated = run(answer, llm, 3, **options)
        expect.equal([*counts(generated), llm.calls], [*wanted, wanted[1]], what=f"{COUNTS}, real calls")


def test_no_more_than_n_records_and_no_call_too_many(answer):
    found = []
    for n in (0, 1, 4, 5):
        llm = Scripted(*[json.dumps([fresh(90 + 3 * i + j) for j in range(3)]) for i in range(4)])
        generated = run(answer, llm, n)
        found.append([len(generated.records), generated.calls, len(llm.prompts), generated.too_similar])
    wanted = [[0, 0, 0, 0], [1, 1, 1, 0], [4, 2, 2, 0], [5, 2, 2, 0]]
    expect.equal(found, wanted, what="records, calls, real calls, too similar for n = 0, 1, 4, 5")


def seeds_in(prompt, seeds):
    return [i for i, one in enumerate(seeds) if one["instruction"] in prompt and one["output"] in prompt]


def test_each_prompt_shows_three_seeds_drawn_anew(answer):
    llm = Always("no JSON at all")
    prompts = []
    run(answer, lambda prompt: prompts.append(prompt) or llm(prompt), 1, max_calls=40)
    shown = [seeds_in(prompt, SEEDS) for prompt in prompts]
    expect.equal([len(found) for found in shown], [3] * 40, what="how many seeds each of 40 prompts shows")
    # Each of the 7 is in a prompt with 3/7; that one is in none of 40 has a chance of 7 · (4/7)^40 = 1e-9.
    used = sorted({i for found in shown for i in found})
    expect.equal(used, list(range(7)), what="the seeds that some prompt shows")
    two, llm = [], Always("no")
    run(answer, lambda prompt: two.append(prompt) or llm(prompt), 1, seeds=SEEDS[:2], max_calls=3)
    expect.equal([len(seeds_in(p, SEEDS)) for p in two], [2] * 3, what="how many of two seeds each prompt shows")


def test_chance_comes_from_rng_alone(answer):
    def prompts(rng_seed, global_seed):
        random.seed(global_seed)
        found = []
        state, llm = random.Random(rng_seed), Always("no")
        answer.generate_examples(lambda prompt: found.append(prompt) or llm(prompt), SEEDS, 1, state, max_calls=9)
        return [seeds_in(prompt, SEEDS) for prompt in found]

    first = prompts(3, 1)
    expect.equal(prompts(3, 2), first, what="the seeds of 9 prompts, for the same rng")
    expect.true(prompts(4, 1) != first, "the seeds of 9 prompts, for another rng", actual=first, expected="others")
    before = random.getstate()
    run(answer, Scripted(json.dumps(fresh(95))), 1)
    drawn = int(random.getstate() != before)
    expect.equal(drawn, 0, what="whether the global generator was drawn from")


def test_the_seeds_stay_as_they_are(answer):
    seeds = copy.deepcopy(SEEDS)
    before = copy.deepcopy(seeds)
    answer.generate_examples(Scripted(json.dumps([fresh(96), fresh(97)])), seeds, 2, random.Random(0))
    expect.equal(seeds, before, what="the seeds after the call")


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
