# settle_module(NAME SOURCES a.c ... LINK other ...): one static library per module, settle_NAME.
# Headers are included as "NAME/header.h" from lib/. LINK names modules or imported targets.
function(settle_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(settle_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(settle_${name} PUBLIC settle_flags ${ARG_LINK} PRIVATE settle_warnings)
endfunction()

# settle_test(NAME SOURCES a.c ... LINK ... LABEL unit [TIMEOUT 60]): one CUnit executable and one
# CTest, LABEL.NAME. Labels: tests/README.md.
function(settle_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_LABEL)
    message(FATAL_ERROR "settle_test(${name}): LABEL is missing")
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(SETTLE_SANITIZE OR SETTLE_COVERAGE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 5")
  endif()
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name}
    PRIVATE settle_flags settle_warnings settle_test_support ${ARG_LINK})
  add_test(NAME ${ARG_LABEL}.${name} COMMAND test_${name})
  set_tests_properties(${ARG_LABEL}.${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()
