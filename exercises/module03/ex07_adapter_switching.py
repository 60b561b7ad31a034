"""3.07 · Adapter switching: one base model in memory, many small adapters, and only one of them on at a time.

A LoRA adapter is a few matrices beside the base; switching selects which of them are used and moves no weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peft import PeftConfig, inject_adapter_in_model, load_peft_weights, set_peft_model_state_dict
from peft.functional import delete_adapter
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import PreTrainedModel


class AdapterLibrary:
    """Several LoRA adapters around one base model, and the choice of which one answers.

    The given `base` object is used itself, not a copy. Its layers may be wrapped in place, so that names of its
    parameters change; its weight tensors stay the same tensors and are never written to, not even inside a block
    (nothing is merged). From construction on, it is in eval mode and none of its parameters needs a gradient,
    including those of the adapters: no method of the library leaves it in any other state.

    Outside any `using` block, `base(...)` answers, bit for bit, what it answered in eval mode before construction,
    however many adapters have been added.

    You may use any part of transformers and peft.

    Method: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2021), section 4.2 (switching
    tasks), https://arxiv.org/abs/2106.09685; adapter injection as in
    https://huggingface.co/docs/peft/developer_guides/low_level_api
    """

    def __init__(self, base: PreTrainedModel) -> None:
        """Start with no adapters.

        Args:
            base: a transformers model without any adapter, in any mode.
        """
        # TODO: keep the base, no names yet, no adapter on; freeze the base and set eval mode.
        raise NotImplementedError("TODO")

    @property
    def names(self) -> list[str]:
        """The names of the adapters in the order in which they were added; a new list at each call."""
        # TODO: a copy of the list of names.
        raise NotImplementedError("TODO")

    def add(self, name: str, path: str | Path) -> None:
        """Read an adapter into memory. This does not change which adapter answers, if any.

        Args:
            name: a new name. A name that is taken, or that contains a "." (torch allows none in the name of a
                module), is a ValueError whose message contains it.
            path: a folder that peft's `save_pretrained` wrote, with a LoRA adapter for `nn.Linear` layers of this
                base. Rank, lora_alpha and target modules may differ from adapter to adapter. The folder is read
                here, once, and is not needed afterwards.

        If the adapter cannot be read, or does not fit the base, the error of the library that reads it is passed
        on. After any failed add, everything is as before: the names, each adapter, the base; the same name can be
        added again, from another path.
        """
        # TODO: refuse the name, read config and weights, inject; take it out again if it does not fit.
        raise NotImplementedError("TODO")

    @contextmanager
    def using(self, name: str | None) -> Iterator[PreTrainedModel]:
        """Switch an adapter on for the duration of a `with` block.

        Args:
            name: an added adapter, which is then the only one that is on; or None, for the base without any. Any
                other name is a KeyError, on entry at the latest, whose message contains it and all existing names;
                in that case nothing is switched.

        Yields:
            The model, to be called like the base: with the adapter, y = W x + (lora_alpha / r) B A x in each of its
            target modules. It is the base itself or a module around it.

        Blocks may be nested, also with None and with repeated names. Leaving a block switches back to what was on
        before it: the outer block's adapter, or the base. The same is true of a block left by an exception, and the
        exception propagates to the caller.
        """
        # TODO: refuse unknown names, switch, yield the model, and switch back whatever happens.
        raise NotImplementedError("TODO")
