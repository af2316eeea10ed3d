/*
 * Every limit has a name, and this is where they stand, related by static assertions.
 *
 * A limit that users meet is refused with a reason of base/reason.h; one that only a broken peer
 * meets closes its connection. Limits marked (config) are defaults of a configuration key.
 */
#ifndef SETTLE_BASE_LIMITS_H
#define SETTLE_BASE_LIMITS_H

#define GROUPS_MAX           256 /* groups of a cluster; fixed at its creation */
#define GROUPS_DEFAULT       16
#define MEMBERS_MAX          64    /* participants registered in a cluster */
#define COORDINATORS_MAX     16    /* coordinator processes of a cluster */
#define PARTIES_MAX          1024  /* (participant, store id) pairs one process tells apart */
#define PARTICIPANTS_MAX     16    /* voters of one transaction */
#define READERS_MAX          16    /* declared read-only branches of one transaction */
#define LEGS_MAX             128   /* legs of one transaction, and postings of one branch */
#define NETS_MAX             8     /* currencies of one transaction */
#define BRANCH_SIZE_MAX      16384 /* bytes of one encoded branch */
#define MEMO_LENGTH_MAX      140   /* bytes of UTF-8 */
#define WAITERS_MAX          4     /* requests that wait for one transaction's outcome */
#define END_EXCEPTIONS_MAX   64    /* sequences an End excludes below its watermark */
#define REPORT_PAGE_MAX      64    /* unresolved transactions in one page of a report */
#define CUTS_MAX             4     /* consistent cuts in progress at one participant */
#define CUT_DOUBTS_MAX       64    /* undecided transactions a cut's answer names */
#define ACCOUNT_NAME_MAX     34    /* characters of an account's id */
#define ACCOUNTS_MAX         (16u * 1024 * 1024)
#define CURRENCIES_MAX       192 /* currencies one participant's books, or an audit, may hold */
#define ADDRESS_LENGTH_MAX   127 /* characters of host:port */
#define TEXT_LENGTH_MAX      255 /* bytes of a sentence one process sends another */
#define ACCOUNT_PAGE_MAX     256 /* accounts in one page of a list */
#define STATEMENT_PAGE_MAX   256 /* entries in one page of a statement */
#define TXN_PAGE_MAX         64  /* transactions in one page of a list */
#define DEADLINE_MAX_MS      3600000

#define FRAME_HEADER_SIZE    4
#define FRAME_SIZE_MAX       (1024u * 1024)
#define FRAME_SIZE_MAX_HELLO (64u * 1024) /* before the peer said Hello */
#define PROTOCOL_VERSION     1
#define SUBMIT_BRANCHES_MAX \
    LEGS_MAX /* branches a Submit is read with; too many are refused later */

#define CLOCK_AHEAD_MAX_MS 60000 /* a timestamp further ahead is refused and named */

_Static_assert(PARTICIPANTS_MAX <= MEMBERS_MAX, "voters are members");
_Static_assert(PARTICIPANTS_MAX + READERS_MAX <= LEGS_MAX, "every branch has a leg");
_Static_assert(PARTICIPANTS_MAX + READERS_MAX <= SUBMIT_BRANCHES_MAX, "a full Submit is read");
_Static_assert(PARTICIPANTS_MAX *BRANCH_SIZE_MAX <= FRAME_SIZE_MAX / 2, "a Submit fits a frame");

#endif
