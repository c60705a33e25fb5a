#!/bin/sh
# CodeGrade: the set-up script of the AutoTest, run once. GRADER_WHEEL is the wheel's address with its digest.
case "$GRADER_WHEEL" in *.whl#sha256=*) ;; *) echo "GRADER_WHEEL is not set: the wheel's address, https://….whl#sha256=…"; exit 2;; esac
python3 -I -m pip install torch ${GRADER_TORCH_INDEX:+--index-url "$GRADER_TORCH_INDEX"}
python3 -I -m pip install "$GRADER_WHEEL"
