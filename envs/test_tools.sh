#!/usr/bin/env bash
# Install the tools that only tests need from the packages of the system, where that can be done without asking anyone.
#
# It never fails: without them the tests concerned are skipped, or, in continuous integration, fail and say so.
set -uo pipefail

tools=(ffmpeg) # each is in a package of its own name

missing=()
for tool in "${tools[@]}"; do
    command -v "$tool" >/dev/null || missing+=("$tool")
done
((${#missing[@]})) || exit 0

give_up() {
    echo "Tests that need ${missing[*]} will not run: $1"
    exit 0
}

command -v apt-get >/dev/null || give_up "there is no apt-get here; install ${missing[*]} yourself"
as_root=(env DEBIAN_FRONTEND=noninteractive)
if [[ $(id -u) != 0 ]]; then
    sudo -n true 2>/dev/null || give_up "run \`apt install ${missing[*]}\` as root to have them"
    as_root=(sudo -n "${as_root[@]}")
fi

# Only what uses the network may be stopped: packages half installed are worse than none.
install=(apt-get -qq -o DPkg::Lock::Timeout=60 --no-install-recommends install "${missing[@]}" --yes)
answer=$(
    exec 2>&1
    timeout 60 "${as_root[@]}" apt-get -qq update &&
        timeout 180 "${as_root[@]}" "${install[@]}" --download-only &&
        "${as_root[@]}" "${install[@]}"
) || give_up "apt-get failed: $(grep -E '^E: ' <<<"$answer" | head -n 1 | sed 's/^E: //' | grep . || echo 'no answer in time')"
echo "Installed ${missing[*]} for the tests"
