# cmake --install: the programs, libsettle (shared and static), its public headers and settle.pc.
#
# Targets that other folders define: the programs by their own names; `settle_shared`, the shared
# library; `settle_static`, one archive with everything of ours that libsettle needs. Included last,
# so that they exist.
include(GNUInstallDirs)

foreach(program settle-coordinator settle-participant settlectl settle-bench)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

foreach(library settle_shared settle_static)
  if(TARGET ${library})
    install(TARGETS ${library}
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()
endforeach()

if(TARGET settle_shared)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/lib/include/settle
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
  # The file finds its prefix from where it lies, so that `cmake --install --prefix` may choose it.
  if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(SETTLE_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
  else()
    file(RELATIVE_PATH SETTLE_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" SETTLE_PC_PREFIX "\${pcfiledir}/${SETTLE_PC_PREFIX}")
  endif()
  configure_file(${CMAKE_CURRENT_LIST_DIR}/settle.pc.in ${PROJECT_BINARY_DIR}/settle.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/settle.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
