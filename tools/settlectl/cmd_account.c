/* account create, show, list, set, close, statement */
#include "ctl.h"

#include <string.h>
#include <strings.h>

#define OPTION_CURRENCY                                                                      \
    {                                                                                        \
        "currency", "C", "ISO 4217 code; needed when the account is in more than one", false \
    }
#define OPTION_END              \
    {                           \
        NULL, NULL, NULL, false \
    }

static struct settle_account_key key_of(const struct place *place, const char *currency)
{
    struct settle_account_key key = {place->participant, place->account, currency};

    return key;
}

/* "-1000.00", or "none". */
static bool floor_parse(const char *text, const char *currency, bool *ret_has, int64_t *ret_floor)
{
    struct settle_error err;

    *ret_has = strcmp(text, "none") != 0;
    if (!*ret_has || settle_amount_parse(text, currency, ret_floor, &err) == 0)
        return true;
    ctl_wrong("--floor: %s", err.text);
    return false;
}

/*
 * The currency given, or the only one the account has. Returns EXIT_DONE, or the exit code after a
 * complaint.
 */
static int currency_of(struct ctl *ctl, const struct place *place, char ret_currency[4])
{
    const char *given = ctl_value(ctl, "currency");
    struct settle_account_key key = key_of(place, NULL);
    struct settle_account *list = NULL;
    struct settle_error err;
    size_t count = 0;
    int code;

    if (given) {
        if (settle_currency_digits(given) < 0)
            return ctl_wrong("--currency '%s' is no currency of ISO 4217", given);
        snprintf(ret_currency, 4, "%s", given);
        return EXIT_DONE;
    }
    code = ctl_connect(ctl);
    if (code != EXIT_DONE)
        return code;
    if (settle_account_show(ctl->settle, &key, &list, &count, ctl->args.timeout_ms, &err) != 0)
        return ctl_failed(&err, false, "look %s/%s up", place->participant, place->account);
    if (count == 1)
        snprintf(ret_currency, 4, "%s", list[0].currency);
    else
        code = ctl_wrong("%s/%s is in %zu currencies: say which with --currency",
                         place->participant, place->account, count);
    settle_accounts_free(list);
    return code;
}

/* ---- create ---- */

static const struct option create_options[] = {
    {"currency", "C", "ISO 4217 code", true},
    {"floor", "F", "the balance never falls below it: an amount, or none (0)", false},
    {"system", NULL, "a system account, where money enters and leaves; may be without floor",
     false},
    OPTION_END};

static int create(struct ctl *ctl)
{
    const char *currency = ctl_value(ctl, "currency"), *floor = ctl_value(ctl, "floor");
    bool system = ctl_value(ctl, "system") != NULL, has_floor = true;
    struct settle_account account;
    struct settle_account_key key;
    struct settle_error err;
    struct place place;
    int64_t minor = 0;
    int code;

    if (!ctl_place("account create", ctl->args.operand, &place))
        return EXIT_WRONG;
    if (settle_currency_digits(currency) < 0)
        return ctl_wrong("--currency '%s' is no currency of ISO 4217", currency);
    if (floor && !floor_parse(floor, currency, &has_floor, &minor))
        return EXIT_WRONG;
    if (!has_floor && !system)
        return ctl_wrong("--floor none: only a system account may be without a floor; add "
                         "--system, or give an amount");
    code = ctl_connect(ctl);
    if (code != EXIT_DONE)
        return code;
    key = key_of(&place, currency);
    if (settle_account_create(ctl->settle, &key, system, has_floor ? &minor : NULL, &account,
                              ctl->args.timeout_ms, &err) != 0)
        return ctl_failed(&err, true, "create %s in %s", ctl->args.operand, currency);
    return ctl_printed(view_accounts(&ctl->view, place.participant, &account, 1), EXIT_DONE);
}

const struct verb ACCOUNT_CREATE = {
    .name = "account create",
    .operand = "P/ACCOUNT",
    .summary = "Open an account at a participant",
    .detail = "An account's id has 1 to 34 characters of A-Z, 0-9 and '-'. Repeating it with the "
              "same\nattributes is no error.",
    .options = create_options,
    .run = create,
};

