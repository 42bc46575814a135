// Other processes: there are none and there will be none. These are here for programs to link that
// could do with some, and do without where they are refused.
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faces/posix/posix.h"

pid_t _fork(void)
{
    return posix_fail(ENOSYS);
}

int _execve(const char *path, char *const arguments[], char *const environment[])
{
    (void)path;
    (void)arguments;
    (void)environment;
    return posix_fail(ENOSYS);
}

pid_t _wait(int *status)
{
    (void)status;
    return posix_fail(ECHILD);
}

pid_t waitpid(pid_t process, int *status, int options)
{
    (void)process;
    (void)options;
    return _wait(status);
}

// There is no shell, which is what 0 for no command says.
int system(const char *command)
{
    return command ? posix_fail(ENOSYS) : 0;
}
