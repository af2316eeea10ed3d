/* The handle, ids, words. */
#include "settle/settle.h"

#include "base/amount.h"
#include "base/currency.h"
#include "base/random.h"
#include "base/reason.h"
#include "client/handle.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define IN_FLIGHT_DEFAULT  16384u
#define IN_FLIGHT_LIMIT    1048576u
#define CONNECT_DEFAULT_MS 5000u

#ifndef SETTLE_VERSION
#error "SETTLE_VERSION is the build's to define"
#endif

_Static_assert(SETTLE_LEGS_MAX == LEGS_MAX && SETTLE_PARTICIPANTS_MAX == PARTICIPANTS_MAX &&
                   SETTLE_CURRENCIES_MAX == NETS_MAX && SETTLE_MEMO_MAX == MEMO_LENGTH_MAX &&
                   SETTLE_ACCOUNT_MAX == ACCOUNT_NAME_MAX &&
                   SETTLE_DEADLINE_MAX_MS == DEADLINE_MAX_MS,
               "settle.h tells the house's limits");
#define X(symbol, number, name, text) \
    _Static_assert((int)SETTLE_##symbol == (number), "settle.h tells the house's reasons");
REASONS(X)
#undef X
_Static_assert(SETTLE_ERR_USAGE == (int)ERR_USAGE && SETTLE_ERR_BUSY == (int)ERR_BUSY &&
                   SETTLE_ERR_REFUSED == (int)ERR_REFUSED && SETTLE_ERR_TIMEOUT == (int)ERR_TIMEOUT,
               "errors keep their numbers");

#ifdef __clang_analyzer__
#undef handle_error
#endif

int handle_error(struct settle_error *ret_err, const struct err *err)
{
    if (ret_err) {
        ret_err->code = err->code;
        ret_err->reason = 0;
        snprintf(ret_err->text, sizeof(ret_err->text), "%s", err->text);
    }
    return err->code;
}

int settle_open(const char *cluster, const struct settle_options *options,
                struct settle **ret_settle, struct settle_error *ret_err)
{
    static const struct settle_options defaults;
    const struct settle_options *wanted = options ? options : &defaults;
    struct engine_options engine = {
        .in_flight_max = wanted->in_flight_max ? wanted->in_flight_max : IN_FLIGHT_DEFAULT,
        .session_timeout_ms = wanted->session_timeout_ms ? wanted->session_timeout_ms
                                                         : SESSION_TIMEOUT_DEFAULT_MS,
    };
    struct settle *settle = calloc(1, sizeof(*settle));
    struct url url;
    struct err err;
    int rc;

    if (!settle) {
        err_set(&err, ERR_MEMORY, "cannot allocate a handle");
        return handle_error(ret_err, &err);
    }
    if (engine.in_flight_max > IN_FLIGHT_LIMIT)
        rc = err_set(&err, ERR_USAGE, "in_flight_max is above %u", IN_FLIGHT_LIMIT);
    else
        rc = url_parse(cluster, &url, &err);
    if (rc == 0)
        rc = engine_open(&url, &engine, &settle->engine, &err);
    if (rc == 0)
        rc = engine_wait_ready(settle->engine,
                               wanted->connect_ms ? wanted->connect_ms : CONNECT_DEFAULT_MS, &err);
    if (rc != 0) {
        settle_close(settle);
        return handle_error(ret_err, &err);
    }
    *ret_settle = settle;
    return 0;
}

void settle_close(struct settle *settle)
{
    if (!settle)
        return;
    engine_close(settle->engine);
    free(settle);
}

/* ---- ids ---- */

/*
 * The milliseconds never fall within a process, and within one millisecond the 12 bits behind the
 * version count up, so that later ids of a process are larger (RFC 9562, section 6.2, method 1).
 */
int settle_id_new(struct settle_id *ret_id)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uint64_t last_ms;
    static unsigned count;
    uint8_t random[10];
    struct timespec now;
    struct id id;
    uint64_t ms;
    unsigned counted;

    if (random_bytes(random, sizeof(random), NULL) != 0)
        return SETTLE_ERR_IO;
    clock_gettime(CLOCK_REALTIME, &now);
    ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    pthread_mutex_lock(&lock);
    if (ms > last_ms) {
        last_ms = ms;
        count = 0;
    } else if (++count > 0xfff) {
        last_ms++; /* more than 4,096 in a millisecond: borrow from the next */
        count = 0;
    }
    ms = last_ms;
    counted = count;
    pthread_mutex_unlock(&lock);
    random[0] = (uint8_t)(counted >> 8);
    random[1] = (uint8_t)counted;
    id = id_make(ms, random);
    memcpy(ret_id->bytes, id.bytes, sizeof(ret_id->bytes));
    return 0;
}

const char *settle_id_format(const struct settle_id *id, char text[SETTLE_ID_TEXT_SIZE])
{
    struct id internal;

    memcpy(internal.bytes, id->bytes, sizeof(internal.bytes));
    return id_format(&internal, text);
}

int settle_id_parse(const char *text, struct settle_id *ret_id)
{
    struct id id;

    if (!id_parse(&id, text) || !id_is_v7(&id))
        return SETTLE_ERR_USAGE;
    memcpy(ret_id->bytes, id.bytes, sizeof(ret_id->bytes));
    return 0;
}

/* ---- words ---- */

const char *settle_result_name(enum settle_result result)
{
    switch (result) {
    case SETTLE_COMMITTED:
        return "COMMITTED";
    case SETTLE_ABORTED:
        return "ABORTED";
    case SETTLE_UNKNOWN:
        return "UNKNOWN";
    case SETTLE_REFUSED:
        return "REFUSED";
    }
    return "UNKNOWN";
}

const char *settle_reason_name(unsigned reason)
{
    return reason_name(reason);
}

const char *settle_reason_text(unsigned reason)
{
    return reason_text(reason);
}

int settle_currency_digits(const char *currency)
{
    const struct currency_info *info = currency_find(currency);

    return info ? info->digits : -1;
}

int settle_amount_parse(const char *text, const char *currency, int64_t *ret_minor,
                        struct settle_error *ret_err)
{
    int digits = settle_currency_digits(currency);
    struct err err;
    int rc;

    if (digits < 0)
        rc = err_set(&err, ERR_USAGE, "'%.20s' is no currency of ISO 4217", currency);
    else
        rc = amount_parse(text, (unsigned)digits, ret_minor, &err);
    return rc == 0 ? 0 : handle_error(ret_err, &err);
}

const char *settle_amount_format(int64_t minor, const char *currency,
                                 char text[SETTLE_AMOUNT_TEXT_SIZE])
{
    int digits = settle_currency_digits(currency);

    _Static_assert(SETTLE_AMOUNT_TEXT_SIZE == AMOUNT_TEXT_SIZE, "amounts fit");
    return amount_format(minor, digits < 0 ? 0 : (unsigned)digits, text);
}

const char *settle_version(void)
{
    return SETTLE_VERSION;
}
