# cmake --install: the program, its examples with the shipped models, the man page and the completion of bash
# and zsh. Page and completion are printed by the program itself after it is linked.
include(GNUInstallDirs)
set(data_folder ${CMAKE_INSTALL_DATADIR}/taskvec)
file(RELATIVE_PATH data_from_bin ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_DATADIR}/taskvec)
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/cli/example_files.c PROPERTIES
  COMPILE_DEFINITIONS TASKVEC_DATA_FROM_BIN="${data_from_bin}")

# A build for another kind of CPU cannot run the program: then these files are left out, with a warning.
set(help_folder ${CMAKE_BINARY_DIR}/generated/help)
add_custom_command(OUTPUT ${help_folder}/stamp DEPENDS taskvec ${CMAKE_SOURCE_DIR}/cmake/write_help.cmake
  COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:taskvec> -DFOLDER=${help_folder} -P ${CMAKE_SOURCE_DIR}/cmake/write_help.cmake
  COMMENT "Man page and completion" VERBATIM)
add_custom_target(help_files ALL DEPENDS ${help_folder}/stamp)

set_target_properties(taskvec PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON) # libraries in prefixes
install(TARGETS taskvec RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/experiments DESTINATION ${data_folder}
  FILES_MATCHING PATTERN "*.cfg" PATTERN "*.safetensors" PATTERN "*.json" PATTERN README.md
  PATTERN imported EXCLUDE PATTERN smollm2 EXCLUDE PATTERN words EXCLUDE PATTERN gptj EXCLUDE
  PATTERN function_vectors EXCLUDE)
install(FILES ${help_folder}/taskvec.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL)
install(FILES ${help_folder}/taskvec DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions OPTIONAL)
install(FILES ${help_folder}/_taskvec DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions OPTIONAL)
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md ${CMAKE_SOURCE_DIR}/LICENSE
  ${CMAKE_SOURCE_DIR}/CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
