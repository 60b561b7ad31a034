"""FSDP by accelerate's own configuration: each process trains a part of the weights, and 1.09 still writes them whole.

Only FSDP2 (`fsdp_version: 2`): its parameters keep their names, and a gradient is theirs alone. A part that is spread
over the processes is a DTensor; `whole` and `put` change between it and the plain tensors that checkpoints hold.
"""

from __future__ import annotations

from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from tunelings.project.errors import ProjectError


def check(accelerator: Accelerator, processes: int, technique: str) -> None:
    """Refuse what shards in another way.

    Raises:
        ProjectError: DeepSpeed, FSDP1 or another, FSDP with qlora, or another number of processes than the settings'.
    """
    if accelerator.num_processes != processes:
        raise ProjectError(
            f"train.processes is {processes}, and accelerate has started {accelerator.num_processes}: make "
            "project.toml and the configuration of accelerate say the same."
        )
    kind = accelerator.distributed_type.value
    if kind in ("NO", "MULTI_CPU", "MULTI_GPU"):
        return
    if not accelerator.is_fsdp2:
        raise ProjectError(
            f"accelerate_config asks for {kind}, which shards the model: of these only FSDP with fsdp_version: 2 works "
            "with the checkpoints of 1.09."
        )
    if technique == "qlora":
        raise ProjectError("accelerate_config asks for FSDP, and technique for qlora: choose lora or full.")


def whole(trainable: nn.ParameterDict, optimizer: Optimizer) -> tuple[nn.ParameterDict, Optimizer]:
    """What 1.09 gets: the same two, or of sharded ones whole copies on the CPU. Every process has to call it."""
    if not is_sharded(trainable):
        return trainable, optimizer
    weights = nn.ParameterDict({name: nn.Parameter(gathered(p.detach())) for name, p in trainable.items()})
    state = optimizer.state_dict()
    same_kind: Any = type(optimizer)
    moments = same_kind(weights.parameters())
    moments.load_state_dict({**state, "state": mapped(state["state"], lambda _, value: gathered(value))})
    return weights, moments


def put(weights: nn.ParameterDict, moments: Optimizer, trainable: nn.ParameterDict, optimizer: Optimizer) -> None:
    """Take over into this process's part what 1.09 has read into whole copies."""
    if weights is trainable:
        return
    parameters = list(trainable.values())
    for name, parameter in trainable.items():
        copy_into(parameter, weights[name])
    state = moments.state_dict()
    spread = mapped(state["state"], lambda number, value: like(value, parameters[number]))
    optimizer.load_state_dict({**state, "state": spread})


def copy_into(parameter: Tensor, value: Tensor) -> None:
    with torch.no_grad():
        parameter.copy_(like(value, parameter))


def save_pretrained(accelerator: Accelerator, model: Any, folder: Any) -> None:
    """The model's own files, written by the first process; every process has to call it."""
    options = {}
    if accelerator.is_fsdp2:
        names = {name for name, _ in (*model.named_parameters(), *model.named_buffers())}  # Of tied weights, one.
        weights = accelerator.get_state_dict(model)
        options["state_dict"] = {name: value for name, value in weights.items() if name in names}
    if accelerator.is_main_process:
        model.save_pretrained(folder, **options)


def is_sharded(trainable: nn.ParameterDict) -> bool:
    return any(isinstance(parameter, DTensor) for parameter in trainable.values())


def gathered(value: Any) -> Any:
    if isinstance(value, DTensor):
        value = value.full_tensor()
    return value.detach().cpu() if isinstance(value, Tensor) else value


def like(value: Any, parameter: Tensor) -> Any:
    """A whole tensor as this process's part of it; all processes have the same, so nothing is sent."""
    if not isinstance(parameter, DTensor) or not isinstance(value, Tensor) or value.shape != parameter.shape:
        return value
    here = value.detach().to(parameter.device)
    return distribute_tensor(here, parameter.device_mesh, parameter.placements, src_data_rank=None)


def mapped(state: dict[int, dict[str, Any]], change: Any) -> dict[int, dict[str, Any]]:
    """An optimizer's state with each value changed; `change` gets the parameter's number and the value."""
    return {number: {k: change(number, v) for k, v in values.items()} for number, values in state.items()}
