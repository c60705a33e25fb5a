"""`grader live`: the page of a report on this machine alone, changed at every save."""
