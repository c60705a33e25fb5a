"""The zygote's first lines, run as a script: `start.py DESCRIPTOR ROOT`, before torch is imported."""

import gc
import sys

gc.disable()  # a third of the import's time is collecting what nobody frees
sys.path[0] = sys.argv[2]  # the folder that holds the package, in place of this one

from grader.runner.deferred import defer  # noqa: E402

defer("torch._meta_registrations", "torch.export")

import torch._prims.rng_prims  # noqa: E402, F401 -- torch.Generator needs it; it came with what is deferred

from grader.runner.zygote import main  # noqa: E402

main(int(sys.argv[1]))
