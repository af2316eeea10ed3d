#include "base/ledger_types.h"

bool account_name_parse(struct account_name *ret_name, const char *text, size_t length)
{
    struct account_name name;

    if (length == 0 || length > ACCOUNT_NAME_MAX)
        return false;
    memset(&name, 0, sizeof(name));
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
        name.text[i] = c;
    }
    *ret_name = name;
    return true;
}

bool currency_parse(struct currency *ret_currency, const char *text, size_t length)
{
    struct currency currency = {{0}};

    if (length != CURRENCY_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 'A' || text[i] > 'Z')
            return false;
        currency.code[i] = text[i];
    }
    *ret_currency = currency;
    return true;
}

const char *account_status_name(enum account_status status)
{
    switch (status) {
    case ACCOUNT_OPEN:
        return "OPEN";
    case ACCOUNT_BLOCKED_DEBITS:
        return "BLOCKED_DEBITS";
    case ACCOUNT_BLOCKED_CREDITS:
        return "BLOCKED_CREDITS";
    case ACCOUNT_BLOCKED:
        return "BLOCKED";
    case ACCOUNT_CLOSED:
        return "CLOSED";
    }
    return "UNKNOWN";
}
