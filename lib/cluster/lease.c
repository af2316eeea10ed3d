#include "cluster/lease.h"

void lease_begin(struct lease *lease, uint32_t timeout_ms)
{
    lease->timeout_ms = timeout_ms;
    lease->until_ms = 0;
    lease->heartbeat_ms = 0;
}

void lease_end(struct lease *lease)
{
    lease->until_ms = 0;
}

void lease_sent(struct lease *lease, uint64_t now_ms)
{
    lease->heartbeat_ms = now_ms + lease->timeout_ms / 4;
}

void lease_answered(struct lease *lease, uint64_t sent_ms)
{
    uint64_t until_ms = sent_ms + lease->timeout_ms - lease->timeout_ms / 8;

    if (until_ms > lease->until_ms)
        lease->until_ms = until_ms;
}
