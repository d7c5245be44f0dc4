#include "sched/place_set.h"

void place_set_add(uint64_t *set, size_t place) { set[place / 64] |= UINT64_C(1) << place % 64; }

void place_set_remove(uint64_t *set, size_t place) {
    set[place / 64] &= ~(UINT64_C(1) << place % 64);
}

bool place_set_has(const uint64_t *set, size_t place) {
    return (set[place / 64] >> place % 64 & 1) != 0;
}

size_t place_set_next(const uint64_t *set, size_t words, size_t from) {
    size_t w = from / 64;
    if (w >= words) return SIZE_MAX;
    uint64_t bits = set[w] & (~UINT64_C(0) << from % 64);
    while (bits == 0 && ++w < words) bits = set[w];
    return bits == 0 ? SIZE_MAX : w * 64 + (size_t)__builtin_ctzll(bits);
}
