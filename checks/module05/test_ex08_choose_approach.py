"""5.08: the memory of a training run, and the table by which an approach is chosen."""

import itertools
import math
import random
import tomllib
from pathlib import Path

from tunelings import expect
from tunelings.inputs import seed

TECHNIQUES = ("full", "lora", "qlora")
# Llama-2-7B, with LoRA of rank 16 on all linear layers.
LLAMA_7B = dict(parameters=6_738_415_616, layers=32, hidden=4096, vocab=32_000, trainable_lora=39_976_960)
TINY = dict(parameters=1_000, layers=1, hidden=8, vocab=16, trainable_lora=10)
# Far below and far above what any technique needs, so that these checks do not hang on estimate_vram.
NO_GPU, HUGE_GPU = 0.0, 1e6


def some_shape(offset=0):
    """Sizes in which no two parts of the sum are alike."""
    draw = random.Random(seed(offset))
    return dict(
        parameters=draw.randrange(10**9, 10**10),
        layers=draw.randrange(17, 61),
        hidden=draw.randrange(1500, 9000),
        vocab=draw.randrange(30_000, 160_000),
        trainable_lora=draw.randrange(10**8, 3 * 10**8),
    )


def by_hand(shape, technique, batch, seq_len, overhead):
    """The sum with a loop over what is kept of each parameter, layer and token, in bytes first."""
    frozen_bits = {"full": 0, "lora": 16, "qlora": 4.127}[technique]
    trained = shape["parameters"] if technique == "full" else shape["trainable_lora"]
    total = shape["parameters"] * frozen_bits / 8
    for bytes_each in (2, 2, 4, 4, 4):  # weight, gradient, master copy, two moments
        total += trained * bytes_each
    kept = sum(2 * shape["hidden"] for _ in range(shape["layers"]))
    for part in (kept, 34 * shape["hidden"], 2 * shape["vocab"], 4 * shape["vocab"], 4 * shape["vocab"]):
        total += part * batch * seq_len
    return total / 1024**3 + overhead


def task_of(answer, *, model=LLAMA_7B, **changes):
    plain = dict(
        examples=500, facts_change=False, private_knowledge=False, needs_format=False, new_modality=False,
        gpu_gib=HUGE_GPU,
    )  # fmt: skip
    return answer.Task(**{**plain, **changes}, model=answer.ModelShape(**model))


def approach_of(answer, **changes):
    return getattr(answer.recommend(task_of(answer, **changes)), "approach", None)


def technique_of(answer, **changes):
    return getattr(answer.recommend(task_of(answer, **changes)), "technique", "no field technique")


def flags():
    names = ("new_modality", "facts_change", "private_knowledge", "needs_format")
    return [dict(zip(names, values, strict=True)) for values in itertools.product((True, False), repeat=4)]


def true_names(flag):
    return " and ".join(name for name, value in flag.items() if value) or "nothing"


def by_the_table(new_modality, facts_change, private_knowledge, needs_format):
    """The approach with 500 examples and room for everything."""
    if new_modality:
        return "scratch"
    left = {(True, True): "rag+fine_tune", (True, False): "rag", (False, True): "fine_tune", (False, False): "prompt"}
    return left[facts_change or private_knowledge, needs_format]


def test_the_memory_of_a_7b_model_is_the_sum_of_its_parts(answer):
    shape = answer.ModelShape(**LLAMA_7B)
    found = [answer.estimate_vram(shape, technique, 3, 700) for technique in TECHNIQUES]
    wanted = [by_hand(LLAMA_7B, technique, 3, 700, 0.8) for technique in TECHNIQUES]
    expect.note("weights_16_bit", 2 * LLAMA_7B["parameters"] / 1024**3)
    expect.close(found, wanted, what="GiB for full, lora, qlora: 7B, batch 3, 700 tokens", terms=40)


def test_any_sizes_will_do(answer):
    for offset in range(4):
        shape, draw = some_shape(offset), random.Random(seed(offset + 10))
        batch, seq_len, overhead = draw.randrange(1, 9), draw.randrange(1, 5000), draw.random() if offset < 3 else 0.0
        made = answer.ModelShape(**shape)
        found = [answer.estimate_vram(made, t, batch, seq_len, overhead_gib=overhead) for t in TECHNIQUES]
        wanted = [by_hand(shape, t, batch, seq_len, overhead) for t in TECHNIQUES]
        what = f"GiB for full, lora, qlora with random sizes{'' if offset < 3 else ', overhead 0'}"
        expect.close(found, wanted, what=what, terms=40)


