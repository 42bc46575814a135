// Signals (IEEE Std 1003.1-2017, <signal.h>), in place of newlib's: 64 of them, from SIGRTMIN on
// queued with a value.
//
// There is one process with one flow of control, and its own signals are all there are. A handler
// runs at the callback level, out of the middle of main, when the signal comes from an interrupt (a
// completion, a timer, the keyboard); raise(), kill(), sigqueue() and a call that unblocks a
// waiting signal run it before they return, where they were called. Signals that become
// deliverable together are delivered lowest number first. By default a signal ends the program with
// status 128 + its number.
#pragma once

#include <stddef.h>
#include <sys/_sigset.h>
#include <sys/_timespec.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGEMT 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGBUS 10
#define SIGSEGV 11
#define SIGSYS 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGURG 16
#define SIGSTOP 17
#define SIGTSTP 18
#define SIGCONT 19
#define SIGCHLD 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGIO 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGLOST 29
#define SIGUSR1 30
#define SIGUSR2 31
#define SIGIOT SIGABRT
#define SIGCLD SIGCHLD
#define SIGPOLL SIGIO
#define SIGRTMIN 32
#define SIGRTMAX 64
#define NSIG 65
#define _NSIG NSIG

#ifndef _SIGSET_T_DECLARED
#define _SIGSET_T_DECLARED
typedef __sigset_t sigset_t; // Bit n - 1: signal n.
#endif

// ---- Notifications ----

union sigval {
    int sival_int;
    void *sival_ptr;
};
typedef union sigval sigval_t;

// A zeroed one means no notification, as SIGEV_NONE does.
#define SIGEV_NONE 1
#define SIGEV_SIGNAL 2
#define SIGEV_THREAD 3 // The function runs at the callback level.

struct sigevent {
    int sigev_notify;
    int sigev_signo;
    union sigval sigev_value;
    void (*sigev_notify_function)(union sigval);
    pthread_attr_t *sigev_notify_attributes; // Ignored: there are no threads.
};
typedef struct sigevent sigevent_t;

// ---- What a handler is told ----

#define SI_USER 1    // kill(), raise()
#define SI_QUEUE 2   // sigqueue()
#define SI_TIMER 3   // alarm()
#define SI_ASYNCIO 4 // A request of <aio.h>.
#define SI_MESGQ 5
#define SI_KERNEL 6 // The keyboard.

// Codes that programs compare with and that nothing here sends: there are no children, and faults
// end the program.
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_TRAPPED 4
#define CLD_STOPPED 5
#define CLD_CONTINUED 6
#define ILL_ILLOPC 1
#define ILL_ILLOPN 2
#define ILL_ILLADR 3
#define ILL_ILLTRP 4
#define ILL_PRVOPC 5
#define ILL_PRVREG 6
#define ILL_COPROC 7
#define ILL_BADSTK 8
#define FPE_INTDIV 1
#define FPE_INTOVF 2
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define FPE_FLTSUB 8
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define BUS_OBJERR 3
#define POLL_IN 1
#define POLL_OUT 2
#define POLL_MSG 3
#define POLL_ERR 4
#define POLL_PRI 5
#define POLL_HUP 6

typedef struct {
    int si_signo;
    int si_code;
    int si_errno;
    pid_t si_pid;
    uid_t si_uid;
    int si_status;
    void *si_addr;
    long si_band;
    union sigval si_value;
} siginfo_t;
#define si_int si_value.sival_int
#define si_ptr si_value.sival_ptr

// ---- Actions ----

typedef void (*_sig_func_ptr)(int);
typedef _sig_func_ptr sig_t;
typedef _sig_func_ptr sighandler_t;
typedef _sig_func_ptr __sighandler_t;
typedef int sig_atomic_t;
#define SIG_DFL ((_sig_func_ptr)0)
#define SIG_IGN ((_sig_func_ptr)1)
#define SIG_ERR ((_sig_func_ptr)-1)
#define SIG_HOLD ((_sig_func_ptr)2) // Of sigset() only.

#define SA_NOCLDSTOP 0x01 // Of no effect: there are no children,
#define SA_NOCLDWAIT 0x02
#define SA_ONSTACK 0x04 // and callbacks have a stack of their own anyway.
#define SA_SIGINFO 0x08
#define SA_RESTART 0x10
#define SA_NODEFER 0x20
#define SA_RESETHAND 0x40
#define SA_NOMASK SA_NODEFER
#define SA_ONESHOT SA_RESETHAND

struct sigaction {
    union {
        _sig_func_ptr __handler;
        void (*__sigaction)(int, siginfo_t *, void *);
    } __action;
    sigset_t sa_mask; // Blocked while the handler runs, beside the signal itself.
    int sa_flags;
};
#define sa_handler __action.__handler
#define sa_sigaction __action.__sigaction

// The names of the functions as in the standard; all of them may be called from main and from
// callbacks and handlers.
_sig_func_ptr signal(int number, _sig_func_ptr handler); // As with SA_RESTART.
int sigaction(int number, const struct sigaction *__restrict action,
              struct sigaction *__restrict before);
int raise(int number);
int kill(pid_t process, int number); // Of others than oneself: ESRCH.
int killpg(pid_t group, int number);
int sigqueue(pid_t process, int number, const union sigval value);

// ---- Sets and the mask ----

#define SIG_SETMASK 0
#define SIG_BLOCK 1
#define SIG_UNBLOCK 2
int sigprocmask(int how, const sigset_t *__restrict set, sigset_t *__restrict before);
int pthread_sigmask(int how, const sigset_t *__restrict set, sigset_t *__restrict before);
int sigpending(sigset_t *set);
int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigaddset(sigset_t *set, int number);
int sigdelset(sigset_t *set, int number);
int sigismember(const sigset_t *set, int number);

// One signal at a time.
int sighold(int number);
int sigrelse(int number);
int sigignore(int number);
_sig_func_ptr sigset(int number, _sig_func_ptr handler);
int siginterrupt(int number, int interrupts);

// ---- Waiting ----

int sigsuspend(const sigset_t *mask);
int sigwait(const sigset_t *__restrict set, int *__restrict number);
int sigwaitinfo(const sigset_t *__restrict set, siginfo_t *__restrict info);
int sigtimedwait(const sigset_t *__restrict set, siginfo_t *__restrict info,
                 const struct timespec *__restrict timeout);

int sigpause(int number);

// ---- Stacks ----

typedef struct {
    void *ss_sp;
    int ss_flags;
    size_t ss_size;
} stack_t;
#define SS_ONSTACK 1
#define SS_DISABLE 2
#define MINSIGSTKSZ 2048
#define SIGSTKSZ 8192
int sigaltstack(const stack_t *__restrict stack, stack_t *__restrict before); // ENOSYS.

void psignal(int number, const char *text);

#ifdef __cplusplus
}
#endif