/* ---- show, list ---- */

static const struct option show_options[] = {
    {"currency", "C", "ISO 4217 code (every currency the account has)", false}, OPTION_END};

static int show(struct ctl *ctl)
{
    const char *currency = ctl_value(ctl, "currency");
    struct settle_account *list = NULL;
    struct settle_account_key key;
    struct settle_error err;
    struct place place;
    size_t count = 0;
    int code, rc;

    if (!ctl_place("account show", ctl->args.operand, &place))
        return EXIT_WRONG;
    if (currency && settle_currency_digits(currency) < 0)
        return ctl_wrong("--currency '%s' is no currency of ISO 4217", currency);
    code = ctl_connect(ctl);
    if (code != EXIT_DONE)
        return code;
    key = key_of(&place, currency);
    if (settle_account_show(ctl->settle, &key, &list, &count, ctl->args.timeout_ms, &err) != 0)
        return ctl_failed(&err, false, "show %s", ctl->args.operand);
    rc = view_accounts(&ctl->view, place.participant, list, count);
    settle_accounts_free(list);
    return ctl_printed(rc, EXIT_DONE);
}

const struct verb ACCOUNT_SHOW = {
    .name = "account show",
    .operand = "P/ACCOUNT",
    .summary = "An account's balance, floor and pending amounts",
    .options = show_options,
    .run = show,
};

static int list_accounts(struct ctl *ctl)
{
    struct settle_account *list = NULL;
    struct settle_error err;
    size_t count = 0;
    int rc, code = ctl_connect(ctl);

    if (code != EXIT_DONE)
        return code;
    if (settle_account_list(ctl->settle, ctl->args.operand, &list, &count, ctl->args.timeout_ms,
                            &err) != 0)
        return ctl_failed(&err, false, "list the accounts of %s", ctl->args.operand);
    rc = view_accounts(&ctl->view, ctl->args.operand, list, count);
    settle_accounts_free(list);
    return ctl_printed(rc, EXIT_DONE);
}

const struct verb ACCOUNT_LIST = {
    .name = "account list",
    .operand = "P",
    .summary = "All accounts of a participant",
    .run = list_accounts,
};

/* ---- set ---- */

static const struct option set_options[] = {
    OPTION_CURRENCY,
    {"status", "S", "open, blocked-debits, blocked-credits or blocked", false},
    {"floor", "F", "an amount, or none for a system account", false},
    OPTION_END};

static bool status_parse(const char *text, enum settle_account_status *ret_status)
{
    static const struct {
        const char *name;
        enum settle_account_status status;
    } names[] = {
        {"open", SETTLE_OPEN},
        {"blocked-debits", SETTLE_BLOCKED_DEBITS},
        {"blocked-credits", SETTLE_BLOCKED_CREDITS},
        {"blocked", SETTLE_BLOCKED},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(text, names[i].name) == 0 ||
            strcasecmp(text, settle_account_status_name(names[i].status)) == 0) {
            *ret_status = names[i].status;
            return true;
        }
    }
    ctl_wrong("--status '%s': it is open, blocked-debits, blocked-credits or blocked; an account "
              "is closed with 'account close'",
              text);
    return false;
}

static bool change_parse(struct ctl *ctl, const char *currency,
                         struct settle_account_change *ret_change)
{
    const char *status = ctl_value(ctl, "status"), *floor = ctl_value(ctl, "floor");
    bool has_floor = false;

    memset(ret_change, 0, sizeof(*ret_change));
    if (status && !status_parse(status, &ret_change->status))
        return false;
    if (floor && !floor_parse(floor, currency, &has_floor, &ret_change->floor))
        return false;
    ret_change->set_floor = floor != NULL;
    ret_change->floor_none = floor && !has_floor;
    return true;
}

