"""3.02: counts against tensors that are really made, names one by one, bytes against what torch allocates."""

import re
from fractions import Fraction

import torch
from torch import nn

from tunelings import expect
from tunelings.inputs import randint, randn

FIELDS = ("weights", "gradients", "optimizer", "total")
PARTS = "weights, gradients, optimizer, total"


def wide_shape(offset):
    """(out, in) of a layer, with out < in."""
    return int(randint(10, 40, (), offset)), int(randint(50, 90, (), offset + 100))


def numbers_in(shape, r):
    """How many numbers A [r, in] and B [out, r] hold, counted on tensors of that shape."""
    n_out, n_in = shape
    return torch.empty(r, n_in).numel() + torch.empty(n_out, r).numel()


def bytes_of(memory):
    """The four fields of a Memory as a list."""
    there = [name for name in FIELDS if hasattr(memory, name)]
    what = "the fields of what training_memory returns"
    expect.true(len(there) == 4, what=what, actual=there or memory, expected=list(FIELDS))
    return [getattr(memory, name) for name in FIELDS]


def counted(answer, shapes, r, entries):
    """The count of the answer, once the arguments are seen to be as they were."""
    with expect.untouched("what was given", {"shapes": shapes, "target_modules": entries}):
        return answer.lora_parameters(shapes, r, entries)


def count_or_error(answer, shapes, r, entries):
    """The count, or the kind of the error: its words are the answer's own and say nothing of the mistake."""
    try:
        return answer.lora_parameters(shapes, r, entries)
    except (ValueError, re.error) as error:
        return type(error).__name__


def with_total(*parts):
    return [*parts, sum(parts)]


def test_each_matched_layer_gets_r_times_in_plus_out(answer):
    q0, q1, mlp = wide_shape(1), wide_shape(2), wide_shape(3)
    shapes = {"model.layers.0.self_attn.q_proj": q0, "model.layers.0.mlp.up_proj": mlp}
    shapes["model.layers.1.self_attn.q_proj"] = q1
    expect.note("out", q0[0] + q1[0])
    expect.note("in", q0[1] + q1[1])
    expect.note("products", 3 * (q0[0] * q0[1] + q1[0] * q1[1]))
    count = counted(answer, shapes, 3, ["q_proj"])
    expect.close(count, numbers_in(q0, 3) + numbers_in(q1, 3), what="the parameters of r = 3 on two layers")
    expect.kind(count, int, what="the number of parameters")


def test_a_name_matches_whole_or_after_a_dot(answer):
    pairs = [
        ("h.0.attn.v_proj", "v_proj", True),
        ("lm_head", "lm_head", True),
        ("h.0.mlp.down", "mlp.down", True),
        ("h.0.attn.kv_proj", "v_proj", False),
        ("h.0.v_proj.norm", "v_proj", False),
        ("v_proj.0.norm", "v_proj", False),
        ("h.0.attn.Query", "query", False),
        ("h.0.mlp_down", "mlp.down", False),
        ("v_proj", "attn.v_proj", False),
        ("h.0.attn.o_proj", "*_proj", False),
        ("h.0.attn.k_proj", ".k_proj", False),
        ("h.0.attn.proj (2)", "proj (2)", True),
        ("h.0.mlp.down", "0.mlp.down", True),
        ("h.0.mlp.gate", "h.0.mlp.gate", True),
    ]
    sure, shape = wide_shape(1), wide_shape(2)
    of_sure, of_layer = numbers_in(sure, 2), numbers_in(shape, 2)
    counts = [count_or_error(answer, {"h.9.sure": sure, name: shape}, 2, ["sure", entry]) for name, entry, _ in pairs]
    expect.note("the counts of all pairs", counts)
    for (name, entry, matches), count in zip(pairs, counts, strict=True):
        expected = of_sure + (of_layer if matches else 0)
        what = f'the count with "{entry}" and {name}, which {"match" if matches else "do not match"}'
        expect.close(count, expected, what=what)


