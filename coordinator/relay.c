/*
 * Relays: an operator's request for a participant passes through any coordinator.
 *
 * The participant answers under a number of ours, which names a slot and its generation, so that an
 * answer that comes after we gave up finds nobody. When the connection ends first, what only reads
 * is answered UNAVAILABLE, and what may have been done UNKNOWN.
 */
#include "coordinator.h"

#include "base/assert.h"

#include <stdio.h>

static uint64_t number_of(const struct coordinator *c, const struct relay *relay)
{
    return (uint64_t)relay->generation << 32 | ((uint64_t)(relay - c->relays) + 1);
}

static void answer(struct coordinator *c, struct waiter waiter, enum admin_code code,
                   enum reason reason, const char *text)
{
    struct envelope envelope;

    memset(&envelope, 0, sizeof(envelope));
    envelope.kind = WIRE_ADMIN_RESPONSE;
    envelope.request = waiter.request;
    envelope.admin_response.code = code;
    envelope.admin_response.reason = reason;
    snprintf(envelope.admin_response.text, sizeof(envelope.admin_response.text), "%s", text);
    drive_send(c, waiter.client, &envelope);
}

static bool only_reads(enum admin_op op)
{
    switch (op) {
    case ADMIN_ACCOUNT_CREATE:
    case ADMIN_ACCOUNT_SET:
    case ADMIN_ACCOUNT_CLOSE:
        return false;
    case ADMIN_ACCOUNT_SHOW:
    case ADMIN_ACCOUNT_LIST:
    case ADMIN_STATEMENT:
    case ADMIN_PARTICIPANT_STATUS:
    case ADMIN_TXN_LIST:
    case ADMIN_TXN_SHOW:
    case ADMIN_STATUS:
    case ADMIN_CLUSTER:
    case ADMIN_AUDIT:
        return true;
    }
    return false;
}

static struct relay *relay_make(struct coordinator *c)
{
    for (uint32_t i = 0; i < RELAYS_MAX; i++) {
        struct relay *relay = &c->relays[i];

        if (relay->used)
            continue;
        relay->used = true;
        relay->generation++;
        return relay;
    }
    return NULL;
}

void relay_request(struct coordinator *c, struct waiter waiter, const struct admin_request *request)
{
    struct link *link = link_find(c, &request->participant);
    struct envelope envelope;
    struct relay *relay;

    if (!link || link->member.presence == CLUSTER_GONE) {
        answer(c, waiter, ADMIN_REFUSED, REASON_PARTICIPANT_UNKNOWN,
               reason_text(REASON_PARTICIPANT_UNKNOWN));
        return;
    }
    if (link->handle == CONN_NONE) {
        answer(c, waiter, ADMIN_UNAVAILABLE, REASON_PARTICIPANT_DOWN,
               reason_text(REASON_PARTICIPANT_DOWN));
        return;
    }
    relay = relay_make(c);
    if (!relay) {
        answer(c, waiter, ADMIN_UNAVAILABLE, REASON_BUSY, reason_text(REASON_BUSY));
        return;
    }
    relay->waiter = waiter;
    relay->link = link;
    relay->op = request->op;
    relay->until_ms = loop_now_ms(c->loop) + RELAY_LIMIT_MS;
    envelope.kind = WIRE_ADMIN_REQUEST;
    envelope.request = number_of(c, relay);
    envelope.admin_request = *request;
    drive_send(c, link->handle, &envelope); /* if it is lost, the link goes down */
}

void relay_on_response(struct coordinator *c, struct link *link, const struct envelope *answered)
{
    uint64_t index = (answered->request & UINT32_MAX) - 1;
    struct relay *relay;
    struct envelope envelope;

    if (index >= RELAYS_MAX)
        return;
    relay = &c->relays[index];
    if (!relay->used || number_of(c, relay) != answered->request || relay->link != link)
        return; /* given up before */
    relay->used = false;
    envelope = *answered;
    envelope.request = relay->waiter.request;
    drive_send(c, relay->waiter.client, &envelope);
}

static void give_up(struct coordinator *c, struct relay *relay, const char *why)
{
    char text[TEXT_SIZE];
    bool reads = only_reads(relay->op);

    snprintf(text, sizeof(text), "participant '%s' %s%s", relay->link->member.node.text, why,
             reads ? "" : "; it may have done it: look before you repeat it");
    relay->used = false;
    answer(c, relay->waiter, reads ? ADMIN_UNAVAILABLE : ADMIN_UNKNOWN, REASON_PARTICIPANT_DOWN,
           text);
}

void relay_link_down(struct coordinator *c, const struct link *link)
{
    for (uint32_t i = 0; i < RELAYS_MAX; i++) {
        if (c->relays[i].used && c->relays[i].link == link)
            give_up(c, &c->relays[i], "was cut off before it answered");
    }
}

void relay_tick(struct coordinator *c)
{
    uint64_t now = loop_now_ms(c->loop);

    for (uint32_t i = 0; i < RELAYS_MAX; i++) {
        if (c->relays[i].used && now >= c->relays[i].until_ms)
            give_up(c, &c->relays[i], "did not answer in time");
    }
}
