"""The two ways in which a command can end early: the user's slip, and the grader's own fault."""


class UsageError(Exception):
    """What a user got wrong, in one line that names the thing and the repair. Exit code 2."""


class GraderFault(Exception):
    """The grader can't do its work (a damaged fixture, a process that broke). Exit code 3."""
