# Configures and builds a CMake preset. Needs report.sh; runs in the repository's root.

# A compiler cache is used where there is one; nothing depends on it.
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER:-ccache}
fi

# configure_preset PRESET
configure_preset() {
  quietly 120 "cmake --preset $1" cmake --preset "$1"
}

# build_preset PRESET [TARGET...]
build_preset() {
  local preset=$1
  shift
  step "Building preset $preset into build/$preset"
  configure_preset "$preset"
  quietly 1500 "the build of preset $preset" \
    cmake --build "build/$preset" --parallel "$(nproc)" ${1:+--target "$@"}
}
