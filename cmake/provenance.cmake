# What built this binary, as C strings in generated/build_info.h: revision (refreshed at every
# build), compiler, flags, library versions; in generated/build_diff.h the local changes, up to 1 MiB.
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type_upper)
set(flags_text "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${build_type_upper}} -march=${TASKVEC_ARCH} -ffp-contract=fast -fno-math-errno")
if(TASKVEC_SANITIZE)
  string(APPEND flags_text " -fsanitize=address,undefined")
endif()
add_custom_target(build_info BYPRODUCTS ${CMAKE_BINARY_DIR}/generated/build_info.h
    ${CMAKE_BINARY_DIR}/generated/build_diff.h
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DOUT=${CMAKE_BINARY_DIR}/generated/build_info.h
    "-DCOMPILER=${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}" "-DFLAGS=${flags_text}"
    "-DVERSION=${PROJECT_VERSION}" -P ${CMAKE_SOURCE_DIR}/cmake/write_build_info.cmake)
add_dependencies(core build_info)
