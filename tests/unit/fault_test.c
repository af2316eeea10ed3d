#include "runtime/fault.h"
#include "support/runner.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef SETTLE_FAULT_POINTS

static char folder[] = "/tmp/settle-fault-XXXXXX";
static char file[64];

static int make_folder(void)
{
    if (!mkdtemp(folder))
        return 1;
    snprintf(file, sizeof(file), "%s/go", folder);
    return 0;
}

static int remove_folder(void)
{
    unlink(file);
    return rmdir(folder);
}

static void create_file(void)
{
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
}

static void nothing_happens_where_nothing_is_set(void)
{
    CU_ASSERT_EQUAL(fault_init(NULL, NULL), 0);
    CU_ASSERT_FALSE(FAULT_POINT("place"));
    CU_ASSERT_EQUAL(fault_init("", NULL), 0);
    CU_ASSERT_FALSE(FAULT_POINT("place"));
    CU_ASSERT_EQUAL(fault_init("other=crash", NULL), 0);
    CU_ASSERT_FALSE(FAULT_POINT("place"));
    CU_ASSERT_FALSE(FAULT_POINT("othe"));
    CU_ASSERT_FALSE(FAULT_POINT("other2"));
    CU_ASSERT_EQUAL(fault_count("other"), 0);
}

static void an_error_comes_every_time_or_once(void)
{
    CU_ASSERT_EQUAL_FATAL(fault_init("always=error,third=error@3", NULL), 0);
    for (int i = 1; i <= 5; i++) {
        CU_ASSERT_TRUE(FAULT_POINT("always"));
        CU_ASSERT_EQUAL(FAULT_POINT("third"), i == 3);
    }
    CU_ASSERT_EQUAL(fault_count("third"), 5);
    CU_ASSERT_EQUAL(fault_init("third=error@3", NULL), 0);
    CU_ASSERT_EQUAL(fault_count("third"), 0);
}

/* Passes the place twice in a child that may not survive the second time. */
static int status_of_child(const char *spec)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        if (fault_init(spec, NULL) != 0)
            _exit(2);
        if (FAULT_POINT("place") || FAULT_POINT("place"))
            _exit(3);
        _exit(0);
    }
    CU_ASSERT_FATAL(child > 0);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    return status;
}

static void a_crash_is_a_kill(void)
{
    int status = status_of_child("place=crash@2");

    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    status = status_of_child("place=crash@3");
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static atomic_bool passed;

static void *pass(void *arg)
{
    (void)arg;
    (void)FAULT_POINT("gate");
    atomic_store(&passed, true);
    return NULL;
}

/* Start a thread and return when it stands at the gate. */
static pthread_t start_waiter(void)
{
    pthread_t thread;

    atomic_store(&passed, false);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, pass, NULL), 0);
    while (fault_count("gate") == 0)
        ;
    return thread;
}

static void wait_ends_when_the_file_appears(void)
{
    char spec[128];
    pthread_t thread;

    unlink(file);
    snprintf(spec, sizeof(spec), "gate=wait:%s@1", file);
    CU_ASSERT_EQUAL_FATAL(fault_init(spec, NULL), 0);
    thread = start_waiter();
    CU_ASSERT_FALSE(atomic_load(&passed));
    create_file();
    pthread_join(thread, NULL);
    CU_ASSERT_TRUE(atomic_load(&passed));
    unlink(file);
    CU_ASSERT_FALSE(FAULT_POINT("gate")); /* the second time nobody waits */
}

static void wait_passes_where_the_file_is(void)
{
    char spec[128];

    create_file();
    snprintf(spec, sizeof(spec), "gate=wait:%s", file);
    CU_ASSERT_EQUAL_FATAL(fault_init(spec, NULL), 0);
    CU_ASSERT_FALSE(FAULT_POINT("gate"));
}

static void hold_ends_when_the_file_is_gone(void)
{
    char spec[128];
    pthread_t thread;

    create_file();
    snprintf(spec, sizeof(spec), "gate=hold:%s", file);
    CU_ASSERT_EQUAL_FATAL(fault_init(spec, NULL), 0);
    thread = start_waiter();
    CU_ASSERT_FALSE(atomic_load(&passed));
    unlink(file);
    pthread_join(thread, NULL);
    CU_ASSERT_TRUE(atomic_load(&passed));
    CU_ASSERT_FALSE(FAULT_POINT("gate"));
}

static void malformed_faults_are_refused(void)
{
    static const char *const bad[] = {
        "place",
        "=crash",
        "place=",
        "place=explode",
        "place=crashed",
        "place=crash@",
        "place=crash@0",
        "place=crash@x",
        "place=error@99999999999",
        "place=wait",
        "place=wait:",
        "place=wait:go",
        "place=hold:/",
        "place=crash:/x",
        "a=crash,b",
        ",a=crash",
        "a=crash,,b=crash",
        "a23456789012345678901234567890123456789012345678=crash",
    };
    struct err err;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(fault_init(bad[i], &err), ERR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is malformed"));
        CU_ASSERT_FALSE(FAULT_POINT("a")); /* none of a refused text is kept */
    }
    CU_ASSERT_EQUAL(fault_init("a=error,a=crash", &err), ERR_USAGE);
    CU_ASSERT_STRING_EQUAL(err.text, "fault point 'a' is named twice");
}

static void too_many_faults_are_refused(void)
{
    char spec[FAULTS_MAX * 16 + 16];
    size_t used = 0;
    struct err err;

    for (int i = 0; i < FAULTS_MAX; i++)
        used += (size_t)snprintf(spec + used, sizeof(spec) - used, "p%d=error,", i);
    CU_ASSERT_EQUAL(fault_init(spec, &err), 0);
    CU_ASSERT_TRUE(FAULT_POINT("p15"));
    snprintf(spec + used, sizeof(spec) - used, "more=error");
    CU_ASSERT_EQUAL(fault_init(spec, &err), ERR_USAGE);
    CU_ASSERT_STRING_EQUAL(err.text, "more than 16 faults are asked for");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"nothing_happens_where_nothing_is_set", nothing_happens_where_nothing_is_set},
        {"an_error_comes_every_time_or_once", an_error_comes_every_time_or_once},
        {"a_crash_is_a_kill", a_crash_is_a_kill},
        {"wait_ends_when_the_file_appears", wait_ends_when_the_file_appears},
        {"wait_passes_where_the_file_is", wait_passes_where_the_file_is},
        {"hold_ends_when_the_file_is_gone", hold_ends_when_the_file_is_gone},
        {"malformed_faults_are_refused", malformed_faults_are_refused},
        {"too_many_faults_are_refused", too_many_faults_are_refused},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"fault", make_folder, remove_folder, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}

#else

static void a_release_refuses_faults(void)
{
    struct err err;

    CU_ASSERT_EQUAL(fault_init(NULL, &err), 0);
    CU_ASSERT_EQUAL(fault_init("", &err), 0);
    CU_ASSERT_EQUAL(fault_init("place=error", &err), ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "this build has none"));
    CU_ASSERT_FALSE(FAULT_POINT("place"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"a_release_refuses_faults", a_release_refuses_faults},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"fault", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}

#endif
