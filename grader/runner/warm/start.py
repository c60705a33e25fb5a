"""The zygote's first lines, run as a script before torch is imported: `start.py OPTIONS`.

OPTIONS is JSON: "root", the folder that holds the package; "control", the descriptor to the parent;
"folder", where children get a folder each; "skip", layers of confinement to leave out.
"""

import gc
import json
import os
import sys

gc.disable()  # a third of the import's time is collecting what nobody frees
options = json.loads(sys.argv[1])
sys.path[0] = options["root"]

from grader.runner.warm import confine  # noqa: E402

options["namespaces"] = "namespaces" not in options["skip"] and confine.unshare()
makes_disks = options["namespaces"] and "disks" not in options["skip"]
options["disks"] = confine.disks(options["folder"]) if makes_disks else []
if options["namespaces"]:
    outside = os.getpid()
    if zygote := os.fork():  # the fork is the init of the PID namespace; this process only waits for it
        os.close(options["control"])
        code = os.waitstatus_to_exitcode(os.waitpid(zygote, 0)[1]) & 0xFF
        confine.unmount(options["folder"])
        os._exit(code)
    confine.die_with_parent(0)  # the parent's id reads 0 from inside

from grader.runner.warm.deferred import defer, unread  # noqa: E402

defer("torch._meta_registrations", "torch.export", "torchgen.model")
with unread():
    import torch
if hasattr(torch._C, "_set_generator_metaclass"):
    # what torch's primitives would do: they came with what is deferred, see `byhand.FIRST`
    from torch._opaque_base import OpaqueBaseMeta

    torch._C._set_generator_metaclass(OpaqueBaseMeta)
    vars(torch).get("_lazy_modules", set()).add("_prims")

from grader.runner.warm.zygote import main  # noqa: E402

main(options)
