/*
 * asan.h - PAR_ASAN: 1 when built with AddressSanitizer, by gcc or clang.
 */
#ifndef PAR_ASAN_H
#define PAR_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define PAR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PAR_ASAN 1
#endif
#endif
#ifndef PAR_ASAN
#define PAR_ASAN 0
#endif

#endif
