/* settle-bench: how many transfers a second a cluster commits. README.md says how to read it. */
#include "bench.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

bool interrupted(void)
{
    return stop_asked != 0;
}

uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void pause_ms(int ms)
{
    poll(NULL, 0, ms);
}

#ifdef __clang_analyzer__
#undef complain
#endif

int complain(const char *format, ...)
{
    va_list args;

    progress("%s", "");
    fprintf(stderr, "settle-bench: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    return EXIT_WRONG;
}

void progress(const char *format, ...)
{
    static int is_terminal = -1;
    va_list args;

    if (is_terminal < 0)
        is_terminal = isatty(STDERR_FILENO);
    if (!is_terminal)
        return;
    fprintf(stderr, "\r\033[K");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fflush(stderr);
}

static void clients_close(struct clients *clients)
{
    for (uint32_t i = 0; i < clients->count; i++)
        settle_close(clients->list[i]);
    clients->count = 0;
}

static int clients_open(struct clients *clients, const struct bench_options *options)
{
    const char *cluster = options->cluster ? options->cluster : getenv("SETTLE_CLUSTER");
    struct settle_options wanted = {.in_flight_max = options->in_flight / options->clients + 256};
    struct settle_error err;

    if (!cluster || cluster[0] == '\0')
        return complain("which cluster? Give --cluster zk://HOST:PORT/NAME or tcp://HOST:PORT, or "
                        "set SETTLE_CLUSTER");
    while (clients->count < options->clients) {
        if (settle_open(cluster, &wanted, &clients->list[clients->count], &err) != 0) {
            complain("cannot reach the cluster at %s: %s", cluster, err.text);
            return err.code == SETTLE_ERR_UNREACHABLE || err.code == SETTLE_ERR_PROTOCOL
                       ? EXIT_AWAY
                       : EXIT_WRONG;
        }
        clients->count++;
    }
    return EXIT_DONE;
}

static int run(const struct bench_options *options)
{
    struct clients clients = {.count = 0};
    struct books books = {.count = 0};
    struct result result;
    int code = clients_open(&clients, options);

    memset(&result, 0, sizeof(result));
    if (code == EXIT_DONE)
        code = books_open(&books, &clients, options);
    if (code == EXIT_DONE)
        code = load_run(&books, &clients, options, &result);
    if (code == EXIT_DONE)
        code = report(&clients, options, &result);
    clients_close(&clients);
    books_release(&books);
    result_release(&result);
    return code;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct bench_options options;
    char complaint[256];
    int code = EXIT_DONE;

    if (!bench_options_parse(&options, argc, argv, complaint, sizeof(complaint)))
        return complain("%s", complaint);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (options.version)
        printf("settle-bench %s\n", settle_version());
    else if (options.help)
        bench_options_help(stdout);
    else
        code = run(&options);
    if (fflush(stdout) != 0) {
        complain("cannot write the output");
        return code == EXIT_DONE ? EXIT_WRONG : code;
    }
    return code;
}
