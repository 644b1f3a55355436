#!/bin/sh
# Create .venv and install the pinned packages into it: `sh scripts/setup.sh worker` (to run) or `sh scripts/setup.sh dev` (to develop and test).
# A second call does nothing until a pin changes; an interrupted call can be repeated.
set -eu

name=$1
# Measured on Linux x86-64 with the CPU build of torch (190 MB of it).
case $name in
worker) megabytes=950 ;;
dev) megabytes=1340 ;;
*) echo "usage: sh scripts/setup.sh worker|dev" >&2 && exit 2 ;;
esac
cd "$(dirname "$0")/.."

python=.venv/bin/python
log=.venv/pip.log
# Without this, pip buffers its output until it is done.
export PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

fingerprint() {
    cat requirements/torch.txt requirements/torch-pypi.txt "requirements/$1.txt" | cksum
}

is_ready() {
    [ -x "$python" ] && [ -f ".venv/ready-$1" ] && [ "$(cat ".venv/ready-$1")" = "$(fingerprint "$1")" ]
}

# The development packages include the worker's at the same versions.
if is_ready "$name" || { [ "$name" = worker ] && is_ready dev; }; then
    exit 0
fi

find_python() {
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.13 python3.12 python3.11; fi
    for candidate; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    die "Heimdex needs Python 3.11 or newer, but $1 is $("$1" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo missing)." \
        "Install a newer Python, or name one: make setup PYTHON=/path/to/python3.12"
}

if ! "$python" -m pip --version >/dev/null 2>&1; then
    base=$(find_python)
    "$base" -c 'import ensurepip, venv' 2>/dev/null || die "$base cannot create virtual environments. Install venv first (Debian and Ubuntu: apt install python3-venv)."
    echo "Creating .venv with $("$base" --version)"
    "$base" -m venv --clear .venv
fi

rm -f ".venv/ready-$name"
echo "Installing the packages of requirements/$name.txt. Packages that are not in pip's cache are downloaded: up to about $megabytes MB."
echo "(The build of torch for NVIDIA GPUs, the default on Linux, adds some GB. Set PIP_EXTRA_INDEX_URL to PyTorch's index of CPU builds to avoid it.)"

# Show only large downloads and errors.
run_pip() {
    # The exit code goes through a file, because a pipe returns only that of its last command.
    echo 1 >.venv/pip.code
    { "$python" -m pip install "$@" 2>&1 && echo 0 >.venv/pip.code || :; } | tee "$log" | while IFS= read -r line; do
        case $line in
        *Downloading\ *.metadata*) ;;
        *Downloading\ *\ MB*) line=${line#*Downloading } && echo "  downloading ${line##*/}" ;;
        esac
    done
    if [ "$(cat .venv/pip.code)" != 0 ]; then
        grep -v -e 'is ignored: it is' -e '^Looking in' -e '^Requirement already' "$log" | tail -n 20 >&2
        die "pip could not install the packages (see above; full output: $log). Fix the problem, then run the same command again."
    fi
}

# The builds of torch on PyPI are checked by their hashes. Whoever names another source gets what it has: its files have other hashes.
if "$python" -m pip config list | grep -Eq "(index-url|find-links)='.+'"; then
    run_pip -r requirements/torch.txt
else
    run_pip --no-deps --require-hashes -r requirements/torch-pypi.txt
fi
run_pip --no-deps --require-hashes -r "requirements/$name.txt"
fingerprint "$name" >".venv/ready-$name"
