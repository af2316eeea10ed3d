/* transfer, deposit, withdraw, submit, outcome, id */
#include "ctl.h"
#include "order.h"

#include <errno.h>
#include <string.h>

#define CASH "CASH"

static int outcome_code(const struct settle_outcome *outcome)
{
    switch (outcome->result) {
    case SETTLE_COMMITTED:
        return EXIT_DONE;
    case SETTLE_ABORTED:
    case SETTLE_REFUSED:
        return EXIT_REFUSED;
    case SETTLE_UNKNOWN:
        return EXIT_UNKNOWN;
    }
    return EXIT_WRONG;
}

/* 3PC needs witnesses, which this release does not have. */
static int refuse_3pc(void)
{
    ctl_wrong("3pc is refused: this release commits by 2pc only; nothing was sent");
    return EXIT_REFUSED;
}

static int submit_and_print(struct ctl *ctl, const struct settle_submit *submit)
{
    struct settle_outcome outcome;
    struct settle_error err;
    char id[SETTLE_ID_TEXT_SIZE];
    int code = ctl_connect(ctl);

    if (code != EXIT_DONE)
        return code;
    settle_id_format(&submit->id, id);
    if (settle_submit(ctl->settle, submit, &outcome, &err) != 0)
        return ctl_failed(&err, false, "submit %s", id);
    return ctl_printed(view_outcome(&ctl->view, &outcome), outcome_code(&outcome));
}

/* The id given, or a new one. */
static int id_of(const char *given, struct settle_id *ret_id)
{
    if (given && settle_id_parse(given, ret_id) != 0)
        return ctl_wrong("--id '%s' is no id: a UUIDv7 of 36 characters, as 'settlectl id' prints",
                         given);
    if (!given && settle_id_new(ret_id) != 0)
        return ctl_wrong("cannot make an id: the system gives no random numbers");
    return EXIT_DONE;
}

/* ---- between two accounts ---- */

/* --amount, --currency, --id, --memo and --protocol, for the two legs given. */
static int move(struct ctl *ctl, const struct place *from, const struct place *to)
{
    const char *currency = ctl_value(ctl, "currency"), *protocol = ctl_value(ctl, "protocol");
    struct settle_leg legs[2] = {
        {from->participant, from->account, SETTLE_DEBIT, 0, currency},
        {to->participant, to->account, SETTLE_CREDIT, 0, currency},
    };
    struct settle_submit submit = {.protocol = SETTLE_2PC,
                                   .deadline_ms = ctl->args.timeout_ms,
                                   .memo = ctl_value(ctl, "memo"),
                                   .legs = legs,
                                   .leg_count = 2};
    int code;

    if (protocol && strcmp(protocol, "3pc") == 0)
        return refuse_3pc();
    if (protocol && strcmp(protocol, "2pc") != 0)
        return ctl_wrong("--protocol '%s': it is 2pc or 3pc", protocol);
    if (!ctl_amount("--amount", ctl_value(ctl, "amount"), currency, &legs[0].amount))
        return EXIT_WRONG;
    if (submit.memo && strlen(submit.memo) > SETTLE_MEMO_MAX)
        return ctl_wrong("--memo has %zu bytes; at most %d", strlen(submit.memo), SETTLE_MEMO_MAX);
    legs[1].amount = legs[0].amount;
    code = id_of(ctl_value(ctl, "id"), &submit.id);
    return code == EXIT_DONE ? submit_and_print(ctl, &submit) : code;
}

#define OPTIONS_OF_A_MOVE                                                                          \
    {"amount", "N", "in major units, like 12.34", true}, {"currency", "C", "ISO 4217 code", true}, \
        {"protocol", "P", "2pc (default) or 3pc", false},                                          \
        {"id", "UUID", "an id to repeat, or one kept beforehand (a new one)", false},              \
        {"memo", "T", "at most 140 bytes of text that stand in all statements", false},            \
    {                                                                                              \
        NULL, NULL, NULL, false                                                                    \
    }

static const struct option transfer_options[] = {
    {"from", "P/A", "the account that is debited", true},
    {"to", "P/A", "the account that is credited", true},
    OPTIONS_OF_A_MOVE,
};

static int transfer(struct ctl *ctl)
{
    struct place from, to;

    if (!ctl_place("--from", ctl_value(ctl, "from"), &from) ||
        !ctl_place("--to", ctl_value(ctl, "to"), &to))
        return EXIT_WRONG;
    return move(ctl, &from, &to);
}

static const struct option cash_options[] = {
    {"account", "P/A", "the account", true},
    OPTIONS_OF_A_MOVE,
};

