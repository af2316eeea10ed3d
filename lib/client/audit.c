/* Audits: settle/admin.h's last part. */
#include "base/currency.h"
#include "client/call.h"
#include "settle/admin.h"

#include <stdio.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 uint128;

#define AUDIT_DEFAULT_MS 10000u

/* Sums over participants may pass 64 bits; they are shown as amounts all the same. */
static void format_sum(int128 sum, unsigned digits, char *text, size_t size)
{
    uint128 magnitude = sum < 0 ? (uint128)0 - (uint128)sum : (uint128)sum;
    char reversed[48];
    size_t count = 0, used = 0;

    do {
        if (count == digits && digits > 0)
            reversed[count++] = '.';
        reversed[count++] = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
    } while (magnitude > 0 || count <= digits + (digits > 0 ? 1u : 0u));
    if (sum < 0)
        text[used++] = '-';
    while (count > 0 && used + 1 < size)
        text[used++] = reversed[--count];
    text[used] = '\0';
}

static int take(const struct admin_response *response, struct settle_audit *audit, struct err *err)
{
    audit->lines = calloc((size_t)response->audit.line_count + 1, sizeof(*audit->lines));
    audit->missing = calloc((size_t)response->audit.missing_count + 1, sizeof(*audit->missing));
    if (!audit->lines || !audit->missing)
        return err_set(err, ERR_MEMORY, "cannot allocate an audit");
    audit->cut_ms = timestamp_ms(response->audit.timestamp);
    audit->line_count = response->audit.line_count;
    audit->missing_count = response->audit.missing_count;
    audit->in_doubt_count = response->audit.doubt_count;
    audit->balanced = audit->missing_count == 0;
    for (size_t i = 0; i < audit->line_count; i++) {
        const struct audit_line *from = &response->audit.lines[i];
        const struct currency_info *info = currency_find(from->currency.code);
        struct settle_audit_line *line = &audit->lines[i];
        unsigned digits = info ? info->digits : 0;

        memcpy(line->currency, from->currency.code, sizeof(line->currency));
        format_sum(from->posted, digits, line->posted, sizeof(line->posted));
        format_sum(from->in_doubt, digits, line->in_doubt, sizeof(line->in_doubt));
        line->balanced = from->posted == 0;
        audit->balanced = audit->balanced && line->balanced;
    }
    for (size_t i = 0; i < audit->missing_count; i++)
        snprintf(audit->missing[i], sizeof(audit->missing[i]), "%s",
                 response->audit.missing[i].text);
    return 0;
}

int settle_audit_run(struct settle *settle, struct settle_audit *ret_audit, uint32_t timeout_ms,
                     struct settle_error *ret_err)
{
    struct admin_request request = {.op = ADMIN_AUDIT};
    uint32_t wait_ms = timeout_ms ? timeout_ms : AUDIT_DEFAULT_MS;
    const struct admin_response *response;
    struct call call;
    struct err err;
    int rc = call_begin(&call, settle, wait_ms, &err);

    if (rc != 0)
        return handle_error(ret_err, &err);
    memset(ret_audit, 0, sizeof(*ret_audit));
    request.audit.deadline_ms = wait_ms - wait_ms / 4; /* so that its answer is still heard */
    response = call_need(&call, &request, ADMIN_BODY_AUDIT, &rc, ret_err);
    if (response && take(response, ret_audit, &err) != 0) {
        rc = handle_error(ret_err, &err);
        settle_audit_release(ret_audit);
    }
    call_end(&call);
    return rc;
}

void settle_audit_release(struct settle_audit *audit)
{
    free(audit->lines);
    free(audit->missing);
    memset(audit, 0, sizeof(*audit));
}