def test_each_part_grows_with_what_it_hangs_on(answer):
    """From one token to many, layer to layers, word to vocabulary: the difference is that part alone."""
    shape = answer.ModelShape(**some_shape(20))

    def more(batch=1, seq_len=1, **sizes):
        plain = answer.estimate_vram(shape, "lora", 1, 1)
        return answer.estimate_vram(shape._replace(**sizes), "lora", batch, seq_len) - plain

    tokens = 2 * shape.hidden * shape.layers + 34 * shape.hidden + 10 * shape.vocab
    wanted = [6 * tokens, 8190 * tokens, 2 * shape.hidden * 10_000, 10 * 10**9, 16 * 10**9, 2 * 10**9]
    found = [
        more(batch=7),
        more(seq_len=8191),
        more(layers=shape.layers + 10_000),
        more(vocab=shape.vocab + 10**9),
        more(trainable_lora=shape.trainable_lora + 10**9),
        more(parameters=shape.parameters + 10**9),
    ]
    # Differences of sums of at most 100 GiB: their rounding is that of the sums.
    what = "the additional GiB when one size grows"
    expect.close(found, [n / 1024**3 for n in wanted], what=what, terms=40, scale=200.0)


def test_the_estimate_is_a_plain_number(answer):
    expect.number(answer.estimate_vram(answer.ModelShape(**TINY), "qlora", 1, 1), what="the estimate for a tiny model")


def test_the_table_is_followed_line_by_line(answer):
    found = [f"{true_names(flag)}: {approach_of(answer, **flag)}" for flag in flags()]
    wanted = [f"{true_names(flag)}: {by_the_table(**flag)}" for flag in flags()]
    expect.equal(found, wanted, what="what is true, and the approach for it")


def test_fifty_examples_are_enough_to_learn_a_form(answer):
    found = [f"{n}: {approach_of(answer, needs_format=True, examples=n)}" for n in (0, 7, 49, 50, 51, 10_000)]
    wanted = ["0: prompt", "7: prompt", "49: prompt", "50: fine_tune", "51: fine_tune", "10000: fine_tune"]
    expect.equal(found, wanted, what="how many examples there are, and the approach")


def test_examples_without_a_form_to_learn_change_nothing(answer):
    found = [approach_of(answer, examples=n, facts_change=facts) for n in (0, 50, 10**6) for facts in (False, True)]
    expect.equal(found, ["prompt", "rag"] * 3, what="the approach with 0, 50, 10⁶ examples and no form")
    both = [approach_of(answer, examples=n, facts_change=True, needs_format=True) for n in (0, 49, 10**6)]
    expect.equal(both, ["rag+fine_tune"] * 3, what="the approach for knowledge and form, with 0, 49, 10⁶ examples")
    found = [approach_of(answer, new_modality=True, examples=n, gpu_gib=gib) for n in (0, 49) for gib in (NO_GPU, 80.0)]
    expect.equal(found, ["scratch"] * 4, what="the approach for a new modality, with 0 and 49 examples, 0 and 80 GiB")


def test_the_first_technique_that_fits_the_gpu_is_taken(answer):
    need = [by_hand(LLAMA_7B, technique, 1, 512, 0.8) for technique in TECHNIQUES]
    sizes = [1.01 * need[0], 0.99 * need[0], 1.01 * need[1], 0.99 * need[1], 1.01 * need[2]]
    wanted = ["full", "lora", "lora", "qlora", "qlora"]
    found = [technique_of(answer, needs_format=True, gpu_gib=gib) for gib in sizes]
    expect.equal(found, wanted, what="the technique just above and just below what each needs")
    found = [technique_of(answer, needs_format=True, private_knowledge=True, gpu_gib=gib) for gib in sizes]
    expect.equal(found, wanted, what="the same, together with retrieval")
    found = [technique_of(answer, needs_format=True, examples=90_000, gpu_gib=gib) for gib in sizes]
    expect.equal(found, wanted, what="the same, with 90,000 examples")


def test_a_gpu_with_exactly_what_is_needed_is_enough(answer):
    shape = answer.ModelShape(**LLAMA_7B)
    found, wanted = [], []
    for technique, next_one in (("full", "lora"), ("lora", "qlora"), ("qlora", None)):
        need = answer.estimate_vram(shape, technique, 1, 512)
        for gib, right in ((need, technique), (math.nextafter(need, 0), next_one)):
            found.append(f"{gib!r} GiB: {technique_of(answer, needs_format=True, gpu_gib=gib)}")
            wanted.append(f"{gib!r} GiB: {right}")
    expect.equal(found, wanted, what="the technique with exactly what each needs, and with the next smaller number")


def test_where_nothing_fits_it_is_not_fine_tuned(answer):
    small = 0.99 * by_hand(LLAMA_7B, "qlora", 1, 512, 0.8)
    cases = [
        dict(needs_format=True, facts_change=facts, gpu_gib=gib) for facts in (False, True) for gib in (NO_GPU, small)
    ]
    found = [[approach_of(answer, **case), technique_of(answer, **case)] for case in cases]
    wanted = [["prompt", None]] * 2 + [["rag", None]] * 2
    expect.equal(found, wanted, what="the approach and technique where no technique fits")
    cases = [dict(), dict(facts_change=True), dict(private_knowledge=True), dict(new_modality=True)]
    found = [approach_of(answer, **case, gpu_gib=NO_GPU) for case in cases]
    expect.equal(found, ["prompt", "rag", "rag", "scratch"], what="the approach without a GPU, where no form is needed")


def test_a_small_model_fits_where_a_large_one_does_not(answer):
    found = [technique_of(answer, needs_format=True, gpu_gib=2.0, model=model) for model in (TINY, LLAMA_7B)]
    expect.equal(found, ["full", None], what="the technique for a tiny model and for 7B, with 2 GiB")


