# cmake -P: what the program prints of itself, as FOLDER/taskvec.1, FOLDER/taskvec (bash) and FOLDER/_taskvec (zsh).
file(MAKE_DIRECTORY ${FOLDER})
set(ENV{ASAN_OPTIONS} detect_leaks=0) # tests look for leaks, with the suppressions that libraries need
foreach(pair "taskvec.1:--man" "taskvec:--completion=bash" "_taskvec:--completion=zsh")
  string(REGEX MATCH "^([^:]*):(.*)$" whole ${pair})
  set(name ${CMAKE_MATCH_1})
  execute_process(COMMAND ${PROGRAM} help ${CMAKE_MATCH_2} OUTPUT_FILE ${FOLDER}/${name} RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    file(REMOVE ${FOLDER}/${name})
    message(WARNING "taskvec help ${CMAKE_MATCH_2} ended with ${code}: ${name} will not be installed")
  endif()
endforeach()
file(TOUCH ${FOLDER}/stamp)
