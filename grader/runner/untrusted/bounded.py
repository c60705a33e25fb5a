"""Loops that end: their turns are counted, since a change of code may make one go on for ever.

Untrusted side. No timer does: the system calls that set one are not allowed to a child.
"""

from __future__ import annotations

import ast
import time

TURN = "_turn"  # what the body of each loop begins with a call of
FEW = 10_000  # turns that are always had
AGAIN = 4  # times as many as the code takes as it is, and as much time
SECONDS = 0.2  # of processor time that are always had
LOOK = 64  # turns between looks at the clock


class Endless(BaseException):
    """More turns than code may take; no `except Exception` of a submission keeps it."""


class Turns:
    """Counts the turns of loops; Endless where there are too many."""

    def __init__(self) -> None:
        self.taken, self.most = 0, 1 << 60
        self.began, self.seconds = 0.0, float("inf")

    def __call__(self) -> None:
        self.taken += 1
        late = not self.taken % LOOK and time.process_time() - self.began > self.seconds
        if late or self.taken > self.most:
            raise Endless

    def begin(self) -> None:
        self.taken, self.began = 0, time.process_time()

    def hold(self) -> None:
        """What has been taken since `begin` is what code takes that comes to its end."""
        self.most = FEW + AGAIN * self.taken
        self.seconds = SECONDS + AGAIN * (time.process_time() - self.began)


def bounded(tree: ast.Module) -> ast.Module:
    """The same code, each loop's body after a call that counts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.While | ast.For):
            call = ast.Expr(ast.Call(ast.Name(TURN, ast.Load()), [], []))
            node.body.insert(0, ast.fix_missing_locations(ast.copy_location(call, node)))
    return tree
