# npm_packages(FOLDER STAMP): installs what FOLDER's package-lock.json names into the folder of the
# same place in the build tree, and makes STAMP (a variable's name) the file that says it is done.
# Nothing that a package wants to run while it is installed is run.
function(npm_packages folder stamp)
  find_program(VITRINE_NPM npm)
  if(NOT VITRINE_NPM)
    message(FATAL_ERROR "npm, which builds the page of a survey's report, is not found: install it, "
                        "or build without the page (-DVITRINE_PAGE=OFF)")
  endif()
  file(RELATIVE_PATH place ${PROJECT_SOURCE_DIR} ${folder})
  set(into ${PROJECT_BINARY_DIR}/${place})
  file(MAKE_DIRECTORY ${into})
  set(done ${into}/npm_packages.stamp)
  add_custom_command(OUTPUT ${done} VERBATIM
    COMMAND ${CMAKE_COMMAND} -E copy_if_different package.json package-lock.json ${into}
    COMMAND timeout 300 ${VITRINE_NPM} ci --prefix ${into} --ignore-scripts --no-audit --no-fund
      --prefer-offline --loglevel=error --no-update-notifier
    COMMAND ${CMAKE_COMMAND} -E touch ${done}
    WORKING_DIRECTORY ${folder}
    DEPENDS ${folder}/package.json ${folder}/package-lock.json
    COMMENT "Fetching the npm packages of ${place}")
  set(${stamp} ${done} PARENT_SCOPE)
endfunction()
