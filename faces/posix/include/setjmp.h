// Jumps (IEEE Std 1003.1-2017, <setjmp.h>), in place of newlib's, with newlib's saving of
// registers.
//
// longjmp() and siglongjmp() may leave a signal handler, or any other callback, for a place in
// main: main then goes on there, and whatever it was waiting for is given up. The mask of signals
// is as it was at sigsetjmp() where that was told to save it, and stays as it is otherwise.
#pragma once

#include <_ansi.h>
#include <sys/_sigset.h>

// newlib's type of the registers, under another name: what is called jmp_buf holds more.
#define jmp_buf __registers_buf
#include <machine/setjmp.h>
#undef jmp_buf

#ifdef __cplusplus
extern "C" {
#endif

struct __sigjmp {
    __registers_buf __registers;
    unsigned long __stack; // Of the function that called setjmp() or sigsetjmp().
    __sigset_t __mask;
    int __saved, __level, __value;
};
typedef struct __sigjmp jmp_buf[1];
typedef struct __sigjmp sigjmp_buf[1];

// newlib's setjmp().
int __registers_save(__registers_buf __place) __asm__("setjmp") __attribute__((returns_twice));

// Result: the place, which a program's expression names but once.
struct __sigjmp *__sigsetjmp_prepare(struct __sigjmp *place, int save, unsigned long stack);
#define sigsetjmp(place, save)                                                          \
    __registers_save(                                                                   \
        __sigsetjmp_prepare((place), (save), (unsigned long)__builtin_frame_address(0)) \
            ->__registers)
#define setjmp(place) sigsetjmp(place, 0)

// value: what setjmp() returns now; for 0, 1.
// Context: main | callback; from main to a callback's place never.
void siglongjmp(sigjmp_buf place, int value) __attribute__((noreturn));
void longjmp(jmp_buf place, int value) __asm__("siglongjmp") __attribute__((noreturn));

#define _setjmp(place) setjmp(place)
#define _longjmp(place, value) longjmp(place, value)

#ifdef __cplusplus
}
#endif
