/*
 * An actor plays a coordinator: a real socket server on a thread of its own that speaks the wire
 * and does with each request what a test's script says, above all what a good coordinator never
 * does.
 *
 * Scripts run on the actor's thread and must not assert; what they saw is looked at afterwards,
 * through counters under a lock.
 */
#ifndef SETTLE_TESTS_CLIENT_ACTOR_H
#define SETTLE_TESTS_CLIENT_ACTOR_H

#include "net/listener.h"
#include "wire/wire.h"

#include <pthread.h>

#define ACTOR_GROUPS  16
#define ACTOR_FRAMES  64 /* requests whose bytes are kept */
#define ACTOR_URL_MAX 256

struct actor;

/* One request; `envelope` and `conn` live for the call. */
typedef void actor_script(struct actor *actor, struct conn *conn, const struct envelope *envelope);

/* A request whose bytes were kept. */
struct kept_frame {
    uint8_t *bytes;
    size_t size;
};

/* What a script may look at and change; only on the actor's thread. */
struct actor_options {
    actor_script *script;
    const char *node;          /* "coordinator-1" */
    uint8_t cluster_byte;      /* of the cluster's guid, all bytes alike */
    bool refuse_hello;         /* with REFUSED_VERSION */
    const struct actor *other; /* for scripts that redirect */
};

struct actor {
    struct actor_options options;
    struct loop *loop;
    struct conns *conns;
    struct listener *listener;
    struct loop_wake *wake;
    pthread_t thread;
    char address[ADDRESS_TEXT_SIZE];
    struct arena arena, scratch;
    void *memory;
    uint8_t *frame;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned requests; /* received so far */
    unsigned hellos;
    bool asked_dead, is_dead, asked_stop;
    struct kept_frame kept[ACTOR_FRAMES];
    unsigned kept_count;
};

/** Start listening on a free port. Fails the test when it cannot. */
void actor_open(struct actor *actor, const struct actor_options *options);
void actor_close(struct actor *actor);

/** Stop listening and cut all connections, as if killed; returns when that is done. */
void actor_kill(struct actor *actor);

/** Wait until it has received so many requests; false after 10 s. */
bool actor_wait(struct actor *actor, unsigned requests);
unsigned actor_requests(struct actor *actor);

/** "tcp://..." of one or two. */
const char *actor_url(const struct actor *one, const struct actor *two, char text[ACTOR_URL_MAX]);

/* ---- for scripts ---- */

/** How many requests came before this one. */
unsigned actor_number(struct actor *actor);

/** Answer a Submit or an outcome request. */
void actor_answer(struct actor *actor, struct conn *conn, const struct envelope *request,
                  enum submit_outcome outcome, enum reason reason);

/** Refuse with NOT_LEADER; `leader` NULL: none is known. */
void actor_redirect(struct actor *actor, struct conn *conn, const struct envelope *request,
                    const struct actor *leader);

/** Send any envelope. */
void actor_send(struct actor *actor, struct conn *conn, const struct envelope *envelope);

/** Send the first half of a COMMITTED, then cut. */
void actor_answer_half(struct actor *actor, struct conn *conn, const struct envelope *request);

void actor_cut(struct conn *conn);

#endif
