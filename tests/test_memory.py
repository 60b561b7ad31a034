"""The sums of the hardware page's calculator: those of 3.02 and 5.08, and of transformers' own models."""

from __future__ import annotations

import pytest

from tunelings import loading
from tunelings.handson import hardware
from tunelings.handson.memory import GIB, METHODS, OPTIMIZER_BYTES, PRESETS, Run

LLAMA = PRESETS["Llama 2 7B"]
DECODERS = [name for name, sizes in PRESETS.items() if sizes.decoder]


@pytest.mark.parametrize("name", DECODERS)
def test_the_parameters_of_a_preset_are_those_that_transformers_makes_of_its_sizes(name: str):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = PRESETS[name]
    config = LlamaConfig(
        vocab_size=sizes.vocab,
        hidden_size=sizes.hidden,
        intermediate_size=sizes.intermediate,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.kv_heads,
        head_dim=sizes.head_dim,
        tie_word_embeddings=sizes.tied,
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    assert sizes.parameters == model.num_parameters()
    linear = [m for name, m in model.named_modules() if isinstance(m, torch.nn.Linear) and name != "lm_head"]
    assert sizes.adapter_per_rank == sum(m.in_features + m.out_features for m in linear)
    assert sizes.parameters - sizes.whole == sum(m.weight.numel() for m in linear)


def test_bert_is_counted_to_one_percent():
    assert PRESETS["BERT-base"].parameters == pytest.approx(109_482_240, rel=0.011)


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize(("batch", "length"), [(1, 512), (3, 1000)])
def test_a_run_with_the_defaults_is_what_5_08_estimates(method: str, batch: int, length: int):
    reference = loading.reference("5.08")
    shape = reference.ModelShape(LLAMA.parameters, LLAMA.layers, LLAMA.hidden, LLAMA.vocab, 16 * LLAMA.adapter_per_rank)
    total = sum(Run(LLAMA, method, batch=batch, length=length).parts().values())
    assert total == pytest.approx(reference.estimate_vram(shape, method, batch, length))


def test_the_rows_of_the_hardware_table_are_runs_of_the_calculator():
    rows = {row.name: row.parts["total"] for row in hardware.ROWS}
    for name, method in [("7B, QLoRA", "qlora"), ("7B, LoRA", "lora"), ("7B, full fine-tuning", "full")]:
        assert sum(Run(LLAMA, method).parts().values()) == pytest.approx(rows[name])
    bert = Run(PRESETS["BERT-base"], "full", True, 32, 128, checkpointing=False, stored_scores=True)
    assert sum(bert.parts().values()) == pytest.approx(rows["BERT-base, fine-tuning"], rel=0.005)


@pytest.mark.parametrize("optimizer", OPTIMIZER_BYTES)
def test_what_trains_in_float32_is_what_3_02_counts(optimizer: str):
    memory = loading.reference("3.02").training_memory
    full = memory(0, LLAMA.parameters, trainable_bits=32, optimizer=optimizer)
    assert Run(LLAMA, "full", True, optimizer=optimizer).parts()["what trains"] * GIB == pytest.approx(full.total)
    lora = memory(LLAMA.parameters, 16 * LLAMA.adapter_per_rank, frozen_bits=16, optimizer=optimizer)
    parts = Run(LLAMA, "lora", optimizer=optimizer).parts()
    assert (parts["frozen weights"] + parts["what trains"]) * GIB == pytest.approx(lora.total)


def test_stored_scores_and_no_checkpointing_are_korthikantis_equation():
    run = Run(LLAMA, batch=2, length=300, checkpointing=False, stored_scores=True)
    by_hand = 32 * 600 * 4096 * (34 + 5 * 32 * 300 / 4096)
    assert run.parts()["activations"] * GIB == pytest.approx(by_hand)
    assert set(METHODS) == {"full", "lora", "lora_8bit", "qlora"}
