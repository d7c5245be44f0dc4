/*
 * read_row.h - rows that a host of arrays keeps, read by name:
 *
 *     ROW_READER(fit_row, FIT_ROW)                         (once, at the top of a test)
 *     const struct fit_row row = read_fit_row(host, 0);    (texts live as long as the host)
 */
#ifndef TESTS_STAGES_READ_ROW_H
#define TESTS_STAGES_READ_ROW_H

#include "twins/host_twin.h"

#define ROW_READ(TYPE, name, unit, meaning) row.name = cells[c++].as.ROW_MEMBER_##TYPE;

#define ROW_READER(NAME, LIST)                                                                     \
    static inline struct NAME read_##NAME(const struct host_twin *h, size_t number) {              \
        size_t n = 0, c = 0;                                                                       \
        const struct job_value *cells = host_twin_row(h, number, &n);                              \
        struct NAME row;                                                                           \
        assert_non_null(cells);                                                                    \
        assert_int_equal(n, NAME##_columns.n);                                                     \
        LIST(ROW_READ)                                                                             \
        return row;                                                                                \
    }

#endif
