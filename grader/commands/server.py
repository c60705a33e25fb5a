"""`grader server`: start, stop, or look at the background server."""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from typing import Any

from grader.commands.background import client, talk
from grader.core.errors import GraderFault


def run(args: argparse.Namespace) -> int:
    if not client.THERE:
        raise GraderFault(
            "the background server needs Linux or macOS (on Windows: WSL 2); all works without it"
        )
    return {"start": start, "stop": stop, "status": status}[args.action]()


def start() -> int:
    try:
        client.start()
    except (OSError, talk.Broken):
        raise GraderFault(
            "no server can be started here: `grader check` works without, a little slower"
        ) from None
    return status()


def stop() -> int:
    ended = _answer("stop") is not None  # read to its end, which is the process's
    print("stopped" if ended else "no server is running")
    return 0


def status() -> int:
    answer = _answer("status")
    if answer is None:
        print("no server is running: the next `grader check` starts one")
        return 1
    facts: dict[str, Any] = json.loads(answer)
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(facts["since"]))
    print(f"process {facts['pid']}, version {facts['version']}, up since {since}, of {facts['package']}")
    memory = f", {facts['memory'] >> 20} MB of memory" if facts["memory"] else ""
    busy = ", grading now" if facts["busy"] else ""
    print(f"{facts['requests']} requests, {facts['recalled']} answered from the cache{memory}{busy}")
    return 0


def _answer(verb: str) -> bytes | None:
    """All that a running server says to `verb`; None where none runs."""
    try:
        if (line := client.ask(verb)) is None:
            return None
        with closing(line):
            return b"".join(iter(lambda: line.recv(65536), b""))
    except ConnectionError:  # it left at this moment
        return None
    except OSError:
        raise GraderFault(
            "the server does not answer: `ps` shows it as `grader.commands.background.serve`"
        ) from None
