/*
 * terminal.h - the width of what is printed for people.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stddef.h>

/* Characters of a line: COLUMNS where it is a number from 20 on, else the width of the terminal
 * that standard output is, else 80. */
size_t terminal_width(void);

#endif
