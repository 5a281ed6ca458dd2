#!/usr/bin/env bash
# Make .venv hold what envs/requirements.lock names, and Candor itself in editable form.
#
# The Makefile runs this when .venv/installed is missing or older than what it was made from. An environment that still has
# its mark .venv/unfinished was left by a killed run, and is made anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=.venv
unfinished=$venv/unfinished
log=.setup.log

fail() {
    rm -f "$unfinished"
    echo "$1 (log: $log)" >&2
    exit 1
}

why_pip_failed() {
    if grep -qE 'NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError' "$log"; then
        echo "the package index cannot be reached"
    else
        { grep '^ERROR: ' "$log" || tail -n 1 "$log"; } |
            sed -e '/Ignored the following/d' -e 's/^ERROR: //' -e 's/ (from versions:.*//' | head -n 1
    fi
}

# Everything goes to the log, the large downloads to the terminal as well: a CUDA build of torch takes a while.
pip_install() {
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off "$@" 2>&1 |
        tee -a "$log" |
        { grep --line-buffered -E 'Downloading .*\([0-9.]+ [MG]B\)' || true; } ||
        fail "pip failed: $(why_pip_failed)"
}

make_venv() {
    echo "Making $venv with $("$1" --version); this takes some minutes and is done once"
    rm -rf "$venv"
    mkdir "$venv"
    touch "$unfinished"
    "$1" -m venv "$venv" >>"$log" 2>&1 ||
        fail "$1 cannot make a virtual environment: on Debian and Ubuntu, apt install python3-venv"
}

: >"$log"
if [[ -e $unfinished ]] || ! "$venv/bin/python" -c 'import pip' >>"$log" 2>&1; then
    python=$(envs/find_python.sh)
    make_venv "$python"
fi
touch "$unfinished"
# As a constraint too: pip would try out other versions of what is asked for with extras.
pip_install --requirement envs/requirements.lock --constraint envs/requirements.lock
pip_install --no-deps --no-build-isolation --editable .
rm "$unfinished"
"$venv/bin/python" envs/fix_torchaudio.py
touch "$venv/installed"
