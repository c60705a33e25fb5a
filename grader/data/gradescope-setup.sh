#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the autograder's image.
set -euo pipefail
prefix=@PREFIX@
venv="$prefix/venv"

usable() {
  "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null
}

# The grader needs Python 3.11 or newer with venv; older images have it as a package beside their own.
if ! [ -x "$venv/bin/python" ]; then
  python=""
  for one in python3 python3.13 python3.12 python3.11 python3.14; do
    if usable "$one"; then python="$one" && break; fi
  done
  if [ -z "$python" ]; then
    apt-get update -qq
    for one in python3.13 python3.12 python3.11; do
      if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$one-venv" && usable "$one"; then
        python="$one" && break
      fi
    done
  fi
  [ -n "$python" ] || { echo "there is no Python 3.11 or newer: choose a newer base image"; exit 1; }
  "$python" -m venv "$venv"
fi

# --torch-index: torch without CUDA is a tenth as large; if it can't be had, PyPI's follows with the rest.
index=@INDEX@
install() {
  "$venv/bin/python" -I -m pip --disable-pip-version-check install --no-cache-dir \
    -c "$prefix/source/constraints.txt" "$@"
}
[ -z "$index" ] || "$venv/bin/python" -I -c 'import torch' 2>/dev/null ||
  install torch --index-url "$index" || echo "torch comes from PyPI"
install "$prefix/source/"@WHEEL@
"$venv/bin/python" -I -m grader.cli --version
