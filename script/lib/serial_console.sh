# Drives a guest's root shell on its serial console from bash. QEMU connects the console to two
# named pipes (-serial pipe:CONSOLE); all it says is kept in CONSOLE.log. Needs report.sh.

# open_console CONSOLE: before the VMM is started.
open_console() {
  console=$1
  mkfifo "$console.in" "$console.out"
  exec {console_in}<>"$console.in" {console_out}<>"$console.out"
  cat <&"$console_out" >"$console.log" &
  console_reader=$!
}

# wait_for_console REGEX SECONDS: whether the console says it in time, the VMM being alive.
wait_for_console() {
  local deadline=$((SECONDS + $2))
  until grep -qaE "$1" "$console.log"; do
    [ "$SECONDS" -lt "$deadline" ] && kill -0 "$vmm" 2>/dev/null || return 1
    sleep 0.2
  done
}

# quiet_shell: goes on with a shell that neither echoes nor edits lines nor prompts.
# REQUIRES: the login shell waits at its prompt.
quiet_shell() {
  printf '%s\n' 'stty -echo -onlcr; exec sh' >&"$console_in"
  sleep 1
  printf '%s\n' 'PS1=; echo; echo quiet-"shell"' >&"$console_in"
  wait_for_console '^quiet-shell' 60
}

# in_guest SECONDS COMMAND: prints what the command prints.
in_guest() {
  local mark="mark-$RANDOM-$SECONDS"
  printf 'echo begin-%s; %s; echo end-%s\n' "$mark" "$2" "$mark" >&"$console_in"
  wait_for_console "^end-$mark" "$1" || return 1
  sed -n "/^begin-$mark/,/^end-$mark/p" "$console.log" | sed '1d;$d' | tr -d '\r'
}

close_console() {
  kill "$console_reader" 2>/dev/null || true
  exec {console_in}>&- {console_out}<&-
}