/* The account of --account, and CASH of the same participant. */
static bool place_and_cash(struct ctl *ctl, struct place *ret_account, struct place *ret_cash)
{
    if (!ctl_place("--account", ctl_value(ctl, "account"), ret_account))
        return false;
    *ret_cash = *ret_account;
    snprintf(ret_cash->account, sizeof(ret_cash->account), "%s", CASH);
    return true;
}

static int deposit(struct ctl *ctl)
{
    struct place account, cash;

    return place_and_cash(ctl, &account, &cash) ? move(ctl, &cash, &account) : EXIT_WRONG;
}

static int withdraw(struct ctl *ctl)
{
    struct place account, cash;

    return place_and_cash(ctl, &account, &cash) ? move(ctl, &account, &cash) : EXIT_WRONG;
}

#define DEADLINE_NOTE                                                                \
    "Waits until the outcome is known, 5 s or --timeout-ms; after UNKNOWN ask with " \
    "'outcome ID', or\nrepeat it with the same --id and contents: an id never executes twice."

const struct verb TRANSFER = {
    .name = "transfer",
    .summary = "Move money from one account to another",
    .detail = DEADLINE_NOTE,
    .options = transfer_options,
    .run = transfer,
};

const struct verb DEPOSIT = {
    .name = "deposit",
    .summary = "Pay money in, from the participant's system account CASH",
    .detail = DEADLINE_NOTE,
    .options = cash_options,
    .run = deposit,
};

const struct verb WITHDRAW = {
    .name = "withdraw",
    .summary = "Pay money out, to the participant's system account CASH",
    .detail = DEADLINE_NOTE,
    .options = cash_options,
    .run = withdraw,
};

/* ---- submit ---- */

static int submit_order(struct ctl *ctl, struct order *order)
{
    int code;

    if (order->submit.protocol == SETTLE_3PC)
        return refuse_3pc();
    if (order->submit.deadline_ms == 0)
        order->submit.deadline_ms = ctl->args.timeout_ms;
    code = order->has_id ? EXIT_DONE : id_of(NULL, &order->submit.id);
    return code == EXIT_DONE ? submit_and_print(ctl, &order->submit) : code;
}

static int submit(struct ctl *ctl)
{
    const char *name = ctl->args.operand;
    bool standard = strcmp(name, "-") == 0;
    FILE *in = standard ? stdin : fopen(name, "re");
    char complaint[COMPLAINT_SIZE];
    struct order order;
    int code;

    if (!in)
        return ctl_wrong("cannot open %s: %s", name, strerror(errno));
    if (order_read(&order, in, standard ? "standard input" : name, complaint))
        code = submit_order(ctl, &order);
    else
        code = ctl_wrong("%s", complaint);
    order_release(&order);
    if (!standard)
        fclose(in);
    return code;
}

const struct verb SUBMIT = {
    .name = "submit",
    .operand = "FILE.json|-",
    .summary = "Submit a transaction of any number of legs, given as JSON",
    .detail = "{\"id\", \"protocol\", \"deadline_ms\", \"memo\", \"legs\": [{\"account\": "
              "\"bank-a/X\",\n \"side\": \"debit\" or \"credit\", \"amount\": \"1.00\", "
              "\"currency\": \"USD\"}, ...]}; only \"legs\" is required.",
    .run = submit,
};

/* ---- outcome, id ---- */

static int outcome(struct ctl *ctl)
{
    struct settle_outcome outcome;
    struct settle_error err;
    struct settle_id id;
    int code;

    if (settle_id_parse(ctl->args.operand, &id) != 0)
        return ctl_wrong("'%s' is no id: a UUIDv7 of 36 characters, as 'settlectl id' prints",
                         ctl->args.operand);
    code = ctl_connect(ctl);
    if (code != EXIT_DONE)
        return code;
    if (settle_outcome_of(ctl->settle, &id, ctl->args.timeout_ms, &outcome, &err) != 0)
        return ctl_failed(&err, false, "ask for the outcome of %s", ctl->args.operand);
    return ctl_printed(view_outcome(&ctl->view, &outcome), outcome_code(&outcome));
}

const struct verb OUTCOME = {
    .name = "outcome",
    .operand = "ID",
    .summary = "What became of a transaction",
    .run = outcome,
};

static int id(struct ctl *ctl)
{
    struct settle_id id;
    int code = id_of(NULL, &id);

    return code == EXIT_DONE ? ctl_printed(view_id(&ctl->view, &id), EXIT_DONE) : code;
}

const struct verb ID = {
    .name = "id",
    .summary = "Print a new id, to be kept before a transfer is sent",
    .run = id,
};
