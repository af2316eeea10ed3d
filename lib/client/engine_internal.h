/*
 * What the engine's files share; nobody else includes it.
 *
 * engine.c: the thread, slots, hand-over. endpoint.c: coordinators and their connections.
 * request.c: where a request goes, what an answer means.
 */
#ifndef SETTLE_CLIENT_ENGINE_INTERNAL_H
#define SETTLE_CLIENT_ENGINE_INTERNAL_H

#include "client/engine.h"

/* A coordinator by its address. */
struct endpoint {
    struct engine *engine;
    bool used;
    char text[ADDRESS_TEXT_SIZE];
    struct node_name node; /* empty until the registry or its WELCOME says */
    struct dialer *dialer;
    uint32_t handle; /* of the connection that greeted us; CONN_NONE: none */
};

/*
 * The thread's own, so that callers may fill a slot while others are looked at. README.md has the
 * diagram; the arrows are functions of request.c:
 *
 *   FREE    -- request_begin --> WAITING
 *   WAITING -- try_now --> SENT
 *   SENT    -- wait_a_moment --> WAITING, -- try_elsewhere --> SENT
 *   WAITING, SENT -- complete, give_up --> FREE
 *
 * In WAITING and SENT, maybe_taken says whether a refusal may still be told.
 */
enum request_state {
    REQUEST_FREE = 0, /* or a caller's, until it is handed over */
    REQUEST_WAITING,  /* for an endpoint, or for a moment to pass */
    REQUEST_SENT,
};

struct request {
    enum request_state state;
    enum request_kind kind;
    uint32_t generation;
    uint16_t endpoint; /* SENT: to whom */
    uint16_t wanted;   /* ADMIN with an address: that endpoint */
    bool maybe_taken;  /* an attempt was sent and its answer was given up */
    struct id id;
    uint64_t deadline_ms; /* of the loop's clock */
    uint64_t retry_ms;    /* WAITING: not before */
    uint64_t attempt_ms;  /* SENT: when to lose patience */
    uint32_t backoff_ms;
    uint32_t hops;  /* redirects followed without a pause */
    uint16_t avoid; /* whoever did not serve it, unless nobody else is there */
    uint8_t *frame;
    size_t frame_size, frame_capacity;
    request_done_fn *done;
    void *ctx;
    uint32_t next; /* free list, or the hand-over list */
    uint32_t timeout_ms;
    char address[ADDRESS_TEXT_SIZE];
};

struct engine {
    struct engine_options options;
    struct url url;
    pthread_t thread;
    bool thread_runs;

    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t free_head;
    uint32_t handed_head, handed_tail;
    bool closing;
    bool greeted;            /* a coordinator welcomed us at some time */
    char refusal[TEXT_SIZE]; /* why the last one did not; "" */
    int refusal_code;
    struct workspace *workspaces;

    /* The thread's own. */
    struct loop *loop;
    struct loop_wake *wake;
    struct loop_timer *timer;
    struct conns *conns;
    struct cluster *cluster;
    struct request *requests;
    struct timers timers; /* of requests: the earlier of deadline and retry */
    void *timers_memory;
    struct endpoint endpoints[ENDPOINTS_MAX];
    uint16_t leaders[GROUPS_MAX]; /* believed; ENDPOINT_NONE: nobody */
    uint16_t groups;              /* 0 until a WELCOME */
    uint16_t rotor;               /* the next endpoint to try when nobody is believed in */
    struct guid process;
    struct guid cluster_guid;
    struct arena arena;
    void *arena_memory;
};

/* endpoint.c */
uint16_t endpoint_add(struct engine *engine, const char *text, const struct node_name *node);
uint16_t endpoint_by_node(const struct engine *engine, const struct node_name *node);
uint16_t endpoint_any(struct engine *engine, uint16_t avoid);
bool endpoint_is_ready(const struct engine *engine, uint16_t endpoint);
bool endpoint_send(struct engine *engine, uint16_t endpoint, const void *bytes, size_t size);
void endpoint_close_all(struct engine *engine);

/* request.c */
void request_begin(struct engine *engine, struct request *request);
void request_on_answer(struct engine *engine, uint16_t endpoint, const struct envelope *envelope,
                       const struct blob *payload);
void request_endpoint_up(struct engine *engine, uint16_t endpoint);
void request_endpoint_down(struct engine *engine, uint16_t endpoint);
void request_leader_is(struct engine *engine, uint16_t group, uint16_t endpoint);
void request_tick(void *ctx);
void request_fail_all(struct engine *engine);

/* engine.c */
void engine_free_slot(struct engine *engine, struct request *request);
void engine_note_greeted(struct engine *engine);
void engine_note_refused(struct engine *engine, int code, const char *text);

#endif
