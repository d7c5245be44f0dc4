# src/run/report/page.html as bytes in generated/run/report/report_page.h, so that the program needs no file beside it.
set(page ${CMAKE_SOURCE_DIR}/src/run/report/page.html)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page})
file(READ ${page} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${CMAKE_BINARY_DIR}/generated/run/report/report_page.h.new
  "/* src/run/report/page.html, ended by a zero */\nstatic const unsigned char REPORT_PAGE[] = {${bytes}0x00};\n")
configure_file(${CMAKE_BINARY_DIR}/generated/run/report/report_page.h.new ${CMAKE_BINARY_DIR}/generated/run/report/report_page.h COPYONLY)
