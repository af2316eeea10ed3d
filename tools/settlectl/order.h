/*
 * An order: the JSON form of a transaction, as `settlectl submit` reads it.
 *
 *     {"id", "protocol", "deadline_ms", "memo",
 *      "legs": [{"account": "bank-a/X", "side": "debit"|"credit", "amount": "1.00",
 *                "currency": "USD"}]}
 *
 * Only "legs" is required; unknown and double keys are refused, because a misspelt "memo" would
 * else be lost in silence. A complaint names line and column where the text is no JSON, and the
 * path of the field ("legs[1].amount") where it is.
 */
#ifndef SETTLE_TOOLS_SETTLECTL_ORDER_H
#define SETTLE_TOOLS_SETTLECTL_ORDER_H

#include "args.h"
#include "settle/settle.h"

#include <jansson.h>

#define ORDER_SIZE_MAX (256u * 1024) /* bytes of JSON */

struct order {
    struct settle_submit submit; /* its pointers point into the order */
    bool has_id;
    json_t *json;
    struct settle_leg legs[SETTLE_LEGS_MAX];
    char participants[SETTLE_LEGS_MAX][SETTLE_NAME_MAX + 1];
};

/**
 * Read an order to the end of `in`. Release it in any case.
 *
 * @name  of the file, for the complaint
 */
bool order_read(struct order *order, FILE *in, const char *name,
                char ret_complaint[COMPLAINT_SIZE]);

void order_release(struct order *order);

#endif
