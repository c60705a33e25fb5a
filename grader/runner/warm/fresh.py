"""A process for one job, where there is no fork: run as a script, `fresh.py ROOT`. Nothing confines it.

The job comes on standard input; what it sends leaves on standard output, what a submission prints on standard
error, since no other descriptor can be handed over on every system.
"""

import gc
import json
import os
import sys
import threading
import time
from typing import TextIO

gc.disable()
sys.path[0] = sys.argv[1]

import torch  # noqa: E402

from grader.runner.host.fresh import CPU_EXIT  # noqa: E402
from grader.runner.untrusted import asking, child  # noqa: E402
from grader.runner.warm.limits import CPU  # noqa: E402
from grader.runner.warm.load import Loaded  # noqa: E402
from grader.runner.wire import LAYERS, LENGTH  # noqa: E402


def main() -> None:
    """Wait for a job, do it, and end."""
    torch.set_num_threads(1)
    torch.set_printoptions(linewidth=76)  # what is printed is shown behind a bar, on 80 columns
    asking.POLICY.install()
    if not (length := child.read(0, LENGTH.size)):  # nobody wants one any more
        return
    head = json.loads(child.read(0, *LENGTH.unpack(length)))
    loaded, request = Loaded(), head["request"]
    for load, sizes in head["loads"]:
        loaded.load(load, [child.read(0, size) for size in sizes])
    source = child.read(0, head["source"])
    rounds = os.dup(0) if request.get("rounds") else None
    result = os.dup(1)
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout, sys.stderr = _text(1), _text(2)
    if request["op"] != "reference":
        threading.Thread(target=_limit, args=(request.get("cpu", CPU),), daemon=True).start()
    os.write(result, b"+")
    loaded.answer(request, source, child.Ends(result, rounds), LAYERS)


def _text(fd: int) -> TextIO:
    return open(fd, "w", encoding="utf-8", errors="backslashreplace", newline="\n", closefd=False)


def _limit(seconds: int, sleep=time.sleep, used=time.process_time, leave=os._exit) -> None:  # type: ignore
    """End this process when it has used so much processor time from now on."""
    until = used() + seconds
    while (left := until - used()) > 0:
        sleep(min(left, 0.2))
    leave(CPU_EXIT)


if __name__ == "__main__":
    child.end(main)
