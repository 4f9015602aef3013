# A Debian userland as an initramfs, to boot a real Debian without a disk. Needs report.sh,
# debian.sh; runs in the repository's root.

# build_debian_userland FILE PACKAGES HOOK...: Debian 12 with the packages (comma-separated) as a
# cpio archive; each hook is a shell command to be run with the new root as $1. Made anew only where
# it is absent or was made of something else.
build_debian_userland() {
  local file=$1 packages=$2 work hook hooks=() stamp
  shift
  stamp=$(printf '%s\n' "$@" | sha256sum)
  if [ -e "$file" ] && [ "$(cat "$file.stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
  shift
  for hook; do hooks+=("--customize-hook=$hook"); done
  step "Installing a Debian 12 userland with $packages"
  mkdir -p "$(dirname "$file")"
  work=$(mktemp -d "$(dirname "$file")/tmp.XXXXXX")
  quietly 500 mmdebstrap mmdebstrap --quiet --variant=minbase \
    --keyring="$debian_keyring" --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --aptopt='Acquire::Languages "none"' \
    "${hooks[@]}" --customize-hook='rm -rf "$1"/boot/* "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' \
    bookworm "$work/userland.tar" "$(debian_mirror)"
  bsdtar --format=newc -cf "$work/userland.cpio" "@$work/userland.tar"
  rm -f "$file.stamp"
  mv "$work/userland.cpio" "$file"
  echo "$stamp" >"$file.stamp"
  rm -rf "$work"
}
