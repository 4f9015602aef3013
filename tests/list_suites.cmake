# Writes a ctest entry for each suite of a gtest program. Arguments: PROGRAM, FILE to be written, and
# FOLDER to run in, from where relative __FILE__s, as a compiler cache may make them, lead to the
# sources.
execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE listed
                TIMEOUT 60 COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "(^|\n)[A-Za-z][A-Za-z0-9_/]*\\." suites "${listed}")
set(entries "")
foreach(suite IN LISTS suites)
  string(STRIP "${suite}" suite)
  string(REGEX REPLACE "\\.$" "" suite "${suite}")
  string(APPEND entries
    "add_test([=[unit.${suite}]=] [=[${PROGRAM}]=] [=[--gtest_filter=${suite}.*]=])\n"
    "set_tests_properties([=[unit.${suite}]=] PROPERTIES TIMEOUT 300 LABELS unit "
    "WORKING_DIRECTORY [=[${FOLDER}]=])\n")
endforeach()
file(WRITE ${FILE} "${entries}")
