#!/bin/sh
# CodeGrade: the command of a Unit Test step, which reads JUnit XML at CG_JUNIT_XML_LOCATION and counts its tests.
# -I: nothing that was submitted can be imported in place of the grader or of a module of Python's.
python3 -I -m grader.cli check ex1 --submission ex1.py --require-sandbox --no-server \
  --codegrade "${CG_JUNIT_XML_LOCATION:?CodeGrade sets it}"
