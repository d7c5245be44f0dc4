# tests/fuzz/fuzz_NAME.c feeds arbitrary bytes to a reader. With replay.c it is the test fuzz.replay_NAME
# over tests/fuzz/corpus/NAME; with TASKVEC_FUZZ (clang, preset fuzz) also the fuzzer fuzz_NAME of tests/fuzz/run.sh.
function(add_fuzz_program target name)
  add_executable(${target} ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${name}.c ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz.c ${ARGN})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${target} PRIVATE TASKVEC_SOURCE="${CMAKE_SOURCE_DIR}")
  target_compile_options(${target} PRIVATE -march=${TASKVEC_ARCH})
  target_link_libraries(${target} PRIVATE core flags)
  if(name STREQUAL safetensors)
    target_link_options(${target} PRIVATE -Wl,--wrap=mmap,--wrap=munmap)
  endif()
endfunction()

foreach(name journal config safetensors hf_config shard_index tokenizer)
  add_fuzz_program(replay_${name} ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
  add_test(NAME fuzz.replay_${name} COMMAND replay_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
  set_tests_properties(fuzz.replay_${name} PROPERTIES TIMEOUT 300
    ENVIRONMENT "LSAN_OPTIONS=suppressions='${CMAKE_SOURCE_DIR}/tests/lsan.supp':print_suppressions=0")
  if(TASKVEC_FUZZ)
    add_fuzz_program(fuzz_${name} ${name})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  endif()
endforeach()
