// newlib's jumps, and those that restore the signal mask (IEEE Std 1003.1-2017, <setjmp.h>).
//
// siglongjmp() may leave a signal handler, or any other callback, for a place in main: main then
// goes on there, and whatever it was waiting for is given up.
#pragma once

#include_next <setjmp.h>

#include <_ansi.h>
#include <machine/setjmp.h>
#include <sys/_sigset.h>

#ifdef __cplusplus
extern "C" {
#endif

struct __sigjmp {
    jmp_buf __registers;
    unsigned long __stack; // Of the function that called sigsetjmp().
    __sigset_t __mask;
    int __saved, __level, __value;
};
typedef struct __sigjmp sigjmp_buf[1];

void __sigsetjmp_prepare(struct __sigjmp *place, int save, unsigned long stack);
#define sigsetjmp(place, save)                                                        \
    (__sigsetjmp_prepare((place), (save), (unsigned long)__builtin_frame_address(0)), \
     setjmp((place)->__registers))

// Context: main | callback; from main to a callback's place never.
void siglongjmp(sigjmp_buf place, int value) __attribute__((noreturn));

#define _setjmp setjmp
#define _longjmp longjmp

#ifdef __cplusplus
}
#endif