def test_a_layer_is_adapted_once_and_an_entry_without_a_layer_adds_nothing(answer):
    shape, other = wide_shape(1), wide_shape(2)
    shapes = {"h.0.attn.proj": shape, "h.1.attn.proj": shape, "h.0.mlp.proj": other, "h.0.mlp.gate": other}
    entries = ["proj", "attn.proj", "h.0.mlp.proj", "ghost"]
    count = counted(answer, shapes, 5, entries)
    expected = 2 * numbers_in(shape, 5) + numbers_in(other, 5)
    expect.close(count, expected, what="the parameters where two entries match the same layers")


def test_no_match_at_all_is_an_error(answer):
    shapes = {"h.0.attn.c_attn": wide_shape(1), "h.0.attn.query": wide_shape(2)}
    many = ["to_q", "to_k", "to_v", "to_out", "gate_up", "wi_0", "wi_1", "fc_in", "fc_out", "lm_head"]
    cases = [(shapes, ["q_proj", "key"]), ({}, ["q_proj"]), (shapes, []), (shapes, many)]
    for layers, entries in cases:
        what = f"the error for entries {entries} in a model of {len(layers)} layers"
        expect.raises(ValueError, lambda s=layers, e=entries: answer.lora_parameters(dict(s), 4, list(e)), what)
    lacking = []
    for layers, entries in cases:
        try:
            answer.lora_parameters(dict(layers), 4, list(entries))
        except ValueError as error:
            lacking.append([entry for entry in entries if entry not in str(error)])
    expect.note("the entries missing from each message", lacking)
    for missing, (_, entries) in zip(lacking, cases, strict=True):
        given = {"target_modules": entries}
        expect.equal(missing, [], what="the entries that are missing from the message of the error", given=given)


def test_the_counts_of_llama_2_7b_are_those_that_peft_prints(answer):
    layer = {"self_attn.q_proj": (4096, 4096), "self_attn.k_proj": (4096, 4096), "self_attn.v_proj": (4096, 4096)}
    layer |= {"self_attn.o_proj": (4096, 4096), "mlp.gate_proj": (11008, 4096), "mlp.up_proj": (11008, 4096)}
    layer |= {"mlp.down_proj": (4096, 11008)}
    shapes = {f"model.layers.{i}.{name}": shape for i in range(32) for name, shape in layer.items()}
    shapes["lm_head"] = (32000, 4096)
    names = [name.split(".")[1] for name in layer]
    counts = [answer.lora_parameters(shapes, 8, ["q_proj", "v_proj"]), answer.lora_parameters(shapes, 16, names)]
    # Counted by peft on the model itself, see figures/module03_lora_budget.py.
    expect.close(counts, [4_194_304, 39_976_960], what="q and v at r = 8; all seven projections at r = 16")


def one_step(optimizer_of):
    """A frozen bfloat16 layer with a float32 A and B, after one step: the bytes that its tensors take."""
    base = nn.Linear(40, 24, bias=False, dtype=torch.bfloat16).requires_grad_(False)
    a, b = nn.Parameter(randn(3, 40, offset=1).float()), nn.Parameter(randn(24, 3, offset=2).float())
    optimizer = optimizer_of([a, b])
    x = randn(5, 40, offset=3).float()
    (base(x.bfloat16()).float() + x @ a.T @ b.T).square().mean().backward()
    optimizer.step()
    weights = sum(p.nbytes for p in (base.weight, a, b))
    gradients = sum(p.grad.nbytes for p in (a, b))
    states = [value for state in optimizer.state.values() for name, value in state.items() if name != "step"]
    state = sum(value.nbytes for value in states if isinstance(value, torch.Tensor))
    return base.weight.numel(), a.numel() + b.numel(), with_total(weights, gradients, state)


