# All tests. `ctest -LE slow` leaves out those that take over 20 s alone, as ./quickstart.sh test does.

# For tests under AddressSanitizer: the leaks of libraries are not reported.
set(lsan "LSAN_OPTIONS=suppressions='${CMAKE_SOURCE_DIR}/tests/lsan.supp':print_suppressions=0")

# tests/FOLDER/test_NAME.c is one cmocka program, ctest name FOLDER.NAME (the innermost folder).
# tests/twins/*.c: naive double-precision reference implementations shared by the tests.
if(NOT cmocka_FOUND)
  message(STATUS "cmocka not found: unit tests are left out")
else()
  file(GLOB twins CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/twins/*.c)
  if(twins)
    add_library(twins STATIC ${twins})
    target_include_directories(twins PUBLIC ${CMAKE_SOURCE_DIR}/tests)
    target_link_libraries(twins PUBLIC flags core)
  endif()
  function(add_unit_test target name source)
    add_executable(${target} ${source})
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_compile_options(${target} PRIVATE -march=${TASKVEC_ARCH})
    target_link_libraries(${target} PRIVATE core flags PkgConfig::cmocka)
    if(TARGET twins)
      target_link_libraries(${target} PRIVATE twins core)
    endif()
    add_test(NAME ${name} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300 ENVIRONMENT "TASKVEC_SOURCE=${CMAKE_SOURCE_DIR};${lsan}")
  endfunction()
  file(GLOB_RECURSE unit_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*/test_*.c)
  foreach(source IN LISTS unit_tests)
    get_filename_component(folder ${source} DIRECTORY)
    get_filename_component(folder_name ${folder} NAME)
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE test_ "" name ${name})
    add_unit_test(test_${folder_name}_${name} ${folder_name}.${name} ${source})
  endforeach()
endif()

if(TARGET test_store_fixture) # it writes an HDF5 file of its own
  target_link_libraries(test_store_fixture PRIVATE dep_hdf5)
endif()

if(TARGET test_passes_flops) # it counts the products of maps that a pass computes
  target_link_options(test_passes_flops PRIVATE -Wl,--wrap=weight_forward,--wrap=weight_forward_onto)
endif()

if(TARGET test_bench_bench_counts) # it counts the matrix products that a benchmark does
  target_link_options(test_bench_bench_counts PRIVATE -Wl,--wrap=cblas_sgemm)
endif()

# The skeletons of docs/extending.md, tests/dummy/: one file and one registry line each are enough to add an
# estimator, a method, a problem or a model family. They make a second program, and the tests of the first three
# registries run with them too.
set(dummies)
function(add_dummy registry list entry file) # src/REGISTRY.c with the line X(ENTRY) in LIST, and tests/dummy/FILE
  get_filename_component(name ${registry} NAME)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${registry}.c)
  file(READ ${CMAKE_SOURCE_DIR}/src/${registry}.c text)
  string(REPLACE "#define ${list}(X)" "#define ${list}(X) X(${entry})" changed "${text}")
  if(changed STREQUAL text)
    message(FATAL_ERROR "src/${registry}.c has no list ${list}(X)")
  endif()
  file(WRITE ${CMAKE_BINARY_DIR}/generated/dummy/${name}.c.new "${changed}")
  configure_file(${CMAKE_BINARY_DIR}/generated/dummy/${name}.c.new ${CMAKE_BINARY_DIR}/generated/dummy/${name}.c COPYONLY)
  set(dummies ${dummies} ${CMAKE_BINARY_DIR}/generated/dummy/${name}.c ${CMAKE_SOURCE_DIR}/tests/dummy/${file} PARENT_SCOPE)
endfunction()
add_dummy(estimators/estimator ESTIMATORS dummy estimator_dummy.c)
add_dummy(methods/method METHODS_FITTED dummy method_dummy.c)
add_dummy(sources/problems/problem PROBLEMS dummy problem_dummy.c)
add_dummy(model/hf/hf_families HF_FAMILIES stablelm family_stablelm.c)
add_executable(taskvec_dummy ${CMAKE_SOURCE_DIR}/src/main.c ${dummies})
target_link_libraries(taskvec_dummy PRIVATE core)
set_target_properties(taskvec_dummy PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
if(cmocka_FOUND)
  foreach(test problems.problem methods.methods estimators.registry)
    string(REPLACE . _ target test_${test})
    get_target_property(source ${target} SOURCES)
    add_unit_test(${target}_with_dummy ${test}_with_dummy ${source})
    target_sources(${target}_with_dummy PRIVATE ${dummies})
  endforeach()
endif()

# tests/FOLDER/check_NAME.sh: whole-program tests; each gets the binary and the source folder. A build with
# sanitisers leaves out what depends on the sources alone, or on times.
file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/check_*.sh ${CMAKE_SOURCE_DIR}/tests/mpi/check_*.sh
  ${CMAKE_SOURCE_DIR}/tests/cli/check_*.sh ${CMAKE_SOURCE_DIR}/tests/faults/check_*.sh
  ${CMAKE_SOURCE_DIR}/tests/slurm/check_*.sh)
