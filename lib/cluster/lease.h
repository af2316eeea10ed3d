/*
 * The lease: until when this process may believe that its session lives.
 *
 * ZooKeeper ends a session when it received nothing of it for the session timeout; what it received
 * was sent earlier. So an answered request proves that the session lives until its sending time
 * plus the timeout, on any clock that runs at about the servers' speed; a margin of an eighth
 * covers the difference. The library never ends a session by itself, so this clock is the only one
 * that does.
 *
 * Pure: times are given.
 */
#ifndef SETTLE_CLUSTER_LEASE_H
#define SETTLE_CLUSTER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

struct lease {
    uint32_t timeout_ms;
    uint64_t until_ms;     /* 0: none */
    uint64_t heartbeat_ms; /* when the next request is due */
};

/** A session of this timeout begins; there is no lease before the first answer. */
void lease_begin(struct lease *lease, uint32_t timeout_ms);

/** The lease is over: nothing is believed until the next answer. */
void lease_end(struct lease *lease);

/** A heartbeat is sent; the next one is due a quarter of the timeout later. */
void lease_sent(struct lease *lease, uint64_t now_ms);

/** A request sent at `sent_ms` was answered. */
void lease_answered(struct lease *lease, uint64_t sent_ms);

static inline bool lease_holds(const struct lease *lease, uint64_t now_ms)
{
    return now_ms < lease->until_ms;
}

#endif
