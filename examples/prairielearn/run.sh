#!/bin/sh
# PrairieLearn: tests/run.sh of the question, the `entrypoint` in its info.json (beside this file).
# What students submit (<pl-file-upload file-names="ex1.py">) is in /grade/student; the answer goes to results.json.
grade="${1:-/grade}"
mkdir -p "$grade/results"
# stands there if grading fails: then the attempt isn't counted, and a fault is no zero
echo '{"gradable": false, "format_errors": "There is no grade: the file can not be read, or the grader failed."}' \
  > "$grade/results/results.json"
# -I: nothing that was submitted can be imported in place of the grader or of a module of Python's.
cd "$grade/student" && python3 -I -m grader.cli check ex1 --submission ex1.py --require-sandbox --no-server \
  --prairie "$grade/results/results.json"
