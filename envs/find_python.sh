#!/usr/bin/env bash
# Print the Python to build the environment with: $PYTHON (python3 unless set) if it is new enough, else a newer one
# of the PATH. A name on the PATH is not enough, it must run: pyenv leaves names behind that only print an error.
set -euo pipefail

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

wanted=${PYTHON:-python3}
for candidate in "$wanted" python3.13 python3.12 python3.11; do
    if is_new_enough "$candidate"; then
        echo "$candidate"
        exit
    fi
done
found=$("$wanted" --version 2>&1 | head -n 1 || true)
echo "Candor needs Python 3.11 or newer, and $wanted is: ${found:-not there}. Name one: make PYTHON=/path/to/python3.12" >&2
exit 1