def test_memory_is_what_torch_allocates(answer):
    frozen, trainable, allocated = one_step(lambda p: torch.optim.AdamW(p, lr=0.01))
    expect.note("frozen", frozen)
    expect.note("trainable", trainable)
    memory = answer.training_memory(frozen, trainable)
    expect.note("with a base in 8 bits", bytes_of(answer.training_memory(frozen, trainable, frozen_bits=8)))
    expect.close(bytes_of(memory), allocated, what=f"the bytes of LoRA with AdamW ({PARTS})")
    optimizers = {
        "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
        "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
    }
    for name, optimizer_of in optimizers.items():
        frozen, trainable, allocated = one_step(optimizer_of)
        memory = answer.training_memory(frozen, trainable, optimizer=name)
        expect.close(bytes_of(memory), allocated, what=f'the bytes of LoRA with "{name}" ({PARTS})')


def test_gradients_follow_the_trainable_bits_and_the_state_does_not(answer):
    frozen, trainable = int(randint(3000, 9000, (), 1)), int(randint(100, 900, (), 2))
    state_bytes = {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}
    for name, each in state_bytes.items():
        memory = answer.training_memory(frozen, trainable, frozen_bits=32, trainable_bits=16, optimizer=name)
        expected = with_total(4 * frozen + 2 * trainable, 2 * trainable, each * trainable)
        what = f'32 and 16 bits, "{name}" ({PARTS})'
        expect.close(bytes_of(memory), expected, what=what)
        expect.kind(bytes_of(memory), list, of=int, what=what)


def test_full_fine_tuning_has_nothing_frozen(answer):
    trainable = 7_000_000_000 + int(randint(1, 1000, (), 1))
    memory = answer.training_memory(0, trainable, optimizer="adamw")
    expected = with_total(4 * trainable, 4 * trainable, 8 * trainable)
    expect.close(bytes_of(memory), expected, what=f"7 billion that all train in 32 bits ({PARTS})")
    expect.kind(bytes_of(memory), list, of=int, what=f"the bytes where all train ({PARTS})")


