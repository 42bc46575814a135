// Signals, first part: signal(), raise(), kill() of oneself, and ^C as SIGINT. Handlers run at the
// callback level, except that raise() runs its handler before it returns. Queued signals, masks and
// sigaction() follow with the rest of POSIX.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "arch/cpu.h"
#include "arch/fault.h"
#include "arch/report.h"
#include "faces/posix/posix.h"
#include "fs/tty.h"
#include "irq/callback.h"

enum { SELF = 1, EXIT_SIGNAL = 128 };

static _sig_func_ptr handlers[NSIG]; // SIG_DFL is 0.
static volatile unsigned handled;

unsigned posix_signals_handled(void)
{
    return handled;
}

_sig_func_ptr signal(int number, _sig_func_ptr handler)
{
    if (number <= 0 || number >= NSIG || number == SIGKILL || number == SIGSTOP ||
        handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    _sig_func_ptr before = handlers[number];
    handlers[number] = handler;
    return before;
}

static bool ignored(int number)
{
    _sig_func_ptr handler = handlers[number];
    return handler == SIG_IGN || (handler == SIG_DFL && (number == SIGCHLD || number == SIGURG ||
                                                         number == SIGWINCH || number == SIGCONT));
}

int raise(int number)
{
    if (number < 0 || number >= NSIG) {
        errno = EINVAL;
        return -1;
    }
    if (number == 0 || ignored(number))
        return 0;
    if (handlers[number] == SIG_DFL) {
        if (number != SIGINT)
            report("ended by signal %d\n", number);
        posix_end(EXIT_SIGNAL + number);
    }
    handlers[number](number);
    handled++;
    return 0;
}

int kill(pid_t process, int number)
{
    if (process != SELF && process != 0) {
        errno = ESRCH;
        return -1;
    }
    return raise(number);
}

pid_t getpid(void)
{
    return SELF;
}

static bool interrupt_waiting;

static void interrupt_callback(struct callback *callback)
{
    (void)callback;
    interrupt_waiting = false;
    raise(SIGINT);
}

// ^C, at isr level. Without a handler the program ends here and now, even if it hangs in a
// callback.
static void console_interrupt(void)
{
    static struct callback callback = { .run = interrupt_callback };
    if (handlers[SIGINT] == SIG_DFL)
        machine_exit(EXIT_SIGNAL + SIGINT);
    if (interrupt_waiting || ignored(SIGINT))
        return;
    interrupt_waiting = true;
    callback_post(&callback);
}

void posix_signals_init(void)
{
    tty_on_interrupt(console_interrupt);
}