foreach(script IN LISTS scripts)
  get_filename_component(name ${script} NAME_WE)
  if(TASKVEC_SANITIZE AND name MATCHES "^check_(format|layers|packaging|submit|ten_thousand|memory|paper|cluster|apart)$")
    continue()
  endif()
  add_test(NAME program.${name} COMMAND ${script} $<TARGET_FILE:taskvec> ${CMAKE_SOURCE_DIR} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  set_tests_properties(program.${name} PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77
    ENVIRONMENT "${lsan}")
endforeach()

# Both look for free ports for their cluster, so they do not run at the same time.
if(NOT TASKVEC_SANITIZE)
  set_tests_properties(program.check_apart program.check_cluster PROPERTIES RESOURCE_LOCK slurm)
endif()

# The farm of ranks with synthetic jobs: a program that is its own compute child, and its script.
add_executable(farm_probe ${CMAKE_SOURCE_DIR}/tests/mpi/farm_probe.c)
target_link_libraries(farm_probe PRIVATE core flags)
if(TASKVEC_SANITIZE)
  set(farm_ranks 1 3)
else()
  set(farm_ranks 1 2 3 5)
endif()
foreach(ranks IN LISTS farm_ranks)
  add_test(NAME mpi.farm_${ranks} COMMAND ${CMAKE_SOURCE_DIR}/tests/mpi/farm.sh $<TARGET_FILE:farm_probe> ${ranks}
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  set_tests_properties(mpi.farm_${ranks} PROPERTIES TIMEOUT 600
    ENVIRONMENT "${lsan}")
endforeach()

# Load balance and time limits on real ranks. Serial: the jobs sleep, but their times are measured.
if(NOT TASKVEC_SANITIZE)
  add_test(NAME mpi.balance COMMAND ${CMAKE_SOURCE_DIR}/tests/mpi/balance.sh $<TARGET_FILE:farm_probe>
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  set_tests_properties(mpi.balance PROPERTIES TIMEOUT 900 RUN_SERIAL TRUE)
endif()

# Every prefix of a real journal is read.
add_executable(journal_probe ${CMAKE_SOURCE_DIR}/tests/journal/journal_probe.c)
target_link_libraries(journal_probe PRIVATE core flags)
add_test(NAME program.journal COMMAND ${CMAKE_SOURCE_DIR}/tests/journal/journal.sh $<TARGET_FILE:taskvec> ${CMAKE_SOURCE_DIR}
  $<TARGET_FILE:journal_probe> WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
set_tests_properties(program.journal PROPERTIES TIMEOUT 900)

# Text: methods against PyTorch; faulty and strange task files. The prompts are those that prompt_probe prints.
add_executable(prompt_probe ${CMAKE_SOURCE_DIR}/tests/sources/text/prompt_probe.c)
target_link_libraries(prompt_probe PRIVATE core flags)
foreach(script reference/text_methods cli/text_faults)
  get_filename_component(name ${script} NAME)
  add_test(NAME program.${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/${script}.sh $<TARGET_FILE:taskvec> ${CMAKE_SOURCE_DIR}
    $<TARGET_FILE:prompt_probe> WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  set_tests_properties(program.${name} PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77 ENVIRONMENT "${lsan}")
endforeach()

# Collective calls: barrier and gather.
add_executable(par_probe ${CMAKE_SOURCE_DIR}/tests/mpi/par_probe.c)
target_link_libraries(par_probe PRIVATE core flags)
foreach(ranks 1 2 3)
  add_test(NAME mpi.par_${ranks} COMMAND ${CMAKE_SOURCE_DIR}/tests/mpi/par.sh $<TARGET_FILE:par_probe> ${ranks}
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  set_tests_properties(mpi.par_${ranks} PROPERTIES TIMEOUT 300
    ENVIRONMENT "${lsan}")
endforeach()

# Tests of over 20 s and how many seconds each takes in release. Longest first, so that no core is idle at
# the end.
set(slow_tests
  program.check_stops 150 program.check_kills 120 stages.shipped 90 program.check_cluster 90
  program.check_ten_thousand 90 program.check_signals 70 program.check_storage 70 program.check_ranks 70
  program.check_isolation 50 program.check_paper 50 mpi.balance 45 program.check_memory 35 program.check_bench 35
  program.check_digest 30 program.check_progress 25 program.check_faults 25 program.check_groups 25 program.check_orders 25
  program.text_methods 30 program.check_submit 25 program.check_interop 25 mpi.farm_2 25 mpi.farm_3 25 mpi.farm_5 25)
while(slow_tests)
  list(POP_FRONT slow_tests test seconds)
  if(TEST ${test})
    set_tests_properties(${test} PROPERTIES LABELS slow COST ${seconds} TIMEOUT 900)
  endif()
endwhile()