def quantized(frozen, block_size, double_quant):
    """The bytes of the tensors that hold `frozen` weights in 4 bits."""
    codes = torch.empty(frozen // 2, dtype=torch.uint8)
    blocks = frozen // block_size
    if not double_quant:
        return codes.nbytes + torch.empty(blocks, dtype=torch.float32).nbytes
    scales, second = torch.empty(blocks, dtype=torch.uint8), torch.empty(blocks // 256, dtype=torch.float32)
    return codes.nbytes + scales.nbytes + second.nbytes


def test_four_bit_weights_carry_a_scale_for_each_block(answer):
    trainable = int(randint(100, 900, (), 1))
    expect.note("trainable", trainable)
    for block_size in (64, 32, 256):
        frozen = 256 * 256 * int(randint(2, 9, (), block_size))
        expect.note("frozen", frozen)
        memory = answer.training_memory(frozen, trainable, frozen_bits=4, block_size=block_size)
        weights = quantized(frozen, block_size, double_quant=False) + 4 * trainable
        expected = with_total(weights, 4 * trainable, 8 * trainable)
        expect.close(bytes_of(memory), expected, what=f"4 bits in blocks of {block_size} ({PARTS})")


def test_double_quantization_makes_the_scales_smaller(answer):
    trainable = int(randint(100, 900, (), 1))
    for block_size in (64, 128):
        frozen = 256 * 256 * int(randint(200, 900, (), block_size))
        memory = answer.training_memory(frozen, trainable, frozen_bits=4, block_size=block_size, double_quant=True)
        weights = quantized(frozen, block_size, double_quant=True) + 4 * trainable
        expected = with_total(weights, 4 * trainable, 8 * trainable)
        expect.close(bytes_of(memory), expected, what=f"double quantization, blocks of {block_size} ({PARTS})")


def test_other_widths_have_no_scales(answer):
    frozen, trainable = 1024 * int(randint(2, 9, (), 1)), int(randint(100, 900, (), 2))
    for bits in (8, 16, 32):
        for double_quant in (False, True):
            memory = answer.training_memory(
                frozen, trainable, frozen_bits=bits, block_size=32, double_quant=double_quant
            )
            expected = with_total(frozen * bits // 8 + 4 * trainable, 4 * trainable, 8 * trainable)
            what = f"{bits} bits, double_quant={double_quant} ({PARTS})"
            expect.close(bytes_of(memory), expected, what=what)
            expect.kind(bytes_of(memory), list, of=int, what=what)


def test_bytes_are_rounded_up_to_whole_numbers(answer):
    trainable, sixteens = int(randint(2, 9, (), 1)), 16 * (2 * int(randint(2, 9, (), 2)) + 1)
    frozen = [sixteens, sixteens + 1, sixteens + 2, sixteens + 3, sixteens + 15]  # never whole blocks of 64
    exact = [Fraction(9, 16) * n + 4 * trainable for n in frozen]  # 4.5 bits each
    expected = [-(-f.numerator // f.denominator) for f in exact]
    memories = [bytes_of(answer.training_memory(n, trainable, frozen_bits=4)) for n in frozen]
    weights, totals = [m[0] for m in memories], [m[3] for m in memories]
    expect.note("exact", [float(f) for f in exact])
    expect.close(weights, expected, what="the bytes of five counts, at 4.5 bits each", given={"frozen": frozen})
    expect.close(totals, [w + 12 * trainable for w in expected], what="the totals of the same five")
    expect.kind(memories[1], list, of=int, what=f"the bytes ({PARTS})")


def test_a_block_size_that_is_no_power_of_two_is_exact(answer):
    # Whole bytes: 432 weights of 4 + 32/48 bits are 252 bytes, and a float can come out a little above that.
    cases = [
        (432, 48, False),
        (864, 96, False),
        (1000, 100, False),
        (1536, 12, True),
        (2304, 36, True),
        (433, 48, False),
        (1536, 48, False),  # 2/3 and 28/3 are rounded up in 28 digits too.
        (1536, 24, True),
    ]
    expected = []
    for frozen, block_size, double_quant in cases:
        scale = Fraction(8, block_size) + Fraction(32, 256 * block_size) if double_quant else Fraction(32, block_size)
        exact = frozen * (4 + scale) / 8
        expected.append(-(-exact.numerator // exact.denominator))
    found = [
        bytes_of(answer.training_memory(n, 0, frozen_bits=4, block_size=size, double_quant=double))[0]
        for n, size, double in cases
    ]
    given = {"frozen, block_size, double_quant": cases}
    expect.equal(found, expected, what="the bytes of weights in blocks of 12 to 100", given=given)


def test_a_frozen_width_says_nothing_of_what_trains(answer):
    for double_quant in (False, True):
        memory = answer.training_memory(0, 300, frozen_bits=4, optimizer="sgd", double_quant=double_quant)
        what = f"full fine-tuning of 300, frozen_bits=4 ({PARTS})"
        expect.equal(bytes_of(memory), with_total(1200, 1200, 0), what=what)


def test_an_unknown_optimizer_is_an_error(answer):
    for name in ("lion", "adam", "AdamW"):
        what = f'the error for the optimizer "{name}"'
        expect.raises(ValueError, lambda n=name: answer.training_memory(70, 3, optimizer=n), what)
    what = 'the error for the optimizer "lion", where nothing trains'
    expect.raises(ValueError, lambda: answer.training_memory(70, 0, optimizer="lion"), what)
    lacking = []
    for name in ("lion", "adafactor"):
        try:
            answer.training_memory(70, 3, optimizer=name)
        except ValueError as error:
            lacking += [name] if name not in str(error) else []
    expect.equal(lacking, [], what='which of the names "lion" and "adafactor" are missing from the message')


def test_the_rank_may_be_larger_than_a_side_of_the_layer(answer):
    shapes = {"h.0.attn.q_proj": (3, 50), "h.0.attn.v_proj": (60, 5), "h.0.mlp.down": wide_shape(1)}
    expected = sum(numbers_in(shape, 70) for shape in shapes.values())
    count = counted(answer, shapes, 70, ["q_proj", "v_proj", "down"])
    expect.close(count, expected, what="the parameters of r = 70 on layers with smaller sides")
