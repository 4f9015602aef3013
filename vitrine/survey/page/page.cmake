# Bundles this folder and the chart library into page.html in the build tree, and puts that into the
# library (page_template.cc).
npm_packages(${CMAKE_CURRENT_LIST_DIR} packages_of_page)
file(GLOB page_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/src/*.js)
list(APPEND page_sources ${CMAKE_CURRENT_LIST_DIR}/build.mjs ${CMAKE_CURRENT_LIST_DIR}/page.html
     ${CMAKE_CURRENT_LIST_DIR}/style.css)
cmake_path(GET packages_of_page PARENT_PATH page_folder)
set(page ${page_folder}/built/page.html)
file(MAKE_DIRECTORY ${page_folder}/built)
find_program(VITRINE_NODE node REQUIRED)
# Node finds packages beside the sources that ask for them, so these are built from a copy.
add_custom_command(OUTPUT ${page} VERBATIM
  COMMAND ${CMAKE_COMMAND} -E copy_directory ${CMAKE_CURRENT_LIST_DIR} ${page_folder}
  COMMAND timeout 60 ${VITRINE_NODE} build.mjs ${page}
  WORKING_DIRECTORY ${page_folder}
  DEPENDS ${packages_of_page} ${page_sources}
  COMMENT "Building the page of a survey's report")
# It stands alone: what is defined for it is not for others, and no header is parsed for it.
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/../page_template.cc PROPERTIES
  COMPILE_DEFINITIONS VITRINE_PAGE="${page}" OBJECT_DEPENDS ${page}
  SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)
