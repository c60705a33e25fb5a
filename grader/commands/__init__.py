"""Arguments → one of the rooms below; exit codes. One file a command; each has `run(args) -> exit code`.

background/ is the process that stays.
"""
