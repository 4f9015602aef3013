# Progress lines and errors, on standard error so that data on standard output stays clean.
# Source it first: it also sets the shell options that every script here relies on.

set -euo pipefail
export LC_ALL=C

script_started=$SECONDS

step() { printf '==> [%3d s] %s\n' $((SECONDS - script_started)) "$*" >&2; }

note() { printf '    %s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Runs a command quietly with a time limit in seconds; shows the end of its output if it fails.
# quietly SECONDS WHAT COMMAND...
quietly() {
  local limit=$1 what=$2 output status=0
  shift 2
  output=$(mktemp)
  timeout "$limit" "$@" >"$output" 2>&1 </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 40 "$output" >&2
    rm -f "$output"
    [ "$status" -ne 124 ] || die "$what took longer than $limit seconds"
    die "$what failed with status $status (the end of its output is above)"
  fi
  rm -f "$output"
}