static int set(struct ctl *ctl)
{
    struct settle_account_change change;
    struct settle_account account;
    struct settle_account_key key;
    struct settle_error err;
    struct place place;
    char currency[4];
    int code;

    if (!ctl_place("account set", ctl->args.operand, &place))
        return EXIT_WRONG;
    if (!ctl_value(ctl, "status") && !ctl_value(ctl, "floor"))
        return ctl_wrong("'account set' needs --status or --floor: nothing would change");
    code = currency_of(ctl, &place, currency);
    if (code != EXIT_DONE)
        return code;
    if (!change_parse(ctl, currency, &change))
        return EXIT_WRONG;
    code = ctl_connect(ctl);
    if (code != EXIT_DONE)
        return code;
    key = key_of(&place, currency);
    if (settle_account_set(ctl->settle, &key, &change, &account, ctl->args.timeout_ms, &err) != 0)
        return ctl_failed(&err, true, "change %s in %s", ctl->args.operand, currency);
    return ctl_printed(view_accounts(&ctl->view, place.participant, &account, 1), EXIT_DONE);
}

const struct verb ACCOUNT_SET = {
    .name = "account set",
    .operand = "P/ACCOUNT",
    .summary = "Block an account, open it again, move its floor",
    .detail = "What is prepared already is a promise and not touched. A floor above what is "
              "available is\nrefused.",
    .options = set_options,
    .run = set,
};

/* ---- close ---- */

static const struct option close_options[] = {OPTION_CURRENCY, OPTION_END};

static int close_account(struct ctl *ctl)
{
    struct settle_account account;
    struct settle_account_key key;
    struct settle_error err;
    struct place place;
    char currency[4];
    int code;

    if (!ctl_place("account close", ctl->args.operand, &place))
        return EXIT_WRONG;
    code = currency_of(ctl, &place, currency);
    if (code == EXIT_DONE)
        code = ctl_connect(ctl);
    if (code != EXIT_DONE)
        return code;
    key = key_of(&place, currency);
    if (settle_account_close(ctl->settle, &key, &account, ctl->args.timeout_ms, &err) != 0)
        return ctl_failed(&err, true, "close %s in %s", ctl->args.operand, currency);
    return ctl_printed(view_accounts(&ctl->view, place.participant, &account, 1), EXIT_DONE);
}

const struct verb ACCOUNT_CLOSE = {
    .name = "account close",
    .operand = "P/ACCOUNT",
    .summary = "Close an account for good",
    .detail = "Refused while money is left or pending.",
    .options = close_options,
    .run = close_account,
};

/* ---- statement ---- */

static const struct option statement_options[] = {
    OPTION_CURRENCY, {"max", "N", "the newest N entries; 0: all (100)", false}, OPTION_END};

static int statement(struct ctl *ctl)
{
    const char *max = ctl_value(ctl, "max");
    struct settle_entry *list = NULL;
    struct settle_account_key key;
    unsigned long long limit = 100;
    struct settle_error err;
    struct place place;
    char currency[4];
    size_t count = 0;
    int rc;

    if (!ctl_place("account statement", ctl->args.operand, &place))
        return EXIT_WRONG;
    if (max && !number_parse(max, strlen(max), UINT32_MAX, &limit))
        return ctl_wrong("--max '%s' is not a number", max);
    rc = currency_of(ctl, &place, currency);
    if (rc == EXIT_DONE)
        rc = ctl_connect(ctl);
    if (rc != EXIT_DONE)
        return rc;
    key = key_of(&place, currency);
    if (settle_account_statement(ctl->settle, &key, (size_t)limit, &list, &count,
                                 ctl->args.timeout_ms, &err) != 0)
        return ctl_failed(&err, false, "read the statement of %s in %s", ctl->args.operand,
                          currency);
    rc = view_statement(&ctl->view, &key, list, count);
    settle_entries_free(list);
    return ctl_printed(rc, EXIT_DONE);
}

const struct verb ACCOUNT_STATEMENT = {
    .name = "account statement",
    .operand = "P/ACCOUNT",
    .summary = "What moved on an account, newest first",
    .options = statement_options,
    .run = statement,
};
