// Functions and handlers that suites of <aio.h> are notified by, and what they have seen.
#pragma once

#include <signal.h>

#include "faces/posix/signals.h"
#include "irq/clock.h"
#include "tests/target/aio_blocks.h"

enum { LOG = 16, MOMENT_NS = 1000000 };

static volatile int calls;
static int order[LOG]; // The values that came.
static siginfo_t infos[LOG];

static inline void on_complete(union sigval value)
{
    if (calls < LOG)
        order[calls] = value.sival_int;
    calls++;
}

static inline void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    if (calls < LOG) {
        infos[calls] = *info;
        order[calls] = info->si_value.sival_int;
    }
    calls++;
}

static inline void handle(int number)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
    sigaction(number, &action, NULL);
}

static inline void mask(int how, int first, int second)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    sigaddset(&set, second);
    sigprocmask(how, &set, NULL);
}

// Sends a signal again and again, so that one comes after whatever main does has begun.
static volatile bool pestering;
static inline void pester(struct timer *timer)
{
    if (!pestering)
        return;
    posix_signal_send_plain(SIGUSR2, SI_TIMER);
    timer_arm(timer, clock_now_ns() + MOMENT_NS);
}
static struct timer timer = { .expired = pester };
static inline void pester_begin(void)
{
    handle(SIGUSR2);
    pestering = true;
    timer_arm(&timer, clock_now_ns() + MOMENT_NS);
}
static inline void pester_end(void)
{
    pestering = false;
    timer_cancel(&timer);
}
