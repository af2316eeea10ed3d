/* settlectl: the cluster from a shell. README.md is its contract. */
#include "ctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void complain(const char *before, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void complain(const char *before, const char *format, va_list args)
{
    fflush(stdout);
    fprintf(stderr, "settlectl: %s", before);
    vfprintf(stderr, format, args);
}

int ctl_wrong(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain("", format, args);
    va_end(args);
    fprintf(stderr, "\n");
    return EXIT_WRONG;
}

static int code_of(const struct settle_error *err, bool is_act)
{
    switch ((enum settle_error_code)err->code) {
    case SETTLE_ERR_NOT_FOUND:
    case SETTLE_ERR_BUSY:
    case SETTLE_ERR_REFUSED:
        return EXIT_REFUSED;
    case SETTLE_ERR_TIMEOUT:
        return is_act ? EXIT_UNKNOWN : EXIT_AWAY;
    case SETTLE_ERR_UNREACHABLE:
        return err->reason == SETTLE_REASON_PARTICIPANT_DOWN ? EXIT_REFUSED : EXIT_AWAY;
    case SETTLE_ERR_PROTOCOL:
        return EXIT_AWAY;
    case SETTLE_ERR_USAGE:
    case SETTLE_ERR_IO:
    case SETTLE_ERR_CLOSED:
    case SETTLE_ERR_MEMORY:
        return EXIT_WRONG;
    }
    return EXIT_WRONG;
}

int ctl_failed(const struct settle_error *err, bool is_act, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain("cannot ", format, args);
    va_end(args);
    fprintf(stderr, ": %s\n", err->text);
    return code_of(err, is_act);
}

int ctl_printed(int rc, int code)
{
    if (rc != 0)
        return ctl_wrong("out of memory");
    return code;
}

const char *ctl_value(const struct ctl *ctl, const char *name)
{
    return args_value(&ctl->args, name);
}

bool ctl_place(const char *what, const char *text, struct place *ret_place)
{
    size_t before = strcspn(text, "/");
    const char *account = text + before + (text[before] == '/');

    if (text[before] == '\0' || before == 0 || account[0] == '\0') {
        ctl_wrong("%s '%s' names no account: write PARTICIPANT/ACCOUNT, like bank-a/ALICE", what,
                  text);
        return false;
    }
    if (before >= sizeof(ret_place->participant)) {
        ctl_wrong("%s '%s': a participant's name has at most %d characters", what, text,
                  SETTLE_NAME_MAX);
        return false;
    }
    if (strlen(account) >= sizeof(ret_place->account)) {
        ctl_wrong("%s '%s': an account's id has at most %d characters of A-Z, 0-9 and '-'", what,
                  text, SETTLE_ACCOUNT_MAX);
        return false;
    }
    snprintf(ret_place->participant, sizeof(ret_place->participant), "%.*s", (int)before, text);
    snprintf(ret_place->account, sizeof(ret_place->account), "%s", account);
    return true;
}

bool ctl_amount(const char *what, const char *text, const char *currency, int64_t *ret_minor)
{
    struct settle_error err;

    if (settle_amount_parse(text, currency, ret_minor, &err) != 0) {
        ctl_wrong("%s: %s", what, err.text);
        return false;
    }
    if (*ret_minor <= 0) {
        ctl_wrong("%s: '%s' is not above zero; the side says where money goes", what, text);
        return false;
    }
    return true;
}

/* All verbs in the order of the help. */
static const struct verb *const ALL[] = {
    &STATUS,        &ACCOUNT_CREATE,    &ACCOUNT_SHOW, &ACCOUNT_LIST, &ACCOUNT_SET,
    &ACCOUNT_CLOSE, &ACCOUNT_STATEMENT, &TRANSFER,     &DEPOSIT,      &WITHDRAW,
    &SUBMIT,        &OUTCOME,           &ID,           &TXN_LIST,     &TXN_SHOW,
    &AUDIT,
};

#define VERB_COUNT (sizeof(ALL) / sizeof(ALL[0]))

int ctl_connect(struct ctl *ctl)
{
    const char *cluster = ctl->args.cluster ? ctl->args.cluster : getenv("SETTLE_CLUSTER");
    struct settle_options options = {.in_flight_max = 64, .connect_ms = ctl->args.timeout_ms};
    struct settle_error err;

    if (ctl->settle)
        return EXIT_DONE;
    if (!cluster || cluster[0] == '\0')
        return ctl_wrong("which cluster? Give --cluster zk://HOST:PORT/NAME or "
                         "tcp://HOST:PORT, or set SETTLE_CLUSTER");
    if (settle_open(cluster, &options, &ctl->settle, &err) != 0)
        return ctl_failed(&err, false, "reach the cluster at %s", cluster);
    return EXIT_DONE;
}

/* What was printed has arrived, or the user learns that it has not. */
static int finish(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("settlectl: cannot write the output");
        return code == EXIT_DONE ? EXIT_WRONG : code;
    }
    return code;
}

int main(int argc, char **argv)
{
    struct verb verbs[VERB_COUNT + 1] = {{0}};
    struct ctl ctl = {.view = {.out = stdout}};
    char complaint[COMPLAINT_SIZE];
    int code;

    for (size_t i = 0; i < VERB_COUNT; i++)
        verbs[i] = *ALL[i];
    if (!args_parse(&ctl.args, verbs, argc, argv, complaint))
        return ctl_wrong("%s", complaint);
    if (ctl.args.version) {
        printf("settlectl %s\n", settle_version());
        return finish(EXIT_DONE);
    }
    if (ctl.args.help) {
        args_help(&ctl.args, verbs, stdout);
        return finish(EXIT_DONE);
    }
    ctl.view.json = ctl.args.json;
    code = ctl.args.verb->run(&ctl);
    settle_close(ctl.settle);
    return finish(code);
}
