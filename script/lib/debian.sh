# Fetches Debian packages of any suite and architecture without touching the machine's own apt
# set-up: state, cache and sources are private, under the folder $private_apts, which whoever sources
# this may remove once done; only the mirror is taken from it. Needs report.sh.

debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Prints the mirror this machine gets its own suite from.
debian_mirror() {
  local codename site release
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:?}")
  while read -r site release; do
    if [ "$release" = "$codename" ]; then
      echo "$site"
      return 0
    fi
  done < <(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages')
  die "no apt source for $codename has been downloaded here: check /etc/apt/sources.list and run apt-get update"
}

# open_private_apt SUITE ARCHITECTURE: sets private_apt and downloads the index, once a run.
open_private_apt() {
  local suite=$1 architecture=$2 directory mirror
  directory=${private_apts:?}/$suite-$architecture
  mirror=$(debian_mirror)
  mkdir -p "$directory"/{state/lists/partial,cache/archives/partial}
  echo "deb [signed-by=$debian_keyring arch=$architecture] $mirror $suite main" >"$directory/sources.list"
  : >"$directory/status"
  private_apt=(
    -o "Dir::Etc::SourceList=$directory/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o "Dir::State=$directory/state" -o "Dir::State::Status=$directory/status"
    -o "Dir::Cache=$directory/cache"
    -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture"
    -o Acquire::Languages=none -o Acquire::Retries=2 -o "APT::Sandbox::User=$(id -un)"
  )
  [ ! -e "$directory/downloaded" ] || return 0
  timeout 180 apt-get "${private_apt[@]}" -qq update </dev/null >&2 && touch "$directory/downloaded"
}

# newest_package GLOB: the name that sorts last of those that match, empty if none does.
newest_package() {
  local name
  apt-cache "${private_apt[@]}" pkgnames | while read -r name; do
    # shellcheck disable=SC2053 # the right side is a pattern
    if [[ $name == $1 ]]; then echo "$name"; fi
  done | sort -V | tail -n 1
}

# download_package SUITE ARCHITECTURE GLOB DIRECTORY: the newest package that matches, as
# DIRECTORY/NAME.deb. Fails with a message, so that the caller can go on without it.
download_package() {
  local suite=$1 architecture=$2 pattern=$3 directory=$4 package
  if ! open_private_apt "$suite" "$architecture"; then
    note "the package index of $suite ($architecture) could not be downloaded"
    return 1
  fi
  package=$(newest_package "$pattern")
  if [ -z "$package" ]; then
    note "$suite ($architecture) has no package $pattern"
    return 1
  fi
  note "$package"
  (cd "$directory" && timeout 300 apt-get "${private_apt[@]}" -qq download "$package" </dev/null >&2)
}

# fetch_package SUITE ARCHITECTURE GLOB DIRECTORY: the same, unpacked into DIRECTORY/root.
fetch_package() {
  download_package "$@" && dpkg-deb -x "$4"/*.deb "$4/root"
}
