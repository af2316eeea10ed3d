/*
 * What the verbs of settlectl share: the open cluster, the command line, and how a verb ends.
 */
#ifndef SETTLE_TOOLS_SETTLECTL_CTL_H
#define SETTLE_TOOLS_SETTLECTL_CTL_H

#include "args.h"
#include "view.h"

/* The program's exit codes: README.md. */
enum exit_code {
    EXIT_DONE = 0,    /* done, or COMMITTED */
    EXIT_WRONG = 1,   /* usage, or an error inside */
    EXIT_REFUSED = 2, /* ABORTED, refused, or not balanced */
    EXIT_UNKNOWN = 3, /* it happened or it did not */
    EXIT_AWAY = 4,    /* the cluster cannot be reached */
};

struct ctl {
    struct args args;
    struct view view;
    struct settle *settle; /* NULL until ctl_connect() */
};

/* "bank-a/ALICE" in its parts. */
struct place {
    char participant[SETTLE_NAME_MAX + 1];
    char account[SETTLE_ACCOUNT_MAX + 1];
};

/**
 * Open the cluster that was named, unless it is open.
 *
 * Verbs check all they were given first: what is wrong by itself needs no cluster to be refused.
 * Returns EXIT_DONE, or the exit code after a complaint.
 */
int ctl_connect(struct ctl *ctl);

/** Say what is wrong and how to do it right; returns EXIT_WRONG. */
int ctl_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * Say what the library could not do; returns the exit code for it.
 *
 * @is_act  the call changes something, so that a timeout leaves open whether it did
 */
int ctl_failed(const struct settle_error *err, bool is_act, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The exit code of a verb that has printed; `rc` is the view's. */
int ctl_printed(int rc, int code);

const char *ctl_value(const struct ctl *ctl, const char *name);

/** Read "P/ACCOUNT" given as `what`; false when it was complained about. */
bool ctl_place(const char *what, const char *text, struct place *ret_place);

/** Read an amount above zero likewise. */
bool ctl_amount(const char *what, const char *text, const char *currency, int64_t *ret_minor);

extern const struct verb ACCOUNT_CREATE, ACCOUNT_SHOW, ACCOUNT_LIST, ACCOUNT_SET, ACCOUNT_CLOSE,
    ACCOUNT_STATEMENT;
extern const struct verb TRANSFER, DEPOSIT, WITHDRAW, SUBMIT, OUTCOME, ID;
extern const struct verb STATUS, TXN_LIST, TXN_SHOW, AUDIT;

#endif
