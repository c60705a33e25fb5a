"""`python -m grader`: the command, where its script is not on the path."""

from grader.cli import entry

if __name__ == "__main__":
    entry()
