"""How a command can end early (the user's slip, the grader's own fault), and a file that can't be graded."""


class UsageError(Exception):
    """What a user got wrong, in one line that names the thing and the repair. Exit code 2."""


class GraderFault(Exception):
    """The grader can't do its work (a damaged fixture, a process that broke). Exit code 3."""


class Unreadable(Exception):
    """A submission's file can't be taken, and why, in a few words that follow its name."""
