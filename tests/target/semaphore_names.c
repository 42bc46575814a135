// Semaphores that are found by name.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/tap.h"

static char long_name[NAME_MAX + 3];

static bool refused(const char *name, int flags, unsigned value, int error)
{
    errno = 0;
    return sem_open(name, flags, 0600, value) == SEM_FAILED && errno == error;
}

static void test_open(void)
{
    int value = -1;
    sem_t *one = sem_open("/one", O_CREAT, 0600, 5);
    tap_ok(one != SEM_FAILED && sem_wait(one) == 0 && sem_getvalue(one, &value) == 0 && value == 4,
           "test_a_semaphore_is_made_with_its_value");
    tap_ok(sem_open("/one", O_CREAT, 0600, 1) == one && sem_open("one", 0) == one &&
               sem_getvalue(one, &value) == 0 && value == 4,
           "test_its_name_finds_the_same_one");
    tap_ok(refused("/one", O_CREAT | O_EXCL, 1, EEXIST), "test_O_EXCL_wants_a_new_one");
    tap_ok(refused("/two", 0, 1, ENOENT), "test_without_O_CREAT_it_must_be_there");
    sem_close(one);
    sem_close(one);
    sem_close(one);
    tap_ok(sem_close(one) == -1 && errno == EINVAL, "test_closed_once_too_often_is_EINVAL");
    tap_ok(sem_open("/one", 0) == one && sem_getvalue(one, &value) == 0 && value == 4,
           "test_closed_by_all_it_keeps_name_and_value");
}

static void test_unlink(void)
{
    sem_t *one = sem_open("/one", 0), *other;
    tap_ok(sem_unlink("/one") == 0 && sem_unlink("/one") == -1 && errno == ENOENT,
           "test_unlinked_the_name_is_gone");
    tap_ok(sem_post(one) == 0 && sem_trywait(one) == 0, "test_unlinked_it_works_on");
    other = sem_open("/one", O_CREAT | O_EXCL, 0600, 1);
    tap_ok(other != SEM_FAILED && other != one, "test_the_name_can_be_given_again_meanwhile");
    tap_ok(sem_close(other) == 0 && sem_unlink("one") == 0, "test_the_slash_may_be_left_out");
    sem_close(one);
    sem_close(one);
}

static void test_names(void)
{
    memset(long_name, 'n', NAME_MAX + 2);
    long_name[0] = '/';
    tap_ok(refused(long_name, O_CREAT, 1, ENAMETOOLONG), "test_a_name_too_long_is_refused");
    long_name[NAME_MAX + 1] = '\0';
    tap_ok(sem_open(long_name, O_CREAT, 0600, 1) != SEM_FAILED && sem_unlink(long_name) == 0,
           "test_the_longest_name");
    tap_ok(refused("/", O_CREAT, 1, EINVAL) && refused("", O_CREAT, 1, EINVAL) &&
               refused("/a/b", O_CREAT, 1, EINVAL) && sem_unlink("/a/b") == -1 && errno == ENOENT,
           "test_what_is_no_name_is_refused");
    tap_ok(refused("/big", O_CREAT, SEM_VALUE_MAX + 1u, EINVAL) && refused("/big", 0, 0, ENOENT),
           "test_a_value_too_large_makes_nothing");
    void *volatile nowhere = (void *)1;
    tap_ok(refused(nowhere, O_CREAT, 1, EFAULT) && sem_close(nowhere) == -1 && errno == EINVAL,
           "test_pointers_to_nowhere_are_refused");
}

// As many as POSIX asks for, and the memory of those that are gone serves again.
static void test_many(void)
{
    char name[16];
    int made = 0, gone = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < _POSIX_SEM_NSEMS_MAX; i++) {
            snprintf(name, sizeof name, "/%d", i);
            made += sem_open(name, O_CREAT | O_EXCL, 0600, 0) != SEM_FAILED;
        }
        for (int i = 0; i < _POSIX_SEM_NSEMS_MAX; i++) {
            snprintf(name, sizeof name, "/%d", i);
            sem_t *semaphore = sem_open(name, 0);
            gone += sem_close(semaphore) == 0 && sem_unlink(name) == 0 &&
                    sem_close(semaphore) == 0 && sem_close(semaphore) == -1;
        }
    }
    tap_equal(made, 3 * _POSIX_SEM_NSEMS_MAX, "test_as_many_as_POSIX_asks_for");
    tap_equal(gone, 3 * _POSIX_SEM_NSEMS_MAX, "test_all_of_them_go");
    errno = 0;
    tap_ok(sysconf(_SC_SEM_NSEMS_MAX) == -1 && errno == 0, "test_sysconf_names_no_limit");
}

int main(void)
{
    tap_plan(18);
    test_open();
    test_unlink();
    test_names();
    test_many();
    return tap_done();
}
