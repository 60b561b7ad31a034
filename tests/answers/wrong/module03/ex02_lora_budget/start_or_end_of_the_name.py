# names: prefix-matches
# breaks: "a layer matches an entry if its full name equals the entry"
from collections import namedtuple
from math import ceil

Memory = namedtuple("Memory", "weights gradients optimizer total")


def lora_parameters(shapes, r, target_modules):
    wanted = {t.lower() for t in target_modules}
    chosen = {n: s for n, s in shapes.items() if any(n.startswith(t) or n.endswith("." + t) for t in wanted)}
    if not chosen:
        raise ValueError(f"{target_modules} not found")
    return sum(r * (o + i) for o, i in chosen.values())


def training_memory(
    frozen, trainable, *, frozen_bits=16, trainable_bits=32, optimizer="adamw", block_size=64, double_quant=False
):
    table = dict(adamw=8, adamw_8bit=2, sgd_momentum=4, sgd=0)
    if optimizer not in table:
        raise ValueError("optimizer " + optimizer)
    bits = frozen_bits
    if bits == 4:
        bits = 4 + (8 / block_size + 32 / (256 * block_size) if double_quant else 32 / block_size)
    w = ceil((frozen * bits + trainable * trainable_bits) / 8)
    g = ceil(trainable * trainable_bits / 8)
    s = ceil(trainable * table[optimizer])
    return Memory(w, g, s, w + g + s)
