#!/bin/sh
# Compare the pinned packages with the advisories of PyPI, and write a bill of materials: `sh scripts/audit.sh`.
# The tools have an environment of their own, so that they neither share nor change the packages that they judge.
set -eu
cd "$(dirname "$0")/.."

tools=.cache/audit
bill=.cache/sbom.json

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

if [ "$(cat "$tools/ready" 2>/dev/null)" != "$(cksum <requirements/audit.txt)" ]; then
    "${PYTHON:-python3}" -m venv --clear "$tools" || die "Install Python 3.11 or newer with venv, or name one: make audit PYTHON=/path/to/python3.12"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/audit.txt ||
        die "pip could not install the tools of requirements/audit.txt (see above)."
    cksum <requirements/audit.txt >"$tools/ready"
fi

# What an installation runs.
cat requirements/worker.txt requirements/torch-pypi.txt |
    PYTHONWARNINGS=ignore "$tools/bin/cyclonedx-py" requirements - --pyproject pyproject.toml --output-reproducible -o "$bill"
echo "Bill of materials: $bill"

set --
for name in web worker torch-pypi dlib transnetv2 dev audit; do
    set -- "$@" -r "requirements/$name.txt"
done
# --strict: a package that could not be looked up is not a package without vulnerabilities.
"$tools/bin/pip-audit" --strict --disable-pip --require-hashes --progress-spinner off "$@" ||
    die "The audit failed (see above). Update a package with a known vulnerability (pyproject.toml, then make lock)." \
        "If the advisories could not be read, or a package is \"not found on PyPI\", a mirror without PyPI's JSON API may have answered:" \
        "try again with a network that reaches PyPI. $bill is complete."
