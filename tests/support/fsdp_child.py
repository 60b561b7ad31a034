"""The child process of a step, with FSDP on the CPU: accelerate shards only on accelerators (state.py, the branch of
MULTI_GPU and its like), so its state is told here that it may; everything after that is accelerate's and torch's own.
"""

from __future__ import annotations

import os
import sys

from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType

from tunelings.project import child

begin = AcceleratorState.__init__


def sharded(self, *args, fsdp_plugin=None, **options):
    is_new = not AcceleratorState._shared_state
    begin(self, *args, fsdp_plugin=fsdp_plugin, **options)
    if is_new and fsdp_plugin is not None:
        self.distributed_type = PartialState._shared_state["distributed_type"] = DistributedType.FSDP
        self.fsdp_plugin = fsdp_plugin


AcceleratorState.__init__ = sharded
code = child.main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