def test_without_fine_tuning_there_is_no_technique(answer):
    cases = [
        dict(), dict(facts_change=True), dict(new_modality=True), dict(new_modality=True, needs_format=True),
        dict(needs_format=True, examples=7),
    ]  # fmt: skip
    found = [technique_of(answer, **case) for case in cases]
    expect.equal(found, [None] * 5, what="the technique for prompt, rag, scratch, scratch, prompt with few examples")


def given_reasons(answer, **changes):
    return getattr(answer.recommend(task_of(answer, **changes)), "reasons", None)


def as_texts(reasons):
    """The reasons as texts, in order."""
    return sorted(map(str, reasons)) if isinstance(reasons, list | tuple) else [str(reasons)]


def reasons_of(answer, **changes):
    return as_texts(given_reasons(answer, **changes))


def twice(names):
    return {name for name in names if names.count(name) > 1}


def listed(names):
    return ", ".join(sorted(names)) or "none"


def by_line(flag):
    """The reasons that the line for these flags must have, and the fields that it must not name."""
    knowledge, approach = {"facts_change", "private_knowledge"}, by_the_table(**flag)
    true_ones = {name for name, value in flag.items() if value}
    needed = {
        "scratch": {"new_modality"},
        "rag+fine_tune": true_ones & knowledge | {"needs_format"},
        "rag": true_ones & knowledge,
        "fine_tune": {"needs_format", "examples"},
        "prompt": {"needs_format"},
    }
    unused = {
        "scratch": {*knowledge, "needs_format", "examples", "model", "gpu_gib"},
        "rag+fine_tune": {"examples"},
        "rag": {"examples", "model", "gpu_gib"},
    }
    return needed[approach], unused.get(approach, set())


def test_the_reasons_are_the_fields_that_decided(answer):
    missing, unlooked, repeated, listed_in = [], [], [], set()
    for flag in flags():
        case, (needed, unused) = true_names(flag), by_line(flag)
        reasons = given_reasons(answer, **flag)
        listed_in.add("a list or tuple" if isinstance(reasons, list | tuple) else "something else")
        named = as_texts(reasons)
        allowed = set(answer.Task._fields) - unused
        missing.append(f"{case}: {listed(needed - set(named))}")
        unlooked.append(f"{case}: {listed(set(named) - allowed)}")
        repeated.append(f"{case}: {listed(twice(named))}")
    none = [f"{true_names(flag)}: none" for flag in flags()]
    expect.note("listed in", sorted(listed_in))
    expect.equal(missing, none, what="what is true, and the fields that are missing from the reasons")
    expect.equal(unlooked, none, what="what is true, and the reasons that the table doesn't look at")
    expect.equal(repeated, none, what="what is true, and the reasons that stand twice")


def test_the_same_task_has_the_same_reasons_again(answer):
    flags = (
        dict(new_modality=True), dict(needs_format=True), dict(needs_format=True, facts_change=True),
        dict(facts_change=True), dict(),
    )  # fmt: skip

    def reasons():
        return [reasons_of(answer, **flag, gpu_gib=gib) for flag in flags for gib in (NO_GPU, HUGE_GPU)]

    first = reasons()
    expect.equal(
        [listed(twice(names)) for names in first], ["none"] * 10, what="reasons that stand twice, for ten tasks"
    )
    expect.equal(reasons(), first, what="the reasons for ten tasks, the second time")


def test_the_gpu_is_a_reason_where_nothing_fits(answer):
    missing, unlooked = [], []
    for flag in flags():
        case, (needed, unused) = true_names(flag), by_line(flag)
        more = {"gpu_gib"} if "fine_tune" in by_the_table(**flag) else set()
        named = set(reasons_of(answer, **flag, gpu_gib=NO_GPU))
        missing.append(f"{case}: {listed((needed | more) - named)}")
        unlooked.append(f"{case}: {listed(named & unused)}")
    none = [f"{true_names(flag)}: none" for flag in flags()]
    expect.equal(missing, none, what="what is true, and the missing reasons where no technique fits")
    expect.equal(unlooked, none, what="what is true, and the reasons too many where no technique fits")


def test_a_form_is_a_reason_with_few_examples_too(answer):
    named = reasons_of(answer, needs_format=True, examples=7)
    expect.equal(
        int("needs_format" in named), 1, what="whether needs_format is a reason, with a form to learn and 7 examples"
    )


def test_written_scenarios_get_the_answer_that_sources_argue_for(answer):
    path = Path(__file__).with_name("scenarios.toml")
    scenarios = tomllib.loads(path.read_text(encoding="utf-8"))["scenarios"]
    for one in scenarios:
        fields = {name: one[name] for name in answer.Task._fields if name != "model"}
        task = answer.Task(**fields, model=answer.ModelShape(*one["model"]))
        found = answer.recommend(task)
        said = [getattr(found, "approach", None), getattr(found, "technique", "no field technique")]
        expect.equal(said, [one["approach"], one["technique"] or None], what=one["story"][:70])
